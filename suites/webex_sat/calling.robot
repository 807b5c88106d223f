*** Settings ***
Documentation       Webex calling at system acceptance: 999 tells where to call back, another trunk takes over, nobody slips past a lobby.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/webex-calling.yaml    time=virtual


*** Test Cases ***
An Emergency Operator Is Reached And Reaches The Softphone Again
    [Documentation]    999 from a softphone rings at the emergency operator with the site's number, as Webex tells it, and a call back to that number rings at the softphone.
    [Tags]    req:WBX-005
    ${callback}    Webex Callback Number    webex    operator
    Telephones Are On    operator-999-a
    Telephone Dials    operator-phone    999
    ${shown}    Telephone Rings    operator-999-a
    Should Be Equal    ${shown}    ${callback}
    Telephone Answers    operator-999-a
    Telephone Is Answered    operator-phone
    Telephone Is Heard At Telephone    operator-phone    operator-999-a    caller-999
    Telephone Hangs Up    operator-999-a
    Telephone Dials    operator-999-a    ${callback}
    Telephone Rings    operator-phone
    Telephone Hangs Up    operator-999-a

A New Call Takes The Other Trunk In Time
    [Documentation]    The first carrier answers nothing any more; a new call rings at a subscriber of the second within the time agreed, and is heard.
    [Tags]    req:WBX-019
    ${seconds}    Figure    WBX-019    alternate_s
    Telephones Are On    operator-phone    citizen-b
    Trunk Of The Switch Fails    carrier-a    force
    Telephone Dials    operator-phone    01632960123
    Telephone Rings    citizen-b    within=${seconds} s
    Telephone Answers    citizen-b
    Telephone Is Answered    operator-phone
    Telephone Is Heard At Telephone    operator-phone    citizen-b    caller-999
    Telephone Hangs Up    citizen-b
    [Teardown]    Trunk Of The Switch Is Mended    carrier-a    force

A Guest Waits In The Lobby Until The Host Lets Them In
    [Documentation]    Somebody who was not invited calls a meeting's number: they wait, and hear and are heard only once the host admitted them.
    [Tags]    req:WBX-015
    ${meeting}    Webex Meeting Is Made    webex    closed    by=operator
    Telephone Dials    operator-phone    ${meeting}[meetingNumber]
    Telephone Is Answered    operator-phone
    Webex Participant Is    webex    ${meeting}[id]    2001    joined    by=operator
    Telephone Dials    third-phone    ${meeting}[meetingNumber]
    Telephone Is Answered    third-phone
    ${guest}    Webex Participant Is    webex    ${meeting}[id]    2000    lobby    by=operator
    Run Keyword And Expect Error    *not the same speech*    Telephone Is Heard At Telephone    operator-phone    third-phone    caller-999
    Webex Participant Is Admitted    webex    ${guest}    by=operator
    Webex Participant Is    webex    ${meeting}[id]    2000    joined    by=operator
    Telephone Is Heard At Telephone    operator-phone    third-phone    caller-999
    Telephone Hangs Up    third-phone
    Telephone Hangs Up    operator-phone

A Call To The Service Desk Is Queued Logged And Ticketed
    [Documentation]    Nobody is at the desk: the caller waits in its queue. Once an agent is, they talk; the agent's ticket is of that call, which Webex's records tell as a queue's.
    [Tags]    req:WBX-022
    Webex Agent Takes Calls    webex    Pilot desk    operator    takes=False
    Webex Agent Takes Calls    webex    Pilot desk    colleague    takes=False
    Telephone Dials    third-phone    2250
    Telephone Is Answered    third-phone    within=2 s
    Run Keyword And Expect Error    *did not ring*    Telephone Rings    operator-phone    within=5 s
    Webex Agent Takes Calls    webex    Pilot desk    operator
    ${shown}    Telephone Rings    operator-phone
    Should Be Equal    ${shown}    2000
    Telephone Answers    operator-phone
    ${session}    Webex Call Is Connected    webex    operator
    ${ticket}    Contact Is Recorded    crm    ${session}    telephone=+441632960123
    Telephone Hangs Up    third-phone
    ${records}    Webex Call Records    webex    ${session}    count=2
    Should Be Equal    ${records}[0][Queue type]    Call Queue
    ${again}    Contact Is Recorded    crm    ${session}    telephone=+441632960123
    Should Be Equal    ${again}[id]    ${ticket}[id]

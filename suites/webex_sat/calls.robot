*** Settings ***
Documentation       Webex calls, as their users have them: dialled inside and out, held, parked, passed on, overflowing, answered by a voicemail, moved to a mobile.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/webex-calling.yaml    time=virtual


*** Variables ***
${CITIZEN}              01632960123
${CITIZEN SHOWN}        +441632960123
${OPERATOR}             01414960001
${OPERATOR SHOWN}       +441414960001


*** Test Cases ***
A Colleague Who Is Dialled Rings And The Caller Hears So In Time
    [Documentation]    The operator dials a colleague's extension and hears it ring within the time agreed; both accounts are told of that same call.
    [Tags]    req:WBX-003
    ${seconds}    Figure    WBX-003    ringback_s
    Telephones Are On    colleague-phone
    Telephone Dials    operator-phone    2002
    Telephone Hears Ringback    operator-phone
    Time Is Within Figure    operator-phone call.inviting    operator-phone call.ringing    WBX-003    ringback_s    name=ringback
    ${shown}    Telephone Rings    colleague-phone
    Should Be Equal    ${shown}    2001
    ${seen}    Webex Call Is    webex    colleague    alerting    within=${seconds} s
    Should Be Equal    ${seen}[personality]    terminator
    Should Be Equal    ${seen}[remoteParty][number]    2001
    ${own}    Webex Call Is    webex    operator    connecting    within=${seconds} s
    Should Be Equal    ${own}[remoteParty][callType]    organization
    Should Be Equal    ${own}[callSessionId]    ${seen}[callSessionId]
    Telephone Answers    colleague-phone
    Telephone Is Answered    operator-phone
    Webex Call Is    webex    operator    connected
    Telephone Hangs Up    operator-phone
    Call Of Telephone Is Over    colleague-phone

A Citizen Who Is Called Sees The Operator's Number
    [Documentation]    The operator calls somebody on the public network. They are shown the operator's direct number, each hears the other, and Webex's record tells the same.
    [Tags]    req:WBX-004
    ${session}    Telephones Talk    operator-phone    ${CITIZEN}    citizen    ${OPERATOR SHOWN}
    ${records}    Webex Call Records    webex    ${session}
    Should Be Equal    ${records}[0][Direction]    ORIGINATING
    Should Be Equal    ${records}[0][Called number]    ${CITIZEN}
    Should Be Equal    ${records}[0][Outbound trunk]    carrier-a
    Should Be Equal    ${records}[0][Answered]    true

An Operator Who Is Called Sees The Citizen's Number
    [Documentation]    Somebody on the public network calls the operator's direct number. The operator is shown theirs, each hears the other, and Webex's record tells the same.
    [Tags]    req:WBX-004
    ${session}    Telephones Talk    citizen    ${OPERATOR}    operator-phone    ${CITIZEN SHOWN}
    ${records}    Webex Call Records    webex    ${session}
    Should Be Equal    ${records}[0][Direction]    TERMINATING
    Should Be Equal    ${records}[0][Calling number]    ${CITIZEN SHOWN}
    Should Be Equal    ${records}[0][Inbound trunk]    carrier-a
    Should Be Equal    ${records}[0][Call outcome]    Success
    Should Be Equal    ${records}[0][User]    Callum Ross

Speech Is Back In Time After Hold
    [Documentation]    The operator puts a colleague on hold, who is told so and speaks on. When the operator takes the call back, they hear the colleague again within the time agreed.
    [Tags]    req:WBX-010
    ${call}    Colleague Is On The Line
    Webex Account Holds Call    webex    operator    ${call}[callId]
    Webex Call Is    webex    colleague    remoteHeld
    Party Speaks On    colleague-phone    operator-phone    clip=caller-999
    Time Passes    1 s
    Webex Account Resumes Call    webex    operator    ${call}[callId]
    Audio Gaps Since    webex    webex.call_asked    requirement=WBX-010    figure=resumes_s    act=hold
    Telephone Hangs Up    operator-phone

Speech Is Back In Time After Park
    [Documentation]    The operator parks a colleague, who speaks on. Somebody else takes the call up at their own telephone, and hears the colleague within the time agreed.
    [Tags]    req:WBX-010
    ${call}    Colleague Is On The Line
    ${slot}    Webex Account Parks Call    webex    operator    ${call}[callId]
    Call Of Telephone Is Over    operator-phone    within=2 s
    Party Speaks On    colleague-phone    clip=caller-999
    Webex Account Retrieves Call    webex    administrator    ${slot}
    Telephone Rings    third-phone
    Telephone Is Answered    third-phone
    Party Listens Too    third-phone
    Audio Gaps Since    webex    webex.call_asked    requirement=WBX-010    figure=resumes_s    act=park
    Telephone Hangs Up    third-phone

Speech Is Back In Time After A Transfer
    [Documentation]    The operator hands a colleague on to somebody else. Once they lift the receiver, they hear the colleague, who speaks on, within the time agreed.
    [Tags]    req:WBX-010
    ${call}    Colleague Is On The Line
    Webex Account Transfers Call    webex    operator    ${call}[callId]    2000
    Telephone Rings    third-phone
    Party Speaks On    colleague-phone    clip=caller-999
    Telephone Answers    third-phone
    Party Listens Too    third-phone
    Audio Gaps Since    third-phone    call.answered    requirement=WBX-010    figure=resumes_s    act=transfer
    Telephone Hangs Up    third-phone
    Call Of Telephone Is Over    operator-phone

A Hunt Group's Calls Go Round And Overflow As Its Plan Says
    [Documentation]    Nobody answers at the service desk: the two agents of its plan ring one after the other, then the telephone to which the plan lets calls overflow, where the call is answered.
    [Tags]    req:WBX-011
    ${plan}    Webex Hunt Group    webex    Service desk
    Should Be Equal    ${plan}[callPolicies][policy]    REGULAR
    Should Be Equal    ${plan}[agents][0][extension]    2001
    Should Be Equal    ${plan}[agents][1][extension]    2002
    Length Should Be    ${plan}[agents]    2
    Should Be True    ${plan}[callPolicies][noAnswer][forwardEnabled]
    Should Be Equal    ${plan}[callPolicies][noAnswer][destination]    2003
    Telephones Are On    operator-phone    colleague-phone    desk-phone
    Telephone Dials    third-phone    ${plan}[extension]
    Telephone Rings    operator-phone    within=15 s
    Telephone Does Not Ring    colleague-phone    lasts=3 s
    Call Of Telephone Is Over    operator-phone    within=15 s
    Telephone Rings    colleague-phone    within=15 s
    Telephone Does Not Ring    desk-phone    lasts=3 s
    Call Of Telephone Is Over    colleague-phone    within=15 s
    Telephone Rings    desk-phone    within=15 s
    Telephone Answers    desk-phone
    Telephone Is Answered    third-phone
    Telephone Hangs Up    third-phone
    Call Of Telephone Is Over    desk-phone

A Voice Message Is Notified In Time
    [Documentation]    A colleague does not answer, and the operator leaves a message. Within the time agreed the lamp of the colleague's telephone is lit, and Webex tells the message and who left it.
    [Tags]    req:WBX-012
    ${seconds}    Figure    WBX-012    notified_s
    Telephones Are On    colleague-phone
    ${before}    Webex Voice Messages    webex    colleague
    Telephone Dials    operator-phone    2002
    Telephone Is Answered    operator-phone    within=60 s
    Time Passes    3 s
    Telephone Says    operator-phone    caller-999
    Telephone Hangs Up    operator-phone
    Lamp Of Telephone Is Lit    colleague-phone    within=${seconds} s    left_by=operator-phone
    ${message}    Webex Voice Message Is There    webex    colleague    ${before}    within=${seconds} s
    Should Be Equal    ${message}[callingParty][number]    2001
    Time Is Within Figure    operator-phone telephone.hang_up    colleague-phone lamp.changed    WBX-012    notified_s
    ...    name=voice message notified by the lamp
    Time Is Within Figure    operator-phone telephone.hang_up    webex webex.voice_message    WBX-012    notified_s
    ...    name=voice message notified by Webex

A Call Is Kept That Moves To The Mobile And Back
    [Documentation]    The operator speaks with a citizen, moves the call to their mobile, and back to the desktop. It stays the same call for Webex and the citizen, who is heard again as soon as after a transfer.
    [Tags]    req:WBX-023
    Telephones Are On    citizen    operator-mobile
    Telephone Dials    operator-phone    ${CITIZEN}
    Telephone Rings    citizen
    Telephone Answers    citizen
    Telephone Is Answered    operator-phone
    ${call}    Webex Call Is    webex    operator    connected
    Call Moves    operator-phone    operator-mobile    ${call}
    Call Moves    operator-mobile    operator-phone    ${call}
    Telephone Hangs Up    operator-phone
    Call Of Telephone Is Over    citizen


*** Keywords ***
Telephones Talk
    [Documentation]    One calls another, who is shown this number; each hears the other. The call is over then.
    [Arguments]    ${caller}    ${number}    ${called}    ${due}
    Telephones Are On    ${called}
    Telephone Dials    ${caller}    ${number}
    ${shown}    Telephone Rings    ${called}
    Should Be Equal    ${shown}    ${due}
    Telephone Answers    ${called}
    Telephone Is Answered    ${caller}
    Telephone Is Heard At Telephone    ${caller}    ${called}    caller-999
    Telephone Is Heard At Telephone    ${called}    ${caller}    call-taker
    ${session}    Webex Call Is Connected    webex    operator
    Telephone Hangs Up    ${called}
    Call Of Telephone Is Over    ${caller}
    RETURN    ${session}

Colleague Is On The Line
    Telephones Are On    third-phone    colleague-phone
    Telephone Dials    operator-phone    2002
    Telephone Rings    colleague-phone
    Telephone Answers    colleague-phone
    Telephone Is Answered    operator-phone
    ${call}    Webex Call Is    webex    operator    connected
    RETURN    ${call}

Call Moves
    [Documentation]    A call goes to another telephone of its user; the citizen speaks on, and then hears the user.
    [Arguments]    ${from}    ${to}    ${call}
    ${seconds}    Figure    WBX-010    resumes_s
    Party Speaks On    citizen    clip=caller-999
    Telephone Takes Call Over    ${to}    ${from}    ${CITIZEN}
    Party Listens Too    ${to}
    Call Of Telephone Is Over    ${from}    within=2 s
    Audio Gaps Since    ${to}    call.inviting    requirement=WBX-023    limit=${seconds} s    act=the move
    ${now}    Webex Call Is    webex    operator    connected
    Should Be Equal    ${now}[callSessionId]    ${call}[callSessionId]
    Telephone Is Heard At Telephone    ${to}    citizen    call-taker

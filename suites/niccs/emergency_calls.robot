*** Settings ***
Documentation       999 calls as call takers see them: silent callers, where they are, a spate, text, nuisance, another force's.
Library             harness.keywords.ICCS


*** Test Cases ***
A Silent Caller Who Presses 55 Arrives Flagged
    [Documentation]    A mobile caller says nothing. Within the announcement the caller presses 55; the call taker sees it.
    [Tags]    req:NICCS-TEL-008
    A Caller Is With The Operator    mobile    999
    Emergency Operator Starts Silent Solution    operator-1
    Caller Phone Presses    mobile    55
    ${within}    Figure    NICCS-TEL-008    announcement_s
    Emergency Operator Sees    operator-1    silent.heard    within=${within} s
    Emergency Operator Connects    operator-1    silent=55
    ${call}    Console Shows    govan-12    call.ringing    within=2 s    queue=emergency
    Call Is Flagged    ${call}    silent
    Should Be Equal    ${call}[silent]    55    the call taker is not told that the caller pressed 55

Where A Landline Caller Is Stands On The Console
    [Documentation]    A landline dials 999. Once the call is answered the subscriber's address is shown within the figure.
    [Tags]    req:NICCS-TEL-006
    ${call}    A Caller Is Through To    govan-12    landline
    ${shown}    Console Shows    govan-12    location.shown    within=10 s    call=${call}[call]
    Time Is Within Figure    govan-12 call.connected    govan-12 location.shown    NICCS-TEL-006    location_s
    Should Be Equal    ${shown}[source]    postal
    Should Contain    ${shown}[address]    12 Testbed Street    the address shown is not the subscriber's

The Critical Number Is Answered Though The Queue Is Full
    [Documentation]    The one call taker has a call and more wait. Another agency rings the critical number: a dispatcher,
    ...    whom 999 does not ring, is rung and answers within the figure.
    [Tags]    req:NICCS-TEL-012
    Operator Sits At    govan-31
    A Caller Is Through To    govan-12    landline
    Emergency Operator Sees    operator-1    call.connected    within=2 s
    Emergency Operator Leaves    operator-1
    Caller Dials    999    cli=+447700900201
    ${waiting}    Queue Figures    emergency
    Should Be Equal As Integers    ${waiting}[waiting]    1    a call is to wait before the critical number is rung
    Emergency Operator Calls Control Room    operator-1    police
    ${call}    Console Shows    govan-31    call.ringing    within=10 s    queue=critical
    Call Is Flagged    ${call}    critical
    Operator Answers    govan-31    call=${call}[call]
    Console Shows    govan-31    call.connected    within=2 s    call=${call}[call]
    Time Is Within Figure    operator-1 operator.agency_call    govan-31 call.connected    NICCS-TEL-012    answer_s

A Call That Another Force Can Not Take Comes Flagged As Its Buddy's
    [Documentation]    The other force's room is not reached. Its buddy, ours, gets the call and is told in whose place.
    [Tags]    req:NICCS-TEL-013
    A Caller Is With The Operator    mobile    999
    Emergency Operator Connects    operator-1    police-east
    ${call}    Console Shows    govan-12    call.ringing    within=10 s    queue=emergency
    Call Is Flagged    ${call}    buddy
    Should Be Equal    ${call}[in_place_of]    police-east    the call taker is not told whose call it is
    Operator Answers    govan-12
    Console Shows    govan-12    call.connected    within=2 s    call=${call}[call]

A Text Relay Call Goes First And Is Read
    [Documentation]    A voice call waits already when one comes by text relay. The call taker is given the text call first,
    ...    reads what the caller writes, and is read.
    [Tags]    req:NICCS-TEL-019
    Operator Sits At    govan-12
    Caller Dials    999    cli=+447700900201
    ${voice}    Console Shows    govan-12    call.ringing    within=2 s    queue=emergency
    Emergency Operator Sits At    operator-1
    Caller Phone Dials    mobile    18000    text=yes
    Emergency Operator Sees    operator-1    call.waiting    within=5 s
    Emergency Operator Answers    operator-1
    Caller Phone Is Answered    mobile
    Emergency Operator Connects    operator-1
    ${text}    Console Shows    govan-12    call.ringing    within=5 s    cli=+447700900123
    Call Is Flagged    ${text}    relay
    ${taken}    Operator Answers    govan-12    queue=emergency
    Should Be Equal    ${taken}    ${text}[call]    the voice call was served before the text relay call
    Console Shows    govan-12    call.connected    within=2 s    call=${text}[call]
    Caller Phone Writes    mobile    House on fire
    Console Shows    govan-12    call.text    within=5 s
    Operator Types    govan-12    Police. Where are you?
    Caller Phone Reads    mobile    Where are you?

A Nuisance Call Is Tagged And What Was Known Of It Is Kept
    [Documentation]    The call taker tags the call. Its record is preserved with number, network's data and location.
    [Tags]    req:NICCS-TEL-020
    ${call}    A Caller Is Through To    govan-12    landline
    Console Shows    govan-12    location.shown    within=10 s    call=${call}[call]
    ${tagged}    Operator Tags Nuisance    govan-12    third hoax tonight
    Should Be Equal    ${tagged}    ${call}[record]    another call than the one in hand was tagged
    Operator Clears Call    govan-12
    ${record}    Call Record    ${call}[record]
    Should Be Equal    ${record}[nuisance][note]    third hoax tonight
    Should Be Equal    ${record}[cli]    +441414960123    the caller's number is not kept
    Should Not Be Empty    ${record}[network][call_id]    the network's data of the call are not kept
    Should Not Be Empty    ${record}[locations]    the caller's location is not kept


*** Keywords ***
A Caller Is With The Operator
    [Arguments]    ${phone}    ${number}
    Operator Sits At    govan-12
    Emergency Operator Sits At    operator-1
    Caller Phone Dials    ${phone}    ${number}
    Emergency Operator Sees    operator-1    call.waiting    within=5 s
    Emergency Operator Answers    operator-1
    Caller Phone Is Answered    ${phone}

A Caller Is Through To
    [Arguments]    ${console}    ${phone}
    A Caller Is With The Operator    ${phone}    999
    Emergency Operator Connects    operator-1
    ${call}    Console Shows    ${console}    call.ringing    within=5 s    queue=emergency
    Operator Answers    ${console}
    Console Shows    ${console}    call.connected    within=2 s    call=${call}[call]
    RETURN    ${call}

Call Is Flagged
    [Arguments]    ${call}    ${flag}
    ${flags}    Evaluate    $call.get('flags', [])
    Should Contain    ${flags}    ${flag}    the console shows the call without the flag ${flag}: its flags are ${flags}    values=False

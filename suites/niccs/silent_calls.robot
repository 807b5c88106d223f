*** Settings ***
Documentation       Callers who can't speak: a mobile that answers the Silent Solution, and a landline that is put down and lifted again.
Library             harness.keywords.ICCS


*** Test Cases ***
A Silent Mobile That Presses 55 Is Put Through And Shown As Silent
    [Documentation]    The caller says nothing. The operator plays the Silent Solution's announcement; the caller presses 55 within it.
    ...    The call rings at the control room at once, flagged silent, with the caller's number.
    [Tags]    req:NICCS-TEL-008    waits
    Operator Sits At    govan-12
    Emergency Network Is Watched    emergency
    Caller Phone Dials    mobile    999
    Caller Phone Is Answered    mobile
    Emergency Network Tells    emergency    call.announcement    within=30 s
    ${announcement}    Figure    NICCS-TEL-008    announcement_s
    Caller Phone Presses    mobile    55
    ${call}    Console Shows    govan-12    call.ringing    within=${announcement} s    cli=+447700900123    silent=55
    Operator Answers    govan-12
    Console Shows    govan-12    call.connected    within=2 s    call=${call}[call]
    ${record}    Call Record    ${call}[record]
    Should Contain    ${record}[flags]    silent    the record does not say that the caller was silent
    Operator Clears Call    govan-12
    Call Of Caller Phone Is Over    mobile

A Landline That Is Put Down And Lifted Within The Hold Is The Same Call
    [Documentation]    The caller puts the receiver down and lifts it again. The position is told of both, the call and its record
    ...    are the same, and the caller is heard again.
    [Tags]    req:NICCS-TEL-009    waits
    Operator Sits At    govan-12
    Caller Phone Dials    landline    999
    Caller Phone Is Answered    landline
    Caller Phone Says    landline    caller-999
    ${call}    Console Shows    govan-12    call.ringing    within=30 s    cli=+441414960123
    Operator Answers    govan-12
    Console Shows    govan-12    call.connected    within=2 s    call=${call}[call]
    Caller Phone Hangs Up    landline
    ${held}    Console Shows    govan-12    call.caller_held    within=2 s    call=${call}[call]
    ${hold}    Figure    NICCS-TEL-009    hold_s
    Should Be Equal As Numbers    ${held}[hold_s]    ${hold}    the circuit is not kept for as long as is due
    Caller Phone Lifts    landline
    Caller Phone Is Answered    landline
    ${back}    Console Shows    govan-12    call.caller_restored    within=2 s    call=${call}[call]
    Should Be Equal    ${back}[record]    ${call}[record]    the caller is back on another record
    Caller Phone Says    landline    caller-999
    Operator Clears Call    govan-12
    Call Of Caller Phone Is Over    landline

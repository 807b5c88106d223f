*** Settings ***
Documentation       A caller who can't hear or speak writes to 18000: the call goes before the others, and is read as it is typed.
Library             harness.keywords.ICCS


*** Test Cases ***
A Text Relay Call Goes Before The Others And Is Read And Answered In Writing
    [Documentation]    A 999 call waits. A text relay call comes after it; the call taker who takes the next call has the relay call,
    ...    flagged, reads what the caller typed before and after the answer, and the caller reads the answer.
    [Tags]    req:NICCS-TEL-019
    Operator Sits At    govan-12
    Caller Dials    999    cli=+447700900500
    ${earlier}    Console Shows    govan-12    call.ringing    within=2 s    cli=+447700900500
    Caller Phone Dials    mobile    18000    text=yes
    Caller Phone Is Answered    mobile
    Caller Phone Writes    mobile    Intruder at the back door.
    ${relay}    Console Shows    govan-12    call.ringing    within=20 s    cli=+447700900123    text=relay
    ${taken}    Operator Answers    govan-12
    Should Be Equal    ${taken}    ${relay}[call]    the relay call was not put before the one that waited
    Console Shows    govan-12    call.connected    within=2 s    call=${relay}[call]
    Operator Reads    govan-12    Intruder at the back door.    call=${relay}[call]
    Operator Types    govan-12    Police. Where are you?
    Caller Phone Reads    mobile    Police. Where are you?
    Caller Phone Writes    mobile    ${SPACE}12 Testbed Street.
    Operator Reads    govan-12    12 Testbed Street.    call=${relay}[call]
    ${record}    Call Record    ${relay}[record]
    Should Contain    ${record}[flags]    relay    the record does not say that it was a relay call
    Operator Clears Call    govan-12
    Call Of Caller Phone Is Over    mobile

    # The one who waited is next.
    ${next}    Operator Answers    govan-12
    Should Be Equal    ${next}    ${earlier}[call]
    Caller Is Answered
    Operator Clears Call    govan-12
    Call Is Over

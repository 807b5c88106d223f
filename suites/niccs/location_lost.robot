*** Settings ***
Documentation       The service that tells where callers are is lost: the call is answered all the same, and the adviser asks.
Library             harness.keywords.ICCS


*** Test Cases ***
Without The Location Service The Adviser Is Told To Ask And The Place Is On The Record
    [Documentation]    The service fails before the call. Consoles show that it is away; the adviser who answers is prompted to ask
    ...    where the caller is and writes it down. When the service is back, consoles show that too.
    [Tags]    req:NICCS-TEL-010    waits
    Operator Sits At    govan-12
    Location Service Fails    location    down
    Console Shows    govan-12    location.service    within=10 s    up=${False}
    Caller Phone Dials    landline    999
    Caller Phone Is Answered    landline
    Caller Phone Says    landline    caller-999
    ${call}    Console Shows    govan-12    call.ringing    within=30 s    cli=+441414960123
    Operator Answers    govan-12
    Console Shows    govan-12    call.connected    within=2 s    call=${call}[call]
    ${prompt}    Figure    NICCS-TEL-010    prompt_s
    Console Shows    govan-12    location.prompt    within=${prompt} s    call=${call}[call]
    Operator Enters Location    govan-12    12 Testbed Street, Govan
    Console Shows    govan-12    location.shown    within=2 s    source=manual
    ${record}    Call Record    ${call}[record]
    Should Be Equal    ${record}[locations][-1][source]    manual    the place written down is not on the record
    Operator Clears Call    govan-12
    Call Of Caller Phone Is Over    landline
    Location Service Recovers    location
    Console Shows    govan-12    location.service    within=30 s    up=${True}

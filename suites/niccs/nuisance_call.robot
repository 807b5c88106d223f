*** Settings ***
Documentation       A nuisance call is tagged by the call taker: its data are kept, at the control room and in the 999 network.
Library             harness.keywords.ICCS


*** Test Cases ***
A Nuisance Call Is Tagged And Its Data Are Preserved
    [Documentation]    The call taker tags the call in hand. The record says who tagged it and why, keeps number, times and what happened,
    ...    and the network is told and preserves its own record.
    [Tags]    req:NICCS-TEL-020    waits
    Operator Sits At    govan-12
    Emergency Network Is Watched    emergency
    Caller Phone Dials    mobile    999
    Caller Phone Is Answered    mobile
    Caller Phone Says    mobile    caller-999
    ${call}    Console Shows    govan-12    call.ringing    within=20 s    cli=+447700900123
    Operator Answers    govan-12
    Console Shows    govan-12    call.connected    within=2 s    call=${call}[call]
    Console Shows    govan-12    location.shown    within=5 s    call=${call}[call]
    ${name}    Operator Tags Nuisance    govan-12    third hoax tonight
    Should Be Equal    ${name}    ${call}[record]
    ${told}    Emergency Network Tells    emergency    call.nuisance    within=2 s
    Operator Clears Call    govan-12
    Call Of Caller Phone Is Over    mobile

    ${record}    Call Record    ${name}
    Should Be Equal    ${record}[nuisance][note]    third hoax tonight
    Should Be Equal    ${record}[nuisance][by]    govan-12
    Should Be Equal    ${record}[cli]    +447700900123    the caller's number is not preserved
    Should Not Be Empty    ${record}[locations]    where the caller was is not preserved
    ${theirs}    Emergency Call Record    emergency    ${told}[call]
    Should Be Equal    ${theirs}[nuisance]    tagged

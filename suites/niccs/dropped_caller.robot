*** Settings ***
Documentation       A caller drops out of the call and is rung back: at the right number, at once, and on the same record.
Library             harness.keywords.ICCS


*** Test Cases ***
A Caller Who Drops Is Rung Back At Once On The Same Record
    [Documentation]    A mobile's 999 call drops in mid-speech. The call taker rings back with one key: the caller's telephone
    ...    rings within the figure, both hear each other, and the record holds the two calls.
    [Tags]    req:NICCS-TEL-015    waits
    Operator Sits At    govan-12
    Caller Phone Dials    mobile    999
    Caller Phone Is Answered    mobile
    Caller Phone Says    mobile    caller-999
    ${first}    Console Shows    govan-12    call.ringing    within=20 s    queue=emergency    cli=+447700900123
    Operator Answers    govan-12
    Console Shows    govan-12    call.connected    call=${first}[call]

    # The caller is gone.
    Caller Phone Hangs Up    mobile
    Console Shows    govan-12    call.cleared    within=5 s    call=${first}[call]

    # One key rings the number that the call came with.
    ${call}    Operator Rings Back    govan-12
    Caller Phone Shows    mobile    phone.rings    within=10 s
    Time Is Within Figure    govan-12 console.redial    mobile phone.rings    NICCS-TEL-015    redial_s
    Caller Phone Picks Up    mobile
    ${again}    Console Shows    govan-12    call.connected    within=2 s    call=${call}
    Should Be Equal    ${again}[cli]    ${first}[cli]    the number that was rung is not the caller's
    Should Be Equal    ${again}[record]    ${first}[record]    the call back stands on another record
    Party Speaks On    mobile    govan-12
    Audio Gaps Since    govan-12    call.connected    NICCS-TEL-014    audio_gap_s
    Operator Clears Call    govan-12
    Call Of Caller Phone Is Over    mobile

    # One record tells of both.
    ${record}    Call Record    ${first}[record]
    Length Should Be    ${record}[calls]    2    the record is to hold the dropped call and the call back
    Should Be Equal    ${record}[cli]    ${first}[cli]

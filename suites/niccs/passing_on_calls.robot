*** Settings ***
Documentation       A call is passed on, or a third is taken in, while people speak: nobody misses more than the figure allows.
Library             harness.keywords.ICCS
Test Setup          A Caller Speaks With A Call Taker


*** Variables ***
${CLI}              +447700900123
@{FIGURE}           NICCS-TEL-014    audio_gap_s


*** Test Cases ***
Transfer After An Enquiry
    [Documentation]    The call taker asks a colleague about the caller, who waits, and passes the call on. The colleague is
    ...    speaking when it happens, and so is the caller: each hears the other.
    [Tags]    req:NICCS-TEL-014
    A Colleague Is Asked
    Party Speaks On    govan-31    caller
    Party Speaks On    caller    govan-31    clip=caller-999
    Operator Transfers    govan-12
    Audio Gaps Since    govan-12    console.transfer    @{FIGURE}
    Console Shows    govan-12    call.transferred

Blind Transfer
    [Documentation]    The call taker passes the call on unasked. The colleague speaks at once when taking it; the caller, who
    ...    has heard it ringing, misses no more of that than the figure allows.
    [Tags]    req:NICCS-TEL-014
    Operator Transfers    govan-12    to=govan-31
    ${shown}    Console Shows    govan-31    call.ringing
    Party Speaks On    govan-31    caller
    Operator Answers    govan-31    call=${shown}[call]
    Audio Gaps Since    govan-31    console.answer    @{FIGURE}

Conference After An Enquiry
    [Documentation]    The colleague who was asked is speaking when the call taker takes the caller in: the call taker misses
    ...    nothing and the caller no more than the figure allows.
    [Tags]    req:NICCS-TEL-014
    A Colleague Is Asked
    Party Speaks On    govan-31    caller    govan-12
    Operator Conferences    govan-12
    Audio Gaps Since    govan-12    console.conference    @{FIGURE}
    Console Shows    govan-12    call.conferenced

A Third Is Rung Into The Call And The Call Taker Goes
    [Documentation]    Caller and call taker speak on while a colleague is rung and comes in, and caller and colleague while the
    ...    call taker goes: in neither moment does anybody miss more than the figure allows.
    [Tags]    req:NICCS-TEL-014
    Operator Conferences    govan-12    to=govan-31
    ${shown}    Console Shows    govan-31    call.ringing
    Party Speaks On    caller    govan-12    govan-31
    Operator Answers    govan-31    call=${shown}[call]
    Audio Gaps Since    govan-31    console.answer    @{FIGURE}
    Console Shows    govan-31    call.connected
    Party Speaks On    govan-31    caller
    Operator Leaves Conference    govan-12
    Audio Gaps Since    govan-12    console.leave    @{FIGURE}


*** Keywords ***
A Caller Speaks With A Call Taker
    Operator Sits At    govan-12    govan-31
    Caller Dials    999    cli=${CLI}
    Console Shows    govan-12    call.ringing
    Operator Answers    govan-12
    Caller Is Answered
    Console Shows    govan-12    call.connected

A Colleague Is Asked
    ${enquiry}    Operator Consults    govan-12    govan-31
    Console Shows    govan-31    call.ringing    call=${enquiry}
    Operator Answers    govan-31    call=${enquiry}
    Console Shows    govan-31    call.connected    call=${enquiry}

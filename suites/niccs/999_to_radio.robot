*** Settings ***
Documentation       One 999 call, as the people in the control room live it: from the caller to the officer's radio and back.
Library             harness.keywords.ICCS


*** Variables ***
${CLI}              +447700900123


*** Test Cases ***
Domestic In Progress Is Answered, Dispatched And Closed
    [Documentation]    A caller dials 999; the call taker answers, opens an incident and hands it over; the dispatcher
    ...    sends an officer by radio; the officer answers, reports being at the scene, and the call is cleared.
    [Tags]    req:NICCS-TEL-001    req:NICCS-INT-001    req:NICCS-RAD-004
    Operator Sits At    govan-12    govan-31
    Officer Switches On    officer

    # The call comes in and is answered.
    Caller Dials    999    cli=${CLI}
    ${call}    Console Shows    govan-12    call.ringing    within=1 s    queue=emergency    cli=${CLI}
    Operator Answers    govan-12    queue=emergency
    Caller Is Answered    within=10 s
    Console Shows    govan-12    call.connected    call=${call}[call]
    ${times}    Set Up And Answer Times
    Should Be True    ${times}[answer] <= 10    999 is answered within 10 seconds
    Caller Is Heard At    govan-12    caller-999
    Caller Hears    govan-12    call-taker
    Caller Presses    55
    Console Shows    govan-12    call.dtmf    digit=5
    Console Shows    govan-12    call.dtmf    digit=5

    # The incident goes to the dispatcher.
    ${incident}    Operator Opens Incident    govan-12    Domestic in progress
    Console Shows    govan-12    incident.opened    within=2 s    incident=${incident}    cli=${CLI}
    Operator Hands Over    govan-12    ${incident}    to=govan-31
    ${received}    Console Shows    govan-31    incident.received    within=2 s    incident=${incident}
    Should Be Equal    ${received}[incident_call]    ${call}[call]

    # An officer is sent and answers.
    ${grant}    Operator Keys    govan-31    GD-OPS-1
    Should Be True    ${grant} <= 500    push-to-talk is permitted within 500 ms
    Terminal Shows    officer    talker.shown    within=500 ms    talkgroup=GD-OPS-1
    ${latency}    Dispatcher Is Heard At    govan-31    officer    dispatch
    Should Be True    ${latency} <= 250    mouth to ear takes at most 250 ms
    Operator Lets Go    govan-31
    Terminal Shows    officer    talker.ended    talkgroup=GD-OPS-1
    ${latency}    Officer Is Heard At    officer    govan-31    officer-reply
    Should Be True    ${latency} <= 250    mouth to ear takes at most 250 ms
    Officer Sends Status    officer    5    to=gateway-1
    Console Shows    govan-31    status.shown    within=2 s    issi=4001234
    Officer Sends Text    officer    One male detained, all in order    to=gateway-1
    Console Shows    govan-31    sds.shown    within=2 s    text=One male detained, all in order

    # All is cleared.
    Operator Clears Call    govan-12
    Call Is Over    within=2 s
    Operator Closes Incident    govan-31    ${incident}
    Console Shows    govan-31    incident.closed    incident=${incident}

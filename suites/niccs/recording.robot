*** Settings ***
Documentation       What is said is recorded, and can be heard again: at once by who said or heard it, later by who may.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/simulated.yaml    time=virtual


*** Variables ***
${CLI}              +447700900123


*** Test Cases ***
Every Leg Is Recorded
    [Documentation]    Caller and call taker, an officer and a dispatcher on a talkgroup, and an open microphone: word for word.
    [Tags]    req:NICCS-REC-001
    ${began}    Control Room Time
    ${record}    A Caller Speaks With A Call Taker
    Caller Hears    govan-12    call-taker
    Caller Hangs Up
    Officer Switches On    officer
    Operator Keys    govan-31    GD-OPS-1
    Dispatcher Is Heard At    govan-31    officer    dispatch
    Operator Lets Go    govan-31
    Officer Is Heard At    officer    govan-31    officer-reply
    Dispatcher Listens To    govan-31    officer
    Console Shows    govan-31    ambience.begun
    Surroundings Are Heard At    officer    govan-31    caller-999
    Dispatcher Stops Listening To    govan-31    officer
    Console Shows    govan-31    ambience.ended
    A Leg Says    caller-999    kind=telephone_in    record=${record}
    A Leg Says    call-taker    kind=telephone_out    record=${record}
    A Leg Says    officer-reply    kind=radio_rx    talkgroup=GD-OPS-1    since=${began}
    A Leg Says    dispatch    kind=radio_tx    talkgroup=GD-OPS-1    since=${began}
    A Leg Says    caller-999    kind=ambience    position=govan-31    since=${began}

A Call Taker Hears Again What The Caller Said
    [Documentation]    At once and while the caller waits on hold; at another position it is refused.
    [Tags]    req:NICCS-REC-002
    A Caller Speaks With A Call Taker
    Operator Holds    govan-12
    ${leg}    Operator Replays    govan-12    caller-999
    ${reason}    Replay Is Refused    govan-13    ${leg}
    Should Contain    ${reason}    has no right to replay

All Legs Of An Incident Are Found By Its Number
    [Documentation]    Both sides of its call, and what the unit that was sent says on the radio.
    [Tags]    req:NICCS-REC-003
    A Caller Speaks With A Call Taker
    ${incident}    Operator Opens Incident    govan-12    Break-in at the harbour
    Officer Switches On    officer
    Operator Assigns Unit    govan-31    officer    ${incident}
    Caller Hangs Up
    Officer Is Heard At    officer    govan-31    officer-reply
    ${legs}    Recordings Are Found    govan-50    3    incident=${incident}
    ${kinds}    Evaluate    sorted(leg['kind'] for leg in $legs)
    Should Be Equal    ${kinds}    ${{['radio_rx', 'telephone_in', 'telephone_out']}}

An Export Has The Hash That Its Manifest And The Audit Name
    [Documentation]    Who took it, and why, stands in the audit with the same hash.
    [Tags]    req:NICCS-REC-004
    ${record}    A Caller Speaks With A Call Taker
    Caller Hangs Up
    ${legs}    Recordings Are Found    govan-50    1    record=${record}    kind=telephone_in
    ${hash}    Recording Is Exported    govan-50    ${legs}[0][leg]    why=a complaint, by test
    Length Should Be    ${hash}    64

When The Recorder Fails Nothing Is Lost
    [Documentation]    It fails in mid-call: supervisors are alarmed in time, and the standby has all of the call.
    [Tags]    req:NICCS-REC-005
    ${record}    A Caller Speaks With A Call Taker
    Recorder Fails    main
    ${seconds}    Figure    NICCS-REC-005    alarm_s
    Console Shows    govan-50    alarm.raised    within=${seconds} s    what=recorder_failed
    Caller Is Heard At    govan-12    officer-reply
    Caller Hangs Up
    A Leg Says    officer-reply    kind=telephone_in    record=${record}
    [Teardown]    Recorder Works Again    main


*** Keywords ***
A Caller Speaks With A Call Taker
    Operator Sits At    govan-12    govan-13    govan-31    govan-50
    Caller Dials    999    cli=${CLI}
    ${ringing}    Console Shows    govan-12    call.ringing    cli=${CLI}
    Operator Answers    govan-12
    Caller Is Answered
    Caller Is Heard At    govan-12    caller-999
    RETURN    ${ringing}[record]

A Leg Says
    [Arguments]    ${clip}    &{wanted}
    ${legs}    Recordings Are Found    govan-50    1    &{wanted}
    Recording Says    govan-50    ${legs}[0][leg]    ${clip}

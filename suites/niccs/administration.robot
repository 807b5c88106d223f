*** Settings ***
Documentation       What supervisors may do, others may not: listen in at calls, and change what a position works.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/simulated.yaml    time=virtual


*** Variables ***
${CLI}              +447700900123


*** Test Cases ***
A Supervisor Monitors, Whispers And Barges In
    [Documentation]    Who monitors hears both and is heard by none; a whisper reaches the call taker alone; who barges in is
    ...    a party like the others.
    [Tags]    req:NICCS-ADM-003
    A Caller Speaks With A Call Taker
    Supervisor Listens In    govan-50    govan-12
    Party Hears    govan-50    caller
    Party Hears    govan-50    govan-12
    Party Does Not Hear    govan-12    govan-50
    Supervisor Listens In    govan-50    govan-12    whisper
    Party Hears    govan-12    govan-50
    Party Does Not Hear    caller    govan-50
    Supervisor Listens In    govan-50    govan-12    barge
    Party Hears    caller    govan-50

A Changed Talkgroup Plan Is Live At Once
    [Documentation]    A call taker is given a talkgroup, with a second supervisor's approval, and works it without a restart.
    [Tags]    req:NICCS-ADM-005
    Operator Sits At    govan-12    govan-50    govan-51
    Officer Switches On    officer
    Talkgroup Plan Is Changed    govan-50    govan-12    GD-OPS-1    approver=govan-51    why=short of dispatchers
    Console Shows    govan-12    plan.changed    within=3 s    by=govan-50
    ${ms}    Dispatcher Keys And Is Heard    govan-12    officer
    Should Be True    ${ms} > 0
    [Teardown]    Talkgroup Plan Is Changed    govan-50    govan-12    approver=govan-51    why=dispatchers are back


*** Keywords ***
A Caller Speaks With A Call Taker
    Operator Sits At    govan-12    govan-50
    Caller Dials    999    cli=${CLI}
    Console Shows    govan-12    call.ringing
    Operator Answers    govan-12
    Caller Is Answered
    Console Shows    govan-12    call.connected

Dispatcher Keys And Is Heard
    [Arguments]    ${console}    ${terminal}
    Operator Keys    ${console}    GD-OPS-1
    ${ms}    Dispatcher Is Heard At    ${console}    ${terminal}    dispatch
    Operator Lets Go    ${console}
    RETURN    ${ms}

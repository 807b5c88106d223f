*** Settings ***
Documentation       What a dispatcher does to the radio network, step by step: patch, listen in, call one radio.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/simulated.yaml    time=virtual


*** Test Cases ***
A Loop Of Patches Is Refused
    [Documentation]    Two patches join three talkgroups; a third would close a loop, and the reason names the way round.
    [Tags]    req:NICCS-RAD-016
    Operator Sits At    govan-31
    ${first}    Dispatcher Patches    govan-31    GD-OPS-1    GD-OPS-2
    ${second}    Dispatcher Patches    govan-31    GD-OPS-2    GD-OPS-3
    ${reason}    Patch Is Refused    govan-31    GD-OPS-3    GD-OPS-1
    Should Contain    ${reason}    ${first}
    Should Contain    ${reason}    ${second}
    Dispatcher Ends Patch    govan-31    ${first}
    Dispatcher Ends Patch    govan-31    ${second}

A Dispatcher Listens To An Officer In Need
    [Documentation]    With right and password the console hears what is said beside the radio; without either it does not.
    [Tags]    req:NICCS-RAD-011    req:NICCS-RAD-012
    Operator Sits At    govan-31    govan-32
    Officer Switches On    officer
    Listening Is Refused    govan-32    officer
    Listening Is Refused    govan-31    officer    password=guessed
    Dispatcher Listens To    govan-31    officer
    Console Shows    govan-31    ambience.begun
    Surroundings Are Heard At    officer    govan-31    officer-reply
    Dispatcher Stops Listening To    govan-31    officer
    Console Shows    govan-31    ambience.ended    reason=ended

A Call With One Radio Is Recorded
    [Documentation]    The console calls an officer, both speak, and the recording has what the officer said.
    [Tags]    req:NICCS-RAD-020
    Operator Sits At    govan-31
    Officer Switches On    officer
    Dispatcher Calls Radio    govan-31    officer
    Terminal Shows    officer    call.ringing
    Officer Answers Call    officer
    Console Shows    govan-31    radio_call.connected
    Surroundings Are Heard At    officer    govan-31    officer-reply
    ${recording}    Dispatcher Clears Radio Call    govan-31
    Recording Has    govan-31    ${recording}    radio    officer-reply

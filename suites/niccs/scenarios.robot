*** Settings ***
Documentation       End-to-end scenarios of the control room, each from its file; every seat is played by the harness.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/simulated.yaml    time=virtual
Test Template       Replay Scenario


*** Test Cases ***
999 call domestic in progress
    [Tags]    req:NICCS-TEL-006    req:NICCS-TEL-007    req:NICCS-INT-001    req:NICCS-RAD-004
    01-domestic-in-progress

Silent 999 answered by 55
    [Tags]    req:NICCS-TEL-008    req:NICCS-TEL-001    req:NICCS-INT-001
    02-silent-999

Officer emergency
    [Tags]    req:NICCS-RAD-007    req:NICCS-RAD-009    req:NICCS-RAD-010    req:NICCS-RAD-011    req:NICCS-INT-003
    03-officer-emergency

Pursuit from west to east
    [Tags]    req:NICCS-RAD-004    req:NICCS-RAD-015    req:NICCS-RAD-016
    05-pursuit-west-to-east

Link to command and control lost
    [Tags]    req:NICCS-INT-005    req:NICCS-INT-006    req:NICCS-INT-002
    09-command-control-lost

Gateway dies in mid-PTT
    [Tags]    req:NICCS-RES-004
    12-gateway-dies

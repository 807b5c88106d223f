*** Settings ***
Documentation       End-to-end scenarios of the service centre, each from its file; every seat is played by the harness.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/service-centre.yaml    time=virtual
Test Template       Replay Scenario


*** Test Cases ***
Missing teenager later traced then an appointment
    [Tags]    req:NICCS-INT-001    req:NICCS-INT-007    req:SVC-005    req:SVC-008    req:SVC-009    req:SVC-011
    07-missing-teenager

Repeat vulnerable caller
    [Tags]    req:NICCS-INT-007    req:SVC-014    req:SVC-005    req:SVC-011
    11-repeat-caller

*** Settings ***
Documentation       End-to-end scenarios of the service centre, each from its file; every seat is played by the harness.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/service-centre.yaml    time=virtual
Test Template       Replay Scenario


*** Test Cases ***
Repeat vulnerable caller
    [Tags]    req:NICCS-INT-007    req:SVC-014    req:SVC-005    req:SVC-011
    11-repeat-caller

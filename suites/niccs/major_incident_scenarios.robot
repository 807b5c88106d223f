*** Settings ***
Documentation       End-to-end scenarios of the testbed major-incident, each from its file; every seat is played by the harness.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/major-incident.yaml    time=virtual
Test Template       Replay Scenario


*** Test Cases ***
Major incident with three services
    [Tags]    req:NICCS-TEL-001    req:NICCS-RAD-013    req:NICCS-INT-002
    08-major-incident

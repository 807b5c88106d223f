*** Settings ***
Documentation       End-to-end scenarios of Webex, each from its file; every seat is played by the harness.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/webex-calling.yaml    time=virtual
Test Template       Replay Scenario


*** Test Cases ***
Webex pilot
    [Tags]    req:WBX-006    req:WBX-009    req:WBX-013    req:WBX-016    req:WBX-019
    10-webex-pilot

*** Settings ***
Documentation       End-to-end scenarios of the testbed evacuation, each from its file; every seat is played by the harness.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/evacuation.yaml    time=virtual
Test Template       Replay Scenario


*** Test Cases ***
Evacuation of Bilston Glen
    [Tags]    req:NICCS-RES-002    req:NICCS-RES-003    req:NICCS-ADM-005    req:SVC-011
    04-evacuation

*** Settings ***
Documentation       End-to-end scenarios of the testbed surge, each from its file; every seat is played by the harness.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/surge.yaml    time=virtual
Test Template       Replay Scenario


*** Test Cases ***
Surge on 101
    [Tags]    req:NICCS-TEL-002    req:NICCS-TEL-017
    06-101-surge

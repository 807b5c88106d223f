*** Settings ***
Documentation       Webex at system acceptance: who left has no way in, and everybody else has lost nothing.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/webex.yaml    time=virtual


*** Test Cases ***
A Leaver Who Is Disabled Is Blocked In Time
    [Documentation]    The account is used, then disabled by an administrator; its access token is refused within the time agreed, and a colleague still reads what was said.
    [Tags]    req:WBX-002
    ${minutes}    Figure    WBX-002    blocked_min
    ${room}    Webex Room Is Made    webex    leavers    leaver    operator
    ${message}    Webex Message Is Said    webex    ${room}    Handover at six    by=leaver
    Webex Message Is Seen    webex    ${message}    by=operator
    Webex Account Is Disabled    webex    leaver
    Webex Account Is Blocked    webex    leaver    within=${minutes} min
    Webex Message Is Seen    webex    ${message}    by=operator
    [Teardown]    Webex Account Is Enabled    webex    leaver

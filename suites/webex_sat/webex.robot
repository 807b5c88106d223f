*** Settings ***
Documentation       Webex at system acceptance: who works here is in with two factors, who left has no way in, and nobody else has lost anything.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/webex.yaml    time=virtual


*** Test Cases ***
An Operator Is In By Password And Second Factor In Time
    [Documentation]    The operator signs in once, at the identity provider, with a password and a one-time code, and is in within the time agreed; a wrong password lets nobody in.
    [Tags]    req:WBX-001
    ${figure}    Figure    WBX-001    signed_in_s
    ${seconds}    Webex Account Signs In    webex    operator
    Should Be True    ${seconds} <= ${figure}
    ${why}    Webex Account Does Not Sign In    webex    operator    guess
    Should Contain    ${why}    password is wrong

Nobody Is In Without A Second Factor
    [Documentation]    Somebody who has no second factor yet gives the right password at the identity provider, and is not let in.
    [Tags]    req:WBX-001
    ${why}    Webex Account Does Not Sign In    webex    newcomer
    Should Contain    ${why}    this account has none

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

A Leaver Whom The Directory Deactivates Is Blocked In Time
    [Documentation]    The force's directory tells Webex by SCIM that somebody left; their access token is refused within the time agreed, and a colleague still reads what was said.
    [Tags]    req:WBX-002
    ${minutes}    Figure    WBX-002    blocked_min
    ${room}    Webex Room Is Made    webex    deactivated    leaver    operator
    ${message}    Webex Message Is Said    webex    ${room}    Keys are with the desk    by=leaver
    Webex Directory Deactivates    webex    leaver
    Webex Account Is Blocked    webex    leaver    within=${minutes} min
    Webex Message Is Seen    webex    ${message}    by=operator
    [Teardown]    Webex Directory Reactivates    webex    leaver

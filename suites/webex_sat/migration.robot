*** Settings ***
Documentation       Teams users come to Webex with what they had, and go back without a trace.
Library             OperatingSystem
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/webex-calling.yaml    time=virtual
Test Setup          Ledger Is Fresh
Test Teardown       Remove Directory    ${FOLDER}    recursive=True


*** Variables ***
${EXPORT}       ${CURDIR}/../../fixtures/migration/teams-wave.json
${REFUSED}      ${CURDIR}/../../fixtures/migration/teams-wave-refused.json


*** Test Cases ***
A Teams User Is Migrated With Contacts And Meetings And Rolled Back
    [Documentation]    A wave of Teams users is brought over: each has account, licences, contacts and meetings as in Teams. Rolled back, the organisation holds what it held before, and nothing else.
    [Tags]    req:WBX-025
    ${export}    Teams Users Of    webex    ${EXPORT}
    ${before}    Webex Census    webex    ${export}
    ${wave}    Teams Users Are Migrated    webex    ${EXPORT}    ${LEDGER}
    Teams Users Are There    webex    ${wave}
    Run Keyword And Expect Error    *is not as it was*    Webex Is As Before    webex    ${before}    ${EXPORT}
    Migration Is Rolled Back    webex    ${LEDGER}
    Webex Is As Before    webex    ${before}    ${EXPORT}

A Wave One Row Of Which Is Refused Leaves Nothing
    [Documentation]    One user's address is another organisation's already: the service refuses the row, and those before it are taken back.
    [Tags]    req:WBX-025
    ${export}    Teams Users Of    webex    ${REFUSED}    refused=True
    ${before}    Webex Census    webex    ${export}
    ${why}    Teams Users Are Refused    webex    ${export}    ${LEDGER}
    Should Contain    ${why}    user 2: refused
    Webex Is As Before    webex    ${before}    ${export}


*** Keywords ***
Ledger Is Fresh
    ${folder}    Evaluate    tempfile.mkdtemp(prefix="iccs-migration-")    modules=tempfile
    VAR    ${FOLDER}    ${folder}    scope=TEST
    VAR    ${LEDGER}    ${folder}/ledger    scope=TEST

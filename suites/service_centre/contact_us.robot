*** Settings ***
Documentation       The public writes to the police: receipts, records, urgent flags, and incidents while command and control is away.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/service-centre.yaml    time=virtual


*** Test Cases ***
A Message By The Form Has A Receipt And A Record
    [Documentation]    Whoever fills the form in gets a reference, a receipt by mail, and the CRM has a record.
    [Tags]    req:SVC-001
    ${limit}    Figure    SVC-001    receipt_s
    ${reference}    Citizen Fills In Form    contact-us    The bus stop is smashed    email=iona@example.org
    Contact Us Shows    contact-us    receipt.kept    within=${limit} s    reference=${reference}
    Contact Us Shows    contact-us    crm.record    within=${limit} s    reference=${reference}

A Message With Risk Words Is Flagged Urgent
    [Documentation]    A mail in Scots that can't wait is flagged, and what can wait is not.
    [Tags]    req:SVC-002
    ${limit}    Figure    SVC-002    flag_s
    ${calm}    Citizen Sends Mail    contact-us    calm@example.org    Bicycle    My bicycle has a flat tyre
    ${urgent}    Citizen Sends Mail    contact-us    iona@example.org    Help    Ma neebour isnae breathin
    Contact Us Shows    contact-us    submission.urgent    within=${limit} s    reference=${urgent}
    Contact Us Does Not Show    contact-us    submission.urgent    reference=${calm}

A Crime Reported While The Link Is Down Is One Incident When It Is Back
    [Documentation]    The link to command and control is lost and alarmed; the report, sent twice, is one incident after.
    [Tags]    req:SVC-003    req:SVC-004
    Command And Control Fails    storm    down
    ${reference}    Citizen Fills In Form    contact-us    Somebody broke into the shop    kind=crime    form_key=pressed
    ${again}    Citizen Fills In Form    contact-us    Somebody broke into the shop    kind=crime    form_key=pressed
    Should Be Equal    ${reference}    ${again}
    Contact Us Shows    contact-us    command_control.link    within=10 s    up=${False}
    Command And Control Recovers    storm
    ${incident}    Contact Us Shows    contact-us    incident.registered    within=60 s    reference=${reference}
    Should Not Be Empty    ${incident}[registered]
    Contact Us Does Not Show    contact-us    incident.registered

*** Settings ***
Documentation       How a Webex call sounds: measured at both telephones by RTP and RTCP, held against what is agreed, and told alike by Webex's own report.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/webex-calling.yaml    time=virtual


*** Test Cases ***
Speech Arrives In Time
    [Documentation]    Two people talk; from one's mouth to the other's ear speech takes less than agreed, both ways.
    [Tags]    req:WBX-006
    ${call}    Two People Talk
    Call Keeps Figure    ${call}    WBX-006    delay_ms

Speech Arrives Evenly
    [Documentation]    Two people talk; packets of speech come to both as evenly as agreed.
    [Tags]    req:WBX-007
    ${call}    Two People Talk
    Call Keeps Figure    ${call}    WBX-007    jitter_ms

Speech Is Not Lost
    [Documentation]    Two people talk; of the packets of speech no more are lost than agreed, to neither.
    [Tags]    req:WBX-008
    ${call}    Two People Talk
    Call Keeps Figure    ${call}    WBX-008    loss_share

A Call Sounds As Good As Agreed
    [Documentation]    Two people talk; by delay, loss and codec listeners would give the call the opinion score agreed, or a better one, at both ends.
    [Tags]    req:WBX-009
    ${call}    Two People Talk
    Call Keeps Figure    ${call}    WBX-009    mos

Webex's Report Of A Call Is There In Time And Tells What The Telephones Measured
    [Documentation]    A call ends; within the time agreed Webex's report has it, with packets, loss, jitter and score as the telephones measured them.
    [Tags]    req:WBX-024
    ${call}    Two People Talk
    Webex Report Says The Same    webex    ${call}    WBX-024    complete_min


*** Keywords ***
Two People Talk
    Telephones Are On    colleague-phone
    Telephone Dials    operator-phone    2002
    Telephone Rings    colleague-phone
    Telephone Answers    colleague-phone
    Telephone Is Answered    operator-phone
    ${call}    Call Is Talked Through    webex    operator=operator-phone    colleague=colleague-phone
    RETURN    ${call}

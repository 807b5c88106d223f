*** Settings ***
Documentation       Whether Webex calls are a secret, as the capture shows it: not as the telephones say of themselves.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/webex-calling.yaml    time=virtual


*** Test Cases ***
Who Reads The Wire Neither Hears A Call Nor Sees Who Calls
    [Documentation]    Two telephones that encrypt talk, and hear each other. In what was captured on the wire their speech is noise, of the length that SRTP has, and no word of their signalling is in the clear: all of it is under TLS.
    [Tags]    req:WBX-021
    Telephones Talk    desk-phone    2004    secure-phone
    Call Is Secret On The Wire    desk-phone    secure-phone    caller-999

A Call In The Clear Is Found Out By The Same Look
    [Documentation]    Two telephones that don't encrypt talk: whoever reads the wire hears what was said and sees who called. Otherwise the look above would prove nothing.
    Telephones Talk    operator-phone    2002    colleague-phone
    Run Keyword And Expect Error    *hears the call*crossed in the clear*
    ...    Call Is Secret On The Wire    operator-phone    colleague-phone    caller-999


*** Keywords ***
Telephones Talk
    [Documentation]    One calls another and says something, which is heard.
    [Arguments]    ${caller}    ${number}    ${called}
    Telephones Are On    ${called}
    Telephone Dials    ${caller}    ${number}
    Telephone Rings    ${called}
    Telephone Answers    ${called}
    Telephone Is Answered    ${caller}
    Telephone Is Heard At Telephone    ${caller}    ${called}    caller-999
    Telephone Hangs Up    ${caller}
    Call Of Telephone Is Over    ${called}

*** Settings ***
Documentation       A site loses the cloud: those in it call each other, the world and 999 all the same, and are with the cloud again once it is back.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/webex-calling.yaml    time=virtual


*** Test Cases ***
A Site That Is Cut Off Calls Within Itself The World And 999 And Comes Back
    [Documentation]    The site's wire to the centre is cut, and Webex can't be reached. The telephones go to the site's own gateway: a colleague, a citizen and the emergency operator are called from there, each is shown the right number, and each hears and is heard. Once the cloud is back, so are the telephones.
    [Tags]    req:WBX-020
    ${callback}    Webex Callback Number    webex    operator
    ${centre}    Telephone Home    operator-phone
    ${other}    Telephone Home    colleague-phone
    Telephones Are On    citizen-b    operator-999-b
    Site Of The Switch Is Cut Off    switch    govan
    Webex Fails    webex    down
    Telephone Goes To Another Home    operator-phone    ${centre}    within=30 s
    Telephone Goes To Another Home    colleague-phone    ${other}    within=30 s
    Operator Talks With    2002    colleague-phone    2001
    Operator Talks With    01632960123    citizen-b    +441414960001
    Operator Talks With    999    operator-999-b    ${callback}
    Webex Recovers    webex
    Site Of The Switch Is Mended    switch    govan
    Telephone Comes Home    operator-phone    ${centre}    within=30 s
    Telephone Dials    operator-phone    2002
    Telephone Hangs Up    operator-phone
    [Teardown]    Everything Is Well Again


*** Keywords ***
Operator Talks With
    [Documentation]    The operator calls somebody, who is shown this number; each hears the other.
    [Arguments]    ${number}    ${called}    ${due}
    Telephone Dials    operator-phone    ${number}
    ${shown}    Telephone Rings    ${called}
    Should Be Equal    ${shown}    ${due}
    Telephone Answers    ${called}
    Telephone Is Answered    operator-phone
    Telephone Is Heard At Telephone    operator-phone    ${called}    caller-999
    Telephone Is Heard At Telephone    ${called}    operator-phone    call-taker
    Telephone Hangs Up    ${called}
    Call Of Telephone Is Over    operator-phone

Everything Is Well Again
    Webex Recovers    webex
    Site Of The Switch Is Mended    switch    govan

*** Settings ***
Documentation       Command and control is lost while an incident is written, and has all of it once it is back.
Library             harness.keywords.ICCS


*** Test Cases ***
An Incident Written While Command And Control Is Away Is There When It Is Back
    [Documentation]    The link is lost and every console shows it. A 999 call is answered, an incident opened and handed over.
    ...    When the link is back, command and control has the incident, with the caller's number and its owner.
    [Tags]    req:NICCS-INT-005    req:NICCS-INT-006    waits
    Operator Sits At    govan-12
    Operator Sits At    govan-31
    Console Shows    govan-12    command_control.link    within=5 s    up=${True}
    Command And Control Fails    storm    down
    ${alarm}    Figure    NICCS-INT-005    alarm_s
    Console Shows    govan-12    command_control.link    within=${alarm} s    up=${False}
    Caller Phone Dials    landline    999
    Caller Phone Is Answered    landline
    Caller Phone Says    landline    caller-999
    ${call}    Console Shows    govan-12    call.ringing    within=30 s    cli=+441414960123
    Operator Answers    govan-12
    Console Shows    govan-12    call.connected    within=2 s    call=${call}[call]
    ${incident}    Operator Opens Incident    govan-12    Disturbance
    Operator Hands Over    govan-12    ${incident}    to=govan-31
    Command And Control Recovers    storm
    Console Shows    govan-31    incident.registered    within=30 s    incident=${incident}
    Wait Until Keyword Succeeds    10 s    0.5 s    Owner At Command And Control Is    ${incident}    govan-31
    ${held}    Incident At Command And Control    storm    ${incident}
    Should Be Equal    ${held}[telephone]    tel:+441414960123
    Operator Clears Call    govan-12
    Call Of Caller Phone Is Over    landline
    ${report}    Reconciliation
    ${orphaned}    Evaluate    [each["record"] for each in $report["orphaned"]]
    Should Not Contain    ${orphaned}    ${call}[record]    the call has neither an incident nor a reason


*** Keywords ***
Owner At Command And Control Is
    [Arguments]    ${incident}    ${owner}
    ${held}    Incident At Command And Control    storm    ${incident}
    Should Be Equal    ${held}[owner]    ${owner}

*** Settings ***
Documentation       Appointments of the public with local officers: told by text, reminded of, and cancelled by a text back.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/back-office.yaml    time=virtual


*** Variables ***
${CITIZEN}          +447700900123


*** Test Cases ***
A Citizen Books, Is Told, And Cancels By Text Through A Modem
    [Documentation]    A slot is booked and nobody else can have it. The citizen gets a text in time, answers "cancel":
    ...    the slot is free again, and an adviser has a task.
    [Tags]    req:SVC-008    req:SVC-009    req:SVC-010
    Citizen Books And Cancels    diary-modem    +447700900000

A Citizen Books, Is Told, And Cancels By Text Through SMPP
    [Documentation]    The same, by the network's service centre.
    [Tags]    req:SVC-008    req:SVC-009    req:SVC-010
    Citizen Books And Cancels    diary-smpp    +447700900001

A Citizen Is Reminded A Day Before
    [Documentation]    Booked for three days from now: the reminder comes two days later, and not with the confirmation.
    [Tags]    req:SVC-009
    ${slot}    Free Slot    diary-modem    pc-214    days=3
    ${appointment}    Appointment Is Booked    diary-modem    pc-214    ${slot}    ${CITIZEN}
    Diary Shows    diary-modem    text.delivered    text_kind=confirmation
    Diary Shows    diary-modem    text.delivered    within=48 h    text_kind=reminder    appointment=${appointment}[id]
    ${text}    Handset Gets Text    ${CITIZEN}
    ${text}    Handset Gets Text    ${CITIZEN}
    Should Start With    ${text}[text]    Reminder of your police appointment


*** Keywords ***
Citizen Books And Cancels
    [Arguments]    ${diary}    ${number}
    ${seconds}    Figure    SVC-009    text_s
    ${slot}    Free Slot    ${diary}    pc-214
    ${appointment}    Appointment Is Booked    ${diary}    pc-214    ${slot}    ${CITIZEN}
    ${why}    Appointment Is Refused    ${diary}    pc-214    ${slot}    +447700900124
    Should Contain    ${why}    is taken
    Handset Gets Text    ${CITIZEN}    within=${seconds} s
    Handset Sends Text    ${CITIZEN}    ${number}    Cancel please
    Diary Shows    ${diary}    appointment.cancelled    appointment=${appointment}[id]    by=text
    Slot Is Free    ${diary}    pc-214    ${slot}
    Diary Shows    ${diary}    task.told
    ${task}    Adviser Has Task    ${diary}    appointment_cancelled    ${appointment}[id]
    Should Not Be Equal    ${task}[crm]    ${None}    the CRM does not have the task

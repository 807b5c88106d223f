*** Settings ***
Documentation       Recordings go when their time is over, and those that are held stay.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/recording.yaml    time=virtual


*** Test Cases ***
What Is Due Is Weeded And What Is Held Is Kept
    [Documentation]    Of a call's two legs one is held; in a room that keeps recordings for five minutes the other alone goes.
    [Tags]    req:NICCS-REC-006
    Operator Sits At    govan-12    govan-50
    Caller Dials    999    cli=+447700900123
    ${ringing}    Console Shows    govan-12    call.ringing
    Operator Answers    govan-12
    Caller Is Answered
    Caller Is Heard At    govan-12    caller-999
    Caller Hears    govan-12    call-taker
    Caller Hangs Up
    ${heard}    Recordings Are Found    govan-50    1    record=${ringing}[record]    kind=telephone_in
    ${said}    Recordings Are Found    govan-50    1    record=${ringing}[record]    kind=telephone_out
    Recording Is Held    govan-50    ${heard}[0][leg]    why=a complaint, by test
    ${gone}    Recordings Are Weeded
    Should Not Contain Any    ${gone}    ${heard}[0][leg]    ${said}[0][leg]
    ${gone}    Recordings Are Weeded    after=5 min
    Should Contain    ${gone}    ${said}[0][leg]
    Should Not Contain    ${gone}    ${heard}[0][leg]
    Recording Says    govan-50    ${heard}[0][leg]    caller-999
    Recording Is Released    govan-50    ${heard}[0][leg]
    ${gone}    Recordings Are Weeded
    Should Contain    ${gone}    ${heard}[0][leg]

*** Settings ***
Documentation       Webex meetings: who joins hears and is heard in time, what a room shows is seen, and a recording is announced, lies in the right region and goes in its time.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/webex-calling.yaml    time=virtual


*** Test Cases ***
Whoever Joins A Meeting Hears And Is Heard In Time
    [Documentation]    Three people call a meeting's number one after another. Who joins hears those inside, and is heard by them, within the time agreed from dialling; then each hears whoever speaks.
    [Tags]    req:WBX-013
    ${meeting}    Webex Meeting Is Made    webex    briefing    colleague    administrator    by=operator
    Telephone Joins Meeting    webex    ${meeting}    operator-phone    by=operator
    Telephone Joins Meeting    webex    ${meeting}    colleague-phone    by=operator    inside=operator-phone
    Telephone Joins Meeting    webex    ${meeting}    third-phone    by=operator    inside=operator-phone
    Telephone Is Heard At Telephone    operator-phone    third-phone    call-taker
    Telephone Is Heard At Telephone    operator-phone    colleague-phone    call-taker
    Telephone Hangs Up    third-phone
    Telephone Hangs Up    colleague-phone
    Telephone Hangs Up    operator-phone
    Webex Participant Is    webex    ${meeting}[id]    2001    end    by=operator

What A Room Shows Is Seen In Time And Only While It Is Shown
    [Documentation]    Two rooms are in a meeting. What the one shows is seen in the other within the time agreed, until it ends, or until the room that shows it leaves.
    [Tags]    req:WBX-016
    Two Rooms Meet
    Webex Device Shares    webex    Briefing room
    Webex Device Sees Share    webex    Command room    WBX-016    visible_s
    Webex Device Shares    webex    Briefing room    on=False
    Webex Device Sees No Share    webex    Command room
    Webex Device Shares    webex    Briefing room
    Webex Device Sees Share    webex    Command room    WBX-016    visible_s
    Telephone Hangs Up    briefing-room
    Webex Device Sees No Share    webex    Command room
    Telephone Hangs Up    command-room

A Recording Is Announced And Lies In Its Region For Its Time
    [Documentation]    A meeting is recorded: everybody in it hears the notice at once. Only the host ends it; the recording holds what both said, lies in the region agreed, is to be kept for the time agreed, and is seen by nobody outside.
    [Tags]    req:WBX-017
    ${meeting}    Webex Meeting Is Made    webex    recorded    colleague    by=operator
    Telephone Joins Meeting    webex    ${meeting}    operator-phone    by=operator
    Telephone Joins Meeting    webex    ${meeting}    colleague-phone    by=operator    inside=operator-phone
    Webex Recording Begins    webex    ${meeting}    operator-phone    colleague-phone    by=operator
    Telephone Is Heard At Telephone    operator-phone    colleague-phone    caller-999
    Telephone Is Heard At Telephone    colleague-phone    operator-phone    call-taker
    Run Keyword And Expect Error    WebexRefusedError: *    Webex Recording Ends    webex    ${meeting}    by=colleague
    ${recording}    Webex Recording Ends    webex    ${meeting}    by=operator
    Webex Recording Is As Agreed    webex    ${recording}
    Webex Recordings Are Seen    webex    ${meeting}    0    by=partner
    Webex Recording Holds    webex    ${recording}    caller-999    call-taker    by=operator
    Telephone Hangs Up    colleague-phone
    Telephone Hangs Up    operator-phone

A Recording Goes When Its Time Is Over
    [Documentation]    A meeting is recorded. The recording is there a minute before the time is over for which it is kept, and gone a minute after.
    [Tags]    req:WBX-017
    ${meeting}    Webex Meeting Is Made    webex    recorded    by=operator
    Telephone Joins Meeting    webex    ${meeting}    operator-phone    by=operator
    Webex Recording Begins    webex    ${meeting}    operator-phone    by=operator
    ${recording}    Webex Recording Ends    webex    ${meeting}    by=operator
    Telephone Hangs Up    operator-phone
    Webex Recording Goes In Time    webex    ${meeting}    ${recording}    by=operator


*** Keywords ***
Two Rooms Meet
    ${meeting}    Webex Meeting Is Made    webex    shown    by=operator    rooms=${{["Briefing room", "Command room"]}}
    Telephone Dials    briefing-room    ${meeting}[meetingNumber]
    Telephone Is Answered    briefing-room
    Webex Participant Is    webex    ${meeting}[id]    2010    joined    by=operator
    Telephone Dials    command-room    ${meeting}[meetingNumber]
    Telephone Is Answered    command-room
    Webex Participant Is    webex    ${meeting}[id]    2011    joined    by=operator

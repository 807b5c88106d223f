*** Settings ***
Documentation       Webex with as many in a meeting and a webinar as are agreed, for an hour of the simulators' clock.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/webex-calling.yaml    time=virtual
Test Tags           waits


*** Test Cases ***
A Full Meeting Is Stable For Its Time
    [Documentation]    As many as agreed are in one meeting for the time agreed: nobody is dropped, and each is heard or hears in turn.
    [Tags]    req:WBX-014
    ${due}    Figure    WBX-014    participants
    ${minutes}    Figure    WBX-014    stable_min
    Test Has Time For    ${minutes} min
    ${meeting}    Webex Meeting Is Made    webex    full    colleague    administrator    by=operator    guests=allowJoin
    Telephones Join Meeting    ${meeting}[meetingNumber]    operator-phone    colleague-phone    third-phone
    ${others}    Evaluate    int($due) - 3
    Attendees Join Meeting    attendees    ${meeting}[meetingNumber]    ${others}
    ${least}    Meeting Is Stable    webex    ${meeting}    WBX-014    participants    ${minutes} min    by=operator
    Should Be True    ${least} >= ${due}

A Full Webinar Is Stable And Its Attendees Are Not Heard
    [Documentation]    As many as agreed attend a webinar for as long as a meeting: nobody is dropped, all hear the panel, and the panel hears no attendee.
    [Tags]    req:WBX-018
    ${due}    Figure    WBX-018    attendees
    ${minutes}    Figure    WBX-014    stable_min
    Test Has Time For    ${minutes} min
    ${meeting}    Webex Meeting Is Made    webex    webinar    colleague    by=operator    webinar=True
    Telephones Join Meeting    ${meeting}[meetingNumber]    operator-phone    colleague-phone
    Attendees Join Meeting    attendees    ${meeting}[meetingNumber]    ${due}
    ${least}    Meeting Is Stable    webex    ${meeting}    WBX-018    attendees    ${minutes} min    by=operator    webinar=True
    Should Be True    ${least} >= ${due} + 2

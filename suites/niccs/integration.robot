*** Settings ***
Documentation       What a console has from elsewhere: radios' places, unit states, records checks, right clocks.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/simulated.yaml    time=virtual


*** Test Cases ***
A Radio's Place Is On The Map In Time
    [Documentation]    An officer's terminal tells where it is, and the dispatcher's map shows it within the figure.
    [Tags]    req:NICCS-INT-003
    Operator Sits At    govan-31
    Officer Switches On    officer
    Officer Sends Position    officer    55.8622    -4.3096    to=gateway-1
    ${limit}    Figure    NICCS-INT-003    displayed_s
    ${place}    Console Map Shows    govan-31    officer    within=${limit} s
    Should Be True    abs(${place}[lat] - 55.8622) < 0.0001 and abs(${place}[lon] + 4.3096) < 0.0001

A Unit's State Goes Both Ways
    [Documentation]    A status by radio is the unit's state at command and control; one set there is shown here.
    Operator Sits At    govan-31
    Officer Switches On    officer
    Command And Control Is Watched    storm
    Officer Sends Status    officer    5    to=gateway-1
    Command And Control Has    storm    unit.state    state=At scene
    Command And Control Sets Unit State    storm    G01    Assigned
    Console Shows    govan-31    unit.told    within=5 s    unit=G01    state=Assigned

A Records Check Is Returned In The Log
    [Documentation]    A dispatcher has a vehicle checked with a reason; the incident's log at command and control has the answer.
    [Tags]    req:NICCS-INT-008
    Operator Sits At    govan-31
    ${incident}    Operator Opens Incident    govan-31    Vehicle stop
    Console Shows    govan-31    incident.registered    within=5 s    incident=${incident}
    ${check}    Dispatcher Checks Records    govan-31    ${incident}    stopped by a patrol    registration=QI00 TST
    Console Shows    govan-31    records_check.returned    within=10 s    check=${check}    outcome=trace
    Command And Control Is Watched    storm
    Wait Until Keyword Succeeds    10 s    0.5 s    Log At Command And Control Has    ${incident}    no insurance held

A Wrong Clock Is Found
    [Documentation]    All clocks agree; one that is set 250 ms wrong does not, and is named.
    [Tags]    req:NICCS-INT-010
    ${limit}    Figure    NICCS-INT-010    skew_ms
    Clocks Agree    within=${limit} ms
    Clock Is Set Wrong    storm    by=-250 ms
    Run Keyword And Expect Error    *clock of storm is 25*    Clocks Agree    within=${limit} ms
    ${skew}    Clock Skew    iccs
    Should Be True    abs(${skew}) < ${limit}

An Edit Of The Directory Comes To The Consoles
    [Documentation]    A number that is edited is shown at a call taker's and a dispatcher's console.
    [Tags]    req:NICCS-INT-009
    Operator Sits At    govan-12
    Operator Sits At    govan-31
    Directory Entry Is Edited    vet-1    Duty vet    01414960299
    Console Directory Has    govan-12    vet-1    within=5 min    number=01414960299
    Console Directory Has    govan-31    vet-1    within=5 min    number=01414960299

An Incident Is Graded Once It Is Assessed By THRIVE
    [Documentation]    Without all six factors and a rationale, or with another word, no grade is taken; another grade says why.
    [Tags]    req:SVC-005    req:SVC-006    req:SVC-011
    Operator Sits At    govan-31
    ${incident}    Operator Opens Incident    govan-31    Shouting in the close
    Operator Assesses Incident    govan-31    ${incident}    threat=He shouts    harm=None yet    risk=He may force the door
    ...    investigation=Nothing to secure    vulnerability=A child is there    engagement=She stays on the line
    Run Keyword And Expect Error    *rationale is missing*    Operator Grades Incident    govan-31    ${incident}    Prompt
    Operator Assesses Incident    govan-31    ${incident}    rationale=Two are threatened, one of them a child
    Run Keyword And Expect Error    *refused with 422*    Operator Grades Incident    govan-31    ${incident}    Priority
    Operator Grades Incident    govan-31    ${incident}    Prompt
    Run Keyword And Expect Error    *needs a THRIVE rationale*    Operator Grades Incident    govan-31    ${incident}    Standard
    Operator Grades Incident    govan-31    ${incident}    Standard    rationale=He has left
    ${graded}    Console Shows    govan-31    incident.graded    grade=Standard
    Should Be Equal    ${graded}[was]    Prompt


*** Keywords ***
Log At Command And Control Has
    [Arguments]    ${incident}    ${words}
    ${held}    Incident At Command And Control    storm    ${incident}
    Should Contain    ${{str($held["log"])}}    ${words}

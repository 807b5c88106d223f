*** Settings ***
Documentation       Contacts at the service centre: who calls, how soon somebody comes and why, and what was our own failure.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/service-centre.yaml    time=virtual


*** Variables ***
&{THRIVE}           threat=He shouts outside    harm=None yet    risk=He may force the door    investigation=Nothing to secure
...                 vulnerability=She is alone with a child    engagement=Stays on the line
${RATIONALE}        Two people are threatened, one of them a child


*** Test Cases ***
A Record Is Assessed By All Six Factors And A Rationale
    [Documentation]    Without a rationale the assessment is refused by name; with it the record can be graded, by the four grades only.
    [Tags]    req:SVC-005    req:SVC-006
    ${record}    Contact Is Recorded    crm    call-1    telephone=+447700900999
    ${reason}    Assessment Is Refused    crm    ${record}[id]    &{THRIVE}
    Should Contain    ${reason}    rationale is missing or blank
    Record Is Assessed    crm    ${record}[id]    &{THRIVE}    rationale=${RATIONALE}
    ${reason}    Grade Is Refused    crm    ${record}[id]    Priority
    Should Contain    ${reason}    there is Immediate, Prompt, Standard, Other
    Record Is Graded    crm    ${record}[id]    Immediate

A Prompt That Nobody Attends Is A Supervisor's To Review
    [Documentation]    Graded Prompt and left unattended, a record has a review task after the time that was agreed.
    [Tags]    req:SVC-007
    ${minutes}    Figure    SVC-007    review_min
    ${record}    Contact Is Recorded    crm    call-1    telephone=+447700900999
    Record Is Assessed    crm    ${record}[id]    &{THRIVE}    rationale=${RATIONALE}
    Record Is Graded    crm    ${record}[id]    Prompt
    ${none}    Tasks At CRM    crm    supervisor_review    about=${record}[id]
    Should Be Empty    ${none}
    CRM Tells    crm    review.raised    within=${${minutes} + 1} min    record=${record}[id]
    ${tasks}    Tasks At CRM    crm    supervisor_review    about=${record}[id]
    Length Should Be    ${tasks}    1

A Regrade Or A Transfer Says Why By THRIVE
    [Documentation]    Without a rationale neither is saved; with one, both are.
    [Tags]    req:SVC-011
    ${record}    Contact Is Recorded    crm    call-1    telephone=+447700900999
    Record Is Assessed    crm    ${record}[id]    &{THRIVE}    rationale=${RATIONALE}
    Record Is Graded    crm    ${record}[id]    Prompt
    ${reason}    Grade Is Refused    crm    ${record}[id]    Standard
    Should Contain    ${reason}    needs a THRIVE rationale
    ${reason}    Transfer Is Refused    crm    ${record}[id]    Force North
    Should Contain    ${reason}    needs a THRIVE rationale
    Record Is Graded    crm    ${record}[id]    Immediate    rationale=He is at the door now
    Record Is Transferred    crm    ${record}[id]    Force North    rationale=The address is theirs

A Known Caller's Markers Are Shown As The Call Is Answered
    [Documentation]    The console shows who calls and what is to be known of her in time; the look is audited under the position.
    [Tags]    req:SVC-014    req:NICCS-INT-007
    Operator Sits At    govan-01
    Caller Dials    999    cli=+447700900999
    ${call}    Console Shows    govan-01    call.ringing    within=2 s
    Operator Answers    govan-01
    Console Shows    govan-01    call.connected    within=2 s
    ${shown_s}    Figure    SVC-014    shown_s
    ${contacts}    Console Shows Caller    govan-01    ${call}[call]    within=${shown_s} s
    ${known}    Evaluate    [each for each in $contacts if each["name"] == "Isla Munro"][0]
    ${kinds}    Evaluate    [marker["kind"] for marker in $known["markers"]]
    Should Be Equal    ${kinds}    ${{["domestic_abuse", "hearing"]}}
    ${looks}    Audit Of Contact    crm    ${known}[id]
    Should Be Equal    ${looks}[-1][user]    govan-01
    Should Be Equal    ${looks}[-1][reason]    call

A CRM That Is Down Leaves The Call Alone
    [Documentation]    The call is answered as ever, and the console says that the caller can't be looked up.
    [Tags]    req:NICCS-INT-007
    Operator Sits At    govan-01
    CRM Fails    crm    down
    Caller Dials    999    cli=+447700900999
    Console Shows    govan-01    call.ringing    within=2 s
    Operator Answers    govan-01
    Console Shows    govan-01    call.connected    within=2 s
    Console Shows    govan-01    crm.unavailable    within=3 s

What Was Our Own Failure Is In The Report
    [Documentation]    A caller who rings because nobody told her more is coded so, and counted.
    [Tags]    req:SVC-015
    ${before}    Failure Demand    crm
    ${first}    Contact Is Recorded    crm    call-1    telephone=+447700900999
    ${second}    Contact Is Recorded    crm    call-2    telephone=+447700900123
    Record Is Coded    crm    ${first}[id]    no_update
    Record Is Coded    crm    ${second}[id]    none
    ${report}    Failure Demand    crm
    Should Be Equal As Integers    ${report}[failure_demand]    ${{ $before["failure_demand"] + 1 }}
    Should Be Equal As Integers    ${report}[coded]    ${{ $before["coded"] + 2 }}

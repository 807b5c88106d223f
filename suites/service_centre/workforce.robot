*** Settings ***
Documentation       Workforce management is told by the ACD what an adviser does, and knows whose training has lapsed.
Library             harness.keywords.ICCS


*** Test Cases ***
What Workforce Management Has Of An Adviser Is What The Console Showed
    [Documentation]    An adviser goes on break and comes back; both records are compared second by second.
    [Tags]    req:SVC-013    waits
    Operator Sits At    govan-12
    FOR    ${state}    IN    break    available    break    available
        Operator Goes    govan-12    ${state}
        Console Shows    govan-12    adviser.state    within=2 s    state=${state}
        Time Passes    2 s
    END
    Workforce Pulls Feeds    workforce
    ${share}    Workforce Agrees With Console    workforce    govan-12    govan-12
    ${due}    Figure    SVC-013    match_share
    Should Be True    ${share} >= ${due}    the records agree for ${share} % of the time, ${due} % is due

An Adviser Whose Training Has Lapsed Is Flagged
    [Documentation]    Of two advisers who serve 999, the one whose training held until last year is flagged.
    ${lapsed}    Advisers With Lapsed Training    workforce    emergency
    Should Contain    ${lapsed}    govan-13
    Should Not Contain    ${lapsed}    govan-12

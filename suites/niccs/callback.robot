*** Settings ***
Documentation       Who waits long on 101 is offered to be called back, keeps the place in the queue, and is tried so many times.
...                 Waiting is played in virtual time, on a testbed of its own: all of it is simulated.
Library             harness.keywords.ICCS    testbed=${CURDIR}/../../fixtures/testbeds/queues.yaml    time=virtual


*** Variables ***
${CLI}              +441632960101
${LATER}            +441632960102


*** Test Cases ***
A Callback Keeps Its Place And The Caller Is Tried Again
    [Documentation]    A caller accepts the callback; another calls later. The adviser who comes on duty is given the callback
    ...    first. The caller does not answer, the later caller is served, and then the second attempt reaches the caller.
    [Tags]    req:NICCS-TEL-017
    A Caller Has Waited And Accepts The Callback
    Scripted Phone Behaves    caller    never_answer=yes
    Scripted Phone Dials    later-caller    101    cli=${LATER}
    Scripted Phone Is Answered    later-caller
    ${attempts}    Figure    NICCS-TEL-017    attempts
    ${due}    Callbacks Due    cli=${CLI}
    Length Should Be    ${due}    1
    Should Be Equal    ${due}[0][cli]    ${CLI}
    Should Be Equal As Integers    ${due}[0][of]    ${attempts}    the caller is to be tried so many times

    # The place was kept: the callback goes before who called later.
    Operator Sits At    govan-01
    ${first}    Console Shows    govan-01    call.ringing
    Should Be Equal    ${first}[cli]    ${CLI}    the caller who accepted the callback was not served first
    Operator Answers    govan-01    call=${first}[call]
    Scripted Phone Is Called    caller
    Console Shows    govan-01    call.failed    within=30 s    call=${first}[call]    again=True

    # It is kept while the next one is served, and the second attempt reaches the caller.
    ${next}    Console Shows    govan-01    call.ringing    within=2 s    cli=${LATER}
    Operator Answers    govan-01    call=${next}[call]
    Console Shows    govan-01    call.connected    call=${next}[call]
    Operator Clears Call    govan-01
    Scripted Phone Behaves    caller
    ${again}    Console Shows    govan-01    call.ringing    within=90 s    call=${first}[call]
    Operator Answers    govan-01    call=${again}[call]
    Scripted Phone Is Called    caller
    Console Shows    govan-01    call.connected    within=2 s    call=${first}[call]
    ${record}    Call Record    ${first}[record]
    Should Be Equal    ${record}[outcome]    called back
    Operator Clears Call    govan-01
    ${due}    Callbacks Due    cli=${CLI}
    Should Be Empty    ${due}

A Caller Who Is Never Reached Is Tried As Often As Agreed And No More
    [Documentation]    Each attempt rings the caller once; after the last one the callback is given up, and the record says so.
    [Tags]    req:NICCS-TEL-017
    A Caller Has Waited And Accepts The Callback
    Scripted Phone Behaves    caller    never_answer=yes
    ${attempts}    Figure    NICCS-TEL-017    attempts
    Operator Sits At    govan-01
    FOR    ${attempt}    IN RANGE    1    ${attempts} + 1
        ${shown}    Console Shows    govan-01    call.ringing    within=90 s    cli=${CLI}
        Operator Answers    govan-01    call=${shown}[call]
        Scripted Phone Is Called    caller
        ${failed}    Console Shows    govan-01    call.failed    within=30 s    call=${shown}[call]
        ${again}    Evaluate    $attempt < $attempts
        Should Be Equal    ${failed}[again]    ${again}    attempt ${attempt} of ${attempts}: is another due?
    END
    ${due}    Callbacks Due    cli=${CLI}
    Should Be Empty    ${due}
    ${record}    Call Record    ${shown}[record]
    Should Be Equal    ${record}[outcome]    not reached
    Run Keyword And Expect Error    *no call came within*    Scripted Phone Is Called    caller    within=3 minutes


*** Keywords ***
A Caller Has Waited And Accepts The Callback
    Scripted Phone Dials    caller    101    cli=${CLI}
    Scripted Phone Is Answered    caller
    Scripted Phone Hears    caller    announcements/callback-offer    within=150 s
    Scripted Phone Presses    caller    1
    Call Of Scripted Phone Is Over    caller

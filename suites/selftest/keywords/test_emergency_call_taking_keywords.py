"""Keywords of a call taker with an emergency call: a vehicle's data, the operator asked back, a place written down."""

from __future__ import annotations

from pathlib import Path

from suites.selftest.keywords.robot_suite import Suite

BODY = """\
Vehicle Calls And The Operator Comes Back
    Operator Sits At    govan-12
    Emergency Operator Sits At    operator-1
    Vehicle Calls    mobile    55.8642    -4.2518    vin=WM9VDSVDSYA123456    people=2
    ${waiting}    Emergency Operator Sees    operator-1    call.waiting    within=5 s
    Emergency Operator Answers    operator-1
    Emergency Operator Connects    operator-1
    ${call}    Console Shows    govan-12    call.ringing    within=5 s
    Should Contain    ${call}[flags]    ecall
    Operator Answers    govan-12
    ${shown}    Console Shows    govan-12    ecall.shown    within=2 s    call=${call}[call]
    Should Be Equal As Integers    ${shown}[people]    2
    Should Be Equal    ${shown}[trigger]    automatic
    Emergency Operator Sees    operator-1    call.connected    within=2 s
    Emergency Operator Leaves    operator-1
    Console Shows    govan-12    call.operator_left    within=2 s
    Operator Asks 999 Operator    govan-12    return
    Console Shows    govan-12    call.operator_joined    within=10 s
    Operator Enters Location    govan-12    by the harbour
    ${place}    Console Shows    govan-12    location.shown    within=2 s    source=manual
    Should Be Equal    ${place}[text]    by the harbour
    Run Keyword And Expect Error    *    Operator Types    govan-12    nobody reads this
"""


def test_a_call_taker_reads_a_vehicles_data_asks_the_operator_back_and_writes_down_the_place(tmp_path: Path) -> None:
    code, results, said = Suite(tmp_path).run(BODY)
    assert results == {"Vehicle Calls And The Operator Comes Back": ("PASS", "")}, said
    assert code == 0

"""The keywords of the caller-location service, as a Robot suite uses them."""

from __future__ import annotations

from pathlib import Path

from harness.keywords.session import DEFAULT_TESTBED
from suites.selftest.keywords.robot_suite import Suite

OPTIONS = f"testbed={DEFAULT_TESTBED}    time=virtual"


def test_a_position_that_a_handset_sends_in_its_call_is_shown(tmp_path: Path) -> None:
    code, results, said = Suite(tmp_path).run(
        """\
Shown
    Operator Sits At    govan-12
    Caller Phone Dials    mobile    999
    Caller Phone Is Answered    mobile
    Caller Phone Says    mobile    caller-999
    Console Shows    govan-12    call.ringing    within=20 s    cli=+447700900123
    Operator Answers    govan-12
    Console Shows    govan-12    location.shown    within=5 s    source=cell
    ${status}    Handset Sends Position    location    +447700900123    55.8583    -4.2590    radius=12
    Should Be Equal As Integers    ${status}    200
    ${shown}    Console Shows    govan-12    location.shown    within=5 s    source=AML
    Should Be Equal As Numbers    ${shown}[radius]    12
""",
        options=OPTIONS,
    )
    assert [status for status, _ in results.values()] == ["PASS"], results
    assert code == 0, said


def test_a_service_that_is_lost_and_back_is_shown_as_such(tmp_path: Path) -> None:
    code, results, said = Suite(tmp_path).run(
        """\
Lost And Back
    Operator Sits At    govan-12
    Location Service Fails    location
    Console Shows    govan-12    location.service    within=10 s    up=${False}
    Location Service Recovers    location
    Console Shows    govan-12    location.service    within=30 s    up=${True}
A Fault That There Is Not
    Location Service Fails    location    asleep
""",
        options=OPTIONS,
    )
    assert results["Lost And Back"][0] == "PASS", results
    status, told = results["A Fault That There Is Not"]
    assert status == "FAIL"
    assert "no_updates" in told, "the faults that there are are not named"
    assert code == 1, said

"""Keywords of operators' hands on calls and of the supervisor, as a suite uses them."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

import pytest
from robot.run import run as robot

from harness.keywords.session import DEFAULT_TESTBED
from suites.selftest.keywords.robot_suite import Suite

BODY = """\
*** Settings ***
Library    harness.keywords.ICCS    time=virtual

*** Test Cases ***
Held And Passed On
    Operator Sits At    govan-12    govan-31
    Caller Dials    999    cli=+447700900123
    Console Shows    govan-12    call.ringing
    Wallboard Shows    emergency    waiting    1
    Operator Answers    govan-12
    Caller Is Answered
    ${shown}    Console Shows    govan-12    call.connected
    ${call}    Operator Holds    govan-12
    Console Shows    govan-12    call.held    call=${call}
    Operator Resumes    govan-12    ${call}
    Operator Consults    govan-12    govan-31
    Console Shows    govan-31    call.ringing    from=govan-12
    Run Keyword And Expect Error    *409: the other side has not answered yet    Operator Conferences    govan-12
    Operator Transfers    govan-12
    Console Shows    govan-31    call.ringing    cli=+447700900123
    Operator Tags Nuisance    govan-12    a test
    ${record}    Call Record    ${shown}[record]
    Should Be Equal    ${record}[nuisance][note]    a test
    Operator Goes    govan-12    break
    Console Shows    govan-12    adviser.state    state=break
    ${records}    Call Records    outcome=answered    queue=emergency
    Length Should Be    ${records}    1
    ${due}    Callbacks Due
    Should Be Empty    ${due}
    ${figures}    Queue Figures    emergency
    Should Be Equal As Integers    ${figures}[answered]    1

Rung Back
    Operator Sits At    govan-12
    Caller Dials    999
    Console Shows    govan-12    call.ringing
    Caller Hangs Up
    Console Shows    govan-12    call.abandoned    ring_back=False
    Run Keyword And Expect Error    *there was no call here yet    Operator Rings Back    govan-12
    Run Keyword And Expect Error    *no telephone is registered as '2001'    Operator Dials    govan-12    2001
    Run Keyword And Expect Error    *govan-12 has no call    Operator Leaves Conference    govan-12
    Run Keyword And Expect Error    *govan-12 has no call that is up    Operator Sends Keys    govan-12    1

Trunk
    Trunk Fault Begins    primary    refusing
    Caller Dials    999
    Run Keyword And Expect Error    *503*    Caller Is Answered
    Trunk Fault Ends    primary
    Run Keyword And Expect Error    *'upside_down'*    Trunk Fault Begins    primary    upside_down

The Menu
    Operator Sits At    govan-12
    Caller Dials    +441414960101    cli=+447700900123
    Caller Is Answered
    Caller Presses    1
    Console Shows    govan-12    call.ringing    within=2 s    queue=non_emergency    cli=+447700900123
"""


def test_a_suite_holds_passes_on_rings_back_and_reads_the_wallboard(tmp_path: Path) -> None:
    file, output, said = tmp_path / "suite.robot", tmp_path / "output.xml", io.StringIO()
    file.write_text(BODY)
    code = robot(str(file), output=str(output), log="NONE", report="NONE", stdout=said, stderr=said)
    results = {}
    for test in ElementTree.parse(output).getroot().iter("test"):
        status = test.find("status")
        assert status is not None
        results[test.get("name")] = (status.get("status"), status.text or "")
    assert results == dict.fromkeys(("Held And Passed On", "Rung Back", "Trunk", "The Menu"), ("PASS", "")), (
        said.getvalue()
    )
    assert code == 0


def test_a_suite_on_a_testbed_of_its_own_is_skipped_beside_real_equipment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "real.yaml"
    real.write_text(
        "name: real\ntalkgroups: {A: 1001}\ncomponents:\n"
        "  officer: {role: radio_terminal, binding: real, issi: 4001234, talkgroup: A, serial: {url: /dev/null},\n"
        "    audio: 'rtp://127.0.0.1:4000'}\n"
    )
    body = "Waits\n    Operator Sits At    govan-01\n"
    options = f"testbed={DEFAULT_TESTBED.with_name('queues.yaml')}    time=virtual"
    _, results, said = Suite(tmp_path).run(body, options=options)
    assert results["Waits"][0] == "PASS", said
    monkeypatch.setenv("ICCS_TESTBED", str(real))
    _, results, _ = Suite(tmp_path).run(body, options=options)
    status, why = results["Waits"]
    assert status == "SKIP"
    assert why.startswith("played on simulators alone (queues), which tells nothing of officer: ")
    real.write_text("stands_for: [queues]\n" + real.read_text())
    status, why = Suite(tmp_path).run(body, options=options)[1]["Waits"]
    assert status == "SKIP", "no console is there"
    assert "has no component 'govan-01' with role console" in why
    iccs = "  iccs: {role: iccs, simulator: {positions: [{site: govan, first: 1, last: 2}]}}\n"
    real.write_text(real.read_text() + iccs + "  govan-01: {role: console, position: govan-01}\n")
    assert Suite(tmp_path).run(body, options=options)[1]["Waits"] == ("PASS", "")


def test_a_test_that_lasts_too_long_for_real_time_is_skipped_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "real.yaml"
    real.write_text(
        "name: brisk\nstands_for: [queues]\nlongest_wait_s: 60\ncomponents:\n"
        "  iccs: {role: iccs, binding: real, sip: '127.0.0.1:9'}\n"
    )
    monkeypatch.setenv("ICCS_TESTBED", str(real))
    body = "Too Long\n    Test Has Time For    61 s\n    Fail    it began\nIs Played\n    Test Has Time For    1 min\n"
    options = f"testbed={DEFAULT_TESTBED.with_name('queues.yaml')}    time=virtual"
    _, results, said = Suite(tmp_path).run(body, options=options)
    assert results["Is Played"] == ("PASS", ""), said
    status, why = results["Too Long"]
    assert status == "SKIP" and "'longest_wait_s' of testbed 'brisk' is 60" in why


SPEAKS = """\
Spoken To
    Operator Sits At    govan-12    govan-31
    Caller Dials    999    cli=+447700900123
    Console Shows    govan-12    call.ringing
    Operator Answers    govan-12
    Caller Is Answered
    Console Shows    govan-12    call.connected
"""


def test_a_gap_in_speech_is_told_with_its_figure_and_what_is_missing_is_named(tmp_path: Path) -> None:
    body = (
        SPEAKS
        + """\
    Party Speaks On    govan-12    caller
    Operator Transfers    govan-12    to=govan-31
    Audio Gaps Since    govan-12    console.transfer    NICCS-TEL-014    audio_gap_s
Nobody Speaks
    Operator Sits At    govan-12
    Audio Gaps Since    govan-12    console.transfer
No Act
    Operator Sits At    govan-12
    Time Is Within Figure    govan-12 console.redial    govan-12 call.connected    NICCS-TEL-015    redial_s
Not An Event
    Operator Sits At    govan-12
    Time Is Within Figure    govan-12    govan-12 call.connected    NICCS-TEL-015    redial_s
Figures
    ${attempts}    Figure    NICCS-TEL-017    attempts
    Should Be Equal As Integers    ${attempts}    2
"""
    )
    _, results, said = Suite(tmp_path).run(body)
    status, told = results["Spoken To"]
    assert status == "FAIL", said
    assert "audio gap at caller after console.transfer is " in told
    assert "at most 0.5 s is allowed (NICCS-TEL-014)" in told
    assert results["Nobody Speaks"][1].startswith("nobody speaks on in this test")
    assert results["No Act"][1].startswith("govan-12 console.redial did not happen")
    assert results["Not An Event"][1].startswith("an event is named by component and kind")
    assert results["Figures"][0] == "PASS"

"""The Robot library: every keyword is documented, converts its arguments, runs, and fails with a story."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from robot.libdoc import libdoc
from robot.libdocpkg import LibraryDocumentation
from robot.libdocpkg.model import KeywordDoc

from harness.errors import TestbedError
from harness.keywords.base import _Reads
from harness.keywords.figures import FigureKeywords
from harness.keywords.library import ICCS
from harness.keywords.session import DEFAULT_TESTBED, Session
from harness.testbed.places import RUN_DIR_VARIABLE
from suites.selftest.keywords.robot_suite import LIBRARY, Suite

DOCUMENTED: list[KeywordDoc] = list(LibraryDocumentation(LIBRARY).keywords)


@pytest.mark.parametrize("keyword", DOCUMENTED, ids=lambda each: str(each.name))
def test_every_keyword_is_documented_with_a_table_of_its_arguments_and_an_example(keyword: KeywordDoc) -> None:
    text = str(keyword.doc)
    assert text[:1].isupper(), "a sentence that says what it does"
    assert re.search(r"^Example:\n\|.*`" + keyword.name + "`", text, re.MULTILINE), "an example that uses it"
    named = [str(argument.name) for argument in keyword.args]
    tabled = re.findall(r"^\| ``(\w+)``", text, re.MULTILINE)
    assert tabled == named
    assert ("=Argument=" in text) is bool(named)


def test_every_method_that_is_a_keyword_is_in_the_documentation() -> None:
    marked = [name for name, each in inspect.getmembers(ICCS) if hasattr(each, "robot_name")]
    assert len(marked) == len(DOCUMENTED) > 15


def test_libdoc_builds_html_and_warns_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "keywords.html"
    assert libdoc(LIBRARY, str(page)) == 0
    assert "Caller Dials" in page.read_text(encoding="utf-8")
    assert capsys.readouterr().err == ""


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    """A suite to run."""
    yield Suite(tmp_path)


def test_a_small_suite_runs_in_virtual_time_each_test_on_a_bench_of_its_own(suite: Suite) -> None:
    code, results, said = suite.run(
        """\
A Call Is Answered
    Operator Sits At    govan-12
    Caller Dials    999    cli=+447700900123
    ${shown}    Console Shows    govan-12    call.ringing    within=500 ms    queue=emergency    cli=+447700900123
    Should Be Equal    ${shown}[call]    call-1
    Operator Answers    govan-12
    Caller Is Answered    within=0:00:10
    Caller Presses    5#
    Console Shows    govan-12    call.dtmf    digit=5
    Console Shows    govan-12    call.dtmf    within=2    digit=\\#
    ${times}    Set Up And Answer Times
    Should Be True    0 < ${times}[set_up] < 1
    Operator Clears Call    govan-12
    Call Is Over    within=2 seconds

Another Bench
    Operator Sits At    govan-12
    Caller Dials    101
    Console Shows    govan-12    call.ringing    call=call-1    queue=non_emergency
    Caller Hangs Up
    Console Shows    govan-12    call.abandoned

Radio
    Operator Sits At    govan-31
    Officer Switches On    officer
    ${ms}    Operator Keys    govan-31    GD-OPS-1    within=1 s
    Should Be True    0 < ${ms} < 500
    Terminal Shows    officer    talker.shown    issi=4009001
    Operator Lets Go    govan-31
    Officer Sends Status    officer    5    to=gateway-1
    Console Shows    govan-31    status.shown    within=2 s    value=32773
    Officer Sends Text    officer    Text    to=gateway-1
    Console Shows    govan-31    sds.shown    within=2 s    text=Text
    ${report}    Officer Sends Text With Report    officer    Text    to=gateway-1
    Should Be Equal    ${report}    0 (received)
    Officer Sends Position    officer    55.8609    -4.2514    to=gateway-1
    Officer Selects Talkgroup    officer    GD-OPS-1
    Officer Presses Emergency Button    officer
    Console Shows    govan-31    talker.shown    within=2 s    issi=4001234
    Officer Lets Go    officer
    Officer Hangs Up    officer
    ${incident}    Operator Opens Incident    govan-31    Something
    Run Keyword And Expect Error    *THRIVE needs*    Operator Grades Incident    govan-31    ${incident}    Prompt
    Operator Assesses Incident    govan-31    ${incident}    threat=a    harm=b    risk=c    investigation=d
    Operator Assesses Incident    govan-31    ${incident}    vulnerability=e    engagement=f    rationale=g
    Operator Grades Incident    govan-31    ${incident}    Prompt
    Operator Grades Incident    govan-31    ${incident}    Standard    rationale=over
    Console Shows    govan-31    incident.graded    grade=Standard    was=Prompt
    Operator Hands Over    govan-31    ${incident}    to=govan-12
    Console Shows    govan-31    incident.handed_over    to=govan-12
"""
    )
    assert results == dict.fromkeys(("A Call Is Answered", "Another Bench", "Radio"), ("PASS", "")), said
    assert code == 0


def test_a_scripted_phone_misbehaves_as_it_is_told(suite: Suite) -> None:
    code, results, said = suite.run(
        """\
No ACK
    Operator Sits At    govan-12
    Scripted Phone Behaves    odd-phone    no_ack=yes    media.nothing=yes
    Scripted Phone Dials    odd-phone    999    cli=+447700900123
    Console Shows    govan-12    call.ringing    cli=+447700900123
    Operator Answers    govan-12
    Scripted Phone Is Answered    odd-phone
    ${status}    Call Of Scripted Phone Is Over    odd-phone    within=40 s
    Should Be Equal As Integers    ${status}    200
    Console Shows    govan-12    call.cleared

Unknown
    Run Keyword And Expect Error    *no misbehaviour 'no_akc'; it has ack_after*
    ...    Scripted Phone Behaves    odd-phone    no_akc=yes
"""
    )
    assert results == dict.fromkeys(("No ACK", "Unknown"), ("PASS", "")), said
    assert code == 0


def test_what_fails_tells_what_came_instead(suite: Suite) -> None:
    code, results, _ = suite.run(
        """\
The Wrong Queue
    Operator Sits At    govan-12
    Caller Dials    999    cli=+447700900123
    Console Shows    govan-12    call.ringing    within=500 ms    queue=non_emergency

No Call
    Caller Is Answered

Not In The File
    Operator Sits At    govan-99

No Such Status
    Officer Sends Status    officer    77    to=gateway-1

Nothing Rings
    Operator Sits At    govan-12
    Operator Answers    govan-12

Not A Time
    Operator Sits At    govan-12
    Console Shows    govan-12    call.ringing    within=soon
"""
    )
    assert code == 6
    assert {status for status, _ in results.values()} == {"FAIL"}
    told = {name: message for name, (_, message) in results.items()}
    assert (
        "expected call.ringing on govan-12 with queue='non_emergency' within 0.5 s; it did not come."
        in told["The Wrong Queue"]
    )
    first = told["The Wrong Queue"].splitlines()[1]
    assert "govan-12" in first
    assert "call.ringing" in first
    assert "queue='emergency'" in first
    assert told["No Call"] == "no call was placed in this test: `Caller Dials` comes first"
    assert "no component 'govan-99' with role console" in told["Not In The File"]
    assert "govan-12, govan-13, govan-14, govan-31" in told["Not In The File"]
    assert "status 77 is not under 'statuses'" in told["No Such Status"]
    assert "409: no call rings at govan-12 on queue emergency" in told["Nothing Rings"]
    assert "Argument 'within' got value 'soon' that cannot be converted to timedelta" in told["Not A Time"]


def test_one_officer_calls_another_whose_terminal_is_of_another_make(suite: Suite, tmp_path: Path) -> None:
    bed = tmp_path / "two-officers.yaml"
    inspector = "{role: radio_terminal, issi: 4001299, talkgroup: GD-OPS-1, personality: sepura-like}"
    bed.write_text(DEFAULT_TESTBED.read_text(encoding="utf-8") + f"\n  inspector: {inspector}\n", encoding="utf-8")
    code, results, said = suite.run(
        """\
Two Officers
    Officer Switches On    officer    inspector
    Officer Calls Officer    officer    inspector    duplex=True
    Officer Hangs Up    officer
    Terminal Shows    inspector    call.ended    within=2 s
    Officer Calls Officer    inspector    officer
    Terminal Shows    officer    talker.shown    within=2 s    issi=4001299
    Officer Hangs Up    inspector
    Officer Sends Position    inspector    55.8609    -4.2514    to=officer
    Terminal Shows    officer    location.received    within=2 s    issi=4001299
""",
        options=f"testbed={bed}    time=virtual",
    )
    assert results == {"Two Officers": ("PASS", "")}, said
    assert code == 0


REAL = """
name: with-a-real-terminal
components:
  iccs: {role: iccs}
  officer:
    {role: radio_terminal, binding: real, issi: 4001234, talkgroup: A, serial: {url: /dev/null}, audio: "rtp://127.0.0.1:4000"}
talkgroups: {A: 1001}
"""

WAITS = """\
It Waits
    [Tags]    Waits
    ${library}    Get Library Instance    harness.keywords.ICCS
    Should Be Equal    ${library.session.time}    %s

It Works
    ${library}    Get Library Instance    harness.keywords.ICCS
    Should Be Equal    ${library.session.time}    real
"""


@pytest.mark.parametrize(("is_simulated", "time"), [(True, "virtual"), (False, "real")])
def test_a_test_that_waits_does_so_in_virtual_time_only_where_all_is_simulated(
    suite: Suite, tmp_path: Path, is_simulated: bool, time: str
) -> None:
    bed = tmp_path / "real.yaml"
    bed.write_text(REAL)
    options = f"testbed={DEFAULT_TESTBED if is_simulated else bed}"
    code, results, said = suite.run(WAITS % time, options=options)
    assert results == {"It Waits": ("PASS", ""), "It Works": ("PASS", "")}, said
    assert code == 0


def test_a_test_that_waits_runs_through_its_waits(suite: Suite) -> None:
    code, results, said = suite.run(
        """\
It Waits
    [Tags]    waits
    Operator Sits At    govan-12
    Run Keyword And Expect Error    *within 300*    Console Shows    govan-12    call.ringing    within=5 minutes
""",
        options=f"testbed={DEFAULT_TESTBED}",
    )
    assert results == {"It Waits": ("PASS", "")}, said
    assert code == 0


def test_time_passes_on_the_bench_s_clock() -> None:
    async def now() -> float:
        return asyncio.get_running_loop().time()

    session = Session(DEFAULT_TESTBED, "virtual", 1, "failures")
    try:
        keywords = FigureKeywords()
        keywords.session = session
        before = session.run(now())
        keywords.time_passes(timedelta(minutes=5))
        assert session.run(now()) == pytest.approx(before + 300)
        session.end_test("time passes", failed=None)
    finally:
        session.end_suite()


def test_a_testbed_that_is_wrong_fails_the_tests_with_file_and_line(suite: Suite, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: x\ncomponents:\n  a: {role: toaster}\n")
    body = "First\n    Operator Sits At    a\n\nSecond\n    Caller Dials    999\n"
    code, results, _ = suite.run(body, options=f"testbed={bad}    time=virtual")
    assert code == 2
    assert all(f"{bad}:3: components.a.role: found 'toaster'" in message for _, message in results.values())


def test_a_session_that_can_not_start_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    session = Session(tmp_path / "nowhere.yaml", "virtual", 1, "failures")
    with pytest.raises(TestbedError, match=r"nowhere\.yaml: can't be read"):
        _ = session.bench
    assert list(tmp_path.iterdir()) == []
    session.end_suite()


def test_benches_of_two_suites_in_one_run_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RUN_DIR_VARIABLE, str(tmp_path))
    folders = set()
    for _suite in range(2):
        session = Session(DEFAULT_TESTBED, "virtual", 1, "failures")
        try:
            folders.add(session.bench.directory)
            session.end_test("a test", failed=None)
        finally:
            session.end_suite()
    assert len(folders) == 2
    assert all(tmp_path in folder.parents for folder in folders)


@pytest.mark.real_wire
def test_a_session_in_real_time_opens_a_bench_for_each_test_and_ends() -> None:
    session = Session(DEFAULT_TESTBED, "real", 1, "failures")
    try:
        for number in range(2):
            console = session.run(session.bench.console("govan-12"))
            incident = session.run(console.open_incident("x"))
            assert incident == f"INC-{number + 1:06d}", "one control room for the suite"
            session.run(console.expect("incident.opened", within=2.0, incident=incident))
            assert session.end_test("a test", failed=None)
        assert session.end_test("no bench was opened", failed=None) == []
    finally:
        session.end_suite()


@pytest.mark.parametrize(
    ("wanted", "seen", "fits"),
    [
        ("5", 5, True),
        ("5", "5", True),
        ("True", True, True),
        ("None", None, True),
        ("5", 6, False),
        ("5", "55", False),
        (5, "5", True),
    ],
)
def test_wanted_values_fit_what_reads_the_same(wanted: Any, seen: Any, fits: bool) -> None:
    assert _Reads(wanted)(seen) is fits


def test_times_are_timedeltas() -> None:
    for name, each in inspect.getmembers(ICCS):
        if hasattr(each, "robot_name") and "within" in inspect.signature(each).parameters:
            default = inspect.signature(each).parameters["within"].default
            assert isinstance(default, timedelta), name

"""Keywords of Webex calls, meetings and sites: each tells what was not as due, as well as it lets pass what was."""

from __future__ import annotations

from pathlib import Path

import pytest

from suites.selftest.keywords.robot_suite import Suite

BED = Path(__file__).resolve().parents[3] / "fixtures" / "testbeds" / "webex-calling.yaml"
CALL = """\
    Telephones Are On    operator-phone    colleague-phone    third-phone
    Telephone Dials    operator-phone    2002
    Telephone Rings    colleague-phone
    Telephone Answers    colleague-phone
    Telephone Is Answered    operator-phone
"""
TALKED = "    ${call}    Call Is Talked Through    webex    operator=operator-phone    colleague=colleague-phone\n"
SPEAKS = "    Party Speaks On    colleague-phone    clip=dispatch\n"
LATE = "    Time Passes    1.5 s\n    Party Listens Too    operator-phone\n"
MEETING = """\
    ${meeting}    Webex Meeting Is Made    webex    held    colleague    by=operator
    Telephone Joins Meeting    webex    ${meeting}    operator-phone    by=operator
    Telephone Joins Meeting    webex    ${meeting}    colleague-phone    by=operator    inside=operator-phone
"""
RECORDED = """\
    Webex Recording Begins    webex    ${meeting}    operator-phone    colleague-phone    by=operator
    ${made}    Webex Recording Ends    webex    ${meeting}    by=operator
"""


def _fails(folder: Path, body: str) -> str:
    """What the last line of a test tells, which has to fail there."""
    code, results, said = Suite(folder).run(f"It Fails\n{body}", options=f"testbed={BED}    time=virtual")
    status, message = results["It Fails"]
    assert (code, status) == (1, "FAIL"), said
    return message


@pytest.mark.parametrize(
    ("impaired", "keeps", "told"),
    [
        ("delay_ms=200", "WBX-006    delay_ms", "one_way_delay to Isla Munro is"),
        ("jitter_ms=120", "WBX-007    jitter_ms", "jitter to Isla Munro is"),
        ("loss=0.05", "WBX-008    loss_share", "loss to Isla Munro is"),
        ("loss=0.05", "WBX-009    mos", "MOS to Isla Munro is"),
        ("loss=0.05", "WBX-006    colour", "WBX-006 has no figure 'colour'"),
    ],
)
def test_a_bad_call_keeps_no_figure(tmp_path: Path, impaired: str, keeps: str, told: str) -> None:
    bad = f"    Line Of The Switch Is Impaired    switch    2002    {impaired}\n"
    assert told in _fails(tmp_path, f"{CALL}{bad}{TALKED}    Call Keeps Figure    ${{call}}    {keeps}\n")


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("Telephone Hears Ringback    third-phone", "third-phone has no call"),
        ("Telephone Dials    third-phone    2001\n    Telephone Does Not Ring    operator-phone", "was not to ring"),
        ("Call Of Telephone Is Over    operator-phone    within=1 s", "1 s"),
        ("Lamp Of Telephone Is Lit    colleague-phone    within=5 s", "lamp.changed on colleague-phone"),
        ("Webex Voice Message Is There    webex    colleague    ${{frozenset()}}    within=5 s",
         "a new voice message of colleague was due"),
        ("Lamp Of Telephone Is Lit    colleague-phone    left_by=third-phone", "third-phone did not hang up"),
        ("Webex Call Is    webex    colleague    alerting", "was to have a call that is alerting"),
        ("Webex Hunt Group    webex    Nobody", "has no hunt group 'Nobody'"),
        ("Webex Account Parks Call    webex    operator    none", "404"),
        ("Call Is Talked Through    webex    operator=operator-phone", "1 were named"),
        ("Party Listens Too    operator-phone", "`Party Speaks On` comes first"),
        ("Telephone Takes Call Over    operator-mobile    desk-phone    2002", "desk-phone has no call"),
        ("Telephone Says    operator-phone    caller-999\n    Call Is Secret On The Wire    operator-phone    "
         "colleague-phone    caller-999", "payloads of [160] octets"),
    ],
)  # fmt: skip
def test_what_does_not_happen_in_a_call_is_told(tmp_path: Path, last: str, told: str) -> None:
    assert told in _fails(tmp_path, f"{CALL}    {last}\n")


LEFT = """\
    Telephones Are On    colleague-phone
    Telephone Dials    operator-phone    2002
    Telephone Is Answered    operator-phone    within=60 s
    Time Passes    3 s
    Telephone Says    operator-phone    caller-999
    Telephone Hangs Up    operator-phone
    Lamp Of Telephone Is Lit    colleague-phone    within=60 s    left_by=operator-phone
"""
"""A voice message, as an earlier run may have left one."""


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("Telephone Dials    third-phone    2001\n    Telephone Hangs Up    third-phone\n"
         "    Lamp Of Telephone Is Lit    colleague-phone    within=5 s    left_by=third-phone",
         "lamp.changed on colleague-phone"),
        ("${before}    Webex Voice Messages    webex    colleague\n"
         "    Webex Voice Message Is There    webex    colleague    ${before}    within=5 s",
         "a new voice message of colleague was due"),
    ],
)  # fmt: skip
def test_a_voice_message_that_was_there_before_is_not_taken_for_a_new_one(tmp_path: Path, last: str, told: str) -> None:
    assert told in _fails(tmp_path, f"{LEFT}    {last}\n")


@pytest.mark.parametrize("bound", ["requirement=WBX-010    figure=resumes_s", "limit=1 s    requirement=WBX-023"])
def test_who_listens_late_has_missed_what_was_said(tmp_path: Path, bound: str) -> None:
    gaps = f"    Audio Gaps Since    operator-phone    call.answered    {bound}\n"
    told = _fails(tmp_path, f"{CALL}{SPEAKS}{LATE}{gaps}")
    assert "audio gap at operator-phone after call.answered is 1." in told
    assert "at most 1 s is allowed" in told


def test_a_report_that_does_not_come_is_told(tmp_path: Path) -> None:
    down = "    Webex Fails    webex    errors\n"
    report = "    Webex Report Says The Same    webex    ${call}    WBX-024    complete_min\n"
    assert "the quality of 2 parties of call" in _fails(tmp_path, f"{CALL}{TALKED}{down}{report}")


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("Telephone Goes To Another Home    operator-phone    ${centre}    within=60 s", "telephone.home on operator"),
        ("Site Of The Switch Is Cut Off    switch    govan\n    Time Passes    60 s\n"
         "    Telephone Comes Home    operator-phone    ${centre}    within=60 s", "telephone.home on operator-phone"),
    ],
)  # fmt: skip
def test_a_telephone_that_is_not_where_it_is_to_be_is_told(tmp_path: Path, last: str, told: str) -> None:
    assert told in _fails(tmp_path, f"    ${{centre}}    Telephone Home    operator-phone\n    {last}\n")


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("Telephone Joins Meeting    webex    ${meeting}    third-phone    by=operator", "to be joined in the"),
        ("Telephones Are On    desk-phone\n    Telephone Dials    third-phone    2003\n"
         "    Telephone Rings    desk-phone\n    Telephone Answers    desk-phone\n"
         "    Telephone Is Answered    third-phone\n"
         "    Webex Recording Begins    webex    ${meeting}    third-phone    by=operator",
         "no notice of the recording"),
        ("Webex Recording Ends    webex    ${meeting}    by=operator", "409"),
        (f"{RECORDED.strip()}\n    Webex Recordings Are Seen    webex    ${{meeting}}    0    by=operator",
         "sees 1 recordings"),
        (f"{RECORDED.strip()}\n    Webex Recording Holds    webex    ${{made}}    dispatch    by=operator",
         "lacks what was said: dispatch"),
        (f"{RECORDED.strip()}\n"
         "    Webex Recording Is As Agreed    webex    ${{$made | {'retentionUntil': '2999-01-01T00:00:00Z'}}}",
         "s; 432 s are due"),
        (f"{RECORDED.strip()}\n"
         "    Webex Recording Is As Agreed    webex    ${{$made | {'storageRegion': 'XX'}}}",
         "the recording lies in 'XX'; 'UK' is due"),
        (f"{RECORDED.strip()}\n"
         "    Webex Recording Goes In Time    webex    ${meeting}    "
         "${{$made | {'retentionUntil': $made['createTime']}}}    by=operator",
         "is kept past its time"),
    ],
)  # fmt: skip
def test_what_is_not_as_due_in_a_meeting_is_told(tmp_path: Path, last: str, told: str) -> None:
    assert told in _fails(tmp_path, f"{MEETING}    {last}\n")


ROOMS = """\
    ${meeting}    Webex Meeting Is Made    webex    shown    by=operator    rooms=${{["Briefing room", "Command room"]}}
    Telephone Dials    briefing-room    ${meeting}[meetingNumber]
    Telephone Is Answered    briefing-room
    Telephone Dials    command-room    ${meeting}[meetingNumber]
    Telephone Is Answered    command-room
"""


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("Webex Device Sees Share    webex    Command room    WBX-016    visible_s", "was to see a share within 10 s"),
        ("Webex Device Shares    webex    Briefing room\n"
         "    Webex Device Sees Share    webex    Command room    WBX-016    visible_s\n"
         "    Webex Device Sees No Share    webex    Command room",
         "'Command room' was to see a share no more within 3 s, and is Receiving"),
    ],
)  # fmt: skip
def test_a_share_is_seen_or_not_as_it_is(tmp_path: Path, last: str, told: str) -> None:
    assert told in _fails(tmp_path, f"{ROOMS}    {last}\n")

"""Keywords of recordings fail where what was recorded is not what was said, is missing, or is played to who may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from suites.selftest.keywords.robot_suite import Suite

SPOKEN = """\
    Operator Sits At    govan-12    govan-13    govan-50
    Caller Dials    999    cli=+447700900123
    Console Shows    govan-12    call.ringing
    Operator Answers    govan-12
    Caller Is Answered
    Caller Is Heard At    govan-12    caller-999
    Caller Hangs Up
    ${leg}    Operator Replays    govan-12    caller-999
"""


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("Operator Replays    govan-12    dispatch", "is not what was said (dispatch): correlation"),
        ("Operator Replays    govan-12    dispatch    kind=radio_tx", "govan-12 has no radio_tx to replay"),
        ("Operator Replays    govan-13    caller-999", "govan-13 has no telephone_in to replay; it has []"),
        ("Replay Is Refused    govan-12    ${leg}", "which it has no right to"),
        ("Recording Says    govan-50    ${leg}    officer-reply", "is not what was said (officer-reply)"),
        ("Recordings Are Found    govan-50    2    within=1 s    kind=telephone_in", "2 recordings of"),
        ("Recording Is Exported    govan-12    ${leg}    why=a complaint, by test", "has no right to export"),
        ("Recording Is Held    govan-12    ${leg}    why=a complaint, by test", "has no right to hold"),
        ("Recording Is Released    govan-12    ${leg}", "has no right to hold"),
        ("Recorder Fails    third", "third"),
    ],
)
def test_each_fails_with_what_was_found(tmp_path: Path, last: str, told: str) -> None:
    code, results, said = Suite(tmp_path).run(f"Replayed\n{SPOKEN}    {last}\n")
    status, message = results["Replayed"]
    assert (code, status) == (1, "FAIL"), said
    assert told in message


def test_a_standby_that_is_down_too_has_nothing_to_replay(tmp_path: Path) -> None:
    both = "    Recorder Fails    main\n    Recorder Fails    standby\n    Operator Replays    govan-12    caller-999\n"
    _, results, said = Suite(tmp_path).run(f"Broken\n{SPOKEN}{both}")
    assert results["Broken"][0] == "FAIL", said

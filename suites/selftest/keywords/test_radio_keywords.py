"""Keywords of an officer's radio: the same words for each technology, and what one cannot do is not applicable."""

from __future__ import annotations

from pathlib import Path

import pytest

from suites.selftest.keywords.robot_suite import Suite

BODY = """\
Heard
    Officer Switches On    {talker}    {listener}
    ${{ms}}    Officer Hears Officer    {listener}    {talker}    dispatch
    Should Be True    0 < ${{ms}} < 300
    Officer Is Shown A Talker    {listener}
    ${{ms}}    Officer Keys    {talker}
    Should Be True    0 < ${{ms}} < 500
    Officer Is Shown A Talker    {listener}
    Officer Presses Emergency Button    {listener}
    Terminal Shows    {talker}    ptt.pre_empted
    Officer Lets Go    {listener}
    Officer Says    {talker}    officer-reply
    Terminal Shows    {listener}    voice.heard

Texts
    Officer Switches On    {listener}
    Officer Sends Text    {talker}    All in order    to={listener}
    Terminal Shows    {listener}    sds.received    text=All in order
    ${{told}}    Officer Sends Text With Report    {talker}    At scene    to={listener}
    Should Match Regexp    ${{told}}    delivered|received
    Officer Sends Status    {talker}    5    to={status_to}
    Terminal Shows    {listener}    status.received

Place
    Officer Switches On    {listener}
    Officer Sends Position    {talker}    55.8609    -4.2514    to={listener}
    Terminal Shows    {listener}    location.received

Alone
    Officer Calls Officer    {talker}    {listener}
    Officer Hangs Up    {talker}

Keys Twice
    Officer Switches On    {listener}
    Officer Keys    {talker}
    Officer Keys    {talker}
"""


@pytest.mark.parametrize(
    ("talker", "listener", "status_to"),
    [
        ("officer", "sergeant", "sergeant"),
        ("roip-radio", "roip-radio-2", ""),
        ("handset-8", "handset-9", "GD-OPS-1"),
    ],
)
def test_the_same_words_work_on_each_technology(tmp_path: Path, talker: str, listener: str, status_to: str) -> None:
    body = BODY.format(talker=talker, listener=listener, status_to=status_to)
    code, results, said = Suite(tmp_path).run(body)
    assert results["Heard"][0] == "PASS", said
    assert results["Keys Twice"] == ("FAIL", f"DriverError: {talker}: the key is pressed already")
    for each in ("Texts", "Place", "Alone"):
        assert results[each][0] == ("SKIP" if talker == "roip-radio" else "PASS"), said
    assert code == 1
    if talker == "roip-radio":
        cannot = "not applicable: roip cannot send texts: an ED-137 session carries speech"
        assert results["Texts"][1].startswith(cannot)


def test_a_suite_declares_what_is_not_applicable_with_its_reason(tmp_path: Path) -> None:
    body = "One\n    Not Applicable    no radio at this site\n\nTwo\n    Not Applicable    ${SPACE}\n"
    code, results, _ = Suite(tmp_path).run(body)
    assert results["One"] == ("SKIP", "not applicable: no radio at this site")
    assert results["Two"] == ("FAIL", "LocalError: what is not applicable needs a reason")
    assert code == 1


def test_a_radio_that_the_testbed_lacks_is_told_with_those_it_has(tmp_path: Path) -> None:
    _, results, _ = Suite(tmp_path).run("One\n    Officer Keys    govan-12\n")
    assert results["One"][0] == "FAIL"
    assert "has no radio 'govan-12'; it has officer" in results["One"][1]

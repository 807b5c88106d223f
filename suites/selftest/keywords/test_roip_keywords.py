"""Keywords of a dispatcher's radio over IP, as a suite uses them."""

from __future__ import annotations

from pathlib import Path

from suites.selftest.keywords.robot_suite import Suite

BODY = """\
Spoken And Answered
    Officer Switches On    officer
    Officer Selects Talkgroup    officer    GD-ROIP-1
    Roip Radio Is Set Up    roip-radio
    ${ms}    Dispatcher Keys Roip Radio    roip-radio
    Should Be True    200 < ${ms} < 500
    Terminal Shows    officer    talker.shown    talkgroup=GD-ROIP-1
    ${ms}    Roip Radio Is Heard At    roip-radio    officer    dispatch
    Should Be True    0 < ${ms} < 250
    Dispatcher Lets Roip Radio Go    roip-radio
    ${ms}    Officer Is Heard On Roip Radio    officer    roip-radio    officer-reply
    Should Be True    0 < ${ms} < 250
    Roip Radio Shows    roip-radio    squelch.opened    quality=12
    ${ms}    Roip Radio Delay    roip-radio
    Should Be True    0 <= ${ms} < 5

Gone To The Standby
    Roip Radio Is Set Up    roip-radio
    ${uri}    Roip Radio Fails Over    roip-radio
    Should Start With    ${uri}    sip:standby@
    Roip Radio Shows    roip-radio    station.changed    uri=${uri}
    Dispatcher Keys Roip Radio    roip-radio    emergency

No Such PTT
    Dispatcher Keys Roip Radio    roip-radio    urgent
"""


def test_a_suite_keys_a_radio_over_ip_is_heard_and_hears(tmp_path: Path) -> None:
    code, results, said = Suite(tmp_path).run(BODY)
    assert results["Spoken And Answered"][0] == "PASS", said
    assert results["Gone To The Standby"][0] == "PASS", said
    assert results["No Such PTT"] == (
        "FAIL",
        "DriverError: roip-radio: no PTT is called 'urgent'; there is normal, coupling, priority, emergency, test",
    )
    assert code == 1

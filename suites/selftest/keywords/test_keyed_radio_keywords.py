"""Keywords of a radio that a control line keys, as a suite uses them."""

from __future__ import annotations

from pathlib import Path

from suites.selftest.keywords.robot_suite import Suite

BODY = """\
Keyed And Heard Of
    Keyed Radio Is Set Up    vhf-1
    Key Line Goes Down    vhf-1
    Keyed Radio Shows    vhf-1    radio.keyed
    Key Line Is Let Go    vhf-1
    Keyed Radio Shows    vhf-1    radio.unkeyed
    Keyed Radio Receives    vhf-1
    Keyed Radio Shows    vhf-1    carrier.up
    Keyed Radio Receives    vhf-1    ${False}
    Keyed Radio Shows    vhf-1    carrier.down    within=500 ms
    Footswitch Is Pressed    vhf-1
    Keyed Radio Shows    vhf-1    footswitch.pressed
    Footswitch Is Pressed    vhf-1    ${False}
    Keyed Radio Shows    vhf-1    footswitch.released

Left Down
    Key Line Goes Down    vhf-1
    ${shown}    Keyed Radio Shows    vhf-1    line.stuck    within=65 s
    Should Be Equal As Numbers    ${shown}[held_s]    60
    Keyed Radio Shows    vhf-1    radio.unkeyed

Nobody Keyed It
    Keyed Radio Is Set Up    vhf-1
    Keyed Radio Shows    vhf-1    radio.keyed    within=2 s
"""


def test_a_suite_keys_a_radio_by_its_line_and_sees_what_it_shows(tmp_path: Path) -> None:
    code, results, said = Suite(tmp_path).run(BODY)
    assert results["Keyed And Heard Of"][0] == "PASS", said
    assert results["Left Down"][0] == "PASS", said
    assert results["Nobody Keyed It"][0] == "FAIL"
    assert "radio.keyed" in results["Nobody Keyed It"][1]
    assert code == 1

"""A radio keyed by a control line: at rest until it is keyed, heard of when it receives, let go when its key sticks."""

from __future__ import annotations

import pytest

from harness.errors import NotApplicableError
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

SHOWS_WITHIN_S = 1.0


async def test_a_radio_is_keyed_for_as_long_as_the_key_is_down(bench: Bench) -> None:
    """The line moves, stays, and moves back; a simulated radio says itself that it transmitted meanwhile."""
    radio = await bench.keyed_radio("vhf-1")
    after = bench.journal.position
    await radio.key()
    if radio.simulated:
        await radio.expect("radio.keyed", within=SHOWS_WITHIN_S, after=after)
    await radio.unkey()
    await radio.expect("line.unkeyed", within=0, after=after)
    if radio.simulated:
        await radio.expect("radio.unkeyed", within=SHOWS_WITHIN_S, after=after)


async def test_a_radio_that_receives_and_a_footswitch_are_shown(bench: Bench) -> None:
    """Carrier and footswitch are seen as they change, both ways."""
    radio = await bench.keyed_radio("vhf-1")
    if not radio.simulated:
        raise NotApplicableError("carrier and footswitch of a real radio are moved by hand: docs/keying.md")
    await radio.set_carrier(True)
    await radio.expect("carrier.up", within=SHOWS_WITHIN_S)
    await radio.press_footswitch(True)
    await radio.expect("footswitch.pressed", within=SHOWS_WITHIN_S)
    assert (radio.carrier, radio.footswitch, radio.keyed) == (True, True, False)
    await radio.set_carrier(False)
    await radio.expect("carrier.down", within=SHOWS_WITHIN_S)
    await radio.press_footswitch(False)
    await radio.expect("footswitch.released", within=SHOWS_WITHIN_S)


@requirement("NICCS-RAD-024")
@pytest.mark.waits
async def test_a_key_that_sticks_is_let_go_and_alarmed(bench: Bench) -> None:
    """The radio is off the air when the figure is over, and the tester is warned."""
    radio = await bench.keyed_radio("vhf-1")
    limit = catalogue()["NICCS-RAD-024"].figure("stuck_s").value
    keyed, after = bench.journal.now(), bench.journal.position
    await radio.key()
    await radio.expect("line.stuck", within=limit + 5.0, after=after)
    told = "radio.unkeyed" if radio.simulated else "line.unkeyed"
    off = await radio.expect(told, within=SHOWS_WITHIN_S, after=after)
    bench.measured("stuck_key", off.time - keyed, "s", limit=limit + SHOWS_WITHIN_S)

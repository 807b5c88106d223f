"""A radio keyed by a control line: at rest until it is keyed, heard of when it receives, let go when its key sticks."""

from __future__ import annotations

import pytest

from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench


async def test_a_radio_is_keyed_by_its_line_and_tells_that_it_receives(bench: Bench) -> None:
    """Carrier and footswitch are seen as they change, and the radio is keyed for as long as the key is down."""
    radio = await bench.keyed_radio("vhf-1")
    await radio.set_carrier(True)
    await radio.expect("carrier.up", within=1.0)
    await radio.press_footswitch(True)
    await radio.expect("footswitch.pressed", within=1.0)
    await radio.key()
    await radio.expect("radio.keyed", within=1.0)
    await radio.unkey()
    await radio.expect("radio.unkeyed", within=1.0)


@requirement("NICCS-RAD-024")
@pytest.mark.virtual_time
async def test_a_key_that_sticks_is_let_go_and_alarmed(bench: Bench) -> None:
    """The radio is off the air when the figure is over, and the tester is warned."""
    radio = await bench.keyed_radio("vhf-1")
    limit = catalogue()["NICCS-RAD-024"].figure("stuck_s").value
    keyed = bench.journal.now()
    await radio.key()
    await radio.expect("line.stuck", within=limit + 5.0)
    off = await radio.expect("radio.unkeyed", within=1.0)
    bench.measured("stuck_key", off.time - keyed, "s", limit=limit + 1.0)

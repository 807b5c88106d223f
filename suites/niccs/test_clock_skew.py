"""The clocks of all nodes, read by SNTP: within the figure of each other, and one that is not is found and named."""

from __future__ import annotations

import pytest

from harness.errors import ExpectationError
from harness.evidence.requirements import catalogue
from harness.measure.clocks import Skew
from harness.protocols.times import from_iso
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

WRONG_MS = 250.0
FIGURE = {"requirement": "NICCS-INT-010", "figure": "skew_ms"}


def hold(bench: Bench, skews: list[Skew]) -> None:
    """Hold every clock against the figure, with what is not known of it counted against it."""
    for skew in skews:
        bench.measured(f"clock of {skew.node}", skew.worst_ms, "ms", **FIGURE)


@requirement("NICCS-INT-010")
async def test_the_clocks_of_all_nodes_agree(bench: Bench) -> None:
    """Every node that tells its time is within the figure of the reference."""
    skews = await bench.clock_skews()
    assert len(skews) >= len(bench.clocks().names) - 1 > 0, "no node tells its time"
    hold(bench, skews)


@requirement("NICCS-INT-010")
@pytest.mark.testbed("next-generation")
@pytest.mark.parametrize("wrong_ms", [WRONG_MS, -WRONG_MS])
async def test_a_node_whose_clock_is_wrong_is_found_and_the_others_pass(bench: Bench, wrong_ms: float) -> None:
    """One of the simulated nodes is 250 ms ahead, or behind: it alone is over the figure, by what it is off."""
    limit = catalogue()["NICCS-INT-010"].figure("skew_ms").value
    clocks = bench.clocks()
    await clocks.set_skew("radio", wrong_ms)
    skews = await bench.clock_skews()
    over = [skew for skew in skews if skew.least_ms > limit]
    assert [skew.node for skew in over] == ["radio"]
    assert abs(over[0].skew_ms - wrong_ms) <= over[0].uncertainty_ms
    with pytest.raises(ExpectationError, match=r"clock of radio is .* at most 100 ms is allowed"):
        hold(bench, over)
    hold(bench, [skew for skew in skews if skew.node != "radio"])
    await clocks.set_skew("radio", 0.0)
    hold(bench, await bench.clock_skews())


@requirement("NICCS-INT-010")
@pytest.mark.testbed("next-generation")
async def test_a_wrong_clock_is_wrong_in_what_the_control_room_tells(bench: Bench) -> None:
    """An incident is stamped by the control room's clock: set wrong by a minute, its stamps are a minute ahead."""
    adviser, storm = await bench.console("govan-12"), await bench.command_control()

    async def stamp(title: str) -> float:
        incident = await adviser.open_incident(title)
        await adviser.expect("incident.registered", within=5.0, incident=incident)
        name = (await (await bench.supervisor()).incident(incident))["shared_as"]
        return from_iso((await storm.incident(name))["log"][0]["at"]) - bench.journal.now()

    right = await stamp("By a right clock")
    await bench.clocks().set_skew("iccs", 60_000.0)
    assert await stamp("By a wrong one") - right == pytest.approx(60.0, abs=5.0)

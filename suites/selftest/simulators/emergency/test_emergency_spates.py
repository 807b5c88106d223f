"""Spates: crowds that call at a rate, by a mix and a seed, and what the network and its control room make of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_in_virtual_time import QUICK, town
from pydantic import ValidationError

from harness.drivers.emergency_network import EmergencyNetwork
from harness.errors import DriverError, InterlockError
from simulators.emergency import crowd
from simulators.emergency.crowd import Behaviour, SpateSettings


def spate(**what: Any) -> SpateSettings:
    return SpateSettings.model_validate({"calls": 200, "seconds": 60, **what})


@given(
    st.integers(1, 300),
    st.floats(0.1, 3600),
    st.sampled_from(["steady", "poisson", "burst", "ramp"]),
    st.integers(0, 1000),
)
def test_every_shape_has_all_its_callers_within_its_time(calls: int, seconds: float, shape: str, seed: int) -> None:
    each = spate(calls=calls, seconds=seconds, shape=shape, seed=seed).each()
    assert len(each) == calls
    starts = [start for start, _, _ in each]
    assert starts == sorted(starts)
    assert 0 <= starts[0] <= starts[-1] <= seconds


def test_the_shapes_are_what_they_are_called() -> None:
    def share(shape: str, until: float) -> float:
        return sum(start <= until for start, _, _ in spate(shape=shape).each()) / 200

    assert share("steady", 30) == pytest.approx(0.5, abs=0.01)
    assert 0.7 < share("burst", 6) < 0.95
    assert share("ramp", 30) < 0.35


def test_one_seed_gives_one_crowd_and_another_seed_another() -> None:
    mix = {"speak": 3, "abandon": 1}
    assert spate(callers=mix, seed=4).each() == spate(callers=mix, seed=4).each()
    assert spate(callers=mix, seed=4).each() != spate(callers=mix, seed=5).each()
    kinds = Counter(kind for _, kind, _ in spate(callers=mix).each())
    assert 30 <= kinds[Behaviour.ABANDON] <= 70


@pytest.mark.parametrize(
    "what",
    [
        *({"calls": 0}, {"calls": 1001}, {"seconds": 0}, {"callers": {}}, {"callers": {"speak": 0}}),
        *({"callers": {"shout": 1}}, {"callers": {"speak": -1}}, {"shape": "wave"}, {"dialled": "101"}),
    ],
)
def test_a_spate_that_can_not_be_is_refused(what: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        spate(**what)


@pytest.mark.virtual_time
async def test_a_crowd_calls_is_connected_and_goes() -> None:
    async with town({"operators": {**QUICK, "automatic": 40, "stay_s": {"least": 0, "most": 0}}}) as there:
        mix = {"speak": 6, "press_55": 1, "silent": 1, "abandon": 2}
        id_ = await there.driver.start_spate(20, 10, callers=mix, talk_s={"least": 60, "most": 70}, seed=3)
        await there.driver.expect("spate.ended", within=200.0)
        figures = await there.driver.spate(id_)
        assert (figures["dialled"], figures["over"]) == (20, 20)
        kinds = Counter(kind for _, kind, _ in spate(calls=20, seconds=10, callers=mix, seed=3).each())
        outcomes = Counter(record["outcome"] for record in await there.driver.records())
        assert outcomes["silent-no-55"] == kinds[Behaviour.SILENT]
        assert outcomes["answered"] == kinds[Behaviour.SPEAK] + kinds[Behaviour.PRESS_55]
        assert outcomes["abandoned"] == kinds[Behaviour.ABANDON]
        assert there.network.plant.calls == {}
        assert there.network.plant.legs == {}


@pytest.mark.virtual_time
async def test_a_spate_is_ended_and_everybody_hangs_up() -> None:
    async with town() as there:
        id_ = await there.driver.start_spate(50, 500)
        await asyncio.sleep(60.0)
        assert there.network.plant.calls
        await there.driver.end_spate(id_)
        await asyncio.sleep(1.0)
        assert there.network.plant.calls == {}
        figures = await there.driver.spate(id_)
        assert figures["dialled"] == figures["over"] < 10
        with pytest.raises(DriverError, match="there is no spate 'spate-9'"):
            await there.driver.spate("spate-9")


@pytest.mark.virtual_time
async def test_spates_at_once_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "MAX_SPATES", 2)
    monkeypatch.setattr(crowd, "MAX_KEPT", 3)
    async with town() as there:
        first = await there.driver.start_spate(2, 100)
        await there.driver.start_spate(2, 100)
        with pytest.raises(DriverError, match="2 spates are under way already"):
            await there.driver.start_spate(2, 100)
        await there.driver.end_spate(first)
        for _ in range(4):
            await there.driver.end_spate(await there.driver.start_spate(1, 1))
        assert len(there.network.crowds._spates) <= 3


@pytest.mark.virtual_time
async def test_the_interlock_is_asked_before_a_crowd_is_let_loose() -> None:
    def refuse(target: str) -> None:
        raise InterlockError(f"not {target}")

    async with town() as there:
        network = await EmergencyNetwork.open(
            there.context, "careful", control=there.network.control_url, permit=refuse
        )
        there.stack.push_async_callback(network.close)
        with pytest.raises(InterlockError, match="not 999"):
            await network.start_spate(5, 5)
        assert there.told("spate.begun") == []

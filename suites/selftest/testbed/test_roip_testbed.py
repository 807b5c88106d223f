"""A radio gateway in a testbed file: what may stand there, what may be keyed, and a dispatcher's radio on the bench."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from harness.errors import DriverError, InterlockError, TestbedError
from harness.protocols.ed137.extension import Ptt
from harness.testbed.bench import Bench, open_bench
from harness.testbed.conversation import converse
from harness.testbed.load import load_testbed
from harness.transport.context import Context
from harness.transport.virtual_loop import VirtualLoop
from simulators.roip.settings import RadioSettings, RoipSettings
from simulators.roip.simulator import RoipGateway

SIMULATED = Path(__file__).resolve().parents[3] / "fixtures" / "testbeds" / "simulated.yaml"
DAY = date(2026, 3, 10)
GROUP = "GD-ROIP-1"
RNG = np.random.default_rng(4)
NOISE = (6000 * RNG.standard_normal(12000)).clip(-20000, 20000).astype(np.int16)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("roip: {role: roip_gateway, binding: real}", "a real roip_gateway needs 'sip'"),
        ("roip: {role: roip_gateway, sip: '192.0.2.1:5060'}", "'sip' is for a real gateway"),
        ("roip: {role: roip_gateway, binding: real, sip: '192.0.2.1:5060', simulator: {}}", "'simulator' lays out"),
        ("roip: {role: roip_gateway, simulator: {radios: []}}", "roip.simulator.radios"),
        ("roip: {role: roip_gateway, simulator: {radios: [{name: a, issi: 5}]}}", "'talkgroup' and 'issi' go together"),
        ("roip: {role: roip_gateway, simulator: {radios: [{name: a}, {name: a}]}}", "two radios are called 'a'"),
        (
            "roip: {role: roip_gateway, simulator: {radios: [{name: a, talkgroup: X, issi: 5}]}}",
            "test.yaml:4: components.roip.simulator.radios.0.talkgroup: found 'X'; allowed: GD-ROIP-1",
        ),
        (
            "roip: {role: roip_gateway, simulator: {radios: [{name: a, talkgroup: GD-ROIP-1, issi: 1003}]}}",
            "found 1003; allowed: an identity of its own; talkgroup GD-ROIP-1 has this",
        ),
        ("r: {role: roip_radio, of: roip, radio: a}", "found 'roip'; allowed: a component with role 'roip_gateway'"),
        (
            "roip: {role: roip_gateway}\n  r: {role: roip_radio, of: roip, radio: a}",
            "test.yaml:5: components.r.radio: found 'a'; allowed: a radio of roip (radio-1)",
        ),
        (
            "roip: {role: roip_gateway}\n  r: {role: roip_radio, of: roip, radio: radio-1, standby: b}",
            "components.r.standby: found 'b'; allowed: a radio of roip (radio-1)",
        ),
        (
            "roip: {role: roip_gateway}\n  r: {role: roip_radio, of: roip, radio: radio-1, standby_of: roip}",
            "'standby_of' needs 'standby'",
        ),
        (
            "roip: {role: roip_gateway}\n  r: {role: roip_radio, of: roip, radio: radio-1, talkgroup: X}",
            "components.r.talkgroup: found 'X'; allowed: GD-ROIP-1",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "test.yaml"
    file.write_text(f"name: t\ntalkgroups: {{GD-ROIP-1: 1003}}\ncomponents:\n  {text}\n", encoding="utf-8")
    with pytest.raises(TestbedError) as error:
        load_testbed(file)
    assert told in str(error.value)


def virtually(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(600):
            await main()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(1)) as runner:
        runner.run(bounded())


def on_bench(main: Callable[[Bench], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with open_bench(load_testbed(SIMULATED), today=DAY, addresses=None, virtual=True, seed=1) as bench:
            await main(bench)

    virtually(whole)


def test_a_dispatchers_ptt_reaches_an_officers_terminal_and_the_answer_comes_back() -> None:
    async def main(bench: Bench) -> None:
        radio, officer = await bench.roip_radio("roip-radio"), await bench.terminal("officer")
        await officer.select(GROUP)
        await radio.key()
        granted = await radio.expect("ptt.granted", within=0, talkgroup=GROUP)
        assert 200 < granted.data["grant_ms"] < 500
        heard = await converse(radio.jack, officer.jack, NOISE)
        assert heard.correlation > 0.9
        assert 0 < heard.latency.ms < 250
        await officer.expect("talker.shown", within=0, talkgroup=GROUP, issi=4009101)
        await radio.unkey()
        await officer.key(GROUP)
        await radio.expect("squelch.opened", within=1, quality=12)
        heard = await converse(officer.jack, radio.jack, NOISE)
        assert 0 < heard.latency.ms < 250
        await radio.expect("voice.heard", within=0)
        await officer.unkey()
        await radio.expect("squelch.closed", within=1)

    on_bench(main)


def test_a_dispatcher_who_is_pre_empted_is_told_and_may_key_again() -> None:
    async def main(bench: Bench) -> None:
        radio, officer = await bench.roip_radio("roip-radio"), await bench.terminal("officer")
        await officer.select(GROUP)
        await radio.key()
        await officer.key(GROUP, priority=15)
        await radio.expect("ptt.pre_empted", within=1)
        with pytest.raises(DriverError, match="the key is not pressed"):
            await radio.unkey()
        await officer.unkey()
        await asyncio.sleep(1)
        await radio.say(NOISE)

    on_bench(main)


REAL = """
name: real
talkgroups: {GD-ROIP-1: 1003, GD-ROIP-2: 1004}
safety: {key: [GD-ROIP-1], dial: [tower]}
components:
  roip: {role: roip_gateway, binding: real, sip: '127.0.0.1:%d'}
  radio: {role: roip_radio, of: roip, radio: tower, talkgroup: GD-ROIP-1}
  other: {role: roip_radio, of: roip, radio: tower, talkgroup: GD-ROIP-2}
  mast: {role: roip_radio, of: roip, radio: mast, talkgroup: GD-ROIP-1}
"""


def test_on_a_real_gateway_only_what_the_file_names_is_called_and_keyed(tmp_path: Path) -> None:
    async def main() -> None:
        radios = (RadioSettings(name="tower"), RadioSettings(name="mast"))
        simulators = Context.create(seed=2)
        gateway = await RoipGateway.start(simulators, RoipSettings(radios=radios))
        file = tmp_path / "real.yaml"
        file.write_text(REAL % gateway.sip_address[1], encoding="utf-8")
        testbed = load_testbed(file)
        async with open_bench(testbed, today=DAY, addresses=None, virtual=False) as bench:
            radio = await bench.roip_radio("radio")
            await radio.key()
            await radio.unkey()
            with pytest.raises(InterlockError, match="radio_emergency to GD-ROIP-1 needs a dated permit"):
                await radio.key(Ptt.EMERGENCY)
            with pytest.raises(InterlockError):
                await radio.key(Ptt.PRIORITY)
            other = await bench.roip_radio("other")
            with pytest.raises(InterlockError, match="GD-ROIP-2"):
                await other.key()
            with pytest.raises(InterlockError, match="GD-ROIP-2"):
                await other.speak(NOISE)
            keyed = [each for each in simulators.journal if each.kind == "ptt.won"]
            assert len(keyed) == 1
            with pytest.raises(InterlockError, match="dialling mast"):
                await bench.roip_radio("mast")
        await gateway.stop()

    asyncio.run(main())

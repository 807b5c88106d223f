"""The RoIP radio driver against the simulated gateway, in virtual time: keying, fail-over, what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from harness.drivers.roip_radio import RoipRadio
from harness.errors import DriverError
from harness.protocols.ed137.extension import Ptt
from harness.protocols.ed137.terms import RadioTerms
from harness.transport.context import Context
from harness.transport.virtual_loop import VirtualLoop
from simulators.roip.faults import Fault
from simulators.roip.settings import RadioSettings, RoipSettings
from simulators.roip.simulator import RoipGateway

GROUP = "GD-ROIP-1"
RNG = np.random.default_rng(4)
NOISE = (6000 * RNG.standard_normal(12000)).clip(-20000, 20000).astype(np.int16)


def virtually(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(600):
            await main()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(1)) as runner:
        runner.run(bounded())


class Stations:
    """A gateway with two radios on their own, and a driver that has one as main and one as standby."""

    def __init__(self, context: Context, gateway: RoipGateway, radio: RoipRadio) -> None:
        self.context, self.gateway, self.radio = context, gateway, radio

    @classmethod
    async def up(cls, permit: Callable[[str, str, int], None] | None = None) -> Stations:
        context = Context.create(seed=2)
        radios = (RadioSettings(name="main"), RadioSettings(name="standby"))
        gateway = await RoipGateway.start(context, RoipSettings(radios=radios, multiplier=5))
        radio = await RoipRadio.open(
            context,
            "radio",
            stations=[gateway.uri("main"), gateway.uri("standby")],
            target=GROUP,
            terms=RadioTerms(multiplier=5),
            permit_radio=permit,
        )
        return cls(context, gateway, radio)

    async def down(self) -> None:
        await self.radio.close()
        await self.gateway.stop()


def test_a_main_radio_that_fails_is_left_for_the_standby_within_the_agreed_time() -> None:
    async def main() -> None:
        on = await Stations.up()
        await on.radio.key()
        before = on.context.journal.now()
        on.gateway.set_fault("main", Fault.DOWN, seconds=1, for_s=None)
        await on.radio.expect("station.changed", within=2, uri=on.gateway.uri("standby"))
        assert on.context.journal.now() - before < 1.2
        await on.radio.key()
        on.gateway.set_fault("main", None, seconds=1, for_s=None)
        await on.radio.fail_over()
        assert on.radio.station == on.gateway.uri("main")
        await on.radio.say(NOISE)
        await on.down()

    virtually(main)


def test_with_both_radios_down_it_is_tried_until_one_is_back() -> None:
    async def main() -> None:
        on = await Stations.up()
        for each in ("main", "standby"):
            on.gateway.set_fault(each, Fault.DOWN, seconds=1, for_s=10 if each == "main" else None)
        await on.radio.expect("station.none", within=3)
        with pytest.raises(DriverError):
            await on.radio.key()
        await on.radio.expect(
            "station.changed", within=12, after=on.context.journal.position, uri=on.gateway.uri("main")
        )
        await on.radio.key()
        await on.down()

    virtually(main)


def test_a_radio_that_ends_the_session_is_gone_from_and_a_delay_is_measured() -> None:
    async def main() -> None:
        on = await Stations.up()
        assert (await on.radio.measure_delay()).one_way == pytest.approx(0.0005, abs=0.0002)
        on.gateway.hang_up("main")
        await on.radio.expect("station.changed", within=2, uri=on.gateway.uri("standby"))
        await on.down()

    virtually(main)


def test_a_key_that_is_pressed_twice_and_speech_on_no_session_are_refused() -> None:
    async def main() -> None:
        on = await Stations.up()
        await on.radio.key()
        with pytest.raises(DriverError, match="pressed already"):
            await on.radio.key()
        await on.radio.unkey()
        with pytest.raises(DriverError, match="'off'"):
            await on.radio.key(Ptt.OFF)
        await on.down()
        with pytest.raises(DriverError):
            await on.radio.speak(NOISE)

    virtually(main)


def test_a_station_that_takes_no_session_is_passed_over_and_none_at_all_is_an_error() -> None:
    async def main() -> None:
        context = Context.create(seed=2)
        gateway = await RoipGateway.start(context, RoipSettings(radios=(RadioSettings(name="main"),)))
        uris = [gateway.uri("nobody"), gateway.uri("main")]
        radio = await RoipRadio.open(context, "radio", stations=uris, target=GROUP)
        assert radio.station == uris[1]
        await radio.close()
        with pytest.raises(DriverError, match=r"no radio takes a session; the last said: .*404"):
            await RoipRadio.open(context, "other", stations=uris[:1], target=GROUP)
        await gateway.stop()

    virtually(main)


def test_a_key_that_is_given_up_while_it_waits_is_let_go() -> None:
    async def main() -> None:
        on = await Stations.up()
        on.gateway.set_fault("main", Fault.SLOW, seconds=1.5, for_s=None)
        keying = asyncio.create_task(on.radio.key())
        await asyncio.sleep(0.5)
        keying.cancel()
        await asyncio.gather(keying, return_exceptions=True)
        await on.radio.expect("ptt.denied", within=0, reason="let go")
        await asyncio.sleep(2)
        assert on.gateway.status()["radios"]["main"]["keyed_by"] is None
        await on.radio.key()
        await on.down()

    virtually(main)


def test_a_lost_link_lets_the_key_go_and_with_one_station_it_is_waited_for() -> None:
    async def main() -> None:
        context = Context.create(seed=2)
        gateway = await RoipGateway.start(context, RoipSettings(radios=(RadioSettings(name="main"),), multiplier=5))
        radio = await RoipRadio.open(context, "radio", stations=[gateway.uri("main")], target=GROUP)
        await radio.key()
        gateway.set_fault("main", Fault.R2S_STOPS, seconds=1, for_s=3)
        await radio.expect("radio.link_lost", within=1.3)
        await radio.expect("ptt.pre_empted", within=0.1)
        await radio.expect("radio.link_up", within=3, after=context.journal.position)
        await radio.key()
        await radio.close()
        await gateway.stop()

    virtually(main)

"""The gateway by which a console talks is killed: the dispatcher is told that nobody hears, and talks on by another."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from harness.drivers.console import Console
from harness.drivers.talking_radio import Technology
from harness.errors import DriverError
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.components import ConsoleComponent, IccsComponent, RadioGatewayComponent
from harness.testbed.conversation import converse
from harness.testbed.layouts import laid_out
from harness.testbed.radio_party import RadioParty
from simulators.iccs.settings.ways import RoipWaySettings

SETTLED_S = 1.0
"""How long a dispatcher talks before the gateway is killed."""
BACK_S = 60.0
"""A terminal whose power comes back is up and known to stand by within this."""
POLL_S = 0.05


def way_with_a_standby(bench: Bench, talkgroup: str) -> tuple[str, RoipWaySettings]:
    """A console that works a talkgroup by a radio for which another stands by, and how. Skipped where none does."""
    room = laid_out(bench.testbed)
    for name, each in bench.testbed.components.items():
        iccs = room.components[each.of] if isinstance(each, ConsoleComponent) else None
        if isinstance(each, ConsoleComponent) and isinstance(iccs, IccsComponent):
            worked = {position.id: position.talkgroups for position in iccs.simulator.each_position()}
            way = iccs.simulator.radio.ways.get(talkgroup)
            if talkgroup in worked.get(each.position, ()) and isinstance(way, RoipWaySettings) and way.standby:
                return name, way
    pytest.skip(f"testbed {bench.testbed.name!r} has no console that works {talkgroup} by a radio with a standby")


def gateways_of(bench: Bench, talkgroup: str) -> tuple[str, str]:
    """The ICCS's gateway that works a talkgroup, and the one that stands by for it. Skipped where none does."""
    for name, each in bench.testbed.components.items():
        if isinstance(each, RadioGatewayComponent) and each.talkgroup == talkgroup and each.standby_of is not None:
            return each.standby_of, name
    pytest.skip(f"testbed {bench.testbed.name!r} has no gateway that stands by for {talkgroup}")


async def key_once_there_is_a_gateway(bench: Bench, dispatcher: Console, talkgroup: str) -> None:
    """Press again and again, as a dispatcher does."""
    deadline = bench.journal.now() + 5.0
    while True:
        try:
            await dispatcher.key(talkgroup)
        except DriverError as error:
            if "no gateway in service" not in str(error) or bench.journal.now() > deadline:
                raise
            await asyncio.sleep(POLL_S)
        else:
            return


@requirement("NICCS-RES-004")
@pytest.mark.waits
@pytest.mark.parametrize("radio_technology", [Technology.TETRA])
async def test_a_terminal_killed_while_a_console_keys_it_is_told_and_gone_round(
    bench: Bench, radios: RadioParty
) -> None:
    """TETRA's gateway is the terminal that the ICCS keys: its power fails, its serial line stays up and is silent.

    The dispatcher is told within the figure that nobody hears, and within the other is permitted again, by the standby.
    """
    dispatcher, listener = await bench.console("govan-31"), await radios.listener()
    supervisor, network = await bench.console("govan-50"), await bench.radio_network()
    gateway, standby = gateways_of(bench, radios.talkgroup)
    clip = read_clip("dispatch")
    after = bench.journal.position
    await dispatcher.key(radios.talkgroup)
    await listener.expect("talker.shown", within=2.0, after=after, issi=bench.issi(gateway))
    await dispatcher.headset.say(np.tile(clip, 2))
    await asyncio.sleep(SETTLED_S)
    after, killed = bench.journal.position, bench.journal.now()
    await network.power_cycle(bench.issi(gateway))
    lost = await dispatcher.expect("ptt.lost", within=5.0, after=after, talkgroup=radios.talkgroup)
    bench.measured("fail_tone tetra", lost.time - killed, "s", requirement="NICCS-RES-004", figure="fail_tone_s")
    await key_once_there_is_a_gateway(bench, dispatcher, radios.talkgroup)
    again = await dispatcher.expect("ptt.granted", within=2.0, after=lost.seq, talkgroup=radios.talkgroup)
    bench.measured("path_back tetra", again.time - killed, "s", requirement="NICCS-RES-004", figure="path_back_s")
    await listener.expect("talker.shown", within=2.0, after=lost.seq, issi=bench.issi(standby))
    await converse(dispatcher, listener, clip)
    await dispatcher.unkey()
    await supervisor.expect("alarm.raised", within=2.0, after=after, what="gateway_lost")
    await supervisor.expect("alarm.ended", within=BACK_S, after=after, what="gateway_lost")


@requirement("NICCS-RES-004")
@pytest.mark.waits
@pytest.mark.parametrize("radio_technology", [Technology.ROIP])
async def test_a_radio_killed_while_a_console_keys_it_is_told_and_gone_round(bench: Bench, radios: RadioParty) -> None:
    """The radio that the ICCS keys fails: its packets stop, and nothing else tells it. Figures as for a terminal."""
    name, way = way_with_a_standby(bench, radios.talkgroup)
    dispatcher = await bench.console(name)
    supervisor, listener = await bench.console("govan-50"), await radios.listener()
    gateway = await bench.roip_gateway(way.of)
    clip = read_clip("dispatch")
    after = bench.journal.position
    await dispatcher.key(radios.talkgroup)
    await listener.expect("squelch.opened", within=2.0, after=after)
    await dispatcher.headset.say(np.tile(clip, 2))
    await asyncio.sleep(SETTLED_S)
    after, killed = bench.journal.position, bench.journal.now()
    await gateway.fail(way.radio)
    lost = await dispatcher.expect("ptt.lost", within=5.0, after=after, talkgroup=radios.talkgroup)
    bench.measured("fail_tone roip console", lost.time - killed, "s", requirement="NICCS-RES-004", figure="fail_tone_s")
    await key_once_there_is_a_gateway(bench, dispatcher, radios.talkgroup)
    again = await dispatcher.expect("ptt.granted", within=2.0, after=lost.seq, talkgroup=radios.talkgroup)
    bench.measured(
        "path_back roip console", again.time - killed, "s", requirement="NICCS-RES-004", figure="path_back_s"
    )
    await converse(dispatcher, listener, clip)
    await dispatcher.unkey()
    await supervisor.expect("alarm.raised", within=2.0, after=after, what="gateway_lost")
    await gateway.restore(way.radio)
    await supervisor.expect("alarm.ended", within=BACK_S, after=after, what="gateway_lost")

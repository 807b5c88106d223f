"""Radios keyed by control lines: nothing is keyed by opening, and lines that are faked are found out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.endpoints.keying import MAX_KEYED_S, KeyingLines, Wiring
from harness.errors import HarnessError, KeyingError, KeyingLocalError, TransportError
from harness.protocols import rfc2217
from harness.transport.context import Context
from simulators.keying.settings import KeyedRadioSettings
from simulators.keying.simulator import KeyedRadioSimulator

WIRING = Wiring(key="rts", carrier="cd", footswitch="ri", echo="cts")


class There:
    """A simulated radio, and lines to it."""

    def __init__(self, context: Context, radio: KeyedRadioSimulator) -> None:
        self.context, self.radio = context, radio

    async def lines(self, wiring: Wiring = WIRING) -> KeyingLines:
        host, port = self.radio.address
        return await KeyingLines.open(self.context, "lines", f"rfc2217://{host}:{port}", wiring)

    def kinds(self, source: str) -> list[str]:
        return [event.kind for event in self.context.journal if event.source == source]


@asynccontextmanager
async def radio(**settings: Any) -> AsyncIterator[There]:
    context = Context.create(seed=1)
    simulator = await KeyedRadioSimulator.start(context, KeyedRadioSettings.model_validate(settings), name="radio")
    try:
        yield There(context, simulator)
    finally:
        await simulator.stop()


@pytest.mark.virtual_time
@pytest.mark.parametrize("key", ["rts", "dtr"])
@pytest.mark.parametrize("inverted", [False, True])
async def test_a_radio_is_keyed_while_the_key_is_down_and_not_before_nor_after(key: Any, inverted: bool) -> None:
    echo: Any = "cts" if key == "rts" else "dsr"
    async with radio(key=key, key_inverted=inverted) as there:
        lines = await there.lines(Wiring(key=key, key_inverted=inverted, carrier="cd", echo=echo))
        assert not there.radio.status()["keyed"], "opening the port keyed the radio"
        await lines.key()
        assert there.radio.status()["keyed"]
        await lines.unkey()
        await lines.key()
        await lines.close()
        await asyncio.sleep(0.1)
        assert there.kinds("lines") == ["line.keyed", "line.unkeyed", "line.keyed", "line.unkeyed"]


@pytest.mark.virtual_time
async def test_carrier_and_footswitch_are_told_and_a_bouncing_footswitch_once() -> None:
    async with radio() as there:
        lines = await there.lines()
        there.radio.set_carrier(True)
        for down in (True, False, True, False, True):
            there.radio.set_footswitch(down)
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.2)
        assert lines.carrier
        assert lines.footswitch
        there.radio.set_carrier(False)
        await asyncio.sleep(0.1)
        assert there.kinds("lines") == ["carrier.up", "footswitch.pressed", "carrier.down"]
        await lines.close()


@pytest.mark.virtual_time
async def test_a_key_that_sticks_is_let_go_and_told() -> None:
    async with radio() as there:
        lines = await there.lines()
        await lines.key()
        await asyncio.sleep(MAX_KEYED_S + 1)
        assert not lines.keyed
        assert not there.radio.status()["keyed"]
        assert there.kinds("lines") == ["line.keyed", "line.stuck", "line.unkeyed"]
        await lines.close()


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("fakes_lines", "it fakes its lines"),
        ("no_lines", "does not do RFC 2217"),
        ("silent", "it carries no control lines"),
    ],
)
async def test_a_terminal_server_that_carries_no_lines_is_named(fault: str, told: str) -> None:
    async with radio(fault=fault, key_inverted=True) as there:
        host, port = there.radio.address
        with pytest.raises(KeyingError, match=told) as raised:
            await there.lines(Wiring(key_inverted=True))
        assert f"{host}:{port}" in str(raised.value)


@pytest.mark.virtual_time
async def test_a_line_that_its_echo_does_not_follow_is_found_out() -> None:
    async with radio() as there:
        lines = await there.lines(Wiring(key="rts", carrier="cd", echo="dsr"))
        with pytest.raises(KeyingError, match="DSR does not follow RTS"):
            await lines.key()
        assert not there.radio.status()["keyed"], "the key is left down"
        await lines.close()


@pytest.mark.virtual_time
async def test_a_connection_that_is_lost_is_told_and_lets_the_radio_go() -> None:
    async with radio() as there:
        lines = await there.lines()
        await lines.key()
        there.radio.drop()
        await asyncio.sleep(0.5)
        assert not lines.keyed
        assert not there.radio.status()["keyed"], "a radio whose client is gone stays keyed"
        with pytest.raises(KeyingLocalError, match="gone"):
            await lines.key()
        assert there.kinds("lines")[-1] == "lines.lost"
        await lines.close()
        again = await there.lines()
        await again.close()


@pytest.mark.virtual_time
async def test_a_second_client_is_turned_away_and_the_first_keeps_the_port() -> None:
    async with radio() as there:
        lines = await there.lines()
        with pytest.raises(KeyingError):
            await there.lines()
        await lines.key()
        assert there.radio.status()["keyed"]
        await lines.close()


async def test_a_pseudo_terminal_is_said_to_carry_no_lines() -> None:
    master, slave = os.openpty()
    try:
        with pytest.raises(TransportError, match="no control lines"):
            await KeyingLines.open(Context.create(seed=1), "lines", os.ttyname(slave), WIRING)
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xf0",
        b"\xff\xfa\x2c\x05\xff\xf0",
        b"\xff\xfa" + b"x" * 5000,
        b"\xff\xfa\x2c\x01\x01\xff\xf0",
        bytes(range(256)),
    ],
)
async def test_whatever_a_client_sends_the_port_can_be_had_afterwards(data: bytes) -> None:
    async with radio() as there:
        _, writer = await asyncio.open_connection(*there.radio.address)
        writer.write(data)
        await asyncio.sleep(0.2)
        writer.close()
        await asyncio.sleep(0.2)
        lines = await there.lines()
        await lines.key()
        await lines.close()


@given(st.lists(st.binary(max_size=80), max_size=6))
def test_whatever_a_server_sends_nothing_but_the_named_error_comes(parts: list[bytes]) -> None:
    reader = rfc2217.Reader()
    for part in parts:
        try:
            reader.feed(part)
        except HarnessError:
            return
        assert len(reader.replies) <= 3 * sum(map(len, parts))

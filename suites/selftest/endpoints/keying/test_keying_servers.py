"""Terminal servers at our lines: what they tell is read in whatever pieces it comes, and none keeps a radio keyed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import serial
import serial.rfc2217
from hypothesis import given
from hypothesis import strategies as st

from harness.endpoints.keying import MAX_KEYED_S, KeyingLines, Wiring
from harness.errors import KeyingError, KeyingLocalError
from harness.protocols import rfc2217
from harness.protocols.rfc2217 import MAX_SUBNEGOTIATION, Control, ControlTold, ModemState
from harness.transport.context import Context
from simulators.keying.port import SimulatedPort
from simulators.keying.settings import KeyedRadioSettings
from simulators.keying.simulator import KeyedRadioSimulator

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
IAC, SB, SE, COM_PORT = b"\xff", b"\xfa", b"\xf0", b"\x2c"


def told(command: int, value: int) -> bytes:
    """What a server says, written here by hand (RFC 2217 section 3)."""
    body = bytes((value,)) * (2 if value == 255 else 1)
    return IAC + SB + COM_PORT + bytes((command,)) + body + IAC + SE


class Written:
    """Where PortManager writes."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[Any], bytes]:
    """What a server tells, and its bytes with data of the port between."""
    events: list[Any] = []
    data = b""
    for _ in range(draw(st.integers(0, 8))):
        data += draw(st.binary(max_size=6)).replace(IAC, IAC + IAC)
        if draw(st.booleans()):
            control = draw(st.sampled_from(Control))
            events.append(ControlTold(control))
            data += told(105, control)
        else:
            state = draw(st.integers(0, 255))
            events.append(ModemState(state & 0xF0))
            data += told(107, state)
    return events, data


@given(conversations(), st.lists(st.integers(1, 7), min_size=1, max_size=9))
def test_what_a_server_tells_is_read_in_whatever_pieces_it_comes(
    said: tuple[list[Any], bytes], cuts: list[int]
) -> None:
    events, data = said
    reader, found = rfc2217.Reader(), []
    at = turn = 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        found += reader.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert found == events
    assert reader.replies == b""


@given(st.sampled_from([each for each in Control if each not in (Control.ASK_RTS, Control.ASK_DTR)]))
def test_pyserials_port_does_what_our_orders_say(control: Control) -> None:
    written, moved = Written(), []
    port = SimulatedPort(lambda: moved.append((port.rts, port.dtr)))
    manager = serial.rfc2217.PortManager(port, written)  # type: ignore[arg-type]
    orders = rfc2217.opening() + rfc2217.control(control)
    for byte in orders:
        assert list(manager.filter(bytes((byte,)))) == [], "an order went on to the port as data"
    assert moved == [(control is Control.RTS_ON, control is Control.DTR_ON)]
    assert ControlTold(control) in rfc2217.Reader().feed(written.data)


def test_a_subnegotiation_without_an_end_is_cut_off() -> None:
    reader = rfc2217.Reader()
    with pytest.raises(KeyingError, match=f"more than {MAX_SUBNEGOTIATION} bytes"):
        reader.feed(IAC + SB + COM_PORT + b"x" * 100_000)


@asynccontextmanager
async def terminal_server(serve: Serve) -> AsyncIterator[str]:
    """A server written here; yields its address."""
    ended: list[asyncio.Task[Any] | None] = []

    async def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(asyncio.current_task())
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(came, "127.0.0.1", 0)
    try:
        yield f"rfc2217://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in ended:
            if task is not None:
                task.cancel()
        await asyncio.gather(*filter(None, ended), return_exceptions=True)


def answering(orders: list[int], *, until: int = 1_000_000) -> Serve:
    """A server that takes each order for done, as many as ``until``, and shows one state of its inputs."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(told(107, 0))
        buffer = b""
        while data := await reader.read(1024):
            buffer += data
            while (at := buffer.find(IAC + SB + COM_PORT + b"\x05")) >= 0 and len(buffer) >= at + 7:
                order, buffer = buffer[at + 4], buffer[at + 7 :]
                if order not in (Control.ASK_RTS, Control.ASK_DTR):
                    orders.append(order)
                    if len(orders) <= until:
                        writer.write(told(105, order))
        orders.append(0)

    return serve


@pytest.mark.virtual_time
@pytest.mark.parametrize("key", ["rts", "dtr"])
@pytest.mark.parametrize("inverted", [False, True])
async def test_the_first_orders_are_rest_and_nothing_else_is_ordered_until_the_key(key: Any, inverted: bool) -> None:
    orders: list[int] = []
    async with terminal_server(answering(orders)) as url:
        lines = await KeyingLines.open(Context.create(seed=1), "lines", url, Wiring(key=key, key_inverted=inverted))
        rest = Control[f"{key.upper()}_{'ON' if inverted else 'OFF'}"]
        other = Control.DTR_OFF if key == "rts" else Control.RTS_OFF
        assert sorted(orders) == sorted([rest, other])
        orders.clear()
        await lines.key()
        await lines.close()
        await asyncio.sleep(0.1)
        assert orders == [Control[f"{key.upper()}_{'OFF' if inverted else 'ON'}"], rest, 0]


@pytest.mark.virtual_time
async def test_a_server_that_takes_all_orders_for_done_and_never_moves_is_named_by_the_line_that_follows() -> None:
    orders: list[int] = []
    async with terminal_server(answering(orders)) as url:
        lines = await KeyingLines.open(
            Context.create(seed=1), "lines", url, Wiring(key="rts", carrier=None, echo="cts")
        )
        where = url.removeprefix("rfc2217://")
        with pytest.raises(
            KeyingError, match=f"the terminal server at {where} does not carry RTS: CTS does not follow"
        ):
            await lines.key()
        assert orders[-2:] == [Control.RTS_ON, Control.RTS_OFF], "the key is left down"
        assert not lines.keyed
        await lines.close()


@pytest.mark.virtual_time
@pytest.mark.parametrize("fault", ["fakes_lines", "repeats_orders"])
async def test_a_simulated_server_that_fakes_its_lines_is_named_at_the_key(fault: Any) -> None:
    context = Context.create(seed=1)
    radio = await KeyedRadioSimulator.start(context, KeyedRadioSettings(fault=fault))
    host, port = radio.address
    try:
        lines = await KeyingLines.open(context, "lines", f"rfc2217://{host}:{port}", Wiring(echo="cts", carrier="cd"))
        with pytest.raises(KeyingError, match=f"the terminal server at {host}:{port} "):
            await lines.key()
        assert not radio.status()["keyed"]
        await lines.close()
    finally:
        await radio.stop()


@pytest.mark.virtual_time
async def test_a_server_that_falls_silent_while_keyed_is_let_go_of_when_the_key_sticks() -> None:
    orders: list[int] = []
    async with terminal_server(answering(orders, until=3)) as url:
        context = Context.create(seed=1)
        lines = await KeyingLines.open(context, "lines", url, Wiring(carrier=None))
        await lines.key()
        with pytest.raises(KeyingError, match="does not say that RTS is set"):
            await lines.unkey()
        assert lines.keyed, "nobody said that it was let go"
        await asyncio.sleep(MAX_KEYED_S + 5)
        assert orders[-1] == 0, "the connection is held on to, and with it the key"
        assert [event.kind for event in context.journal] == [
            "line.keyed",
            "line.stuck",
            "line.not_at_rest",
            "lines.lost",
        ]
        with pytest.raises(KeyingLocalError, match="gone"):
            await lines.key()
        await lines.close()


@pytest.mark.virtual_time
async def test_a_server_that_talks_nonsense_while_keyed_is_hung_up_on_at_once() -> None:
    orders: list[int] = []
    answer = answering(orders)
    nonsense = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def talk() -> None:
            await nonsense.wait()
            writer.write(IAC + SB + COM_PORT + b"x" * 5000)

        talking = asyncio.create_task(talk())
        await answer(reader, writer)
        await talking

    async with terminal_server(serve) as url:
        context = Context.create(seed=1)
        lines = await KeyingLines.open(context, "lines", url, Wiring(carrier=None))
        await lines.key()
        nonsense.set()
        lost = await context.journal.expect("lines", "lines.lost", within=1.0)
        assert "a subnegotiation of more than" in str(lost.data["reason"])
        await asyncio.sleep(0.1)
        assert orders[-1] == 0, "the connection is held on to, and with it the key"
        await lines.close()


@pytest.mark.virtual_time
async def test_a_radio_with_an_inverted_key_transmits_while_nobody_has_its_port() -> None:
    context = Context.create(seed=1)
    radio = await KeyedRadioSimulator.start(context, KeyedRadioSettings(key_inverted=True))
    host, port = radio.address
    try:
        assert radio.status()["keyed"]
        lines = await KeyingLines.open(context, "lines", f"rfc2217://{host}:{port}", Wiring(key_inverted=True))
        assert not radio.status()["keyed"]
        await lines.close()
        await asyncio.sleep(0.1)
        assert radio.status()["keyed"], "as docs/keying.md warns"
    finally:
        await radio.stop()

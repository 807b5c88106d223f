"""A device's lines: at rest before it is open, looked at in time, let go of when it is pulled or its key sticks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import serial

from harness.endpoints.keying import DEBOUNCE_S, MAX_KEYED_S, KeyingLines, Wiring
from harness.endpoints.keying.ports import POLL_S
from harness.errors import KeyingError, KeyingLocalError, TransportError
from harness.transport.context import Context
from suites.selftest.endpoints.keying import protocol_bench

WIRING = Wiring(key="rts", carrier="cd", footswitch="dsr")


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    serial.protocol_handler_packages.append(protocol_bench.__package__)
    try:
        yield
    finally:
        serial.protocol_handler_packages.remove(protocol_bench.__package__)


async def opened(wiring: Wiring = WIRING) -> tuple[KeyingLines, protocol_bench.Serial, Context]:
    context = Context.create(seed=1)
    lines = await KeyingLines.open(context, "lines", "bench://radio", wiring)
    return lines, protocol_bench.OPENED["radio"], context


def kinds(context: Context) -> list[str]:
    return [event.kind for event in context.journal if event.source == "lines"]


@pytest.mark.virtual_time
@pytest.mark.parametrize("key", ["rts", "dtr"])
@pytest.mark.parametrize("inverted", [False, True])
async def test_outputs_are_at_rest_before_the_device_is_open_and_when_it_is_closed(key: Any, inverted: bool) -> None:
    lines, device, _ = await opened(Wiring(key=key, key_inverted=inverted))
    other = "dtr" if key == "rts" else "rts"
    levels = {key: inverted, other: False}
    await lines.key()
    await lines.close()
    assert device.story == [
        f"open with rts {levels['rts']} dtr {levels['dtr']}",
        f"{key} {not inverted}",
        f"{key} {inverted}",
        "close",
    ]
    assert device.exclusively, "another program could key it at the same time"


@pytest.mark.virtual_time
async def test_only_an_inverted_key_has_the_system_leave_the_lines_alone_at_the_close() -> None:
    for inverted in (False, True):
        lines, device, _ = await opened(Wiring(key_inverted=inverted))
        assert device.hangs_up() is not inverted
        await lines.close()


@pytest.mark.virtual_time
async def test_what_a_device_tells_is_seen_at_the_next_look_and_a_bounce_is_none() -> None:
    lines, device, context = await opened()
    await asyncio.sleep(POLL_S / 2)
    device.inputs["cd"] = True
    await asyncio.sleep(POLL_S)
    assert lines.carrier
    device.inputs["dsr"] = True
    await asyncio.sleep(DEBOUNCE_S / 2)
    device.inputs["dsr"] = False
    await asyncio.sleep(1.0)
    assert not lines.footswitch
    device.inputs["dsr"] = True
    await asyncio.sleep(POLL_S + DEBOUNCE_S)
    assert lines.footswitch
    assert kinds(context) == ["carrier.up", "footswitch.pressed"]
    await lines.close()


@pytest.mark.virtual_time
@pytest.mark.parametrize("line", ["cts", "dsr", "cd", "ri"])
async def test_a_carrier_that_is_inverted_is_up_while_its_line_is_off(line: Any) -> None:
    lines, device, context = await opened(Wiring(carrier=line, carrier_inverted=True))
    assert lines.carrier
    device.inputs[line] = True
    await asyncio.sleep(2 * POLL_S)
    assert not lines.carrier
    assert kinds(context) == ["carrier.up", "carrier.down"]
    await lines.close()


@pytest.mark.virtual_time
async def test_a_device_that_is_pulled_while_keyed_is_told_once_and_let_go_of() -> None:
    lines, device, context = await opened()
    await lines.key()
    device.unplugged = True
    await asyncio.sleep(2 * POLL_S)
    assert not lines.keyed
    assert device.story[-1] == "close"
    with pytest.raises(KeyingLocalError, match="gone"):
        await lines.key()
    await asyncio.sleep(MAX_KEYED_S + 1)
    assert kinds(context) == ["line.keyed", "lines.lost"]
    await lines.close()


@pytest.mark.virtual_time
async def test_an_output_that_can_not_be_set_is_told_and_the_device_let_go_of() -> None:
    lines, device, context = await opened()
    device.unplugged = True
    with pytest.raises(KeyingLocalError, match=r"RTS can't be set: .*Input/output error"):
        await lines.key()
    assert device.story[-1] == "close"
    assert kinds(context) == ["line.not_at_rest", "lines.lost"]
    await lines.close()


@pytest.mark.virtual_time
async def test_a_key_that_sticks_and_whose_line_stays_ends_with_the_port_let_go_of() -> None:
    lines, device, context = await opened(Wiring(key="rts", carrier=None, echo="cts"))
    device.inputs["cts"] = True
    await lines.key()
    await asyncio.sleep(MAX_KEYED_S + 1)  # the input stays on: the relay is welded
    assert device.story[-1] == "close"
    assert kinds(context) == ["line.keyed", "line.stuck", "line.not_at_rest", "lines.lost"]
    await lines.close()


@pytest.mark.virtual_time
async def test_an_echo_that_comes_is_waited_for_and_one_that_does_not_is_an_error() -> None:
    lines, device, _ = await opened(Wiring(key="rts", carrier=None, echo="cts"))
    asyncio.get_running_loop().call_later(0.1, device.inputs.update, {"cts": True})
    await lines.key()
    with pytest.raises(KeyingError, match="bench://radio does not carry RTS: CTS does not follow RTS"):
        await lines.unkey()
    assert device.story[-1] == "rts False"
    await lines.close()


@pytest.mark.virtual_time
async def test_unkeying_that_is_cut_short_leaves_the_guard_in_place() -> None:
    lines, device, context = await opened()
    await lines.key()
    async with lines._setting:  # something else holds the lines
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lines.unkey(), 0.1)
    await asyncio.sleep(MAX_KEYED_S + 1)
    assert device.story[-1] == "rts False"
    assert kinds(context)[-2:] == ["line.stuck", "line.unkeyed"]
    await lines.close()


@pytest.mark.parametrize(
    ("url", "error", "told"),
    [
        ("nothing://radio", TransportError, "a device or rfc2217://host:port is meant"),
        ("/dev/nothing-here", TransportError, "No such file"),
        ("rfc2217://10.0.0.5", KeyingLocalError, "rfc2217://host:port is meant"),
        ("rfc2217://10.0.0.5:99999", KeyingLocalError, "rfc2217://host:port is meant"),
        ("rfc2217://[::1:4001", KeyingLocalError, "rfc2217://host:port is meant"),
        ("rfc2217://:4001", KeyingLocalError, "rfc2217://host:port is meant"),
    ],
)
async def test_an_address_that_is_none_is_told(url: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        await KeyingLines.open(Context.create(seed=1), "lines", url, WIRING)

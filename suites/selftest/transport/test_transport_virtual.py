"""The virtual loop, network and serial line: time that jumps, seeded loss and delay, back-pressure, lost lines."""

import asyncio
import time
import weakref

import pytest

from harness.errors import TransportError
from harness.transport.serial_line import offer_serial, open_serial
from harness.transport.tap import NullTap
from harness.transport.udp import open_udp
from harness.transport.virtual_loop import VirtualLoop
from harness.transport.virtual_network import STREAM_BUFFER, Impairment
from harness.transport.virtual_serial import BYTES_IN_FLIGHT

TAP = NullTap()


def run(coroutine, seed=0):
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(seed)) as runner:
        return runner.run(coroutine)


def test_a_day_passes_at_once_and_in_order():
    async def day():
        loop, order = asyncio.get_running_loop(), []
        for hour in (23, 1, 12):
            loop.call_later(hour * 3600, order.append, hour)
        await asyncio.sleep(86_400)
        return loop.time(), order

    began = time.monotonic()
    assert run(day()) == (pytest.approx(86_400), [1, 12, 23])
    assert time.monotonic() - began < 2


def test_a_wait_that_nothing_can_end_is_told_not_hung():
    async def stuck():
        await asyncio.get_running_loop().create_future()

    with pytest.raises(TransportError, match="stuck"):
        run(stuck())


def test_nothing_outside_is_reachable():
    async def outside():
        await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", 22)

    with pytest.raises(ConnectionRefusedError):
        run(outside())

    async def tls():
        await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=object())

    with pytest.raises(TransportError, match="ssl"):
        run(tls())


async def datagrams(count, impairment):
    loop, got = asyncio.get_running_loop(), []
    loop.network.impairment = impairment
    there = await open_udp(("10.0.0.2", 5060), lambda data, source: got.append((round(loop.time(), 9), data)), tap=TAP)
    here = await open_udp(("10.0.0.1", 0), lambda data, source: None, tap=TAP)
    for index in range(count):
        here.send(b"%d" % index, there.local)
        await asyncio.sleep(0.02)
    await asyncio.sleep(5)
    return got


def test_datagrams_arrive_after_the_delay():
    got = run(datagrams(3, Impairment(delay_s=0.05)))
    assert got == [(0.05, b"0"), (0.07, b"1"), (0.09, b"2")]


def test_loss_delay_and_doubles_are_settled_by_the_seed():
    rough = Impairment(delay_s=0.01, jitter_s=0.05, loss=0.2, duplicate=0.1)
    first, again, other = (run(datagrams(500, rough), seed) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    distinct = {data for _, data in first}
    assert 350 < len(distinct) < 450
    assert len(first) > len(distinct)
    order = [int(data) for _, data in first]
    assert order != sorted(order)


def test_a_port_is_bound_once_and_given_back():
    async def ports():
        one = await open_udp(("10.0.0.1", 5060), lambda data, source: None, tap=TAP)
        with pytest.raises(TransportError, match="can't bind"):
            await open_udp(("10.0.0.1", 5060), lambda data, source: None, tap=TAP)
        one.close()
        one.close()
        one.send(b"x", ("10.0.0.2", 1))
        await asyncio.sleep(0)
        (await open_udp(("10.0.0.1", 5060), lambda data, source: None, tap=TAP)).close()
        return asyncio.get_running_loop().network.dropped

    assert run(ports()) == 0


def test_datagrams_to_nobody_are_counted():
    async def lost():
        port = await open_udp(("10.0.0.1", 0), lambda data, source: None, tap=TAP)
        port.send(b"x", ("10.0.0.9", 9))
        await asyncio.sleep(1)
        return asyncio.get_running_loop().network.dropped

    assert run(lost()) == 1


def test_a_stream_carries_bytes_both_ways_and_ends():
    async def echo(reader, writer):
        writer.write((await reader.read()).upper())
        writer.close()

    async def talk():
        server = await asyncio.start_server(echo, "10.0.0.2", 80)
        reader, writer = await asyncio.open_connection("10.0.0.2", 80)
        writer.write(b"hello ")
        writer.write(b"there")
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        server.close()
        return answer

    assert run(talk()) == b"HELLO THERE"


def test_a_reader_that_pauses_holds_its_writer_and_loses_nothing():
    async def pressure():
        release, got = asyncio.Event(), bytearray()

        async def slow(reader, writer):
            await release.wait()
            while data := await reader.read(65_536):
                got.extend(data)
            writer.close()

        await asyncio.start_server(slow, "10.0.0.2", 80)
        _, writer = await asyncio.open_connection("10.0.0.2", 80)
        chunk, written = bytes(range(256)) * 64, 0

        async def pump():
            nonlocal written
            for _ in range(256):
                writer.write(chunk)
                written += len(chunk)
                await writer.drain()
            writer.write_eof()

        pumping = asyncio.create_task(pump())
        await asyncio.sleep(60)
        held = written
        release.set()
        await pumping
        await asyncio.sleep(60)
        writer.close()
        return held, len(chunk), bytes(got) == chunk * 256

    held, chunk, whole = run(pressure())
    assert held <= 2 * STREAM_BUFFER + 2 * chunk
    assert whole


async def line(baud=9600):
    heard, told, lost = [], [], []
    loop = asyncio.get_running_loop()
    equipment = await offer_serial(
        "terminal", receive=lambda d: heard.append((loop.time(), d)), lost=lost.append, tap=TAP, baud=baud, virtual=True
    )
    near = await open_serial(
        equipment.url, baud=baud, receive=told.append, lost=lost.append, tap=TAP, name="terminal (TE)"
    )
    return equipment, near, heard, told, lost


def test_serial_bytes_take_the_time_their_speed_gives_them():
    async def at():
        _, near, heard, _, _ = await line(baud=9600)
        near.write(b"A" * 96)
        near.write(b"B" * 96)
        await asyncio.sleep(1)
        return heard

    heard = run(at())
    assert heard == [(pytest.approx(0.1), b"A" * 96), (pytest.approx(0.2), b"B" * 96)]


def test_a_line_taken_away_is_told_and_can_be_offered_again():
    async def vanish():
        equipment, near, _, _, lost = await line()
        with pytest.raises(TransportError, match="in use"):
            await open_serial(equipment.url, baud=9600, receive=print, lost=print, tap=TAP, name="second")
        equipment.close()
        await asyncio.sleep(0)
        with pytest.raises(TransportError, match="gone"):
            near.write(b"AT\r")
        with pytest.raises(TransportError, match="no serial line"):
            await open_serial(equipment.url, baud=9600, receive=print, lost=print, tap=TAP, name="late")
        (await line())[1].write(b"AT\r")
        return lost

    assert run(vanish()) == ["the line is gone"]


def test_a_client_that_leaves_is_no_loss_to_the_equipment():
    async def leave():
        equipment, near, heard, told, lost = await line()
        near.close()
        equipment.write(b"unheard")
        await asyncio.sleep(1)
        again = await open_serial(
            equipment.url, baud=9600, receive=told.append, lost=lost.append, tap=TAP, name="terminal (TE)"
        )
        again.write(b"AT\r")
        await asyncio.sleep(1)
        return [data for _, data in heard], told, lost

    assert run(leave()) == ([b"AT\r"], [], [])


def test_a_line_holds_no_more_than_its_bound():
    async def flood():
        _, near, _, _, _ = await line()
        with pytest.raises(TransportError, match="takes nothing"):
            for _ in range(BYTES_IN_FLIGHT // 1000 + 1):
                near.write(bytes(1000))

    run(flood())


def test_virtual_lines_need_virtual_time():
    async def real():
        await open_serial("virtual://x", baud=9600, receive=print, lost=print, tap=TAP, name="x")

    with pytest.raises(TransportError, match="virtual time"):
        asyncio.run(real())


def test_deliveries_and_timers_of_one_moment_come_in_the_order_in_which_they_were_set():
    loop, came = VirtualLoop(), []
    loop.call_at(1.0, came.append, "timer")
    loop.deliver_at(1.0, came.append, "delivery")
    loop.call_at(0.5, loop.call_soon, came.append, "before")
    loop.deliver_at(1.0, loop.call_soon, came.append, "soon after")
    loop.call_at(1.0, came.append, "last timer")
    loop.call_at(2.0, loop.stop)
    loop.call_at(0.25, came.append, "cancelled").cancel()
    try:
        loop.run_forever()
    finally:
        loop.close()
    assert came == ["before", "timer", "delivery", "last timer", "soon after"]


def test_a_timer_that_one_of_its_own_moment_cancels_does_not_run():
    def cancel():
        timers[0].cancel()

    loop, came, timers = VirtualLoop(), [], []
    loop.call_at(1.0, cancel)
    timers.append(loop.call_at(1.0, came.append, "cancelled"))
    loop.call_at(1.0, came.append, "left")
    loop.call_at(2.0, loop.stop)
    try:
        loop.run_forever()
    finally:
        loop.close()
    assert came == ["left"]


def test_a_cancelled_timer_keeps_nothing_that_it_was_to_be_called_with():
    class Held:
        def told(self) -> None: ...

    loop, held = VirtualLoop(), Held()
    loop.call_later(600.0, held.told).cancel()
    loop.call_later(600.0, print, held).cancel()
    gone = weakref.ref(held)
    del held
    try:
        assert gone() is None
    finally:
        loop.close()


def test_what_was_due_when_somebody_pressed_ctrl_c_is_there_when_the_loop_runs_on():
    def press():
        raise KeyboardInterrupt

    loop, came = VirtualLoop(), []
    loop.deliver_at(1.0, press)
    loop.deliver_at(1.0, came.append, "delivery")
    loop.call_at(1.0, came.append, "timer")
    loop.call_at(2.0, loop.stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run_forever()
        assert came == []
        loop.run_forever()
    finally:
        loop.close()
    assert came == ["delivery", "timer"]

"""A port that is closed is freed at once, by counting alone: the worker collects no cycles while it paces anything."""

import gc

import numpy as np
import pytest

from harness.endpoints.media.stream import Stream
from suites.selftest.endpoints.media.engine_bench import Bench


def streams() -> int:
    return sum(isinstance(each, Stream) for each in gc.get_objects())


def speak(bench, port):
    bench.engine.speech(port.number).play(np.full(1600, 9000, np.int16), 8000, loop=True)


def pair(bench):
    return bench.pair()


def joined(bench):
    one, two = bench.pair()
    bench.engine.hear(one.number, [two.number])
    bench.engine.hear(two.number, [one.number])
    return one, two


def in_a_conference(bench):
    ports = bench.pair()
    bridge = bench.engine.add_bridge("bridge", 8000)
    for port in ports:
        port.join(bridge, speak=True, hear=True)
    return ports


def writing(bench):
    return bench.pair(kind="text")


@pytest.mark.parametrize("make", [pair, joined, in_a_conference, writing])
def test_a_closed_port_leaves_nothing_for_the_collector(make):
    gc.collect()
    gc.disable()
    try:
        before = streams()
        bench = Bench()
        ports = make(bench)
        for port in ports:
            if port.kind == "audio":
                speak(bench, port)
        bench.run(1.0)
        numbers = [port.number for port in ports]
        del ports, port
        bench.sent.clear()
        bench._wires.clear()
        bench._addresses.clear()
        assert streams() == before + 2
        for number in numbers:
            bench.engine.remove_port(number, bench.now)
        assert streams() == before, "a closed port is held by a cycle of its own"
    finally:
        gc.enable()

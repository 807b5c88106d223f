"""The sound device jack, driven block by block through a stand-in for PyPI's sounddevice."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from harness.drivers import sound_jack
from harness.drivers.jack import open_jack
from harness.drivers.sound_jack import BLOCK, SoundJack
from harness.endpoints.media import open_media
from harness.errors import DriverError
from harness.protocols.rtp.g711 import Samples
from harness.transport.context import Context

pytestmark = pytest.mark.virtual_time
IN_S, OUT_S = 0.010, 0.025
"""What the stand-in says that its card adds, seconds."""


class PortAudioError(Exception):
    """As sounddevice has it."""


class Stream:
    """What sounddevice.Stream offers; the test plays PortAudio's part."""

    opened: list[Stream]
    fails: str | None = None

    def __init__(self, **options: Any) -> None:
        if Stream.fails == "open":
            raise PortAudioError("no such device")
        self.options = options
        self.latency = (IN_S, OUT_S)
        self.running = False
        self.closed = False
        Stream.opened.append(self)

    def start(self) -> None:
        if Stream.fails == "start":
            raise PortAudioError("device busy")
        self.running = True

    def close(self) -> None:
        self.closed = True

    def block(self, heard: int = 0, status: str = "", frames: int = BLOCK) -> Samples:
        """One call of the callback: the microphone gives `heard`, what the loudspeaker is given comes back."""
        out = np.full((frames, 1), 99, np.int16)
        callback: Callable[..., None] = self.options["callback"]
        callback(np.full((frames, 1), heard, np.int16), out, frames, None, status)
        samples: Samples = out[:, 0]
        return samples


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> type[Stream]:
    """The stand-in in sounddevice's place."""
    module = ModuleType("sounddevice")
    module.Stream, module.PortAudioError = Stream, PortAudioError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr(Stream, "opened", [], raising=False)
    monkeypatch.setattr(Stream, "fails", None)
    return Stream


def clip(length: int) -> Samples:
    """Samples that count from 1."""
    return np.arange(1, length + 1, dtype=np.int16)


async def opened(device: type[Stream]) -> tuple[SoundJack, Stream, Context]:
    """A jack on a device, two seconds into the run."""
    context = Context.create(seed=1)
    await asyncio.sleep(2.0)
    jack = SoundJack.open(context, "officer", "USB Audio")
    return jack, device.opened[-1], context


async def test_it_opens_the_device_that_is_named_or_numbered(device: type[Stream]) -> None:
    context = Context.create(seed=1)
    media = await open_media(context, in_process=True)
    for url, wanted in (("sound:USB Audio", "USB Audio"), ("sound:3", 3)):
        jack = await open_jack(context, media, "officer", url)
        options = device.opened[-1].options
        assert (options["device"], options["samplerate"], options["channels"], options["dtype"]) == (
            wanted,
            8000,
            1,
            "int16",
        )
        assert device.opened[-1].running
        await jack.close()
        assert device.opened[-1].closed
    await media.close()


async def test_what_is_said_goes_out_whole_and_its_time_is_the_card_s(device: type[Stream]) -> None:
    jack, stream, _context = await opened(device)
    assert list(stream.block()) == [0] * BLOCK, "silence before"
    saying = asyncio.create_task(jack.say(clip(BLOCK + 40)))
    await asyncio.sleep(0.005)
    assert not saying.done()
    first = stream.block()
    assert await saying == pytest.approx(2.005 + OUT_S)
    said = asyncio.create_task(jack.said())
    await asyncio.sleep(0.020)
    assert not said.done()
    second = stream.block()
    await said
    assert list(first) == list(range(1, BLOCK + 1))
    assert list(second) == [*range(BLOCK + 1, BLOCK + 41), *[0] * (BLOCK - 40)]
    assert list(stream.block()) == [0] * BLOCK
    await jack.close()


async def test_clips_queue_and_all_are_out_when_it_says_so(device: type[Stream]) -> None:
    jack, stream, _context = await opened(device)
    one, two = asyncio.create_task(jack.say(clip(BLOCK))), asyncio.create_task(jack.say(clip(10)))
    await asyncio.sleep(0)
    stream.block()
    third = asyncio.create_task(jack.say(clip(5)))  # asked for as the first one ends
    said = asyncio.create_task(jack.said())
    await asyncio.sleep(0.020)
    assert one.done()
    assert not two.done()
    assert not said.done()
    assert list(stream.block()[:11]) == [*range(1, 11), 0]
    await asyncio.sleep(0.020)
    assert not said.done()
    stream.block()
    await said
    assert await one < await two < await third
    await jack.close()


async def test_a_recording_starts_when_its_first_sample_was_heard(device: type[Stream]) -> None:
    jack, stream, _context = await opened(device)
    stream.block(heard=1)
    await jack.record()
    await asyncio.sleep(0.020)
    stream.block(heard=2)
    await asyncio.sleep(0.020)
    stream.block(heard=3)
    heard = await jack.recorded()
    assert heard.start == pytest.approx(2.020 - 0.020 - IN_S)
    assert list(heard.samples) == [2] * BLOCK + [3] * BLOCK
    assert heard.samples.dtype == np.int16
    with pytest.raises(DriverError, match="no recording was begun"):
        await jack.recorded()
    await jack.record()
    nothing = await jack.recorded()
    assert nothing.start == pytest.approx(2.040)
    assert len(nothing.samples) == 0
    await jack.close()


async def test_a_recording_has_an_end_which_is_told(device: type[Stream], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_jack, "MAX_RECORDING_S", 0.04)
    jack, stream, context = await opened(device)
    await jack.record()
    for level in range(5):
        stream.block(heard=level)
    heard = await jack.recorded()
    assert len(heard.samples) == 2 * BLOCK
    await context.journal.expect("officer", "sound.trouble", within=0.1)
    assert len([event for event in context.journal if event.kind == "sound.trouble"]) == 1
    await jack.close()


async def test_trouble_of_the_device_is_journalled(device: type[Stream]) -> None:
    jack, stream, context = await opened(device)
    stream.block(status="output underflow")
    event = await context.journal.expect("officer", "sound.trouble", within=0.1, status="output underflow")
    assert event.data["severity"] == "warning"
    await jack.close()


async def test_a_device_that_stops_fails_what_waits_for_it(device: type[Stream]) -> None:
    jack, stream, _context = await opened(device)
    saying = asyncio.create_task(jack.say(clip(10)))
    await asyncio.sleep(0)
    stream.options["finished_callback"]()
    with pytest.raises(DriverError, match="sound device 'USB Audio' stopped"):
        await saying
    await jack.said()
    with pytest.raises(DriverError, match="stopped"):
        await jack.say(clip(1))
    await jack.close()
    await jack.close()


async def test_the_queue_has_a_bound(device: type[Stream], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_jack, "MAX_QUEUED", 1)
    jack, _stream, _context = await opened(device)
    waiting = asyncio.create_task(jack.say(clip(1)))
    await asyncio.sleep(0)
    with pytest.raises(DriverError, match="1 clips wait to be said already"):
        await jack.say(clip(1))
    await jack.close()
    with pytest.raises(DriverError):
        await waiting


@pytest.mark.parametrize("when", ["open", "start"])
async def test_a_device_that_can_not_be_had_is_told(device: type[Stream], when: str) -> None:
    device.fails = when
    with pytest.raises(DriverError, match="officer: sound device 'USB Audio' can't be opened: "):
        SoundJack.open(Context.create(seed=1), "officer", "USB Audio")
    assert all(stream.closed for stream in device.opened)


@pytest.mark.parametrize(
    "error", [ImportError("No module named 'sounddevice'"), OSError("PortAudio library not found")]
)
async def test_without_the_extra_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    class Finder:
        def find_spec(self, name: str, *_rest: object) -> None:
            if name == "sounddevice":
                raise error

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    with pytest.raises(
        DriverError, match=r"pip install 'iccs-acceptance-harness\[sound\]'\) and PortAudio: "
    ) as caught:
        SoundJack.open(Context.create(seed=1), "officer", "3")
    assert str(error) in str(caught.value)


@pytest.mark.parametrize("url", ["rtp://127.0.0.1", "rtp://:5", "rtp://h:0", "rtp://h:65536", "rtp://h:x", "jack", ""])
async def test_what_is_no_jack_s_address_is_refused(url: str) -> None:
    context = Context.create(seed=1)
    media = await open_media(context, in_process=True)
    with pytest.raises(DriverError, match="a jack is rtp://host:port or sound:DEVICE"):
        await open_jack(context, media, "officer", url)
    await media.close()


async def test_hushed_it_says_no_more_and_the_next_clip_is_whole(device: type[Stream]) -> None:
    jack, stream, _ = await opened(device)
    saying = asyncio.ensure_future(jack.say(clip(10 * BLOCK)))
    waiting = asyncio.ensure_future(jack.say(clip(BLOCK)))
    await asyncio.sleep(0)
    assert stream.block()[0] == 1
    await saying
    await jack.hush()
    with pytest.raises(DriverError, match="hushed before it was said"):
        await waiting
    assert not stream.block().any()
    await jack.said()
    again = asyncio.ensure_future(jack.say(clip(BLOCK)))
    await asyncio.sleep(0)
    assert list(stream.block()) == list(clip(BLOCK))
    await again
    await jack.close()

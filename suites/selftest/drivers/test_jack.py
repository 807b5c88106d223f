"""The RTP audio jack in virtual time: two ends of a lead, and a lead that can't be plugged in."""

from __future__ import annotations

import pytest

from harness.drivers.jack import RtpJack, open_jack
from harness.endpoints.media import open_media
from harness.errors import MediaError
from harness.measure.correlate import correlation
from harness.testbed.clips import read_clip
from harness.transport.context import Context

pytestmark = pytest.mark.virtual_time


async def test_what_is_said_at_one_end_is_heard_at_the_other_both_ways() -> None:
    context = Context.create(seed=1)
    media = await open_media(context, in_process=True)
    equipment = await media.open_port("equipment")
    await equipment.connect(None, dtmf_payload_type=None)
    host, port = equipment.address
    jack = await open_jack(context, media, "desk", f"rtp://{host}:{port}")
    clip = read_clip("dispatch")

    await equipment.record()
    began = await jack.say(clip)
    await jack.said()
    assert context.journal.now() >= began + len(clip) / 8000 - 0.02
    assert correlation(clip, (await equipment.recorded()).samples) > 0.9

    await jack.record()
    await equipment.play(clip)
    await equipment.played()
    assert correlation(clip, (await jack.recorded()).samples) > 0.9

    await jack.close()
    await jack.close()
    assert context.journal.find("desk jack", "media.closed") is not None
    await media.close()


async def test_a_jack_that_can_not_be_plugged_in_holds_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context.create(seed=1)
    media = await open_media(context, in_process=True)
    port = await media.open_port("probe")

    async def refuse(*_args: object, **_options: object) -> None:
        raise MediaError("no such peer")

    monkeypatch.setattr(type(port), "connect", refuse)
    with pytest.raises(MediaError, match="no such peer"):
        await open_jack(context, media, "desk", "rtp://localhost:40000")
    assert context.journal.find("desk jack", "media.closed") is not None
    await media.close()


async def test_a_peer_on_this_machine_is_reached_from_loopback_and_another_from_any_address() -> None:
    context = Context.create(seed=1)
    media = await open_media(context, in_process=True)
    for peer, here in (("127.0.0.1", "127.0.0.1"), ("127.5.0.1", "127.0.0.1"), ("192.0.2.1", "0.0.0.0")):
        jack = await open_jack(context, media, "desk", f"rtp://{peer}:40000")
        assert isinstance(jack, RtpJack)
        assert jack.port.address[0] == here
        await jack.close()
    await media.close()

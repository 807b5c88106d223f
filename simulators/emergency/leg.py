"""One party of a call: its SIP side with its media, what is said and written to it, and what comes from it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from harness.endpoints.call_media import CallMedia
from harness.endpoints.media import MediaPort, TextPort
from harness.endpoints.sip.call import Call
from harness.errors import HarnessError, MediaError, SdpError, SipLocalError
from harness.journal import Event
from harness.protocols.rtp.g711 import Samples
from simulators.emergency.plant import Plant

MAX_KEYS_WAITING: Final = 32
"""Keys that wait to be sent on; more are dropped and journalled."""


class Leg:
    """A party. Use `open`."""

    def __init__(self, plant: Plant, name: str, media: CallMedia) -> None:
        self.name = name
        self.media = media
        self.sip: Call | None = None
        self.followed: Callable[[], Coroutine[Any, Any, None]] | None = None
        """What is done when its media was agreed on, or changed, in mid-call."""
        self.heard: Callable[[Event], None] | None = None
        """Given keys, voice and text that come from it."""
        self._plant = plant
        self._journal = plant.journal
        self._keys_waiting = 0
        self._closed = False

    @classmethod
    async def open(cls, plant: Plant, name: str, *, text: bool) -> Leg:
        """Bind its ports. Raises MediaError."""
        media = await CallMedia.open(plant.media, name, host=plant.settings.host, text=text)
        leg = cls(plant, name, media)
        for each in media.names:
            plant.legs[each] = leg
        return leg

    @property
    def port(self) -> MediaPort:
        """Its speech."""
        return self.media.port

    @property
    def text(self) -> TextPort | None:
        """Its text."""
        return self.media.text

    @property
    def speaks(self) -> bool:
        """Whether speech was agreed on."""
        return self.media.speaks

    @property
    def writes(self) -> bool:
        """Whether text was agreed on."""
        return self.media.writes

    def bind(self, sip: Call) -> None:
        """Take the SIP side: later offers of the peer are answered here."""
        self.sip = sip
        sip.on_offer(lambda _sip, offered: self.media.answer(offered))
        sip.on_change(self._changed)

    def _changed(self, sip: Call, what: str) -> None:
        if what == "confirmed" and self.media.is_open:
            try:
                self.media.take_answer(sip.remote_sdp)
            except SdpError as error:
                self._journal.warn(self.name, "call.no_media", reason=str(error))
                sip.hang_up()
                return
            self._plant.spawn(self._follow())
        elif what == "offered":
            self._plant.spawn(self._follow())

    async def _follow(self) -> None:
        try:
            await self.media.join()
            if self.followed is not None:
                await self.followed()
        except MediaError as error:  # it was closed meanwhile
            self._journal.record(self.name, "call.media_late", reason=str(error))

    # Speech, keys, text

    async def say(self, samples: Samples, *, loop: bool = False) -> None:
        """Speak to it; a party without speech, or that is gone, hears nothing."""
        if self.speaks and not self._closed:
            try:
                await self.port.play(samples, loop=loop)
            except MediaError as error:
                self._journal.record(self.name, "call.unspoken", reason=str(error))

    async def hush(self) -> None:
        """Say no more."""
        if self.speaks and not self._closed:
            try:
                await self.port.stop_playing()
            except MediaError as error:
                self._journal.record(self.name, "call.unspoken", reason=str(error))

    def press(self, key: str) -> None:
        """Send a key on."""
        if not self.speaks or self._closed:
            return
        if self._keys_waiting >= MAX_KEYS_WAITING:
            self._journal.warn(self.name, "call.key_dropped", key=key, waiting=self._keys_waiting)
            return
        self._keys_waiting += 1
        self._plant.spawn(self._press(key))

    async def _press(self, key: str) -> None:
        try:
            await self.port.send_dtmf(key)
        except MediaError as error:
            self._journal.record(self.name, "call.key_unsent", key=key, reason=str(error))
        finally:
            self._keys_waiting -= 1

    async def write(self, text: str) -> None:
        """Write to it; a party that does not write gets nothing."""
        if self.text is not None and self.writes and not self._closed:
            try:
                await self.text.write(text)
            except MediaError as error:
                self._journal.warn(self.name, "call.text_lost", characters=len(text), reason=str(error))

    # The end

    def hang_up(self, headers: list[tuple[str, str]] | None = None) -> None:
        """End its SIP side, where it is up."""
        if self.sip is not None and not self.sip.is_over:
            try:
                self.sip.hang_up(headers or [])
            except SipLocalError as error:
                self._journal.warn(self.name, "call.end_failed", reason=str(error))

    async def close(self) -> None:
        """Close its media; again does nothing."""
        if self._closed:
            return
        self._closed = True
        for name in self.media.names:
            if self._plant.legs.get(name) is self:
                del self._plant.legs[name]
        try:
            await self.media.close()
        except HarnessError as error:
            self._journal.warn(self.name, "media.close_failed", reason=str(error))

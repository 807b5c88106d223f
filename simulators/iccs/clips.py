"""What callers hear: speech from the folder of announcements, numbers put together from pieces, music and tones.

Each piece is a WAV file (8 kHz, mono, 16 bits); fixtures/audio/make.py has the text of every one of the project's own.
"""

from __future__ import annotations

from pathlib import Path

from harness.endpoints.media.wav import read_wav
from harness.errors import LocalError, MediaError
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from simulators.iccs.settings import IccsSettings

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "audio" / "announcements"
"""The project's own announcements."""
RINGING_TONE = "ringing-tone"
"""What a caller hears while a call that was passed on rings, and between announcements where there is no music."""
HOLD_MUSIC = "hold-music"
POSITION = ("queue-position", "queue-position-end")
"""What stands before and after the number of a place in a queue."""
WAIT = ("queue-wait", "queue-minutes")
WAIT_SHORT = "queue-wait-short"
"""For a wait of a minute and less."""
NUMBERS = tuple(f"number-{number}" for number in range(1, 11))
MORE = "number-more"
"""For numbers beyond those."""
CALLBACK_OFFER, CALLBACK_ACCEPTED = "callback-offer", "callback-accepted"
ALWAYS = (RINGING_TONE, HOLD_MUSIC)
"""What any switch needs: for holding and passing on."""


class Clips:
    """The announcements that one switch's settings name, read once."""

    def __init__(self, settings: IccsSettings) -> None:
        """Raises LocalError where one is missing or can't be read."""
        folder = settings.announcements or FOLDER
        self._clips: dict[str, Samples] = {}
        for name in sorted(_named(settings)):
            path = folder / f"{name}.wav"
            if not path.is_file():
                raise LocalError(f"there is no announcement {name!r} in {folder}")
            try:
                self._clips[name] = read_wav(path)
            except MediaError as error:
                raise LocalError(f"announcement {name!r}: {error}") from error

    def __getitem__(self, name: str) -> Samples:
        return self._clips[name]

    def seconds(self, *names: str) -> float:
        """Return how long these last, one after the other."""
        return sum(len(self._clips[name]) for name in names) / SAMPLE_RATE

    def said(self, *names: str) -> list[Samples]:
        """Return the samples of several, in that order."""
        return [self._clips[name] for name in names]

    @staticmethod
    def place(number: int) -> list[str]:
        """Return the pieces that tell a caller's place in the queue, from 1."""
        before, after = POSITION
        return [before, _number(number), after]

    @staticmethod
    def wait(seconds: float) -> list[str]:
        """Return the pieces that tell the wait to be expected, in minutes, rounded up."""
        minutes = int(-(-seconds // 60))
        before, after = WAIT
        return [WAIT_SHORT] if minutes <= 1 else [before, _number(minutes), after]


def _number(number: int) -> str:
    return NUMBERS[number - 1] if 1 <= number <= len(NUMBERS) else MORE


def _named(settings: IccsSettings) -> set[str]:
    """Every announcement that a caller of this switch can come to hear."""
    names = set(ALWAYS)
    for menu in settings.ivr.menus.values():
        names |= {menu.announcement, *filter(None, (menu.invalid, menu.silent))}
    names |= {target.say for target in settings.ivr.targets() if target.say is not None}
    for queue in settings.queues.values():
        names |= set(filter(None, (queue.waiting.busy, queue.waiting.music)))
        if queue.waiting.position_every_s:
            names |= {*POSITION, *WAIT, WAIT_SHORT, *NUMBERS, MORE}
        if queue.callback is not None:
            names |= {CALLBACK_OFFER, CALLBACK_ACCEPTED}
        if queue.overflow is not None and queue.overflow.say is not None:
            names.add(queue.overflow.say)
    return names

"""Speaking, and letting go of a key after a time: what consoles, callers, operators and radios have in common."""

from __future__ import annotations

import asyncio

from pydantic import Field

from harness.scenario.cast import Part
from harness.scenario.values import Seconds
from harness.scenario.verbs.base import Arguments, verb

SPEAKERS = (
    "emergency_caller",
    "trunk_caller",
    "scripted_phone",
    "telephone",
    "emergency_operator",
    "console",
    "radio_terminal",
    "roip_radio",
)
KEYED = ("console", "radio_terminal", "roip_radio")


class Say(Arguments):
    """A speech file."""

    clip: str = Field(min_length=1, max_length=200)
    """A file of fixtures/audio without its ending, or a path of a WAV file (8 kHz, mono) from the scenario's."""


class For(Arguments):
    """A time."""

    seconds: Seconds


@verb(*SPEAKERS, arguments=Say, short="clip")
async def say(part: Part, args: Say) -> None:
    """Says a clip, and is done when the last word is out."""
    ends = await part.cast.speech.say(part, args.clip)
    await asyncio.sleep(max(0.0, ends - part.cast.bench.journal.now()))


@verb(*SPEAKERS, arguments=Say, short="clip")
async def begin_saying(part: Part, args: Say) -> None:
    """Begins to say a clip; the timeline goes on while it is spoken."""
    await part.cast.speech.say(part, args.clip)


@verb("emergency_caller", "trunk_caller", "telephone", "emergency_operator", "console", "radio_terminal")
async def hush(part: Part, _args: Arguments) -> None:
    """Says no more of what was begun."""
    await part.cast.speech.hush(part)


@verb(*KEYED, arguments=For, short="seconds")
async def for_(part: Part, args: For) -> None:
    """Lets go of the key so long after it was pressed, or at once where that is over."""
    pressed = part.cast.bench.journal.latest(part.component, "ptt.granted")
    since = pressed.time if pressed is not None else 0.0
    await asyncio.sleep(max(0.0, since + args.seconds - part.cast.bench.journal.now()))
    await part.driver.unkey()

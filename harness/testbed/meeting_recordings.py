"""A meeting that is recorded: that all are told so, what was kept, where it lies, and that it goes in its time."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np

from harness.drivers.telephone_call import TelephoneCall
from harness.drivers.webex import Webex
from harness.errors import ExpectationError, NotPlayedError
from harness.measure.correlate import correlation
from harness.measure.words import how_like
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip

LIKE: Final = 0.8
"""Normalised correlation from which what is heard counts as the notice, or as what was said."""
NOTICE_HZ: Final = 1400
"""The recording tone of ITU-T E.180."""
NOTICE_S: Final = 0.4
NOTICE_WITHIN_S: Final = 1.0
"""Seconds from the start of a recording within which each in the meeting hears the notice."""
ROUNDED_S: Final = 1.0
"""What the times that are told of a recording may differ by: they are told in seconds."""
LOOKED_AROUND_S: Final = 60.0
"""So long before a recording's time is over, and after, is looked whether it is there."""


def notice() -> Samples:
    """The tone by which somebody knows that they are recorded."""
    tone = np.sin(2 * np.pi * NOTICE_HZ * np.arange(round(NOTICE_S * SAMPLE_RATE)) / SAMPLE_RATE)
    return (8000 * tone).astype(np.int16)


async def begin(webex: Webex, meeting: str, calls: Sequence[TelephoneCall], *, by: str) -> None:
    """Begin to record a meeting as its host ``by``. Raises ExpectationError, naming who of ``calls`` was not told."""
    for call in calls:
        await call.record()
    await webex.record_meeting(meeting, on=True, by=by)
    await asyncio.sleep(NOTICE_WITHIN_S)
    heard = {call.name: correlation(notice(), (await call.recorded()).samples) for call in calls}
    untold = [name for name, like in heard.items() if like < LIKE]
    if untold:
        raise ExpectationError(f"no notice of the recording was heard by {', '.join(untold)}")


async def holds(webex: Webex, recording: dict[str, Any], clips: Sequence[str], *, by: str) -> None:
    """Download a recording and look for what was said. Raises ExpectationError, naming the clips that it lacks."""
    data = await (await webex.account(by)).fetch_bytes(recording["downloadUrl"])
    with wave.open(io.BytesIO(data)) as file:
        kept = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
    missing = [clip for clip in clips if how_like(read_clip(clip), kept, rate=SAMPLE_RATE) < LIKE]
    if missing:
        raise ExpectationError(f"the recording lacks what was said: {', '.join(missing)}")


def as_agreed(webex: Webex, recording: dict[str, Any]) -> None:
    """Fail where a recording lies elsewhere, or is kept for another time, than is agreed of the organisation.

    Raises ExpectationError, and NotPlayedError where the testbed file does not tell what is agreed.
    """
    due = webex.recordings_due
    if due is None:
        raise NotPlayedError(
            f"what is agreed of {webex.name}'s recordings is not known: name it in the testbed file: "
            "'recordings: {region: …, kept_days: …}'"
        )
    if _told(webex, recording, "storageRegion") != due.region:
        raise ExpectationError(f"the recording lies in {recording['storageRegion']!r}; {due.region!r} is due")
    _told(webex, recording, "retentionUntil")
    told = kept_for(recording)
    if abs(told - due.kept_s) > ROUNDED_S:
        raise ExpectationError(f"the recording is kept for {told:g} s; {due.kept_s:g} s are due")


def _told(webex: Webex, recording: dict[str, Any], field: str) -> str:
    """A field whose name is unconfirmed."""
    if field not in recording:
        raise NotPlayedError(
            f"{webex.name} tells no {field!r} of a recording [its name is unconfirmed]: somebody looks where it is"
        )
    return str(recording[field])


def kept_for(recording: dict[str, Any]) -> float:
    """For how long after it was made Webex says that it keeps a recording, seconds."""
    made, until = (datetime.fromisoformat(recording[each]) for each in ("createTime", "retentionUntil"))
    return (until - made).total_seconds()


async def goes_in_time(bench: Bench, webex: Webex, meeting: str, recording: dict[str, Any], *, by: str) -> None:
    """Wait until a recording's time is nearly over, and until it is. Raises ExpectationError.

    It is to be there LOOKED_AROUND_S before, and gone as long after; counted from now, when it was just made. In real
    time a test is skipped whose bench has no time for that.
    """
    until = bench.journal.now() + kept_for(recording)
    for moment, due in ((until - LOOKED_AROUND_S, True), (until + LOOKED_AROUND_S, False)):
        await bench.time_passes(moment - bench.journal.now())
        there = any(each["id"] == recording["id"] for each in await webex.recordings(meeting, by=by))
        if there is not due:
            late = "is kept past its time" if there else "went before its time"
            raise ExpectationError(f"the recording {late}: {recording['retentionUntil']} was told")

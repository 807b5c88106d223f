"""Joins a meeting by telephone, and tells after how long who joins hears and is heard."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from harness.drivers.telephone import Telephone
from harness.drivers.telephone_call import TelephoneCall
from harness.drivers.webex import Webex
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse
from harness.testbed.full_meetings import media_s

SETTLES_S: Final = 1.0
"""Seconds from the answer to the first word: what is lost until then nobody misses. They count."""
CLIPS: Final = ("caller-999", "call-taker")
"""What who joins says, and what is said to them at the same time."""


async def joins(
    bench: Bench, webex: Webex, meeting: dict[str, Any], phone: Telephone, inside: TelephoneCall | None, *, by: str
) -> TelephoneCall:
    """Let a telephone call a meeting; return its call once its host ``by`` sees it there.

    ``inside``: somebody who is in already. Both speak at once, and the seconds from dialling to the first word of
    either that the other hears whole are held against WBX-013. Raises ExpectationError, SipLocalError.
    """
    began = bench.journal.now()
    call = await phone.dial(meeting["telephony"]["callInNumbers"][0]["callInNumber"])
    await call.answered(within=media_s())
    await webex.expect_participant(meeting["id"], "joined", number=phone.number, by=by, within=media_s())
    await asyncio.sleep(SETTLES_S)
    if inside is not None:
        spoke = bench.journal.now()
        said, answered = (read_clip(clip) for clip in CLIPS)
        both = await asyncio.gather(converse(call, inside, said), converse(inside, call, answered))
        took = spoke - began + max(each.latency.ms for each in both) / 1000
        bench.measured(f"meeting_media {phone.name}", took, "s", requirement="WBX-013", figure="media_s")
    return call

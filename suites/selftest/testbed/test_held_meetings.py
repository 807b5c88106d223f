"""A meeting that is held and sampled: that each thing which may go wrong in one is found, and told as what it was."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from harness.drivers.attendees import MAX_ATTENDEES, REJOINS_AFTER_S, SESSION_S
from harness.drivers.telephone_call import TelephoneCall
from harness.errors import DriverError, ExpectationError
from harness.measure.stability import Limits, Stability
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.stability import audience, hold, pairs, stable

pytestmark = pytest.mark.testbed("webex-calling")

SAID = read_clip("caller-999")[:9_600]
LIMITS = Limits(delay_ms=150, loss_share=1)
OTHERS = 4
LASTS_S = 600.0
EVERY_S = 20.0


async def telephone(bench: Bench, name: str, number: str) -> TelephoneCall:
    call = await (await bench.telephone(name)).dial(number)
    await call.answered(within=5)
    await call.leave_audio()
    return call


async def small_meeting(
    bench: Bench, happens: Callable[[dict[str, Any]], Awaitable[None]], *, lasts_s: float = LASTS_S
) -> Stability:
    """Two telephones and OTHERS in a meeting; ``happens`` is done in its second minute."""
    webex, crowd = await bench.webex(), await bench.attendees()
    meeting = await webex.make_meeting("small", by="operator", invite=["colleague"], guests="allowJoin")
    number = meeting["meetingNumber"]
    parties = [
        await telephone(bench, "operator-phone", number),
        await telephone(bench, "colleague-phone", number),
        *await crowd.join(number, OTHERS, per_second=2, within=5),
    ]

    async def counted() -> int:
        return sum(each["state"] == "joined" for each in await webex.participants(meeting["id"], by="operator"))

    async def later() -> None:
        await asyncio.sleep(90)
        await happens(meeting)

    act = asyncio.get_running_loop().create_task(later())
    found = await hold(bench.journal, "small", parties, pairs(parties), SAID, counted, lasts_s=lasts_s, every_s=EVERY_S)
    await act
    return found


def refused(found: Stability) -> str:
    with pytest.raises(ExpectationError, match="the meeting was not stable") as raised:
        stable(found, LIMITS)
    return str(raised.value)


async def test_a_meeting_in_which_nothing_happens_is_stable(bench: Bench) -> None:
    async def nothing(_meeting: dict[str, Any]) -> None: ...

    found = await small_meeting(bench, nothing)
    stable(found, LIMITS)
    assert found.sampled == 2 + OTHERS
    assert len(found.samples) == LASTS_S / EVERY_S
    assert found.worst_delay_ms is not None and 20 < found.worst_delay_ms < 150
    # Between its turns nobody has media: what crossed is what the turns had.
    sent = [event.data["packets_sent"] for event in bench.journal if event.kind == "media.closed"]
    assert sent
    assert max(sent) < 50 * 10


async def test_a_meeting_that_drops_a_participant_is_not_stable_and_the_return_is_counted(bench: Bench) -> None:
    webex, crowd = await bench.webex(), await bench.attendees()

    async def expelled(meeting: dict[str, Any]) -> None:
        number = crowd.all[2].number
        there = await webex.expect_participant(meeting["id"], "joined", number=number, by="operator", within=1)
        await webex.expel(there["id"], by="operator")

    found = await small_meeting(bench, expelled)
    [drop] = crowd.all[2].drops
    assert drop.back_at is not None
    assert drop.back_at - drop.at == pytest.approx(REJOINS_AFTER_S, abs=1)
    assert (found.drops, found.rejoined) == (1, 1)
    assert "attendees 002 was dropped" in refused(found)


async def test_a_meeting_whose_media_freeze_is_not_stable_though_nobody_is_dropped(bench: Bench) -> None:
    switch = await bench.enterprise_switch("switch")

    async def freezes(meeting: dict[str, Any]) -> None:
        await switch.freeze_meeting(meeting["meetingNumber"])
        await asyncio.sleep(60)
        await switch.freeze_meeting(meeting["meetingNumber"], on=False)

    found = await small_meeting(bench, freezes)
    assert found.drops == 0
    silent = [each for each in found.samples if each.findings(LIMITS)]
    assert len(silent) == 60 / EVERY_S, "those of its minute, and no others"
    assert "not heard" in refused(found)


async def test_a_meeting_that_loses_packets_is_not_stable(bench: Bench) -> None:
    switch = await bench.enterprise_switch("switch")

    async def loses(_meeting: dict[str, Any]) -> None:
        await switch.impair("2002", loss=0.1)

    found = await small_meeting(bench, loses)
    assert found.worst_loss_share > LIMITS.loss_share
    assert "colleague-phone call 1 of operator-phone call 1" in (said := refused(found))
    assert "% lost" in said


async def test_who_is_lost_without_a_word_is_found_by_the_sessions_timer(bench: Bench) -> None:
    switch, crowd = await bench.enterprise_switch("switch"), await bench.attendees()

    async def cut(_meeting: dict[str, Any]) -> None:
        await asyncio.sleep(EVERY_S)
        await switch.fail_trunk("attendees", "silent")

    found = await small_meeting(bench, cut, lasts_s=SESSION_S + 60)
    assert all(each.drops for each in crowd.all)
    assert "attendees 000 was dropped" in refused(found)


async def test_an_attendee_of_a_webinar_who_is_heard_is_found(bench: Bench) -> None:
    """A meeting is told as a webinar here, so that its attendees are heard, which is not due."""
    webex, crowd = await bench.webex(), await bench.attendees()
    for webinar in (True, False):
        meeting = await webex.make_meeting("told", by="operator", webinar=webinar, guests="allowJoin")
        panel = [await telephone(bench, "operator-phone", meeting["meetingNumber"])]
        attendees = await crowd.join(meeting["meetingNumber"], 2, per_second=2, within=5)

        async def counted() -> int:
            return 3

        turns = audience(panel, attendees, 1)
        found = await hold(bench.journal, "told", [*panel, *attendees], turns, SAID, counted, lasts_s=200, every_s=20)
        assert [each.due for each in found.samples] == [True] * 9 + [False]
        if webinar:
            stable(found, LIMITS)
        else:
            assert "heard, and is not to be" in refused(found)
        for each in attendees:
            await each.leave()
        await panel[0].hang_up()


async def test_who_is_not_let_in_is_told_so_and_is_not_taken_for_there(bench: Bench) -> None:
    webex, crowd = await bench.webex(), await bench.attendees()
    meeting = await webex.make_meeting("closed", by="operator", guests="blockFromJoin")
    [refused_one] = await crowd.join(meeting["meetingNumber"], 1, per_second=1, within=5)
    assert refused_one.is_over
    assert "403" in refused_one.problem
    with pytest.raises(DriverError, match="is not in the meeting"):
        await refused_one.join_audio()
    with pytest.raises(DriverError, match="has no audio"):
        await refused_one.say(SAID)
    with pytest.raises(DriverError, match=f"{MAX_ATTENDEES} attend at most"):
        await crowd.join(meeting["meetingNumber"], MAX_ATTENDEES, per_second=1, within=5)

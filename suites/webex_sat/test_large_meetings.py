"""A meeting and a webinar with as many in them as are agreed, for an hour: nobody is lost, who speaks is heard."""

from __future__ import annotations

import pytest

from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.full_meetings import JOIN_PER_S, LISTEN_AT_ONCE, held, media_s, telephones_join
from harness.testbed.stability import audience, pairs

pytestmark = [pytest.mark.testbed("webex-calling"), pytest.mark.waits]

FIGURES = catalogue()
STABLE_S = 60 * FIGURES["WBX-014"].figure("stable_min").value
"""A webinar has no time of its own in the catalogue: it is held for as long as a meeting."""


@pytest.mark.robot_too
@requirement("WBX-014")
async def test_a_full_meeting_is_stable_for_its_time(bench: Bench) -> None:
    bench.has_time_for(STABLE_S)
    webex, crowd = await bench.webex(), await bench.attendees()
    due = int(FIGURES["WBX-014"].figure("participants").value)
    meeting = await webex.make_meeting("full", by="operator", invite=["colleague", "administrator"], guests="allowJoin")
    number = meeting["meetingNumber"]
    calls = await telephones_join(bench, number, ["operator-phone", "colleague-phone", "third-phone"])
    others = await crowd.join(number, due - len(calls), per_second=JOIN_PER_S, within=media_s())
    parties = [*calls, *others]
    await held(
        bench,
        webex,
        meeting,
        parties,
        pairs(parties),
        by="operator",
        lasts_s=STABLE_S,
        judges="WBX-014",
        figure="participants",
    )


@pytest.mark.robot_too
@requirement("WBX-018")
async def test_a_full_webinar_is_stable_and_its_attendees_are_not_heard(bench: Bench) -> None:
    bench.has_time_for(STABLE_S)
    webex, crowd = await bench.webex(), await bench.attendees()
    due = int(FIGURES["WBX-018"].figure("attendees").value)
    meeting = await webex.make_meeting("webinar", by="operator", invite=["colleague"], webinar=True)
    panel = await telephones_join(bench, meeting["meetingNumber"], ["operator-phone", "colleague-phone"])
    attendees = await crowd.join(meeting["meetingNumber"], due, per_second=JOIN_PER_S, within=media_s())
    turns = audience(panel, attendees, LISTEN_AT_ONCE)
    await held(
        bench,
        webex,
        meeting,
        [*panel, *attendees],
        turns,
        by="operator",
        lasts_s=STABLE_S,
        judges="WBX-018",
        figure="attendees",
        beside=len(panel),
    )

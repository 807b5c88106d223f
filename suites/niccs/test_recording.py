"""Recording: every leg word for word, replayed at once, found by incident, exported with its hash, kept and weeded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.drivers.console import Console
from harness.drivers.trunk import TrunkCall
from harness.errors import DriverError, ExpectationError
from harness.evidence.requirements import catalogue
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.since import Since

CALLER = "+447700900123"
LEAST = 0.8
"""Normalised correlation from which a recording counts as what was said."""
SOON_S = 3.0
TALKGROUP = "GD-OPS-1"
KEPT_S = 300.0
"""For how long the testbed `recording` keeps recordings."""


def figure(requirement_id: str, name: str) -> float:
    """One of a requirement's figures."""
    return float(catalogue()[requirement_id].figure(name).value)


def is_recorded(clip: str, speech: Samples, leg: str) -> None:
    """Raise ExpectationError where a recording is not what was said."""
    likeness = correlation(read_clip(clip), speech)
    if likeness < LEAST:
        raise ExpectationError(f"{leg} is not what was said ({clip}): correlation {likeness:.2f}, {LEAST} is due")


def lasts(clip: str) -> float:
    """Seconds."""
    return len(read_clip(clip)) / SAMPLE_RATE


async def in_call(bench: Bench) -> tuple[Console, TrunkCall, str]:
    """An adviser, a caller who talks with it, and the call's record."""
    adviser, trunk = await bench.console("govan-12"), await bench.trunk()
    before = bench.journal.position
    call = await trunk.dial("999", cli=CALLER)
    ringing = await adviser.expect("call.ringing", within=SOON_S, after=before, cli=CALLER)
    await adviser.answer()
    await call.answered(within=SOON_S)
    return adviser, call, str(ringing.data["record"])


async def say(mouth: Any, clip: str) -> None:
    """Say a clip to its end, and wait until it can have been heard."""
    await mouth.say(read_clip(clip))
    await asyncio.sleep(lasts(clip) + 0.5)


async def until_recorded(chief: Console, count: int, **wanted: Any) -> list[dict[str, Any]]:
    """The legs that fit once ``count`` of them are over. Raises ExpectationError telling what there is."""
    legs: list[dict[str, Any]] = []
    for _ in range(round(SOON_S / 0.25)):
        legs = await chief.find_recordings(**wanted)
        if len(legs) >= count and all(leg["ended"] is not None for leg in legs):
            return legs
        await asyncio.sleep(0.25)
    raise ExpectationError(f"{count} recordings of {wanted} were due, there is {legs}")


@requirement("NICCS-REC-001")
@pytest.mark.waits
async def test_every_leg_is_recorded_word_for_word(bench: Bench) -> None:
    """Caller and adviser, a radio on a talkgroup and its dispatcher, and an open microphone: each by who spoke."""
    chief, dispatcher, officer = await bench.console("govan-50"), await bench.console("govan-31"), bench.issi("officer")
    _, call, record = await in_call(bench)
    await say(call, "caller-999")
    await say((await bench.console("govan-12")).headset, "call-taker")
    await call.hang_up()
    began = (await Since.now(await bench.supervisor())).at
    terminal = await bench.terminal("officer")
    await terminal.say(read_clip("officer-reply"))
    await dispatcher.expect("talker.ended", within=SOON_S)
    await dispatcher.key(TALKGROUP)
    await dispatcher.expect("ptt.granted", within=SOON_S)
    await say(dispatcher.headset, "dispatch")
    await dispatcher.unkey()
    await dispatcher.begin_ambience(officer, bench.ambience_password("govan-31"))
    await dispatcher.expect("ambience.begun", within=SOON_S)
    await terminal.speak(read_clip("caller-999"))
    await asyncio.sleep(lasts("caller-999") + 0.5)
    await dispatcher.end_ambience(officer)
    await dispatcher.expect("ambience.ended", within=SOON_S)
    due = {
        "telephone_in": ("caller-999", {"record": record}),
        "telephone_out": ("call-taker", {"record": record}),
        "radio_rx": ("officer-reply", {"talkgroup": TALKGROUP, "issi": officer, "since": began}),
        "radio_tx": ("dispatch", {"talkgroup": TALKGROUP, "position": "govan-31", "since": began}),
        "ambience": ("caller-999", {"position": "govan-31", "since": began}),
    }
    recorded, problems = 0, []
    for kind, (clip, wanted) in due.items():
        try:
            leg = (await until_recorded(chief, 1, kind=kind, **wanted))[0]["leg"]
            is_recorded(clip, await chief.play_recording(leg), f"{kind} {leg}")
            recorded += 1
        except ExpectationError as error:
            problems.append(str(error))
    share = 100.0 * recorded / len(due)
    try:
        bench.measured("legs recorded", share, "%", requirement="NICCS-REC-001", figure="recorded_share", at_least=True)
    except ExpectationError as error:
        raise ExpectationError("; ".join([str(error), *problems])) from error


@requirement("NICCS-REC-002")
@pytest.mark.waits
async def test_a_position_replays_what_it_has_just_heard(bench: Bench) -> None:
    """Listed and played within the figure, while the call goes on, without any right; another position has it not."""
    adviser, call, _ = await in_call(bench)
    await say(call, "caller-999")
    await adviser.hold()
    await adviser.expect("call.held", within=SOON_S)
    asked = bench.journal.now()
    found = [leg for leg in await adviser.instant_replay() if leg["kind"] == "telephone_in"]
    assert found, "nothing to replay"
    speech = await adviser.play_recording(found[0]["leg"])
    bench.measured("instant replay", bench.journal.now() - asked, "s", requirement="NICCS-REC-002", figure="replay_s")
    is_recorded("caller-999", speech, found[0]["leg"])
    await call.hang_up()
    other = await bench.console("govan-13")
    assert found[0]["leg"] not in {leg["leg"] for leg in await other.instant_replay()}
    with pytest.raises(DriverError, match="has no right to replay"):
        await other.play_recording(found[0]["leg"])


@requirement("NICCS-REC-003")
@pytest.mark.waits
async def test_all_legs_of_an_incident_are_found_by_its_id(bench: Bench) -> None:
    """Its call's both sides, and what its unit says on the radio; numbers masked for who has no right to them."""
    chief, masked = await bench.console("govan-50"), await bench.console("govan-51")
    adviser, call, _ = await in_call(bench)
    incident = await adviser.open_incident("Break-in at the harbour")
    dispatcher = await bench.console("govan-31")
    await dispatcher.assign_unit(bench.issi("officer"), incident)
    await say(call, "caller-999")
    await call.hang_up()
    await (await bench.terminal("officer")).say(read_clip("officer-reply"))
    found = await until_recorded(chief, 3, incident=incident)
    assert {leg["kind"] for leg in found} == {"telephone_in", "telephone_out", "radio_rx"}
    assert {leg["cli"] for leg in found} == {CALLER, None}
    assert CALLER not in {leg["cli"] for leg in await masked.find_recordings(incident=incident)}
    with pytest.raises(DriverError, match="has no right to numbers"):
        await masked.find_recordings(number=CALLER)
    assert {leg["leg"] for leg in await chief.find_recordings(number=CALLER)} >= {
        leg["leg"] for leg in found if leg["cli"]
    }


@requirement("NICCS-REC-004")
@pytest.mark.waits
async def test_an_export_has_the_hash_that_its_manifest_and_the_audit_name(bench: Bench) -> None:
    """The speech is what was said, the SHA-256 the manifest's; the audit tells who took it, why, and the same hash."""
    chief = await bench.console("govan-50")
    _, call, record = await in_call(bench)
    await say(call, "caller-999")
    await call.hang_up()
    (leg,) = await until_recorded(chief, 1, record=record, kind="telephone_in")
    export = await chief.export_recording(leg["leg"], why="a complaint, by test")
    digest = export.verify()
    entries = await (await bench.supervisor()).audit(position="govan-50", act="export recording")
    assert entries[-1]["sha256"] == digest
    assert entries[-1]["target"] == leg["leg"]
    assert entries[-1]["why"] == "a complaint, by test"


@requirement("NICCS-REC-005")
@pytest.mark.waits
async def test_when_the_recorder_fails_the_standby_has_everything_and_supervisors_are_alarmed(bench: Bench) -> None:
    """It fails in mid-call: the alarm comes within the figure, and the whole call is found and played all the same."""
    chief, supervisor = await bench.console("govan-50"), await bench.supervisor()
    _, call, record = await in_call(bench)
    before, failed_at = bench.journal.position, bench.journal.now()
    await supervisor.fail_recorder("main")
    try:
        alarm = await chief.expect("alarm.raised", within=60.0, after=before, what="recorder_failed")
        bench.measured(
            "alarm after the recorder failed",
            alarm.time - failed_at,
            "s",
            requirement="NICCS-REC-005",
            figure="alarm_s",
        )
        await say(call, "caller-999")
        await call.hang_up()
        (leg,) = await until_recorded(chief, 1, record=record, kind="telephone_in")
        is_recorded("caller-999", await chief.play_recording(leg["leg"]), leg["leg"])
    finally:
        await supervisor.fail_recorder("main", failed=False)


@requirement("NICCS-REC-006")
@pytest.mark.testbed("recording")
async def test_what_is_due_is_weeded_and_what_is_held_is_kept(bench: Bench) -> None:
    """Of a call's two legs one is held; when their time is over the other alone is gone."""
    chief, supervisor = await bench.console("govan-50"), await bench.supervisor()
    _, call, record = await in_call(bench)
    await say(call, "caller-999")
    await call.hang_up()
    legs = {leg["kind"]: leg["leg"] for leg in await until_recorded(chief, 2, record=record)}

    async def weeded() -> list[str]:
        """Those of the two legs that go; others' times are over, too."""
        return [leg for leg in await supervisor.weed_recordings() if leg in legs.values()]

    await chief.hold_recording(legs["telephone_in"], why="a complaint, by test")
    assert await weeded() == []
    await bench.time_passes(KEPT_S)
    assert await weeded() == [legs["telephone_out"]]
    with pytest.raises(DriverError, match="there is no recording"):
        await chief.play_recording(legs["telephone_out"])
    is_recorded("caller-999", await chief.play_recording(legs["telephone_in"]), legs["telephone_in"])
    await chief.release_recording(legs["telephone_in"])
    assert await weeded() == [legs["telephone_in"]]

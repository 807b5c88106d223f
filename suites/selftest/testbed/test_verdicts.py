"""A verdict on each call of a load: the good pass, each fault is found where it is, and the report shows both."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.drivers.call_load import CallLoad, LoadedCall, LoadPlan, failed
from harness.endpoints.media import Impairment, MediaService, open_media
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.speech import join_speech
from harness.errors import DriverError, ExpectationError, InterlockError
from harness.evidence.collect import Evidence
from harness.evidence.verdict_table import COLUMNS, as_csv, as_html
from harness.measure.verdict import Due
from harness.protocols import sdp
from harness.testbed.clips import read_clip
from harness.testbed.verdicts import all_passed, verdicts
from harness.transport.context import Context
from harness.transport.virtual_loop import VirtualLoop

CLIP = read_clip("dispatch")
OTHER = read_clip("call-taker")
PLAN = LoadPlan(number="101", calls=12, per_second=20, hold_s=6)


class Announcer:
    """Answers each call and plays a clip to it; some calls it treats badly, by their number."""

    def __init__(self, media: MediaService, faults: dict[int, Impairment], wrong: set[int], refused: set[int]) -> None:
        self._media = media
        self._faults = faults
        self._wrong = wrong
        self._refused = refused
        self._tasks: set[asyncio.Task[None]] = set()
        self.agent: UserAgent

    def take(self, call: IncomingCall) -> None:
        index = int(call.remote_identity.user[-3:])
        if index in self._refused:
            call.reject(503)
            return
        task = asyncio.get_running_loop().create_task(self._speak(call, index))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _speak(self, call: IncomingCall, index: int) -> None:
        port = await self._media.open_port(f"announcer {index}")
        answer, agreed = sdp.answer(call.remote_sdp, *port.address)
        call.answer(answer)
        await join_speech(port, agreed)
        if index in self._faults:
            await port.impair(self._faults[index])
        await port.play(OTHER if index in self._wrong else CLIP, loop=True)
        await call.ended(within=60)
        await port.close()


def loaded(
    plan: LoadPlan,
    *,
    faults: dict[int, Impairment] | None = None,
    wrong: set[int] | None = None,
    refused: set[int] | None = None,
    permit: Callable[[str], None] = lambda _: None,
    real: bool = False,
) -> tuple[list[LoadedCall], Context]:
    loop = asyncio.new_event_loop() if real else VirtualLoop(3)

    async def work() -> tuple[list[LoadedCall], Context]:
        context = Context.create(seed=3)
        media = await open_media(context, in_process=not real)
        announcer = Announcer(media, faults or {}, wrong or set(), refused or set())
        announcer.agent = await UserAgent.open(context, "announcer", on_invite=announcer.take)
        load = await CallLoad.open(context, media, "callers", target=announcer.agent.address, permit=permit)
        try:
            return await load.place(plan), context
        finally:
            await load.close()
            await announcer.agent.close()
            await asyncio.sleep(1)
            await media.close()

    try:
        return loop.run_until_complete(work())
    finally:
        loop.close()


@pytest.mark.parametrize("wire", ["virtual", pytest.param("real", marks=[pytest.mark.real_wire, pytest.mark.alone])])
def test_calls_that_are_as_due_pass_and_each_fault_is_found_in_its_own_call(wire: str) -> None:
    calls, context = loaded(
        PLAN,
        real=wire == "real",
        faults={2: Impairment(nothing=True), 4: Impairment(loss=0.2), 6: Impairment(silent=True)},
        wrong={8},
        refused={10},
    )
    due = Due(codec="PCMA", first_audio_s=1.0, loss=0.01, mos=4.0, reference=CLIP)
    found = verdicts(context.journal, "callers", calls, due)
    bad = {index: "; ".join(verdict.findings) for index, verdict in enumerate(found) if not verdict.passed}
    assert sorted(bad) == [2, 4, 6, 8, 10]
    assert "audio only from us" in bad[2]
    assert "no speech was heard" in bad[2]
    assert "loss " in bad[4]
    assert "MOS " in bad[4]
    assert "no speech was heard, due within 1 s" in bad[6]
    assert bad[8].startswith("the words heard are not those due")
    assert bad[10].startswith("not answered: 503")
    assert [call.name for call in failed(calls)] == ["callers call-0011"]
    assert all(
        verdict.stream is not None and verdict.stream.mos > 4.2 for i, verdict in enumerate(found) if i not in bad
    )
    with pytest.raises(ExpectationError, match=r"5 of 12 calls are not as due:\n  callers call-00"):
        all_passed(found)
    all_passed([verdict for verdict in found if verdict.passed])


def test_the_report_has_a_row_for_each_call() -> None:
    calls, context = loaded(
        LoadPlan(number="101", calls=3, per_second=20, hold_s=5), faults={1: Impairment(nothing=True)}
    )
    verdicts(context.journal, "callers", calls, Due(reference=CLIP))
    evidence = Evidence((Path("nowhere"),), {}, 0.0)
    made = evidence.attachments("a load", context.journal, start=0, end=1e9, failed=None)
    tables = {each.name: each for each in made if each.name.startswith("verdict")}
    assert set(tables) == {"verdict on each call", "verdicts"}
    rows = list(csv.DictReader(io.StringIO(tables["verdicts"].body.decode())))
    assert [row["passed"] for row in rows] == ["True", "False", "True"]
    assert set(COLUMNS) <= set(rows[0])
    page = tables["verdict on each call"].body.decode()
    assert "2 of 3 calls as due, 1 not." in page
    assert page.index("audio only from us") < page.index("callers call-0001"), "what failed comes first"


def test_what_a_caller_says_cannot_break_out_of_the_table() -> None:
    hostile = {"call": "<script>alert(1)</script>", "cli": "=1+1", "findings": ["<b>"], "passed": False}
    page = as_html([hostile]).decode()
    assert "<script>" not in page
    assert "<b>" not in page
    assert as_csv([hostile]).decode().splitlines()[1].startswith("<script>alert(1)</script>,'=1+1,")


def test_keys_are_pressed_and_the_interlock_is_asked_before_any_call() -> None:
    calls, context = loaded(LoadPlan(number="101", calls=2, per_second=20, hold_s=4, press="2", says=OTHER))
    pressed = [event for event in context.journal if event.kind == "dtmf.received"]
    assert [event.data["digit"] for event in pressed] == ["2", "2"]
    assert not failed(calls)

    def refuse(uri: str) -> None:
        raise InterlockError(uri)

    with pytest.raises(InterlockError):
        loaded(PLAN, permit=refuse)
    for wrong in ({"calls": 0}, {"calls": 100_000}, {"per_second": 0}, {"hold_s": -1}):
        with pytest.raises(DriverError):
            LoadPlan(**{"number": "101", "calls": 1, "per_second": 1, "hold_s": 1, **wrong})  # type: ignore[arg-type]

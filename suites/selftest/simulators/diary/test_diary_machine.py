"""A state machine of advisers and citizens: nobody is ever twice in a slot, and every text is accounted for."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from sqlalchemy import select

from simulators.diary import booking, texts
from simulators.diary.answering import answer
from simulators.diary.booking import Moving, Wanted
from simulators.diary.desk import Desk
from simulators.diary.refusals import RefusedError
from simulators.diary.settings import QUANTUM_S, DiarySettings
from simulators.diary.store import DiaryStore
from simulators.diary.tables import Appointment, Number, Taken, Task, Text, TextState

BEGIN = datetime.fromisoformat("2026-03-27T08:00Z").timestamp()
NUMBERS = st.sampled_from(["+447700900123", "+447700900124"])
REPLIES = st.sampled_from(["cancel", "CANCEL please", "change", "STOP", "start", "what?", "cancel 1", "change 2", "no"])
DIARIES = [
    {"id": "a", "name": "A", "slot_minutes": 30, "hours": [{"days": ["fri", "sat", "sun"], "end": "11:00"}]},
    {"id": "b", "name": "B", "slot_minutes": 45, "hours": [{"days": ["sun"], "begin": "00:00", "end": "04:00"}]},
]
SLOTS = [
    *("2026-03-27T09:00", "2026-03-28T09:00", "2026-03-28T09:30", "2026-03-29T09:00", "2026-03-29T10:30"),
    *("2026-03-29T00:00", "2026-03-29T00:45", "2026-03-29T02:30", "2026-03-29T01:30", "2026-03-29T03:15"),
]
OUTCOMES = st.sampled_from(["sent", "refused", "uncertain", "failed"])


class Diary(RuleBasedStateMachine):
    """Two diaries over the night in which the clocks go forward, two citizens, and a gateway that does as it likes."""

    sending = Bundle("sending")

    @initialize()
    def open(self) -> None:
        self.now = BEGIN
        self.count = 0
        self.given: Counter[int] = Counter()
        """How often each text was given to the gateway after it was not certainly back."""
        self.booked: dict[str, Any] = {}
        settings = DiarySettings.model_validate({"diaries": DIARIES, "texts": {"attempts": 3}})
        self.store = DiaryStore(settings, lambda: self.now, lambda _kind, _data: None, virtual=True)
        self.session = self.store.do_here(texts.recover)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()

    def _try(self, work: Any) -> Any:
        try:
            return self.store.do_here(work)
        except RefusedError:
            return None

    @rule(diary=st.sampled_from(["a", "b"]), start=st.sampled_from(SLOTS), number=NUMBERS)
    def book(self, diary: str, start: str, number: str) -> None:
        self.count += 1
        key, wanted = f"k{self.count}", Wanted(diary, start, number)
        done = self._try(lambda desk: booking.book(desk, wanted, key=key))
        if done is not None:
            self.booked[key] = (wanted, done.appointment)

    @rule(data=st.data())
    def submit_again(self, data: st.DataObject) -> None:
        if self.booked:
            key = data.draw(st.sampled_from(sorted(self.booked)))
            wanted, appointment = self.booked[key]
            done = self.store.do_here(lambda desk: booking.book(desk, wanted, key=key))
            assert done == booking.Done(appointment, True)

    @rule(id_=st.integers(1, 8), start=st.sampled_from(SLOTS), diary=st.sampled_from(["a", "b", None]))
    def move(self, id_: int, start: str, diary: str | None) -> None:
        self.count += 1
        key = f"m{self.count}"
        before = self._try(lambda desk: booking.live(desk, id_).starts)
        done = self._try(lambda desk: booking.move(desk, Moving(id_, start, diary), key=key))
        if done is None and before is not None:
            assert self._try(lambda desk: booking.live(desk, id_).starts) == before, "it lost its slot to nothing"

    @rule(id_=st.integers(1, 8))
    def cancel(self, id_: int) -> None:
        self._try(lambda desk: booking.cancel(desk, id_, by="adviser"))

    @rule(number=NUMBERS, said=REPLIES)
    def reply(self, number: str, said: str) -> None:
        self.store.do_here(lambda desk: answer(desk, number, said))

    @rule(hours=st.sampled_from([0.01, 1.0, 20.0]))
    def go_on(self, hours: float) -> None:
        self.now += 3_600 * hours

    @rule(target=sending)
    def give(self) -> int | None:
        step = self.store.do_here(lambda desk: texts.step(desk, self.session, up=True))
        if step.job is None:
            assert step.until is None or step.until > self.now - 0.001, "something is due and was not taken"
            return None
        self.given[step.job.id] += 1
        assert self.given[step.job.id] == 1, "given twice, and it may have gone before"
        return step.job.id

    @rule(id_=consumes(sending), outcome=OUTCOMES)
    def come_out(self, id_: int | None, outcome: str) -> None:
        if id_ is None or self.store.do_here(lambda desk: desk.session.get_one(Text, id_).state) != "sending":
            return
        match outcome:
            case "sent":
                self.store.do_here(lambda desk: texts.sent(desk, id_, f"r{id_}"))
            case "refused":
                self.given[id_] = 0
                self.store.do_here(lambda desk: texts.not_sent(desk, id_, "busy", counts=True))
            case "uncertain" | "failed":
                self.store.do_here(lambda desk: texts.settle(desk, id_, TextState(outcome), "so it came out"))

    @rule(id_=st.integers(1, 20), delivered=st.booleans(), known=st.booleans(), number=NUMBERS)
    def report(self, id_: int, delivered: bool, known: bool, number: str) -> None:
        reference = f"r{id_}" if known else ""
        state = "DELIVERED" if delivered else "UNDELIVERABLE"
        self.store.do_here(
            lambda desk: texts.reported(desk, self.session, reference, number, delivered=delivered, state=state)
        )

    @rule()
    def end_and_start(self) -> None:
        self.session = self.store.do_here(texts.recover)

    @invariant()
    def nobody_is_twice_in_a_slot(self) -> None:
        def look(desk: Desk) -> None:
            live = desk.session.scalars(select(Appointment).where(Appointment.live.is_(True))).all()
            held = Counter(
                (each.diary, each.starts // QUANTUM_S + number)
                for each in live
                for number in range(60 * each.minutes // QUANTUM_S)
            )
            assert all(count == 1 for count in held.values())
            taken = desk.session.execute(select(Taken.diary, Taken.quantum)).all()
            assert {tuple(row) for row in taken} == set(held), "time is taken for nobody, or somebody has none"
            day = date(2026, 3, 27)
            for diary in desk.settings.diaries:
                for start in booking.free(desk, diary, day, day + timedelta(days=3), 100):
                    assert (diary.id, start // QUANTUM_S) not in held

        if hasattr(self, "store"):
            self.store.do_here(look)

    @invariant()
    def every_text_is_accounted_for(self) -> None:
        def look(desk: Desk) -> None:
            tasks = {each.key for each in desk.session.scalars(select(Task))}
            stopped = {each.telephone for each in desk.session.scalars(select(Number)) if each.stopped}
            for text in desk.session.scalars(select(Text)):
                state = TextState(text.state)
                if state in texts.TO_ADVISERS:
                    assert f"text:{text.id}:{state}" in tasks, "nobody is told"
                if state is TextState.WAITING and text.telephone in stopped:
                    assert text.kind == "stopped", "a number that wants no texts is to get one"
                if state is TextState.WAITING and text.kind == "reminder" and text.appointment is not None:
                    about = desk.session.get_one(Appointment, text.appointment)
                    assert about.live and text.key == f"{about.id}:{about.moved}:reminder", "a reminder of what is not"
            for each in desk.session.scalars(select(Appointment)):
                told = desk.session.scalars(select(Text.kind).where(Text.appointment == each.id)).all()
                assert "confirmation" in told
                assert each.live or "cancelled" in told
                assert told.count("moved") == each.moved

        if hasattr(self, "store"):
            self.store.do_here(look)


TestDiary = Diary.TestCase
TestDiary.settings = hypothesis_settings(max_examples=40, stateful_step_count=30, deadline=None)

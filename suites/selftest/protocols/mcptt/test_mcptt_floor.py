"""Floor control between terminals and their server: granted, queued, pre-empted, revoked, lost, and idle again."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from harness.errors import McpttLocalError
from harness.protocols.mcptt import participant, server
from harness.protocols.mcptt.claims import Rules
from harness.protocols.mcptt.messages import (
    Deny,
    FloorMessage,
    FloorType,
    Indicator,
    Revoke,
    read_datagram,
    write_datagram,
)
from harness.protocols.mcptt.participant import Participant, State, Told
from harness.protocols.mcptt.server import MAX_PARTICIPANTS, FloorServer, Happened, What

SPEECH_S = 0.25
"""Between two packets of speech: far more than 20 ms, to keep the tests quick."""


class Call:
    """A server and terminals, joined by wires that can be cut, on one clock; messages cross as bytes."""

    def __init__(self, *users: str, rules: Rules | None = None) -> None:
        self.now = 0.0
        self.server = FloorServer(1, 0.0, rules or Rules())
        self.terminals: dict[str, Participant] = {}
        self.told: dict[str, list[Told]] = {}
        self.happened: list[Happened] = []
        self.heard: list[str] = []
        """Whose speech was passed on, packet by packet."""
        self.cut: set[str] = set()
        """Users from and to whom nothing comes through."""
        self.speech_at = SPEECH_S
        for number, user in enumerate(users):
            self.join(user, 100 + number)

    def join(self, user: str, ssrc: int, **options: bool) -> Participant:
        terminal = self.terminals[user] = Participant(user, ssrc)
        self.told[user] = []
        terminal.begin(implicit_request=False, now=self.now)
        self.server.join(user, ssrc, **options)
        self.carry()
        return terminal

    def press(self, user: str, *, indicator: Indicator | None = None, priority: int | None = None) -> None:
        self.terminals[user].press(self.now, indicator=indicator, priority=priority)
        self.carry()

    def release(self, user: str) -> None:
        self.terminals[user].release(self.now)
        self.carry()

    def carry(self) -> None:
        """Carry everything that waits, and what comes of it."""
        for _ in range(50):
            out, self.server.out[:] = list(self.server.out), []
            for user, message in out:
                if user in self.terminals and user not in self.cut:
                    (crossed,) = read_datagram(write_datagram(message))
                    self.told[user] += self.terminals[user].receive(crossed, self.now)
            quiet = not out
            for user, terminal in self.terminals.items():
                sent, terminal.out[:] = list(terminal.out), []
                quiet = quiet and not sent
                if user not in self.cut:
                    for message in sent:
                        self.happened += self.server.receive(user, message, self.now)
            if quiet:
                return
        raise AssertionError("server and terminals never come to rest")

    def pass_time(self, seconds: float) -> None:
        """Let time pass; whoever may talks."""
        end = self.now + seconds
        while True:
            timers = [self.server.next_at, self.speech_at, *(each.next_at for each in self.terminals.values())]
            self.now = max(self.now, min(*timers, end))
            if self.now >= end:
                return
            self.happened += self.server.expire(self.now)
            for user, terminal in self.terminals.items():
                self.told[user] += terminal.expire(self.now)
            if self.now >= self.speech_at:
                self.speech_at = self.now + SPEECH_S
                self.speak()
            self.carry()

    def speak(self) -> None:
        for user, terminal in self.terminals.items():
            if terminal.may_send and user not in self.cut:
                passed, happened = self.server.media(user, self.now)
                self.happened += happened
                if passed:
                    self.heard.append(user)
                    for other, listener in self.terminals.items():
                        if other != user and other not in self.cut:
                            listener.media(self.now)

    def what(self, user: str) -> list[str]:
        return [str(each.what) for each in self.told[user]]


def test_the_floor_is_granted_told_to_all_and_idle_again() -> None:
    call = Call("a", "b", "c")
    call.press("a")
    assert call.terminals["a"].may_send
    assert call.told["a"][-1].seconds == 30
    taken = call.told["b"][-1]
    assert (taken.what, taken.talker, taken.talker_ssrc, taken.may_request) == (participant.What.TAKEN, "a", 100, True)
    call.pass_time(2.0)
    call.release("a")
    assert call.what("a")[-2:] == ["released", "idle"]
    assert call.what("c") == ["idle", "taken", "idle"]
    assert set(call.heard) == {"a"}


def test_one_who_joins_late_is_told_who_talks() -> None:
    call = Call("a", "b")
    call.press("a")
    call.join("late", 200)
    assert (call.told["late"][-1].what, call.told["late"][-1].talker) == (participant.What.TAKEN, "a")


def test_who_asks_while_another_talks_waits_and_is_granted_next_by_priority_then_by_turn() -> None:
    call = Call("a", "b", "c", "d")
    call.press("a")
    for user, priority in (("b", 1), ("c", 5), ("d", 5)):
        call.press(user, priority=priority)
    assert call.server.waiting == ("c", "d", "b")
    place = call.told["b"][-1].queue
    assert place is not None
    assert (place.position, place.priority) == (2, 1)
    call.release("a")
    assert call.terminals["c"].may_send
    assert call.server.waiting == ("d", "b")


def test_a_full_queue_denies_and_so_does_a_server_that_does_not_queue() -> None:
    call = Call("a", "b", "c", rules=Rules(queue=1))
    for user in "abc":
        call.press(user)
    assert (call.told["c"][-1].what, call.told["c"][-1].cause) == (participant.What.DENIED, Deny.QUEUE_FULL)
    call = Call("a", "b", rules=Rules(queueing=False))
    call.press("a")
    call.press("b")
    assert call.told["b"][-1].cause == Deny.OTHER_HAS_PERMISSION


def test_one_who_is_alone_and_one_who_only_listens_are_denied() -> None:
    call = Call("a")
    call.press("a")
    assert call.told["a"][-1].cause == Deny.ONLY_ONE_PARTICIPANT
    call.join("b", 200, receive_only=True)
    call.press("b")
    assert call.told["b"][-1].cause == Deny.RECEIVE_ONLY


@pytest.mark.parametrize("indicator", [Indicator.EMERGENCY, Indicator.IMMINENT_PERIL])
def test_an_emergency_takes_the_floor_and_the_other_is_told_why(indicator: Indicator) -> None:
    call = Call("a", "b", "c")
    call.press("a")
    call.press("b", indicator=Indicator.NORMAL | indicator)
    assert call.terminals["b"].may_send
    revoked = next(each for each in call.told["a"] if each.what is participant.What.REVOKED)
    assert revoked.cause == Revoke.PRE_EMPTED
    assert call.told["c"][-1].indicator == Indicator.NORMAL | indicator


def test_a_talker_who_hears_no_revoke_loses_the_floor_after_the_grace() -> None:
    call = Call("a", "b", "c")
    call.press("a")
    call.cut.add("a")
    call.press("b", indicator=Indicator.EMERGENCY)
    assert not call.terminals["b"].may_send
    call.pass_time(3.01)
    assert call.terminals["b"].may_send
    assert Happened(What.RELEASED, "a", why="grace over") in call.happened


def test_who_waits_and_then_raises_an_emergency_has_the_floor() -> None:
    call = Call("a", "b")
    call.press("a")
    call.press("b")
    call.press("b", indicator=Indicator.EMERGENCY)
    assert call.terminals["b"].may_send


def test_who_talks_and_then_raises_an_emergency_is_not_pre_empted_by_another() -> None:
    call = Call("a", "b", "c")
    call.press("a")
    call.press("a", indicator=Indicator.EMERGENCY)
    assert call.told["c"][-1].indicator == Indicator.EMERGENCY
    call.press("b", indicator=Indicator.EMERGENCY)
    assert call.server.waiting == ("b",)
    assert call.terminals["a"].may_send


def test_who_keeps_a_place_without_pressing_has_two_seconds_to_press_once_granted() -> None:
    for presses in (False, True):
        call = Call("a", "b")
        call.press("a")
        call.press("b")
        call.terminals["b"].release(call.now, keep_place=True)
        call.release("a")
        assert call.told["b"][-1].what is participant.What.GRANTED
        assert not call.terminals["b"].may_send
        if presses:
            call.pass_time(1.9)
            call.press("b")
        call.pass_time(2.5)
        assert call.terminals["b"].may_send is presses


def test_an_emergency_does_not_take_the_floor_from_an_emergency() -> None:
    call = Call("a", "b")
    call.press("a", indicator=Indicator.EMERGENCY)
    call.press("b", indicator=Indicator.EMERGENCY)
    assert call.server.waiting == ("b",)


def test_who_talks_too_long_is_revoked_and_the_next_has_the_floor() -> None:
    call = Call("a", "b")
    call.press("a")
    call.press("b")
    call.pass_time(30.1)
    assert call.terminals["b"].may_send
    assert any(each.cause == Revoke.TALKED_TOO_LONG for each in call.told["a"])


def test_who_is_silent_for_t1_loses_the_floor() -> None:
    call = Call("a", "b")
    call.press("a")
    call.cut.add("a")
    call.pass_time(4.1)
    assert Happened(What.RELEASED, "a", why="no speech") in call.happened
    assert call.what("b")[-1] == "idle"


def test_a_request_is_sent_three_times_and_then_given_up() -> None:
    call = Call("a", "b")
    call.cut.add("a")
    call.press("a")
    call.pass_time(3.1)
    assert call.what("a")[-1] == "unanswered"
    assert call.terminals["a"].state is State.NO_PERMISSION


def test_a_request_whose_first_copy_is_lost_is_granted_by_its_second() -> None:
    call = Call("a", "b")
    call.cut.add("a")
    call.press("a")
    call.cut.clear()
    call.pass_time(1.01)
    assert call.terminals["a"].may_send


def test_a_grant_out_of_the_queue_that_nobody_hears_goes_to_the_next() -> None:
    call = Call("a", "b", "c")
    for user in "abc":
        call.press(user)
    call.cut.add("b")
    call.release("a")
    call.pass_time(3.1)
    assert Happened(What.UNCONFIRMED, "b") in call.happened
    assert call.terminals["c"].may_send


def test_who_let_go_while_waiting_gives_a_late_grant_back() -> None:
    call = Call("a", "b")
    call.press("a")
    call.press("b")
    call.cut.add("b")
    call.release("b")
    call.release("a")
    call.cut.clear()
    call.pass_time(1.5)
    assert call.server.holder is None
    assert not call.terminals["b"].may_send


def test_speech_without_the_floor_is_not_passed_on_and_told_once_a_second() -> None:
    call = Call("a", "b")
    for _ in range(5):
        assert call.server.media("b", 0.5)[0] is False
    assert [message.cause for _, message in call.server.out] == [Revoke.NO_PERMISSION]


def test_somebody_who_is_not_in_the_call_gets_nothing() -> None:
    call = Call("a", "b")
    request = FloorMessage(FloorType.REQUEST, 9, user="x")
    assert call.server.receive("x", request, 0.0) == [Happened(What.STRANGER, "x")]
    assert call.server.media("x", 0.0) == (False, [Happened(What.STRANGER, "x")])
    assert call.server.out == []


def test_a_talker_who_leaves_frees_the_floor() -> None:
    call = Call("a", "b")
    call.press("a")
    call.press("b")
    call.happened += call.server.leave("a", call.now)
    call.carry()
    assert call.terminals["b"].may_send


def test_a_call_in_which_nobody_talks_is_told_to_be_over() -> None:
    call = Call("a", "b")
    call.pass_time(30.1)
    assert call.happened == [Happened(What.INACTIVE)]


def test_a_full_call_takes_nobody_more() -> None:
    floor = FloorServer(1, 0.0)
    for number in range(MAX_PARTICIPANTS):
        floor.join(f"u{number}", number)
    with pytest.raises(McpttLocalError, match="in the call already"):
        floor.join("one more", 1)


class Floors(RuleBasedStateMachine):
    """Terminals press, let go, lose their wires and leave, in any order; the floor holds its promises."""

    users = st.sampled_from("abcd")

    @initialize()
    def begin(self) -> None:
        self.call = Call(*"abcd")

    @rule(user=users)
    def press(self, user: str) -> None:
        self.call.press(user)

    @rule(user=users)
    def emergency(self, user: str) -> None:
        self.call.press(user, indicator=Indicator.EMERGENCY)

    @rule(user=users)
    def release(self, user: str) -> None:
        self.call.release(user)

    @rule(user=users)
    def cut(self, user: str) -> None:
        self.call.cut ^= {user}

    @rule(seconds=st.floats(0.01, 12.0))
    def wait(self, seconds: float) -> None:
        self.call.pass_time(seconds)

    @rule(user=users)
    def leave_and_come_back(self, user: str) -> None:
        self.call.happened += self.call.server.leave(user, self.call.now)
        self.call.terminals[user].end()
        self.call.join(user, 300)

    @invariant()
    def one_talker_is_passed_on(self) -> None:
        before = len(self.call.heard)
        self.call.speak()
        assert len(set(self.call.heard[before:])) <= 1

    @invariant()
    def nobody_waits_for_a_free_floor(self) -> None:
        assert self.call.server.holder is not None or not self.call.server.waiting

    @precondition(lambda self: not self.call.cut)
    @rule(user=users)
    def an_emergency_has_the_floor_after_the_grace(self, user: str) -> None:
        call, holder = self.call, self.call.server.holder
        if holder is not None and holder.rank == 2:
            return  # an emergency has it already
        before = len(call.told[user])
        call.press(user, indicator=Indicator.EMERGENCY)
        call.pass_time(call.server.timers.t3_stop_talking_grace + 0.1)
        assert participant.What.GRANTED in [told.what for told in call.told[user][before:]]

    def teardown(self) -> None:
        """No floor is lost for ever: all let go, the wires are whole, and in a minute everybody is at rest."""
        call = self.call
        call.cut.clear()
        for user in "abcd":
            call.release(user)
        call.pass_time(60.0)
        assert call.server.state is server.State.IDLE
        assert {each.state for each in call.terminals.values()} == {State.NO_PERMISSION}
        call.press("a")
        assert call.terminals["a"].may_send


TestFloors = Floors.TestCase
TestFloors.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)

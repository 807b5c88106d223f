"""The four transaction tables, cell by cell, and the transactions that walk them."""

from __future__ import annotations

import pytest

from harness.errors import SipLocalError
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.parse import parse
from harness.protocols.sip.state import IGNORED, REFUSED, TABLES, Cell, Do, Event, State, Table
from harness.protocols.sip.transaction import (
    Action,
    ClientTransaction,
    ServerTransaction,
    Timing,
    ack_for,
    cancel_for,
    client_key,
    server_key,
)

CORE = {Event.START, Event.ABANDON, Event.SEND_1XX, Event.SEND_2XX, Event.SEND_FINAL}


def make(method: str, *, branch: str = "z9hG4bK1") -> Request:
    message = parse(
        f"{method} sip:999@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;branch={branch}\r\n"
        "Route: <sip:10.0.0.9;lr>\r\nFrom: <sip:a@127.0.0.1>;tag=a\r\nTo: <sip:b@127.0.0.1>\r\n"
        f"Call-ID: c\r\nCSeq: 7 {method}\r\n\r\n".encode()
    )
    assert isinstance(message, Request)
    return message


def answer(request: Request, status: int) -> Response:
    message = parse(bytes(request.response(status, to_tag="b")))
    assert isinstance(message, Response)
    return message


def _cells() -> list[tuple[str, State, Event]]:
    return [(name, state, event) for name, table in TABLES.items() for state, row in table.items() for event in row]


@pytest.mark.parametrize(("name", "state", "event"), _cells())
def test_every_cell_does_what_it_says(name: str, state: State, event: Event) -> None:
    table = TABLES[name]
    request = make("INVITE" if "INVITE" in name else "OPTIONS")
    made = ClientTransaction(request) if "client" in name else ServerTransaction(request)
    made.state = state
    made._sent = b"earlier"
    message = answer(request, 486)
    cell = table[state][event]
    if cell is REFUSED:
        assert event in CORE
        with pytest.raises(SipLocalError, match=str(state)):
            made._handle(event, message)
        assert made.state is state
        return
    actions = made._handle(event, message)
    if cell is IGNORED:
        assert event not in CORE
        assert (actions, made.state) == ([], state)
        return
    assert isinstance(cell, Cell)
    assert made.state is cell.state
    resolved = {Do.RESEND: Do.SEND, Do.ACK: Do.SEND, Do.AGAIN: Do.SET}
    assert [(action.do, action.timer) for action in actions if action.do is not Do.TIMEOUT] == [
        (resolved.get(step.do, step.do), step.timer) for step in cell.steps if step.do is not Do.TIMEOUT
    ]
    for action in actions:
        assert action.do is not Do.SET or action.delay > 0
        assert action.do is not Do.SEND or action.data


@pytest.mark.parametrize(("name", "table"), TABLES.items())
def test_tables_are_whole_and_every_state_is_reached_and_left(name: str, table: Table) -> None:
    events = {frozenset(row) for row in table.values()}
    assert len(events) == 1, "every state has a cell for every event"
    reached = {cell.state for row in table.values() for cell in row.values() if isinstance(cell, Cell)}
    starts = {State.INITIAL, State.PROCEEDING} if "INVITE" in name else {State.INITIAL, State.TRYING}
    assert reached | starts >= set(table)
    for state, row in table.items():
        moves = any(isinstance(cell, Cell) and cell.state is not state for cell in row.values())
        assert moves is (state is not State.TERMINATED)
    assert not any(isinstance(cell, Cell) for cell in table[State.TERMINATED].values())


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_timer_is_left_running_in_a_state_that_has_no_use_for_it(table: Table) -> None:
    """Walk every path; a timer that fires in a state must be one that the state, or the way to it, knows."""
    start = next(iter(table))
    seen: set[tuple[State, frozenset[str]]] = set()
    todo = [(start, frozenset[str]())]
    while todo:
        state, running = todo.pop()
        if (state, running) in seen:
            continue
        seen.add((state, running))
        for event, cell in table[state].items():
            timer = event[-1] if event.startswith("timer") else ""
            if timer and timer not in running:
                continue
            after = set(running) - {timer}
            if isinstance(cell, Cell):
                for step in cell.steps:
                    if step.do in (Do.SET, Do.AGAIN):
                        after.add(step.timer)
                    elif step.do is Do.STOP:
                        after.discard(step.timer)
                if cell.state is not State.TERMINATED:
                    assert after or cell.state in (start, State.PROCEEDING), f"{cell.state} could last for ever"
                    todo.append((cell.state, frozenset(after)))
            else:
                assert not timer, f"{event} fires in {state}, where it means nothing"


def test_over_tcp_nothing_is_repeated_and_nothing_lingers_for_late_copies() -> None:
    invite = ClientTransaction(make("INVITE"), reliable=True)
    assert _delays(invite.start()) == {"B": 32.0}
    assert _delays(invite.receive(answer(invite.request, 486))) == {"D": 0.0}
    options = ClientTransaction(make("OPTIONS"), reliable=True)
    assert _delays(options.start()) == {"F": 32.0}
    assert _delays(options.receive(answer(options.request, 200))) == {"K": 0.0}
    request = make("INVITE")
    served = ServerTransaction(request, reliable=True)
    assert _delays(served.respond(request.response(486))) == {"H": 32.0}
    assert _delays(served.receive(ack_for(request, answer(request, 486)))) == {"I": 0.0}
    other = make("OPTIONS")
    assert _delays(ServerTransaction(other, reliable=True).respond(other.response(200))) == {"J": 0.0}
    accepted = ServerTransaction(request, reliable=True)
    assert _delays(accepted.respond(request.response(200))) == {"L": 32.0}, "RFC 6026: whatever the transport"


def _delays(actions: list[Action]) -> dict[str, float]:
    return {action.timer: action.delay for action in actions if action.do is Do.SET}


def test_an_invite_is_repeated_at_doubled_intervals_until_64_t1() -> None:
    invite = ClientTransaction(make("INVITE"))
    assert _delays(invite.start()) == {"A": 0.5, "B": 32.0}
    assert [_delays(invite.expire("A"))["A"] for _ in range(5)] == [1, 2, 4, 8, 16]
    assert [action.do for action in invite.expire("B")] == [Do.STOP, Do.TIMEOUT]
    assert invite.ended


def test_other_requests_are_repeated_up_to_t2_and_at_t2_once_provisional() -> None:
    options = ClientTransaction(make("OPTIONS"), Timing(t1=1.0, t2=4.0))
    assert _delays(options.start()) == {"E": 1.0, "F": 64.0}
    assert [_delays(options.expire("E"))["E"] for _ in range(4)] == [2, 4, 4, 4]
    fresh = ClientTransaction(make("OPTIONS"))
    fresh.start()
    fresh.receive(answer(fresh.request, 100))
    assert _delays(fresh.expire("E")) == {"E": 4.0}


def test_a_refusal_is_acknowledged_in_the_transaction_and_again_when_repeated() -> None:
    invite = ClientTransaction(make("INVITE"))
    invite.start()
    busy = answer(invite.request, 486)
    first = invite.receive(busy)
    ack = parse(next(action.data for action in first if action.do is Do.SEND))
    assert isinstance(ack, Request)
    assert (ack.method, ack.via.branch, ack.to_tag, ack.cseq) == ("ACK", "z9hG4bK1", "b", (7, "ACK"))
    assert ack.lines("route") == ["<sip:10.0.0.9;lr>"]
    assert [action.message for action in first if action.do is Do.PASS] == [busy]
    again = invite.receive(busy)
    assert [(action.do, action.data) for action in again] == [(Do.SEND, bytes(ack))]


def test_a_refusal_of_ours_is_repeated_until_its_ack() -> None:
    request = make("INVITE")
    served = ServerTransaction(request)
    assert served.receive(request) == []  # nothing was said yet that could be repeated
    assert _delays(served.respond(request.response(486))) == {"G": 0.5, "H": 32.0}
    assert [_delays(served.expire("G"))["G"] for _ in range(4)] == [1, 2, 4, 4]
    assert _delays(served.receive(ack_for(request, answer(request, 486)))) == {"I": 5.0}
    with pytest.raises(SipLocalError):
        served.respond(request.response(486))
    served.expire("I")
    assert served.ended


def test_keys_join_a_cancel_and_an_ack_to_their_invite() -> None:
    invite = make("INVITE")
    assert server_key(ack_for(invite, answer(invite, 486))) == server_key(invite)
    cancel = cancel_for(invite)
    assert server_key(cancel)[:-1] == server_key(invite)[:-1]
    assert server_key(cancel)[-1] == "CANCEL"
    assert (cancel.cseq, cancel.uri_text) == ((7, "CANCEL"), invite.uri_text)
    assert client_key(answer(invite, 180)) == ClientTransaction(invite).key
    old = make("INVITE", branch="1")  # an RFC 2543 peer
    assert server_key(old) == server_key(make("INVITE", branch="1"))
    assert "c" in server_key(old)

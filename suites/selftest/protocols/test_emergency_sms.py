"""emergencySMS: the dialogue as advice to the public has it, every cell of its table, and its bounds."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import LocalError, NumberError
from harness.protocols import emergency_sms
from harness.protocols.emergency_sms import (
    ALREADY,
    MAX_TEXT,
    NOT_REGISTERED,
    OFFER_LIFE,
    REGISTERED,
    TABLE,
    TERMS,
    Action,
    EmergencySms,
    Input,
    State,
    Step,
)
from harness.protocols.location import gsm7

MOBILE = "07700900123"


def do(service: EmergencySms, what: Input) -> Step:
    match what:
        case Input.REGISTER:
            return service.receive(MOBILE, "register")
        case Input.YES:
            return service.receive(MOBILE, "yes")
        case Input.TEXT:
            return service.receive(MOBILE, "police. burglar. 1 High Street")
        case Input.ANSWER:
            return service.answer(MOBILE, "Police are on their way")
        case Input.CLOSE:
            return service.close(MOBILE)
        case Input.LAPSE:
            return service.lapse(MOBILE)


REACH = {
    State.UNKNOWN: [],
    State.OFFERED: [Input.REGISTER],
    State.REGISTERED: [Input.REGISTER, Input.YES],
    State.OPEN: [Input.REGISTER, Input.YES, Input.TEXT],
}


def test_a_mobile_registers_asks_for_help_and_is_answered() -> None:
    service = EmergencySms()
    offered = service.receive("+44 7700 900123", " Register ")
    assert (offered.send, offered.lapse_in, offered.mobile) == (TERMS, OFFER_LIFE, "+447700900123")
    assert service.receive(MOBILE, "\u2018Yes\u2019.").send == REGISTERED
    assert service.receive(MOBILE, "register").send == ALREADY
    asked = service.receive(MOBILE, "fire. smoke. Flat 2")
    assert (asked.hand_on, asked.send, asked.state) == ("fire. smoke. Flat 2", "", State.OPEN)
    assert service.receive(MOBILE, "yes").hand_on == "yes"
    assert service.answer(MOBILE, "Which floor?").send == "Which floor?"
    assert service.close(MOBILE).state is State.REGISTERED


def test_an_unregistered_mobile_is_told_how_and_nothing_is_handed_on() -> None:
    step = EmergencySms().receive(MOBILE, "help")
    assert (step.send, step.hand_on, step.state) == (NOT_REGISTERED, "", State.UNKNOWN)


def test_mobiles_may_be_registered_from_the_start_and_are_apart() -> None:
    service = EmergencySms((MOBILE,))
    assert service.receive(MOBILE, "help").hand_on == "help"
    assert service.state("07700900124") is State.UNKNOWN


@pytest.mark.parametrize(("state", "what"), list(itertools.product(State, Input)))
def test_every_cell(state: State, what: Input) -> None:
    service = EmergencySms()
    for step in REACH[state]:
        do(service, step)
    assert service.state(MOBILE) is state
    cell = TABLE[state].get(what)
    if cell is None:
        with pytest.raises(LocalError, match="no open emergency"):
            do(service, what)
        assert service.state(MOBILE) is state
        return
    step = do(service, what)
    assert step.state is service.state(MOBILE) is cell[0]
    action = cell[1]
    assert bool(step.hand_on) is (action is Action.HAND_ON)
    assert bool(step.send) is (action not in (Action.NOTHING, Action.HAND_ON))
    assert (step.lapse_in is not None) is (action is Action.SEND_TERMS)


def test_our_texts_fit_few_messages_of_the_default_alphabet() -> None:
    for text in (TERMS, REGISTERED, ALREADY, NOT_REGISTERED, emergency_sms.ACCEPT_FIRST):
        length = gsm7.septets(text)
        assert length is not None
        assert length <= 2 * 153


def test_no_more_mobiles_are_known_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emergency_sms, "MAX_MOBILES", 2)
    service = EmergencySms(("07700900001", "07700900002"))
    with pytest.raises(LocalError, match="2 mobiles are known already"):
        service.receive(MOBILE, "register")
    assert service.receive(MOBILE, "help").send == NOT_REGISTERED
    assert service.receive("07700900001", "help").hand_on == "help"


def test_who_has_no_number_is_no_mobile() -> None:
    for number in ("", "999", "2001", "anonymous"):
        with pytest.raises(NumberError):
            EmergencySms().receive(number, "register")


@given(st.lists(st.tuples(st.sampled_from(["register", "yes", "YES!", "no"]) | st.text(max_size=20), st.booleans())))
def test_once_open_every_text_is_handed_on_until_it_is_closed(texts: list[tuple[str, bool]]) -> None:
    service = EmergencySms((MOBILE,))
    service.receive(MOBILE, "help")
    for text, close in texts:
        if close:
            service.close(MOBILE)
            service.receive(MOBILE, "help again")
        step = service.receive(MOBILE, text)
        assert (step.hand_on, step.send) == (text, "")


def test_a_text_beyond_the_bound_is_cut() -> None:
    assert len(EmergencySms((MOBILE,)).receive(MOBILE, "x" * (MAX_TEXT + 1)).hand_on) == MAX_TEXT

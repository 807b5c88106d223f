"""Routes of the control interface: what an operator does at a position."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, status

from harness.protocols.sip.emergency_call import Ask
from simulators.iccs.api import bodies
from simulators.iccs.api.places import At, Shown
from simulators.iccs.desk import OperatorDesk
from simulators.routes import Routes

PLACED = status.HTTP_202_ACCEPTED
_ASKS = {"leave": Ask.OPERATOR_LEAVE, "return": Ask.OPERATOR_RETURN}


def position_routes(desk: OperatorDesk) -> Routes:
    """Return the routes."""
    router = Routes(prefix="/v1/positions", tags=["positions"])
    _add_seat(router, desk)
    _add_calls(router, desk)
    _add_passing_on(router, desk)
    _add_in_call(router, desk)
    _add_radio(router, desk)
    return router


def _add_seat(router: Routes, desk: OperatorDesk) -> None:
    @router.get("")
    async def read_positions() -> list[Shown]:
        """All positions: role, site, skills, adviser's state, what each holds."""
        return [each.shown() for each in desk.positions]

    @router.get("/{id_}")
    async def read_position(at: At) -> Shown:
        """One position."""
        return at.shown()

    @router.get("/{id_}/directory")
    async def read_directory(at: At, find: Annotated[str | None, Query(max_length=100)] = None) -> list[Shown]:
        """The directory as this position shows it: entries with `find` in name, number or organisation."""
        return desk.directory.shown(find)

    @router.post("/{id_}/login")
    async def login(at: At) -> Shown:
        """Sit down: the headset's jack is opened. 409 when somebody sits there."""
        await desk.login(at)
        return at.shown()

    @router.post("/{id_}/logout")
    async def logout(at: At) -> Shown:
        """Leave: what is held is cleared, the jack closed. Nobody being there is no error."""
        await desk.logout(at)
        return at.shown()

    @router.post("/{id_}/state")
    async def set_state(at: At, body: bodies.StateBody) -> Shown:
        """Go available (which ends wrap-up, too) or on break, now or after the call in hand."""
        desk.set_state(at, body.state)
        return at.shown()


def _add_calls(router: Routes, desk: OperatorDesk) -> None:
    @router.post("/{id_}/answer", status_code=PLACED)
    async def answer(at: At, body: bodies.AnswerBody) -> Shown:
        """Take a call that rings here: the one named, the first of a queue, or whichever is to be served next."""
        return desk.answer(at, body.queue, body.call).shown()

    @router.post("/{id_}/dial", status_code=PLACED)
    async def dial(at: At, body: bodies.DialBody) -> Shown:
        """Call a position, a telephone or a number in the network."""
        return desk.dial(at, body.number).shown()

    @router.post("/{id_}/redial", status_code=PLACED)
    async def redial(at: At, body: bodies.RedialBody) -> Shown:
        """Call back the caller of the latest call, or of a call record; the record goes on."""
        return desk.redial(at, body.record).shown()

    @router.post("/{id_}/clear", status_code=PLACED)
    async def clear(at: At) -> Shown:
        """Clear the call; go out of a conference in which other positions are."""
        return desk.clear(at).shown()

    @router.post("/{id_}/hold", status_code=PLACED)
    async def hold(at: At) -> Shown:
        """Put the call on hold; a caller alone hears music."""
        return desk.hold(at).shown()

    @router.post("/{id_}/resume", status_code=PLACED)
    async def resume(at: At, body: bodies.MaybeCallBody) -> Shown:
        """Take a call off hold; another one in hand is held in its place."""
        return desk.resume(at, body.call).shown()


def _add_passing_on(router: Routes, desk: OperatorDesk) -> None:
    @router.post("/{id_}/consult", status_code=PLACED)
    async def consult(at: At, body: bodies.ToBody) -> Shown:
        """Put the call on hold and ring somebody about it."""
        return desk.consult(at, body.to).shown()

    @router.post("/{id_}/transfer", status_code=PLACED)
    async def transfer(at: At, body: bodies.MaybeToBody) -> Shown:
        """Pass the call on: to a position, a queue, a telephone or a number; without `to`, to the enquiry's party."""
        return desk.transfer(at, body.to).shown()

    @router.post("/{id_}/conference", status_code=PLACED)
    async def conference(at: At, body: bodies.MaybeToBody) -> Shown:
        """Join the enquiry with the call on hold; with `to`, ring somebody into the call, which goes on meanwhile."""
        return desk.conference(at, body.to).shown()

    @router.post("/{id_}/leave", status_code=PLACED)
    async def leave(at: At) -> Shown:
        """Go out of the conference; the others go on."""
        return desk.leave(at).shown()

    @router.post("/{id_}/drop", status_code=PLACED)
    async def drop(at: At, body: bodies.CallBody) -> Shown:
        """Clear one party of the conference."""
        return desk.drop(at, body.call).shown()


def _add_in_call(router: Routes, desk: OperatorDesk) -> None:
    @router.post("/{id_}/dtmf", status_code=PLACED)
    async def dtmf(at: At, body: bodies.DtmfBody) -> Shown:
        """Send keys to the other side (RFC 4733)."""
        await desk.send_dtmf(at, body.digits)
        return at.shown()

    @router.post("/{id_}/type", status_code=PLACED)
    async def write(at: At, body: bodies.TypeBody) -> Shown:
        """Type to a caller by real-time text (RFC 4103)."""
        return (await desk.write(at, body.text)).shown()

    @router.post("/{id_}/operator", status_code=PLACED)
    async def operator(at: At, body: bodies.OperatorBody) -> Shown:
        """Ask the 999 operator on the line to leave, or to come back."""
        return (await desk.ask_network(at, _ASKS[body.operator])).shown()

    @router.post("/{id_}/hold-line", status_code=PLACED)
    async def hold_line(at: At) -> Shown:
        """Ask the 999 network to keep the caller's landline, also when the caller hangs up."""
        return (await desk.ask_network(at, Ask.HOLD_LINE)).shown()

    @router.post("/{id_}/location", status_code=PLACED)
    async def location(at: At, body: bodies.LocationBody) -> Shown:
        """Write down where the caller says it is."""
        desk.enter_location(at, body.model_dump(exclude_none=True))
        return at.shown()

    @router.post("/{id_}/nuisance", status_code=PLACED)
    async def nuisance(at: At, body: bodies.NuisanceBody) -> Shown:
        """Tag a nuisance call: its record is preserved, and the 999 network told where the call is up."""
        return (await desk.tag_nuisance(at, body.record, body.note)).summary()


def _add_radio(router: Routes, desk: OperatorDesk) -> None:
    @router.post("/{id_}/key", status_code=PLACED)
    async def key(at: At, body: bodies.KeyBody) -> Shown:
        """Press to talk to a talkgroup."""
        desk.key(at, body.talkgroup)
        return at.shown()

    @router.post("/{id_}/unkey", status_code=PLACED)
    async def unkey(at: At) -> Shown:
        """Let go of the floor."""
        desk.unkey(at)
        return at.shown()

    @router.post("/{id_}/text", status_code=PLACED)
    async def text(at: At, body: bodies.TextBody) -> Shown:
        """Send a text to a radio."""
        await desk.send_text(at, body.who, body.text)
        return at.shown()

"""What a person can do at the console in the browser: each act is one of the console driver's."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.drivers.console import Console
from harness.endpoints.crm import ThriveAssessment
from harness.errors import DriverError, InterlockError, PageError

Id = Annotated[str, Field(min_length=1, max_length=80)]
Words = Annotated[str, Field(min_length=1, max_length=2_000)]
Target = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9+*#._-]+$")]
Issi = Annotated[int, Field(ge=1, le=16_777_215)]
THRIVE: Final = tuple(each.name.capitalize() for each in fields(ThriveAssessment))
"""The six factors by which a call taker grades what is told, and the rationale."""


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Nothing(_Given):
    pass


class _MaybeCall(_Given):
    call: Id | None = None


class _To(_Given):
    to: Target


class _MaybeTo(_Given):
    to: Target | None = None


class _Number(_Given):
    number: Target


class _Digits(_Given):
    digits: str = Field(pattern=r"^[0-9*#A-D]{1,32}$")


class _Text(_Given):
    text: Words


class _State(_Given):
    state: str = Field(pattern=r"^(available|break)$")


class _Talkgroup(_Given):
    talkgroup: Annotated[str, Field(min_length=1, max_length=64)]


class _Pair(_Given):
    one: Annotated[str, Field(min_length=1, max_length=64)]
    two: Annotated[str, Field(min_length=1, max_length=64)]


class _Patch(_Given):
    patch: Id


class _RadioText(_Given):
    issi: Issi
    text: Annotated[str, Field(min_length=1, max_length=140)]


class _Groups(_Given):
    talkgroups: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(min_length=2, max_length=16)


class _Folder(_Given):
    folder: Annotated[str, Field(min_length=1, max_length=40)]


class _Volume(_Given):
    headset_db: Annotated[float, Field(ge=-60, le=12)] | None = None
    loudspeaker_db: Annotated[float, Field(ge=-60, le=12)] | None = None


class _Position(_Given):
    position: Target


class _Operator(_Given):
    operator: Literal["leave", "return"]


class _Radio(_Given):
    issi: Issi


class _Ambience(_Radio):
    password: Annotated[str, Field(min_length=1, max_length=200)]


class _Emergency(_Given):
    emergency: Id


class _Title(_Given):
    title: Annotated[str, Field(min_length=1, max_length=200)]


class _Incident(_Given):
    incident: Id


class _Note(_Incident):
    text: Words


class _Thrive(_Incident):
    factor: Annotated[str, Field(pattern=f"^({'|'.join(THRIVE)})$")]
    text: Annotated[str, Field(min_length=1, max_length=1_900)]


class _Grade(_Incident):
    grade: str = Field(pattern=r"^(Immediate|Prompt|Standard|Other)$")
    rationale: str = Field(default="", max_length=1_900)


class _HandOver(_Incident):
    to: Target


class _Unit(_Incident):
    issi: Issi


class _Reason(_Given):
    reason: Annotated[str, Field(min_length=1, max_length=500)]


Do = Callable[[Console, Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class _Act:
    given: type[_Given]
    do: Do


ACTS: Final[dict[str, _Act]] = {
    "answer": _Act(_MaybeCall, lambda at, with_: at.answer(call=with_.call)),
    "clear": _Act(_Nothing, lambda at, _: at.clear()),
    "hold": _Act(_Nothing, lambda at, _: at.hold()),
    "resume": _Act(_MaybeCall, lambda at, with_: at.resume(with_.call)),
    "dial": _Act(_Number, lambda at, with_: at.dial(with_.number)),
    "consult": _Act(_To, lambda at, with_: at.consult(with_.to)),
    "transfer": _Act(_MaybeTo, lambda at, with_: at.transfer(with_.to)),
    "conference": _Act(_MaybeTo, lambda at, with_: at.conference(with_.to)),
    "leave_conference": _Act(_Nothing, lambda at, _: at.leave()),
    "redial": _Act(_Nothing, lambda at, _: at.redial()),
    "operator": _Act(_Operator, lambda at, with_: at.ask_operator(with_.operator)),
    "hold_line": _Act(_Nothing, lambda at, _: at.hold_line()),
    "nuisance": _Act(_Nothing, lambda at, _: at.tag_nuisance()),
    "press": _Act(_Digits, lambda at, with_: at.send_dtmf(with_.digits)),
    "type": _Act(_Text, lambda at, with_: at.type_text(with_.text)),
    "go": _Act(_State, lambda at, with_: at.go(with_.state)),
    "location": _Act(_Text, lambda at, with_: at.enter_location(with_.text)),
    "hush": _Act(_Nothing, lambda at, _: at.headset.hush()),
    "key": _Act(_Talkgroup, lambda at, with_: at.key(with_.talkgroup)),
    "key_groups": _Act(_Groups, lambda at, with_: at.key_groups(*with_.talkgroups)),
    "unkey": _Act(_Nothing, lambda at, _: at.unkey()),
    "select": _Act(_Talkgroup, lambda at, with_: at.select(with_.talkgroup)),
    "unselect": _Act(_Talkgroup, lambda at, with_: at.unselect(with_.talkgroup)),
    "volume": _Act(
        _Volume, lambda at, with_: at.set_volume(headset_db=with_.headset_db, loudspeaker_db=with_.loudspeaker_db)
    ),
    "open_folder": _Act(_Folder, lambda at, with_: at.open_folder(with_.folder)),
    "folder_back": _Act(_Nothing, lambda at, _: at.folder_back()),
    "choose_talkgroup": _Act(_Talkgroup, lambda at, with_: at.choose_talkgroup(with_.talkgroup)),
    "monitor": _Act(_Position, lambda at, with_: at.monitor(with_.position)),
    "whisper": _Act(_Position, lambda at, with_: at.whisper(with_.position)),
    "barge": _Act(_Position, lambda at, with_: at.barge(with_.position)),
    "end_oversight": _Act(_Nothing, lambda at, _: at.end_oversight()),
    "patch": _Act(_Pair, lambda at, with_: at.patch(with_.one, with_.two)),
    "unpatch": _Act(_Patch, lambda at, with_: at.unpatch(with_.patch)),
    "text": _Act(_RadioText, lambda at, with_: at.send_text(with_.issi, with_.text)),
    "call_radio": _Act(_Radio, lambda at, with_: at.call_radio(with_.issi)),
    "clear_radio_call": _Act(_Nothing, lambda at, _: at.clear_radio_call()),
    "begin_ambience": _Act(_Ambience, lambda at, with_: at.begin_ambience(with_.issi, with_.password)),
    "end_ambience": _Act(_Radio, lambda at, with_: at.end_ambience(with_.issi)),
    "acknowledge_emergency": _Act(_Emergency, lambda at, with_: at.acknowledge_emergency(with_.emergency)),
    "clear_emergency": _Act(_Emergency, lambda at, with_: at.clear_emergency(with_.emergency)),
    "open_incident": _Act(_Title, lambda at, with_: at.open_incident(with_.title)),
    "note_incident": _Act(_Note, lambda at, with_: at.note_incident(with_.incident, with_.text)),
    "thrive": _Act(_Thrive, lambda at, with_: at.assess_incident(with_.incident, **{with_.factor.lower(): with_.text})),
    "grade": _Act(_Grade, lambda at, with_: at.grade_incident(with_.incident, with_.grade, rationale=with_.rationale)),
    "hand_over": _Act(_HandOver, lambda at, with_: at.hand_over(with_.incident, with_.to)),
    "close_incident": _Act(_Incident, lambda at, with_: at.close_incident(with_.incident)),
    "assign_unit": _Act(_Unit, lambda at, with_: at.assign_unit(with_.issi, with_.incident)),
    "needs_no_incident": _Act(_Reason, lambda at, with_: at.needs_no_incident(with_.reason)),
}
"""Acts by name, what goes with each, and the console driver's method that does it: the interlock is asked there."""


_AS_REFUSED: Final = re.compile(r"(?<=: )\S+ was refused with \d{3}: ")
"""What an engineer reads before the console's own reason."""


def read_act(name: str, given: Any) -> tuple[Do, _Given]:
    """Return what an act does and what goes with it. Raises PageError for one that there is not, or that does not fit.

    What was sent is not told again: it may be anything.
    """
    act = ACTS.get(name)
    if act is None:
        raise PageError(f"no such act; there is {', '.join(ACTS)}")
    try:
        return act.do, act.given.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(each) for each in first["loc"]) or "what goes with it"
        raise PageError(f"{name}: {where[:80]}: {first['msg']}") from None


async def do_act(console: Console, name: str, given: Any) -> Any:
    """Do what a person asks for at the console.

    Raises PageError with the console's own reason where it is refused, or for what `read_act` does not take.
    """
    do, arguments = read_act(name, given)
    try:
        return await do(console, arguments)
    except (DriverError, InterlockError) as error:
        raise PageError(_AS_REFUSED.sub("", str(error)).partition(": ")[2] or str(error)) from error

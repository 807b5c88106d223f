"""The file that maps a web console: what to press for each act, and which rows of the page show which event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.errors import TestbedError
from harness.source import Kind, Spot, read_tree, shown

SIMULATOR: Final = Path(__file__).parent / "simulator.yaml"
"""The simulator's own console."""
ACTS: Final[Mapping[str, tuple[str, ...]]] = {
    "login": (),
    "logout": (),
    "answer": ("call",),
    "answer_next": (),
    "dial": ("number",),
    "clear": (),
    "hold": (),
    "resume": ("call",),
    "leave": (),
    "consult": ("to",),
    "transfer": ("to",),
    "conference": ("to",),
    "dtmf": ("digits",),
    "state": ("state",),
    "key": ("talkgroup",),
    "unkey": (),
    "select": ("talkgroup",),
    "unselect": ("talkgroup",),
    "patch": ("talkgroups",),
    "unpatch": ("patch",),
    "acknowledge_emergency": ("emergency",),
    "clear_emergency": ("emergency",),
    "open_incident": ("title",),
    "hand_over": ("incident", "to"),
    "close_incident": ("incident",),
}
"""Every act that can be mapped, and the names that its selectors may have in braces."""
MAX_STEPS: Final = 20
MAX_SHOWS: Final = 100
_HOLE: Final = re.compile(r"\{([a-z_]+)(?:\[(\d{1,2})\])?\}")
_KIND: Final = Kind("mapping of a web console", TestbedError, "'open', 'acts' and 'shows'", "write the selector out")

Css = Annotated[str, Field(min_length=1, max_length=500)]
Attribute = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
Event = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_-]+)+$", max_length=80)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Press(_Part):
    """One thing done with mouse or keyboard."""

    click: Css | None = None
    fill: Css | None = None
    """A field, which holds ``with`` then."""
    choose: Css | None = None
    """A list, of which the entry ``with`` is chosen."""
    press: Css | None = None
    """The mouse's button goes down here, and stays so."""
    release: Literal[True] | None = None
    """It comes up again."""
    with_: str | None = Field(default=None, alias="with", max_length=200)

    @model_validator(mode="after")
    def _is_one_thing(self) -> Press:
        done = [each for each in ("click", "fill", "choose", "press", "release") if getattr(self, each) is not None]
        if len(done) != 1:
            raise ValueError("a step is one of click, fill, choose, press, release")
        if (self.with_ is not None) != (done[0] in {"fill", "choose"}):
            raise ValueError("'with' goes with fill and choose, which need it")
        return self

    def texts(self) -> list[str]:
        """What may have names in braces."""
        return [each for each in (self.click, self.fill, self.choose, self.press, self.with_) if each is not None]


class Act(_Part):
    """How an act is done."""

    do: tuple[Press, ...] = Field(min_length=1, max_length=MAX_STEPS)
    done: Css | None = None
    """What is there once it is done."""
    gives: Mapping[str, Event] = Field(default_factory=dict, max_length=1)
    """What the act gives, and the event that has it: ``{call: call.connected}``."""
    by: str | None = Field(default=None, max_length=60)
    """The event's value that names the position that did it, where others' acts show the same event."""


class Value(_Part):
    """Where one value of an event is, in its row."""

    css: Css | None = None
    """An element in the row; left out: the row itself."""
    attribute: Attribute | None = None
    """Left out: the element's text."""
    is_: Literal["text", "integer"] = Field(default="text", alias="is")


class Place(_Part):
    """Where a value of the page is."""

    css: Css
    attribute: Attribute | None = None


class Shown(_Part):
    """Rows of one kind, and the event for each state that a row can come to."""

    rows: Css
    key: Attribute
    """The attribute by which a row is known again."""
    state: Attribute
    data: Mapping[str, Value] = Field(default_factory=dict, max_length=30)
    events: Mapping[str, Event] = Field(min_length=1, max_length=50)
    """By state; ``*`` is any that is not empty. A row's state is looked at whenever the page changes."""


class Pages(_Part):
    """A whole mapping."""

    open: Annotated[str, Field(pattern=r"^/[^\s]*$", max_length=300)]
    """The console's path below the component's ``url``; ``{position}`` stands for its position."""
    ready: Css
    """What is there when the page is ready."""
    refused: Css
    """Where the console says why it does not do something; empty where it does."""
    jack: Place | None = None
    """Where the headset's ``rtp://host:port`` is; left out: the testbed's ``audio`` has it."""
    acts: Mapping[str, Act]
    shows: tuple[Shown, ...] = Field(min_length=1, max_length=MAX_SHOWS)


def load_pages(path: Path) -> Pages:
    """Return a mapping. Raises TestbedError with one line an error: file, line, what was found, what is allowed."""
    tree, spot = read_tree(path, _KIND)
    try:
        pages = Pages.model_validate(tree)
    except ValidationError as error:
        raise TestbedError("\n".join(_told(spot, each) for each in error.errors(include_url=False))) from error
    wrong = [
        spot.at(["acts", name]).error(f"acts: found the act {name!r}; allowed: {', '.join(ACTS)}")
        for name in pages.acts
        if name not in ACTS
    ]
    wrong += [
        spot.at(["acts", name, "do", index]).error(
            f"acts.{name}: found {{{hole}}}; allowed: {', '.join(ACTS[name]) or 'no name in braces'}"
        )
        for name, act in pages.acts.items()
        if name in ACTS
        for index, step in enumerate(act.do)
        for text in step.texts()
        for hole, _ in _HOLE.findall(text)
        if hole not in ACTS[name]
    ]
    if "login" not in pages.acts:
        wrong.append(spot.at(["acts"]).error("acts: found no 'login', by which somebody sits down"))
    if wrong:
        raise TestbedError("\n".join(wrong))
    return pages


def filled(text: str, given: Mapping[str, Any], *, selector: bool) -> str:
    """A text with the names in braces replaced; in a selector, what could end a quoted value is escaped.

    Raises KeyError for a name that is not given.
    """

    def value(found: re.Match[str]) -> str:
        told = given[found[1]]
        if found[2] is not None:
            told = told[int(found[2])]
        return re.sub(r"(['\"\\])", r"\\\1", str(told)) if selector else str(told)

    return _HOLE.sub(value, text)


def _told(spot: Spot, error: Any) -> str:
    location = ".".join(str(step) for step in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    found = "nothing" if error["type"] == "missing" else shown(error["input"])
    if error["type"] == "extra_forbidden":
        found, message = f"the unknown key {error['loc'][-1]!r}", "no key of that name is known here"
    return spot.at(error["loc"]).error(f"{location}: found {found}; {message[:1].lower() + message[1:]}")

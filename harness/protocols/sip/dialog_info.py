"""Which calls a telephone has: application/dialog-info+xml, which NOTIFYs of `dialog` carry (RFC 4235).

Theory. The one who notifies numbers its documents of a subscription, 0 first. A `full` document lists every dialog; a
`partial` one those that changed. A watcher keeps a table: full replaces it, partial changes rows, and one that does not
have the next number tells that one was lost, so the watcher subscribes again and gets a full one (section 4.3). A
dialog that is `terminated` leaves the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols import safe_xml

CONTENT_TYPE: Final = "application/dialog-info+xml"
EVENT: Final = "dialog"
MAX_DIALOGS: Final = 500
"""Dialogs of one document, and of a watcher's table."""
MAX_VERSION: Final = 2**31 - 1
"""What fits 32 bits (RFC 4235 section 4.1: unsigned, so half of them are plenty)."""
_NAMESPACE: Final = "urn:ietf:params:xml:ns:dialog-info"
_IN: Final = f"{{{_NAMESPACE}}}"
register_namespace("", _NAMESPACE)


class State(StrEnum):
    """Where a dialog is (RFC 4235 section 3.7.1)."""

    TRYING = "trying"
    PROCEEDING = "proceeding"
    """A provisional response without a tag."""
    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Event(StrEnum):
    """Why a dialog ended, or came to its state (section 4.1.2)."""

    CANCELLED = "cancelled"
    REJECTED = "rejected"
    REPLACED = "replaced"
    LOCAL_BYE = "local-bye"
    REMOTE_BYE = "remote-bye"
    ERROR = "error"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a dialog."""

    identity: str = ""
    """The URI of its From or To; empty where it is not told."""
    display: str = ""
    target: str = ""
    """The URI of its Contact."""
    target_params: tuple[tuple[str, str], ...] = ()
    """What its Contact says of it, such as ("+sip.rendering", "no") for a call on hold (section 4.1.6.2)."""

    @property
    def is_held(self) -> bool:
        """Whether it says that it renders no media."""
        return ("+sip.rendering", "no") in self.target_params


@dataclass(frozen=True, slots=True)
class DialogRow:
    """One dialog."""

    id: str
    """Its name within the documents of one subscription; says nothing else."""
    state: State
    direction: str = ""
    """`initiator` where the one who is watched called, `recipient` where it was called; empty where it is not told."""
    event: Event | None = None
    code: int | None = None
    """The status that led to the state."""
    call_id: str = ""
    local_tag: str = ""
    """Of the one who is watched."""
    remote_tag: str = ""
    duration: int | None = None
    """Seconds since the dialog came to be."""
    local: Party = Party()
    remote: Party = Party()
    referred_by: str = ""
    """The URI of who referred (RFC 3892)."""
    replaces: tuple[str, str, str] | None = None
    """Call-ID, local and remote tag of the dialog whose place it took."""


@dataclass(frozen=True, slots=True)
class DialogInfo:
    """One document."""

    entity: str
    """The URI of who is watched."""
    version: int
    full: bool
    dialogs: tuple[DialogRow, ...] = ()


def build(info: DialogInfo) -> bytes:
    """Return the document.

    Raises:
        SipLocalError: too many dialogs, two of one id, a version out of range, or what XML can't hold.
    """
    if not 0 <= info.version <= MAX_VERSION:
        raise SipLocalError(f"a version is 0…{MAX_VERSION}, not {info.version}")
    if len(info.dialogs) > MAX_DIALOGS:
        raise SipLocalError(f"{len(info.dialogs)} dialogs; {MAX_DIALOGS} is the most")
    if len({row.id for row in info.dialogs}) < len(info.dialogs):
        raise SipLocalError("two dialogs of one id")
    root = Element(
        f"{_IN}dialog-info",
        version=str(info.version),
        state="full" if info.full else "partial",
        entity=info.entity,
    )
    for row in info.dialogs:
        _build_row(root, row)
    for element in root.iter():
        for text in (element.text or "", *element.attrib.values()):
            if not safe_xml.can_hold(text):
                raise SipLocalError(f"a character that XML can't hold: {text[:40]!r}")
    octets = safe_xml.write(root)
    if len(octets) > safe_xml.MAX_XML:
        raise SipLocalError(f"a document of {len(octets)} octets; {safe_xml.MAX_XML} is the most")
    return octets


def _build_row(root: Element, row: DialogRow) -> None:
    if not row.id:
        raise SipLocalError("a dialog without an id")
    names = {
        "id": row.id,
        "call-id": row.call_id,
        "local-tag": row.local_tag,
        "remote-tag": row.remote_tag,
        "direction": row.direction,
    }
    dialog = SubElement(root, f"{_IN}dialog", {name: value for name, value in names.items() if value})
    state = SubElement(dialog, f"{_IN}state")
    state.text = row.state
    if row.event is not None:
        state.set("event", row.event)
    if row.code is not None:
        state.set("code", str(row.code))
    if row.duration is not None:
        SubElement(dialog, f"{_IN}duration").text = str(row.duration)
    if row.replaces is not None:
        call_id, local, remote = row.replaces
        SubElement(dialog, f"{_IN}replaces", {"call-id": call_id, "local-tag": local, "remote-tag": remote})
    if row.referred_by:
        SubElement(dialog, f"{_IN}referred-by").text = row.referred_by
    _build_party(dialog, "local", row.local)
    _build_party(dialog, "remote", row.remote)


def _build_party(dialog: Element, name: str, party: Party) -> None:
    if party == Party():
        return
    element = SubElement(dialog, f"{_IN}{name}")
    if party.identity:
        identity = SubElement(element, f"{_IN}identity", {"display": party.display} if party.display else {})
        identity.text = party.identity
    if party.target:
        target = SubElement(element, f"{_IN}target", uri=party.target)
        for key, value in party.target_params:
            SubElement(target, f"{_IN}param", pname=key, pval=value)


def parse(octets: bytes) -> DialogInfo:
    """Read a document; elements that are not known are left.

    Raises:
        SipRemoteError: not XML, not a dialog-info, without its version, state or entity, or a dialog without id or
            state.
    """
    root = safe_xml.parse(octets, SipRemoteError)
    if root.tag != f"{_IN}dialog-info":
        raise SipRemoteError(f"the document is {str(root.tag)[:80]!r} and not a dialog-info of {_NAMESPACE}")
    version, state, entity = (root.get(name, "").strip() for name in ("version", "state", "entity"))
    if state not in ("full", "partial") or not entity:
        raise SipRemoteError(f"a dialog-info of {entity[:60]!r} with state {state[:20]!r}; full or partial is due")
    rows = [_read_row(element) for element in root.findall(f"{_IN}dialog")]
    if len(rows) > MAX_DIALOGS:
        raise SipRemoteError(f"a dialog-info of more than {MAX_DIALOGS} dialogs")
    number = _number(version, "a dialog-info's version", MAX_VERSION)
    if number is None:
        raise SipRemoteError("a dialog-info without a version")
    return DialogInfo(entity, number, state == "full", tuple(rows))


def _read_row(dialog: Element) -> DialogRow:
    state = dialog.find(f"{_IN}state")
    told = safe_xml.text(state)
    found = next((each for each in State if each == told), None)
    row_id = dialog.get("id", "")
    if not row_id or state is None or found is None:
        raise SipRemoteError(f"a dialog {row_id[:40]!r} with state {told[:20]!r}; {', '.join(State)} are known")
    event = state.get("event", "")
    replaces = dialog.find(f"{_IN}replaces")
    return DialogRow(
        row_id,
        found,
        dialog.get("direction", ""),
        next((each for each in Event if each == event), None),
        _number(state.get("code", ""), "a state's code", 699),
        dialog.get("call-id", ""),
        dialog.get("local-tag", ""),
        dialog.get("remote-tag", ""),
        _number(safe_xml.text(dialog.find(f"{_IN}duration")), "a dialog's duration", MAX_VERSION),
        _read_party(dialog.find(f"{_IN}local")),
        _read_party(dialog.find(f"{_IN}remote")),
        safe_xml.text(dialog.find(f"{_IN}referred-by")),
        None
        if replaces is None
        else (replaces.get("call-id", ""), replaces.get("local-tag", ""), replaces.get("remote-tag", "")),
    )


def _number(text: str, what: str, most: int) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > most:
        raise SipRemoteError(f"{what} is {text[:20]!r}; 0…{most} is due")
    return int(text)


def _read_party(element: Element | None) -> Party:
    if element is None:
        return Party()
    identity, target = element.find(f"{_IN}identity"), element.find(f"{_IN}target")
    params = (
        ()
        if target is None
        else tuple((param.get("pname", ""), param.get("pval", "")) for param in target.findall(f"{_IN}param"))
    )
    display = "" if identity is None else identity.get("display", "")
    return Party(safe_xml.text(identity), display, "" if target is None else target.get("uri", ""), params)


class Watcher:
    """The table of one subscription's dialogs."""

    def __init__(self) -> None:
        self.entity = ""
        """Who is watched; empty until the first full document."""
        self.rows: dict[str, DialogRow] = {}
        """By id, those that are not terminated."""
        self._version = -1

    def apply(self, info: DialogInfo) -> bool:
        """Take a document. False: one was lost before it, and a full one has to be asked for by subscribing again.

        One that came late, with a number that is not beyond the last, changes nothing. Raises SipRemoteError when the
        table would hold more than MAX_DIALOGS.
        """
        if info.full:
            if info.version < self._version:
                return True
            self.rows = {}
            self.entity = info.entity
        elif info.version <= self._version:
            return True
        elif self._version < 0 or info.version > self._version + 1:
            return False
        self._version = info.version
        for row in info.dialogs:
            if row.state is State.TERMINATED:
                self.rows.pop(row.id, None)
            elif row.id in self.rows:
                self.rows[row.id] = _merged(self.rows[row.id], row)
            elif len(self.rows) >= MAX_DIALOGS:
                raise SipRemoteError(f"more than {MAX_DIALOGS} dialogs of {self.entity[:60]!r}")
            else:
                self.rows[row.id] = row
        return True

    def restart(self) -> None:
        """Forget the numbers of an earlier subscription; the rows stay until the new one's full document."""
        self._version = -1


def _merged(old: DialogRow, new: DialogRow) -> DialogRow:
    """The new row, with the parties and names of the old one where a notifier left them out."""
    kept = {
        name: getattr(old, name)
        for name in ("direction", "call_id", "local_tag", "remote_tag", "local", "remote")
        if not getattr(new, name) or getattr(new, name) == Party()
    }
    return replace(new, **kept)

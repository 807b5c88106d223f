"""Who watches lines and mailboxes: subscriptions to dialog state (RFC 4235) and to message-summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.subscription import Subscriber
from harness.errors import SipLocalError
from harness.protocols.sip import dialog_info, message_summary
from harness.protocols.sip.dialog_info import DialogInfo, DialogRow, Party, State
from simulators.switch.ends import LineEnd
from simulators.switch.joining import LegState
from simulators.switch.leg import Leg
from simulators.switch.lines import Line

if TYPE_CHECKING:
    from simulators.switch.core import Core

MAX_WATCHERS: Final = 64
"""Watchers of one line; a further one is told 503."""
STATES: Final = {
    LegState.OFFERED: State.EARLY,
    LegState.PLACED: State.TRYING,
    LegState.RINGING: State.EARLY,
    LegState.UP: State.CONFIRMED,
    LegState.OVER: State.TERMINATED,
}
NOT_HEARD: Final = ("+sip.rendering", "no")


class _Watcher:
    """One subscription to a line's dialogs."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber
        self.version = 0


class Watching:
    """The watchers of one node."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._watchers: dict[str, list[_Watcher]] = {}

    def subscribed(self, subscriber: Subscriber) -> None:
        """A SUBSCRIBE came. Raises SipRemoteError where it names nobody."""
        core = self._core
        line = core.lines.find(subscriber.request.uri.user_text)
        if line is None:
            subscriber.reject(404)
        elif subscriber.event == message_summary.EVENT:
            if core.admission.line_of(subscriber.request) is not line:
                subscriber.reject(403)  # a mailbox is its line's own affair
            else:
                core.services.lamps.subscribe(line, subscriber)
        else:
            self._watch(line, subscriber)

    def _watch(self, line: Line, subscriber: Subscriber) -> None:
        watchers = self._watchers.setdefault(line.number, [])
        watchers[:] = [each for each in watchers if not each.subscriber.is_over]
        if len(watchers) >= MAX_WATCHERS:
            subscriber.reject(503)
            return
        watcher = _Watcher(subscriber)
        subscriber.accept()
        watchers.append(watcher)
        subscriber.on_refresh = lambda: self._notify(line, watcher)
        self._notify(line, watcher)

    def changed(self, leg: Leg) -> None:
        """Something changed at a line's telephone."""
        if not isinstance(leg.end, LineEnd):
            return
        line = leg.end.line
        for watcher in self._watchers.get(line.number, ()):
            if not watcher.subscriber.is_over:
                self._notify(line, watcher)

    def _notify(self, line: Line, watcher: _Watcher) -> None:
        rows = tuple(self._row(leg) for leg in line.legs if leg.sip.dialog is not None)
        host, port = self._core.address
        entity = f"sip:{line.number}@{host}:{port}"
        try:
            document = dialog_info.build(DialogInfo(entity, watcher.version, True, rows))
        except SipLocalError as error:
            self._core.journal.warn(self._core.name, "watcher.not_told", line=line.number, reason=str(error))
            return
        watcher.version += 1
        watcher.subscriber.notify(document, dialog_info.CONTENT_TYPE)

    def _row(self, leg: Leg) -> DialogRow:
        """A leg as its telephone sees the dialog: so that another can replace it, or pick it up."""
        dialog = leg.sip.dialog
        assert dialog is not None
        host, port = self._core.address
        partner = leg.joined.partner_of(leg) if leg.joined is not None else None
        if leg.joined is None and leg.call is not None and not leg.is_incoming:
            partner = leg.call.who
        shown = partner.shown if partner is not None else ""
        remote = Party(f"sip:{shown}@{host}:{port}", partner.display) if partner is not None and shown else Party()
        return DialogRow(
            leg.id,
            STATES[leg.state],
            "initiator" if leg.is_incoming else "recipient",
            call_id=leg.sip.id,
            local_tag=dialog.remote_tag,
            remote_tag=dialog.local_tag,
            local=Party(
                f"sip:{leg.end.number}@{host}:{port}",
                target=dialog.target,
                target_params=(NOT_HEARD,) if leg.holds else (),
            ),
            remote=remote,
        )

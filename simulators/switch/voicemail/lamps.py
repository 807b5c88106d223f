"""Message-waiting lamps: what a mailbox holds, told to those who subscribed (RFC 3842) and to those who did not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.subscription import Subscriber
from harness.errors import HarnessError
from harness.protocols.sip import message_summary
from simulators.switch.lines import Device, Line
from simulators.switch.voicemail.store import Mailbox

if TYPE_CHECKING:
    from simulators.switch.core import Core

NOTIFY_WITHIN_S: Final = 5.0
UNSOLICITED: Final = [("Event", message_summary.EVENT), ("Subscription-State", "active")]
"""A NOTIFY without a subscription has no state of one; telephones are seen to look for the header all the same."""


class Lamps:
    """The lamps of one node's telephones."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._subscribers: dict[str, list[Subscriber]] = {}
        """By line."""

    def subscribe(self, line: Line, subscriber: Subscriber) -> None:
        """A telephone subscribes to a mailbox."""
        if self._box(line) is None:
            subscriber.reject(404)
            return
        subscriber.accept()
        told = self._subscribers.setdefault(line.number, [])
        told[:] = [each for each in told if not each.is_over] + [subscriber]
        subscriber.on_refresh = lambda: self._notify(line, subscriber)
        self._notify(line, subscriber)

    def _box(self, line: Line) -> Mailbox | None:
        boxes = self._core.services.mailboxes
        return boxes.find(line.number) if boxes is not None else None

    def registered(self, line: Line) -> None:
        """A telephone registered: its lamp has to show what waits by now."""
        box = self._box(line)
        if box is not None and box.messages:
            self._tell_unsubscribed(line)

    def changed(self, box: Mailbox) -> None:
        """Something changed in a mailbox."""
        core = self._core
        line = core.lines.get(box.number)
        new = sum(message.is_new for message in box.messages)
        core.journal.record(core.name, "mailbox.changed", line=box.number, new=new, old=len(box.messages) - new)
        assert core.settings.voicemail is not None
        if "subscribed" in core.settings.voicemail.lamp:
            for subscriber in self._subscribers.get(box.number, []):
                if not subscriber.is_over:
                    self._notify(line, subscriber)
        self._tell_unsubscribed(line)

    def _tell_unsubscribed(self, line: Line) -> None:
        settings = self._core.settings.voicemail
        if settings is None or "unsolicited" not in settings.lamp:
            return
        subscribed = {each.dialog.target for each in self._subscribers.get(line.number, []) if not each.is_over}
        for device in line.devices.values():
            if device.contact not in subscribed:
                self._core.spawn(self._unsolicited(line, device))

    def _body(self, line: Line) -> bytes:
        box = self._box(line)
        assert box is not None
        host, port = self._core.address
        return message_summary.build(box.summary(f"sip:{line.number}@{host}:{port}"))

    def _notify(self, line: Line, subscriber: Subscriber) -> None:
        subscriber.notify(self._body(line), message_summary.CONTENT_TYPE)

    async def _unsolicited(self, line: Line, device: Device) -> None:
        core = self._core
        try:
            response = await core.agent.request(
                "NOTIFY",
                device.contact,
                headers=UNSOLICITED,
                body=self._body(line),
                content_type=message_summary.CONTENT_TYPE,
                within=NOTIFY_WITHIN_S,
            )
        except HarnessError as error:
            core.journal.record(core.name, "lamp.not_told", device=device.name, reason=str(error))
            return
        core.journal.record(core.name, "lamp.told", device=device.name, status=response.status)

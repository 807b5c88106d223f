"""Short data at the MCPTT server, which is MCData's too: passed on to a user or a group, and what became of it back.

3GPP TS 24.282: the participating and controlling MCData functions in one (9.2.2, 12.2).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import Any, Final

from harness.protocols.mcdata.info import GROUP, HEADERS, ONE_TO_ONE, McdataInfo
from harness.protocols.mcdata.message import ShortData
from harness.protocols.mcdata.sds import Notification
from harness.transport.context import Context
from simulators.mcptt.desk import MessageDesk
from simulators.mcptt.settings import McpttSettings, UserSettings

MAX_SENT: Final = 10_000
"""Messages whose dispositions are passed on; of older ones they are refused."""


class ShortDataDesk:
    """One server's."""

    def __init__(self, context: Context, settings: McpttSettings, name: str, desk: MessageDesk) -> None:
        self._journal = context.journal
        self._settings = settings
        self._name = name
        self._desk = desk
        self._sent: OrderedDict[tuple[bytes, bytes], str] = OrderedDict()
        """By conversation and message: who sent it."""

    def received(self, user: UserSettings, data: ShortData) -> int:
        """A user's short data; returns the status that answers it."""
        if isinstance(data.signalling, Notification):
            status = self._disposed(user.name, data, data.signalling)
        elif not data.payloads:
            status = 400
        elif data.info.request_type == GROUP:
            status = self._to_group(user.name, data)
        elif data.info.request_type == ONE_TO_ONE:
            status = self._to_user(user.name, data)
        else:
            status = 404
        if status >= 300:
            self._journal.warn(self._name, "mcdata.refused", user=user.name, status=status)
        return status

    def _to_user(self, sender: str, data: ShortData) -> int:
        """To one: 403 without exactly one (warning 204), 404 for a stranger, 480 for one who is not there."""
        if len(data.to) != 1:
            return 403
        user = _user_of(data.to[0])
        if self._settings.user(user) is None:
            return 404
        info = McdataInfo(ONE_TO_ONE, self._desk.id_of(user), self._desk.id_of(sender))
        if not self._pass_on(user, replace(data, info=info, to=())):
            return 480
        self._remember(sender, data)
        self._tell(sender, data, user=user)
        return 202

    def _to_group(self, sender: str, data: ShortData) -> int:
        """To all members who are there: 404 for an unknown group, 403 for one who is no member."""
        group = next((each for each in self._settings.groups if each.name == _user_of(data.info.request_uri)), None)
        if group is None:
            return 404
        if not self._settings.may_join(sender, group):
            return 403
        self._remember(sender, data)
        for user in self._settings.users:
            if user.name != sender and self._settings.may_join(user.name, group):
                info = McdataInfo(
                    GROUP, self._desk.id_of(user.name), self._desk.id_of(sender), self._desk.id_of(group.name)
                )
                self._pass_on(user.name, replace(data, info=info, to=()))
        self._tell(sender, data, group=group.name)
        return 202

    def _disposed(self, user: str, data: ShortData, told: Notification) -> int:
        """What became of a message, to its sender: 403 where it is of none that was passed on (warning 216)."""
        sender = self._sent.get((told.conversation, told.message))
        if sender is None or [_user_of(each) for each in data.to] != [sender]:
            return 403
        info = McdataInfo(request_uri=self._desk.id_of(sender), calling_user=self._desk.id_of(user))
        if not self._pass_on(sender, ShortData(info, told)):
            return 480
        self._journal.record(self._name, "mcdata.disposition", user=user, to=sender, disposition=told.disposition)
        return 200

    def _pass_on(self, user: str, data: ShortData) -> bool:
        return self._desk.send_parts(user, HEADERS, *data.parts())

    def _remember(self, sender: str, data: ShortData) -> None:
        self._sent[data.signalling.conversation, data.signalling.message] = sender
        while len(self._sent) > MAX_SENT:
            self._sent.popitem(last=False)

    def _tell(self, sender: str, data: ShortData, **to: Any) -> None:
        self._journal.record(
            self._name, "mcdata.passed_on", sender=sender, reference=data.signalling.message.hex(), **to
        )


def _user_of(uri: str) -> str:
    return uri.partition(":")[2].partition("@")[0]

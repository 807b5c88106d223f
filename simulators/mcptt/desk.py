"""What the MCPTT server sends its users beside calls: MESSAGEs, one after the other to each, those not taken told."""

from __future__ import annotations

import asyncio
from typing import Final

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Headers
from harness.errors import SipLocalError
from harness.protocols.mcptt.info import CONTENT_TYPE, INVITE_HEADERS, McpttInfo
from harness.protocols.sip import body
from harness.transport.context import Context
from simulators.mcptt.private import contacts_of
from simulators.mcptt.settings import McpttSettings

ANSWER_S: Final = 5.0
"""Seconds within which a MESSAGE is answered."""
MAX_UNDER_WAY: Final = 1_000
"""MESSAGEs that wait for their answers."""


class MessageDesk:
    """One server's."""

    def __init__(self, context: Context, settings: McpttSettings, name: str, agent: UserAgent) -> None:
        self._journal = context.journal
        self._settings = settings
        self._name = name
        self._agent = agent
        self._tasks: set[asyncio.Task[None]] = set()

    def is_there(self, user: str) -> bool:
        """Whether a user is registered."""
        return bool(contacts_of(self._agent, user))

    def id_of(self, user: str) -> str:
        """A user's or group's MCPTT ID."""
        return f"sip:{user}@{self._settings.domain}"

    def send(self, user: str, info: McpttInfo, *parts: body.Part) -> bool:
        """Send a MESSAGE of MCPTT to where a user is registered; whether it went out."""
        return self.send_parts(user, INVITE_HEADERS, body.Part(CONTENT_TYPE, bytes(info)), *parts)

    def send_parts(self, user: str, headers: Headers, *parts: body.Part) -> bool:
        """Send a MESSAGE to where a user is registered; whether it went out."""
        contact = next(iter(contacts_of(self._agent, user)), None)
        if contact is None:
            return False
        if len(self._tasks) >= MAX_UNDER_WAY:
            self._journal.warn(self._name, "message.dropped", user=user, under_way=MAX_UNDER_WAY)
            return False
        task = asyncio.get_running_loop().create_task(self._send(user, contact, headers, parts))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _send(self, user: str, contact: str, headers: Headers, parts: tuple[body.Part, ...]) -> None:
        content, content_type = body.multipart(parts)
        try:
            response = await self._agent.request(
                "MESSAGE", contact, headers=headers, body=content, content_type=content_type, within=ANSWER_S
            )
        except SipLocalError as error:
            self._journal.warn(self._name, "message.not_taken", user=user, why=str(error))
            return
        if response.status >= 300:
            self._journal.warn(self._name, "message.not_taken", user=user, why=f"{response.status} {response.reason}")

    async def close(self) -> None:
        """Wait for nothing any more."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

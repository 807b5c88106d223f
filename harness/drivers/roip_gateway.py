"""A simulated radio gateway, as whoever runs it sees it: its radios are made to fail, and come back."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import httpx

from harness.errors import DriverError
from harness.transport.context import Context

ANSWERS_WITHIN: Final = 5.0
"""Seconds within which the control interface answers a request."""


class RoipGatewayControl:
    """The gateway's control interface (docs/roip.md). What was made to fail is put right by ``close``.

    Events: ``radio.failed`` {radio}, ``radio.restored`` {radio}.
    """

    def __init__(self, context: Context, name: str, control: str, token: str | None = None) -> None:
        """`control`: ``http://host:port``."""
        self.name = name
        self._journal = context.journal
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.AsyncClient(
            base_url=f"{control}/v1", timeout=ANSWERS_WITHIN, headers=headers, trust_env=False
        )
        self._failed: list[str] = []

    async def status(self) -> dict[str, Any]:
        """Radios, sessions, who keys, who talks. Raises DriverError."""
        return dict(await self._ask("GET", "/status"))

    async def fail(self, radio: str) -> None:
        """Let a radio fail as if its power were gone: its sessions fall silent, it takes none. Raises DriverError."""
        self._journal.record(self.name, "radio.failed", radio=radio)
        self._failed.append(radio)
        await self._ask("PUT", f"/radios/{quote(radio, safe='')}/fault", {"fault": "down"})

    async def restore(self, radio: str) -> None:
        """Let a radio be well again. Raises DriverError."""
        await self._ask("DELETE", f"/radios/{quote(radio, safe='')}/fault")
        self._journal.record(self.name, "radio.restored", radio=radio)
        self._failed = [each for each in self._failed if each != radio]

    async def close(self) -> None:
        """Restore what failed, and disconnect; again does nothing."""
        try:
            for radio in tuple(self._failed):
                await self.restore(radio)
        finally:
            await self._http.aclose()

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = await self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise DriverError(f"{self.name}: no answer to {method} {path}: {error or type(error).__name__}") from error
        if answer.is_error:
            raise DriverError(
                f"{self.name}: {method} {path} was refused with {answer.status_code}: {answer.text[:200]}"
            )
        return answer.json()

"""Sends webhooks: signed, in the order of what happened, tried again, and switched off where nobody takes them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from harness.transport.https import http_client
from simulators.events import Events
from simulators.reach import is_loopback
from simulators.webex.shapes import Webhook

TAKEN_WITHIN_S: Final = 10.0
TRIES_AFTER_S: Final = (0.5, 2.0)
"""Waits before a delivery that failed is tried again; how often Webex does is not published. [U]"""
MAX_WAITING: Final = 1_000
"""Deliveries that wait for one webhook; of more the oldest are lost, as those are that are tried in vain."""
DISABLED_AFTER: Final = 100
"""Failed deliveries within DISABLED_WITHIN_S after which a webhook is switched off: developer.webex.com's guide. [U]"""
DISABLED_WITHIN_S: Final = 300.0
SIGNATURE: Final = "X-Spark-Signature"
MAX_AT_ONCE: Final = 64
"""Deliveries that are under way."""


class Deliveries:
    """What is sent to webhooks."""

    def __init__(self, events: Events, now: Callable[[], float], allowed: tuple[str, ...]) -> None:
        """``allowed``: hosts beyond loopback that may be sent to."""
        self._events, self._now, self._allowed = events, now, frozenset(allowed)
        self._waiting: dict[str, deque[bytes]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, deque[float]] = {}
        self._client: httpx.AsyncClient | None = None
        self._turns = asyncio.Semaphore(MAX_AT_ONCE)

    def send(self, webhook: Webhook, told: dict[str, Any]) -> None:
        """Have it sent; returns at once."""
        host = urlsplit(webhook.target_url).hostname or ""
        if not is_loopback(host) and host not in self._allowed:
            self._events.tell("webhook.not_sent", webhook=webhook.id, reason="its host is beyond this machine")
            return
        waiting = self._waiting.setdefault(webhook.id, deque(maxlen=MAX_WAITING))
        waiting.append(json.dumps(told).encode())
        if webhook.id not in self._workers:
            self._workers[webhook.id] = asyncio.create_task(self._work(webhook, waiting))

    async def _work(self, webhook: Webhook, waiting: deque[bytes]) -> None:
        try:
            while waiting:
                body = waiting.popleft()
                async with self._turns:
                    taken = await self._try(webhook, body)
                self._events.tell("webhook.sent" if taken else "webhook.failed", webhook=webhook.id)
                if not taken and self._too_many(webhook):
                    webhook.status = "inactive"
                    waiting.clear()
                    self._events.tell("webhook.disabled", webhook=webhook.id)
        finally:
            self._workers.pop(webhook.id, None)
            self._waiting.pop(webhook.id, None)

    async def _try(self, webhook: Webhook, body: bytes) -> bool:
        if self._client is None:
            # It follows no redirect: a receiver must not lead it to another machine.
            self._client = http_client(timeout=TAKEN_WITHIN_S)
        headers = {"Content-Type": "application/json;charset=utf-8"}
        if webhook.secret is not None:
            signed = hmac.new(webhook.secret.encode(), body, hashlib.sha1)
            headers[SIGNATURE] = signed.hexdigest()
        for wait in (0.0, *TRIES_AFTER_S):
            await asyncio.sleep(wait)
            if webhook.status != "active":
                return False
            try:
                async with self._client.stream("POST", webhook.target_url, content=body, headers=headers) as answer:
                    if answer.is_success:
                        return True
            except (httpx.HTTPError, httpx.InvalidURL):
                continue
        return False

    def _too_many(self, webhook: Webhook) -> bool:
        failed = self._failed.setdefault(webhook.id, deque(maxlen=DISABLED_AFTER))
        failed.append(self._now())
        many = len(failed) == DISABLED_AFTER and failed[-1] - failed[0] <= DISABLED_WITHIN_S
        if many:
            del self._failed[webhook.id]
        return many

    def forget(self, webhook: Webhook) -> None:
        """Send it nothing more."""
        webhook.status = "inactive"
        self._failed.pop(webhook.id, None)
        worker = self._workers.get(webhook.id)
        if worker is not None:
            worker.cancel()

    async def stop(self) -> None:
        """Give up what is under way."""
        workers = list(self._workers.values())
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

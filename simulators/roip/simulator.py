"""The radio gateway as a whole: SIP in front of its radios, and the control interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final

import numpy as np

from harness.endpoints.ed137 import read_offer
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import Ed137Error, LocalError
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.transport.context import Context
from harness.transport.tap import Address
from simulators.reach import need_token
from simulators.roip.air import OpenAir
from simulators.roip.api import make_app
from simulators.roip.faults import Fault
from simulators.roip.radio import Radio
from simulators.roip.settings import RoipSettings
from simulators.roip.tetra import TerminalLine, TetraAir
from simulators.web import WebServer

MAX_OPENING: Final = 256
"""INVITEs that are being answered; more get 503."""
TONE_HZ: Final = 1_000
TONE_LEVEL: Final = 8_000


class RoipGateway:
    """One radio gateway; made by `start`, ended by `stop`."""

    def __init__(self, context: Context, name: str, settings: RoipSettings) -> None:
        self.name = name
        self.radios: dict[str, Radio] = {}
        """By name."""
        self.control_url = ""
        """Where faults are switched, ``http://host:port``."""
        self._context = context
        self._settings = settings
        self._agent: UserAgent
        self._stack = AsyncExitStack()
        self._tasks: dict[asyncio.Task[None], None] = {}
        """Answers under way, oldest first, so that they end in one order."""

    @classmethod
    async def start(
        cls,
        context: Context,
        settings: RoipSettings,
        *,
        name: str = "roip",
        lines: Mapping[str, TerminalLine] | None = None,
        permit: Callable[[str, str, int], None] | None = None,
    ) -> RoipGateway:
        """Start the gateway. `lines`: the TETRA terminals of its radios, by radio; a radio without one is on its own.

        `permit` is asked before a terminal is keyed. Raises LocalError when it would listen beyond loopback without a
        token, TransportError when an address can't be bound; nothing stays up then.
        """
        need_token("the radio gateway", settings.host, settings.token)
        gateway = cls(context, name, settings)
        try:
            for each in settings.radios:
                line = (lines or {}).get(each.name)
                air = OpenAir() if line is None else TetraAir(context, f"{name}.{each.name}", line, permit)
                radio = Radio(context, name, each, settings, air)
                gateway._stack.push_async_callback(radio.stop)
                await radio.start()
                gateway.radios[each.name] = radio
            gateway._agent = await UserAgent.open(
                context, name, local=(settings.host, settings.sip_port), on_invite=gateway._invited
            )
            gateway._stack.push_async_callback(gateway._agent.close)
            gateway._stack.push_async_callback(gateway._answer_no_more)
            context.called(gateway._agent.address, name)
            token = settings.token.get_secret_value() if settings.token is not None else None
            web = WebServer(make_app(gateway, token), settings.host, settings.http_port)
            gateway._stack.push_async_callback(web.stop)
            gateway.control_url = f"http://{settings.host}:{await web.start()}"
        except BaseException:
            await gateway._stack.aclose()
            raise
        context.journal.record(name, "roip.up", radios=len(gateway.radios))
        return gateway

    @property
    def sip_address(self) -> Address:
        """Where it takes INVITEs, UDP."""
        return self._agent.address

    def uri(self, radio: str) -> str:
        """A radio's SIP URI."""
        host, port = self.sip_address
        return f"sip:{radio}@{host}:{port}"

    async def stop(self) -> None:
        """End every session by BYE and listen no more."""
        await self._stack.aclose()

    def _invited(self, call: IncomingCall) -> None:
        user = call.request.uri.user_text.partition(";")[0]
        radio = self.radios.get(user)
        if radio is None:
            self._context.journal.warn(self.name, "session.refused", why=f"no radio {user[:40]!r}")
            call.reject(404)
            return
        try:
            offered = read_offer(call)
        except Ed137Error as error:
            self._context.journal.warn(radio.name, "session.refused", why=str(error))
            call.reject(488)
            return
        if len(self._tasks) >= MAX_OPENING:
            call.reject(503)
            return
        task = asyncio.get_running_loop().create_task(radio.invited(offered))
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def _answer_no_more(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # What the control interface does

    def status(self) -> dict[str, Any]:
        """Where it listens and what each radio does."""
        host, port = self.sip_address
        radios = {name: {"uri": self.uri(name), **radio.status()} for name, radio in self.radios.items()}
        return {"sip": f"{host}:{port}", "radios": radios}

    def radio(self, name: str) -> Radio:
        """A radio by its name. Raises KeyError."""
        return self.radios[name]

    def set_fault(self, name: str, fault: Fault | None, *, seconds: float, for_s: float | None) -> None:
        """Begin or end a radio's fault. Raises KeyError for a radio that is not there."""
        self.radios[name].set_fault(fault, seconds=seconds, for_s=for_s)

    def hang_up(self, name: str) -> int:
        """End a radio's sessions; returns how many. Raises KeyError."""
        return self.radios[name].hang_up()

    def receive(self, name: str, seconds: float) -> None:
        """Let a radio that is on its own receive a tone. Raises KeyError, LocalError."""
        air = self.radios[name].air
        if not isinstance(air, OpenAir):
            raise LocalError(f"{name} is on a talkgroup: what it receives is what is said there")
        at = np.arange(round(seconds * SAMPLE_RATE))
        air.receive((TONE_LEVEL * np.sin(2 * np.pi * TONE_HZ * at / SAMPLE_RATE)).astype(np.int16))

"""Asks a clock for its time by SNTP, several times, and keeps the exchange that tells most."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from harness.errors import SntpError, SntpLocalError
from harness.protocols import sntp
from harness.transport.context import Context
from harness.transport.tap import Address
from harness.transport.udp import UdpPort, open_udp

ANSWERS_WITHIN_S: Final = 1.0
"""Seconds that one answer may take."""
EXCHANGES: Final = 8
"""Questions of one measurement (as NTP's clock filter keeps eight samples, RFC 5905 section 10)."""
APART_S: Final = 0.05
"""Seconds between an answer and the next question."""

Clock = Callable[[], float]
"""Seconds since 1970, now."""


class _Asking:
    """One clock that is being asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._nonce = 0
        self._sent = 0.0
        self._answer: asyncio.Future[sntp.Sample] | None = None
        self.refused = ""
        """What was wrong with the last answer that told nothing."""

    def received(self, data: bytes, _source: Address) -> None:
        came = self._clock()
        if self._answer is None or self._answer.done():
            return
        try:
            found = sntp.sample(sntp.decode(data), nonce=self._nonce, sent=self._sent, received=came)
        except SntpError as error:  # a stray or forged one does not end the wait
            self.refused = str(error)
        else:
            self._answer.set_result(found)

    async def ask(self, port: UdpPort, to: Address, nonce: int) -> sntp.Sample | None:
        self._answer = asyncio.get_running_loop().create_future()
        self._nonce, self._sent = nonce, self._clock()
        port.send(sntp.question(nonce).encode(), to)
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                return await self._answer
        except TimeoutError:
            return None


async def ask_clock(context: Context, to: Address, clock: Clock, *, exchanges: int = EXCHANGES) -> sntp.Sample:
    """Ask the clock at ``to`` and return the quickest of ``exchanges``, its offset against ``clock``.

    Raises SntpLocalError where none was answered with a time, telling what came instead, and TransportError.
    """
    asking = _Asking(clock)
    local = "127.0.0.1" if to[0].startswith("127.") else "0.0.0.0"  # noqa: S104 - a real clock is elsewhere
    port = await open_udp((local, 0), asking.received, tap=context.tap)
    found = []
    try:
        for number in range(exchanges):
            if number:
                await asyncio.sleep(APART_S)
            told = await asking.ask(port, to, context.rng.getrandbits(64) | 1)
            if told is not None:
                found.append(told)
            elif not found:
                break  # a clock that does not answer at all is not asked eight times
    finally:
        port.close()
    if not found:
        why = f"; what came: {asking.refused}" if asking.refused else ""
        raise SntpLocalError(f"no time from {to[0]}:{to[1]} within {ANSWERS_WITHIN_S:g} s{why}")
    return sntp.best(found)

"""The emergency operator driver: a desk of the network's operators, as its operator uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from harness.drivers.jack import AudioJack, open_jack
from harness.endpoints.control_link import EMERGENCY, ControlLink
from harness.endpoints.media import MediaService
from harness.journal import Event
from harness.protocols.rtp.g711 import Samples
from harness.transport.context import Context


class EmergencyOperator:
    """One operator who is driven by hand: answers callers, connects them, stays on, leaves.

    Events, under the component's name: ``call.waiting`` for every call that comes, and all that happens to the call at
    this desk, as it was told: ``caller.key`` {key}, ``call.text`` {by, text}, ``silent.heard`` {heard},
    ``call.ringing``, ``call.connected``, ``call.connect_failed``, ``caller.held``, ``room.asks`` {ask}, ``call.ended``
    {outcome} …; and what the operator does: ``operator.answer``, ``operator.connect`` and so on.
    """

    def __init__(self, context: Context, name: str, desk: str, permit: Callable[[str], None]) -> None:
        self.name = name
        self.desk = desk
        self.call = ""
        """The call at the desk, by id; the latest one after it has gone."""
        self._journal = context.journal
        self._permit = permit
        self._link: ControlLink
        self._jack: AudioJack | None = None

    @classmethod
    async def open(
        cls,
        context: Context,
        media: MediaService,
        name: str,
        *,
        control: str,
        desk: str,
        audio: str = "rtp",
        token: str | None = None,
        permit: Callable[[str], None],
    ) -> EmergencyOperator:
        """Log in at a desk of the network whose control interface is ``control``.

        ``audio`` is ``rtp`` for the jack that the network names, or another jack's address. ``permit`` is asked with
        999 before a control room is called. Raises DriverError when the desk can't be had.
        """
        operator = cls(context, name, desk, permit)
        operator._link = await ControlLink.open(context, name, control, token, operator._told)
        try:
            shown = await operator._ask("login")
            try:
                jack = str(shown.get("jack")) if audio == "rtp" else audio
                operator._jack = await open_jack(context, media, name, jack)
            except BaseException:
                await operator._ask("logout")
                raise
        except BaseException:
            await operator._link.close()
            raise
        return operator

    def _told(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "call.waiting" or self.desk == data.get("desk") or (self.call and data.get("call") == self.call):
            self._journal.record(self.name, kind, **data)

    async def _ask(self, act: str, **body: Any) -> dict[str, Any]:
        return dict(await self._link.ask("POST", f"/desks/{quote(self.desk, safe='')}/{act}", body))

    async def _act(self, act: str, **body: Any) -> dict[str, Any]:
        """Note what the operator does, then do it."""
        told = {key: value for key, value in body.items() if value is not None}
        self._journal.record(self.name, f"operator.{act.replace('-', '_')}", **told)
        return await self._ask(act, **told)

    # Callers

    async def answer(self, call: str | None = None) -> str:
        """Answer the call named, else the one that waits longest; returns its id.

        Raises DriverError when none waits.
        """
        self.call = str((await self._act("answer", call=call))["call"])
        return self.call

    async def connect(
        self, authority: str | None = None, *, route: str | None = None, silent: str | None = None
    ) -> None:
        """Connect the caller; ``call.connected`` or ``call.connect_failed`` is journalled.

        ``route``: on that one alone, such as ``critical``. ``silent``: ``55``, ``noise`` or ``unresolved``, told with
        it. Raises InterlockError (nothing has left then), DriverError.
        """
        self._permit(EMERGENCY)
        await self._act("connect", authority=authority, route=route, silent=silent)

    async def stop_connecting(self) -> None:
        """Give up what is being tried. Raises DriverError."""
        await self._act("stop-connecting")

    async def silent_solution(self) -> None:
        """Put the caller through the announcement; ``silent.heard`` is journalled. Raises DriverError."""
        await self._act("silent-solution")

    async def leave(self) -> None:
        """Leave the conference: caller and control room go on alone. Raises DriverError."""
        await self._act("leave")

    async def join(self, call: str) -> None:
        """Come into a call that no operator is on. Raises DriverError."""
        await self._act("join", call=call)
        self.call = call

    async def clear(self) -> None:
        """End the call. Raises DriverError."""
        await self._act("clear")

    async def write(self, text: str) -> None:
        """Write to caller and control room, as a relay assistant does. Raises DriverError."""
        await self._act("type", text=text)

    async def tag_nuisance(self) -> None:
        """Tag the call as a nuisance: its record is preserved. Raises DriverError."""
        await self._act("nuisance")

    async def call_control_room(self, authority: str, *, route: str = "critical") -> str:
        """Call a control room without a caller, as at its critical number; returns the call's id.

        Raises InterlockError (nothing has left then), DriverError.
        """
        self._permit(EMERGENCY)
        self.call = str((await self._act("agency-call", authority=authority, route=route))["call"])
        return self.call

    # Speech

    @property
    def headset(self) -> AudioJack:
        """The headset's end of the lead."""
        assert self._jack is not None, "a desk is opened with its jack"
        return self._jack

    async def say(self, samples: Samples) -> float:
        """Speak 8 kHz samples into the headset; return the run time at which the first one goes out."""
        return await self.headset.say(samples)

    async def record(self) -> None:
        """Begin to keep what the operator hears."""
        await self.headset.record()

    async def recorded(self) -> Any:
        """Return what the operator heard since ``record``."""
        return await self.headset.recorded()

    async def close(self) -> None:
        """Log out; again does nothing."""
        jack, self._jack = self._jack, None
        if jack is None:
            return
        try:
            await self._ask("logout")
        finally:
            await jack.close()
            await self._link.close()

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return what this desk shows next of that kind, or raise ExpectationError telling what it did show."""
        return await self._journal.expect(self.name, kind, within=within, after=after, **with_)

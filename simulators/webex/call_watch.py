"""Tells webhooks of telephony_calls what becomes of calls, as the switch tells it."""

from __future__ import annotations

from typing import Any, Final

from harness.endpoints.control_link import ControlLink
from harness.transport.context import Context
from simulators.webex.cloud import Cloud
from simulators.webex.happenings import CALLS
from simulators.webex.shapes import Person

EVENTS: Final = {"party.created": "created", "party.updated": "updated", "party.ended": "deleted"}
EVENT_TYPES: Final = {
    "connecting": "originated",
    "alerting": "received",
    "connected": "answered",
    "held": "held",
    "remoteHeld": "remoteHeld",
    "disconnected": "disconnected",
}
"""What a call's state is called as the reason of an event; Webex tells more of them apart. [U]"""


MAX_CALLS: Final = 10_000


class CallWatch:
    """Listens at a switch."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._link: ControlLink
        self._last: dict[str, dict[str, Any]] = {}
        """What was told last of each call that is up: MAX_CALLS; of more the oldest are told once more."""

    async def start(self, context: Context, control: str, token: str | None) -> None:
        """Listen to the switch at ``control``. Raises DriverError."""
        self._link = await ControlLink.open(context, "webex calls", control, token, self._told)

    async def close(self) -> None:
        """Listen no more."""
        await self._link.close()

    def _told(self, kind: str, party: dict[str, Any]) -> None:
        person = self._whose(str(party.get("line", "")))
        if kind not in EVENTS or person is None:
            return
        call = self._cloud.board().seen(party, person).told()
        call.pop("id", None)
        # The switch tells of more than Webex does: of a codec, say.
        before = self._last.pop(call["callId"], None)
        if kind != "party.ended":
            self._last[call["callId"]] = call
            if len(self._last) > MAX_CALLS:
                del self._last[next(iter(self._last))]
        if call == before:
            return
        state = call["state"]
        moment = {"eventType": EVENT_TYPES.get(state, state), "eventTimestamp": self._cloud.store.stamp()}
        self._cloud.happenings.notify(CALLS, EVENTS[kind], person, moment | call, frozenset({person.id}))

    def _whose(self, line: str) -> Person | None:
        store = self._cloud.store
        found = (store.person_by_extension(line, each.id) for each in store.organizations)
        return next((each for each in found if each is not None), None)

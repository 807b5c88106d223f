"""Places legs: to a line's telephones and to a trunk's peers, each told who calls in the way that it wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import quote as percent_encode

from harness.endpoints.sip.flow import Flow
from harness.protocols.sip.identity import NUMBER_SAFE
from simulators.switch.call import SwitchCall
from simulators.switch.ends import LineEnd, TrunkEnd, Who
from simulators.switch.identities import Headers, diversion_headers, towards, written
from simulators.switch.leg import Leg
from simulators.switch.lines import Device, Line
from simulators.switch.pass_through import would_pass
from simulators.switch.trunks import Peer, Trunk

if TYPE_CHECKING:
    from simulators.switch.core import Core

CALL_WAITING: Final = ("Alert-Info", "<urn:alert:service:call-waiting>")
"""RFC 7462 section 4."""
ANSWER_AFTER: Final = ("Call-Info", "<sip:switch>;answer-after=0")
"""How telephones are asked to answer by themselves; no RFC has it, and most makes know it."""
ALERT_AUTO: Final = ("Alert-Info", "<http://www.notused.com>;info=alert-autoanswer;delay=0")
"""The same as others know it."""
AUTO_ANSWER: Final = (ANSWER_AFTER, ALERT_AUTO)


class Placing:
    """One node's."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def flow_to(self, contact: str) -> Flow:
        """The way to a registered contact. Raises SipLocalError where our side has none, InterlockError."""
        agent = self._core.agent
        return agent.endpoint.flow_to(agent.routes.way_to(contact))

    async def to_device(
        self, call: SwitchCall, line: Line, device: Device, *, answers_itself: bool = False, waiting: bool = False
    ) -> Leg:
        """Call a telephone of a line. Raises HarnessError where it can't be."""
        core, host = self._core, self._core.settings.host
        settings = line.settings
        leg = core.new_leg(LineEnd(line, device), Who(line.number, settings.name, settings.withheld))
        caller, headers = written(call.who, host, settings.identity, trusted=False)
        headers += diversion_headers(call.diversions, host, ("Diversion",), {})
        if answers_itself or settings.auto_answer:
            headers += AUTO_ANSWER
        elif waiting:
            headers.append(CALL_WAITING)
        await self.place(call, leg, device.contact, None, caller, headers, offers=True)
        return leg

    async def to_peer(self, call: SwitchCall, trunk: Trunk, peer: Peer, number: str) -> Leg:
        """Call a number by a peer of a trunk. Raises HarnessError where it can't be."""
        core, host, settings = self._core, self._core.settings.host, trunk.settings
        end = TrunkEnd(trunk, peer)
        origin = call.origin.end
        external = origin.line.settings.external if isinstance(origin, LineEnd) else None
        who = towards(call.who, origin, end, external)
        headers: Headers = []
        if call.emergency is not None:
            who = call.emergency.who
            headers += call.emergency.headers()
        caller, told = written(who, host, settings.identity, trusted=settings.trusted or call.emergency is not None)
        headers += told
        headers += diversion_headers(call.diversions, host, settings.diversion, core.numbering.externals)
        leg = core.new_leg(end, Who(number))
        uri = peer.uri_of(percent_encode(number, safe=NUMBER_SAFE))
        leg.content = call.emergency.content if call.emergency is not None else None
        await self.place(call, leg, uri, peer, caller, headers, offers=settings.offer == "early")
        return leg

    async def place(
        self,
        call: SwitchCall | None,
        leg: Leg,
        uri: str,
        peer: Peer | None,
        caller: str,
        headers: Sequence[tuple[str, str]],
        *,
        offers: bool,
    ) -> None:
        """Send a leg's INVITE to a URI, by a trunk's peer where it is one's. Raises HarnessError where it can't be."""
        core = self._core
        offer = b""
        if call is not None and would_pass(call.origin, leg):
            offer = call.origin.sip.remote_sdp
        else:
            speech = await leg.open_speech()
            offer = speech.session.offer() if offers else b""
        content = leg.content(offer) if leg.content is not None and offer else (b"", "")
        try:
            sip = core.agent.invite(
                uri,
                offer=b"" if content[0] else offer,
                caller=caller,
                headers=headers,
                to=peer.hop if peer is not None else None,
                content=content,
            )
        except BaseException:
            await leg.discard()
            raise
        core.attach(leg, sip)
        core.journal.record(
            str(leg), "leg.placed", call=call.id if call is not None else None, to=leg.end.name, early_offer=bool(offer)
        )

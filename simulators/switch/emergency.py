"""Emergency calls from telephones: the site's number and place, the trunks that take them, and the way back."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.protocols.location.conveyance import with_location
from harness.protocols.location.pidf import Location, Presence
from harness.protocols.location.shapes import CivicAddress, Point
from simulators.switch.call import Outcome, Refusal, SwitchCall
from simulators.switch.ends import LineEnd, TrunkEnd, Who
from simulators.switch.identities import Headers, e164
from simulators.switch.lines import Line
from simulators.switch.numbering import Destination
from simulators.switch.settings.sites import SiteSettings

if TYPE_CHECKING:
    from simulators.switch.core import Core

MAX_CALLBACKS: Final = 1_000
"""ELINs in use whose telephone is remembered; the oldest goes for one more."""


@dataclass(frozen=True, slots=True)
class EmergencyCall:
    """What an emergency call tells."""

    line: Line
    site: SiteSettings | None
    who: Who
    """Who calls: the number at which they can be called back."""
    presence: Presence | None
    content_id: str

    def headers(self) -> Headers:
        """The headers that its INVITE carries besides."""
        found: Headers = [("Priority", "emergency"), ("Resource-Priority", "esnet.1")]
        if self.presence is not None:
            found += [("Geolocation", f"<cid:{self.content_id}>"), ("Geolocation-Routing", "yes")]
        return found

    def content(self, offer: bytes) -> tuple[bytes, str]:
        """The body of its INVITE: the offer, and the place beside it where that is known."""
        if self.presence is None or not offer:
            return offer, "application/sdp"
        conveyed = with_location(offer, self.presence, self.content_id)
        return conveyed.body, conveyed.content_type


class Emergency:
    """The emergency calls of one node."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._sites = {site.name: site for site in core.settings.sites}
        self._callbacks: OrderedDict[str, tuple[Line, float]] = OrderedDict()
        """ELINs in use: the line that called by each, and until when it may be called back."""

    async def reach(self, call: SwitchCall, dialled: str) -> Outcome:
        """Put an emergency call through."""
        core, settings = self._core, self._core.settings.emergency
        end = call.origin.end
        assert isinstance(end, LineEnd)
        site = self._sites.get(end.line.settings.site or "")
        elin = self._elin(site, end.line)
        number = elin or end.line.settings.external or end.number
        call.emergency = EmergencyCall(
            end.line,
            site,
            Who(number, end.line.settings.name),
            self._presence(site, number) if settings.location else None,
            f"{core.context.rng.getrandbits(64):016x}@{core.settings.host}",
        )
        if elin is not None:
            self._callbacks[elin] = end.line, core.now() + settings.callback_s
            self._callbacks.move_to_end(elin)
            while len(self._callbacks) > MAX_CALLBACKS:
                self._callbacks.popitem(last=False)
        names = site.emergency_trunks if site is not None and site.emergency_trunks else settings.trunks
        core.journal.record(
            call.id,
            "emergency.placed",
            line=end.number,
            site=site.name if site is not None else None,
            elin=elin,
            callback=number,
            trunks=list(names),
        )
        core.tell("call.emergency", call)
        for each in settings.alert:
            core.services.alert(core.lines.get(each), f"Emergency call {end.number}")
        trunks = [core.trunks.get(name) for name in names]
        if not trunks:
            return Refusal(503, reason="No Emergency Trunk")
        return await core.routing.trunks(call, settings.sent_as or dialled, trunks)

    def _elin(self, site: SiteSettings | None, line: Line) -> str | None:
        """The number that stands for the site: the one that the line had, a free one, else the oldest."""
        if site is None or not site.elins:
            return None
        now = self._core.now()
        for elin in site.elins:
            if self._callbacks.get(elin, (None, 0.0))[0] is line:
                return elin
        for elin in site.elins:
            if elin not in self._callbacks or self._callbacks[elin][1] <= now:
                return elin
        return min(site.elins, key=lambda elin: self._callbacks[elin][1])

    def _presence(self, site: SiteSettings | None, number: str) -> Presence | None:
        if site is None or (not site.address and site.latitude is None):
            return None
        shape = None
        if site.latitude is not None and site.longitude is not None:
            shape = Point(site.latitude, site.longitude)
        civic = CivicAddress(dict(site.address)) if site.address else None
        location = Location(shape, civic, "Manual", retransmission_allowed=True)
        return Presence(f"tel:{number}", (location,))

    # The way back

    def calls_back(self, call: SwitchCall, number: str) -> bool:
        """Whether a call from a trunk is to an ELIN that is in use."""
        found = self._callbacks.get(e164(number))
        return isinstance(call.origin.end, TrunkEnd) and found is not None and found[1] > self._core.now()

    def destination(self, number: str) -> Destination:
        """The telephone that an ELIN in use leads to."""
        line, _ = self._callbacks[e164(number)]
        return Destination("line", line.number)

"""Who may call: telephones by what they registered or their password, trunks by their address, guests where allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.endpoints.sip.flow import Flow
from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import SipRemoteError
from harness.protocols.sip.digest import parse_digest
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.registrar import Registrar
from simulators.switch.ends import End, GuestEnd, LineEnd, TrunkEnd
from simulators.switch.identities import user_of
from simulators.switch.lines import Device, Line
from simulators.switch.settings.switch import MAX_CALLS
from simulators.switch.trunks import Trunk

if TYPE_CHECKING:
    from simulators.switch.core import Core

REFUSING, SILENT = "refusing", "silent"
"""How what a test made fail fails: it says so (503), or nothing comes of it."""
MAX_NUMBER = 64
"""Characters of what can be called."""


class Admission:
    """The door of one node, and the faults that a test put there."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.registrar_fault = ""
        """REFUSING or SILENT where nobody can register; empty where all is well."""
        self.registrar = SwitchRegistrar(min_expires=core.settings.least_registration_s)
        self._cut: dict[str, set[Flow]] = {}
        """Sites whose wire to here is cut, and by which ways they were reached."""

    @property
    def cut_sites(self) -> list[str]:
        """Sites whose wire to here is cut."""
        return sorted(self._cut)

    # Who asks

    def line_of(self, request: Request) -> Line | None:
        """The line that a request says it is from: by To where it registers, else by From."""
        try:
            address = request.to if request.method == "REGISTER" else request.from_
        except SipRemoteError:
            return None
        return self._core.lines.find(address.uri.user_text)

    def device_of(self, line: Line, flow: Flow) -> Device | None:
        """The registered telephone that a flow leads to."""
        registry = self._core.agent.registry
        assert registry is not None
        for device in line.devices.values():
            if device.address == flow.peer or registry.flow_of(device.contact) is flow:
                return device
        return None

    def vouches(self, request: Request, flow: Flow) -> bool:
        """Whether no password is asked for: within dialogs, of trunks, of registered telephones, of guests."""
        if request.to_tag or self._core.trunks.sender_of(request, flow) is not None:
            return True
        line = self.line_of(request)
        if line is None:
            return self._core.settings.guests and request.method == "INVITE"
        return self.device_of(line, flow) is not None

    def end_of(self, sip: IncomingCall) -> End | None:
        """Who calls; None where that is somebody else than whose password was given."""
        request, flow = sip.request, sip.flow
        assert flow is not None
        found = self._core.trunks.sender_of(request, flow)
        if found is not None:
            return TrunkEnd(*found)
        line = self.line_of(request)
        if line is None:
            return GuestEnd(request.from_.uri.user_text[:MAX_NUMBER])
        device = self.device_of(line, flow)
        if device is None and self._authorised(request) != line.number:
            return None
        return LineEnd(line, device)

    def _authorised(self, request: Request) -> str:
        try:
            return parse_digest(request.get("authorization") or "").get("username", "")
        except SipRemoteError:
            return ""

    def refused(self, sip: IncomingCall) -> int:
        """The status with which a call is turned away before anybody is looked for; 0: it is not."""
        core = self._core
        if len(core.legs) >= MAX_CALLS:
            return 503
        assert sip.flow is not None
        found = core.trunks.sender_of(sip.request, sip.flow)
        if found is not None and (found[0].fault or len(found[0].legs) >= found[0].settings.max_calls):
            return 503
        return 0

    def dialled(self, sip: IncomingCall, end: End) -> str:
        """What was called. Raises SipRemoteError where that is nothing."""
        dialled = user_of(sip.request.uri_text)
        if len(dialled) > MAX_NUMBER:
            raise SipRemoteError(f"a number of {len(dialled)} characters")
        if isinstance(end, TrunkEnd) and not dialled.startswith("urn:"):
            settings = end.trunk.settings
            return settings.prepend + dialled[settings.strip :]
        return dialled

    # Faults

    def ignores(self, request: Request, flow: Flow) -> bool:
        """Whether a request is never heard, as a wire is cut or a part is dead."""
        if request.method == "REGISTER" and self.registrar_fault == SILENT:
            return True
        if self._cut:
            line = self.line_of(request)
            flows = self._cut.get(line.settings.site or "") if line is not None else None
            if flows is not None:
                flow.is_cut = True
                flows.add(flow)
                return True
        found = self._core.trunks.sender_of(request, flow)
        return found is not None and found[0].fault == SILENT

    def refuses_options(self, request: Request, flow: Flow) -> bool:
        """Whether OPTIONS get 503, as a trunk that is out of service answers them."""
        found = self._core.trunks.sender_of(request, flow)
        return found is not None and found[0].fault == REFUSING

    def set_registrar_fault(self, fault: str) -> None:
        """Let nobody register any more, or (empty) let them again. What is registered stays until it lapses."""
        self.registrar_fault = fault
        self.registrar.is_refusing = fault == REFUSING
        self._core.journal.record(self._core.name, "registrar.fault", fault=fault or None)

    async def set_trunk_fault(self, trunk: Trunk, fault: str) -> None:
        """Make a trunk fail, or (empty) be well: its calls are lost with it where it goes silent."""
        trunk.fault = fault
        transports = self._core.agent.endpoint.transports
        for peer in trunk.peers:
            transports.flow_to(peer.hop).is_cut = fault == SILENT
        for leg in trunk.legs:
            if leg.speech is not None:
                await leg.speech.cut(cut=fault == SILENT)
        self._core.journal.record(self._core.name, "trunk.fault", trunk=trunk.name, fault=fault or None)

    async def cut_site(self, site: str, *, cut: bool) -> None:
        """Cut the wire between a site's telephones and here, or mend it."""
        core = self._core
        lines = [line for line in core.lines if line.settings.site == site]
        flows = self._cut.setdefault(site, set()) if cut else self._cut.pop(site, set())
        if cut:
            flows.update(core.placing.flow_to(device.contact) for line in lines for device in line.devices.values())
            flows.update(leg.sip.flow for line in lines for leg in line.legs if leg.sip.flow is not None)
        for flow in flows:
            flow.is_cut = cut
        for leg in [leg for line in lines for leg in line.legs]:
            if leg.speech is not None:
                await leg.speech.cut(cut=cut)
        core.journal.record(core.name, "site.cut" if cut else "site.mended", site=site)


class SwitchRegistrar(Registrar):
    """A registrar that can be made to fail."""

    is_refusing = False

    def register(self, request: Request, now: float, to_tag: str) -> Response:
        """As Registrar's; 503 while it refuses."""
        if self.is_refusing:
            return request.response(503, to_tag=to_tag, headers=[("Retry-After", "10")])
        return super().register(request, now, to_tag)

"""The testbed file: components by role, how each is bound, the numbers plan, and what safety allows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from harness.testbed.components import (
    AttendeesComponent,
    Binding,
    CallerLocationComponent,
    CallerPhoneComponent,
    CallLoadComponent,
    Component,
    ConsoleComponent,
    CrmComponent,
    EmergencyNetworkComponent,
    EmergencyOperatorComponent,
    EnterpriseSwitchComponent,
    IccsComponent,
    InterworkingGatewayComponent,
    KeyedRadioComponent,
    McpttName,
    McpttServerComponent,
    McpttTerminalComponent,
    Name,
    RadioGatewayComponent,
    RadioNetworkComponent,
    RadioTerminalComponent,
    RoipGatewayComponent,
    RoipRadioComponent,
    ScriptedPhoneComponent,
    SmsDiaryComponent,
    SmsGatewayComponent,
    SmsNetworkComponent,
    Ssi,
    Strict,
    TelephoneComponent,
    TerminalComponent,
    TrunkComponent,
    WebexComponent,
    WorkforceComponent,
)
from harness.testbed.misfit import listed, misfit
from harness.testbed.ways import check_ways, stations_at, ways_of
from simulators.emergency.settings import EmergencySettings
from simulators.iccs.settings import Number
from simulators.interworking.settings import JoinSettings, loop_in
from simulators.reach import is_loopback

_REFERENCES: tuple[tuple[type[Strict], str, type[Strict], str], ...] = (
    (TrunkComponent, "to", IccsComponent, "iccs"),
    (ConsoleComponent, "of", IccsComponent, "iccs"),
    (WorkforceComponent, "iccs", IccsComponent, "iccs"),
    (SmsGatewayComponent, "of", SmsNetworkComponent, "sms_network"),
    (SmsDiaryComponent, "gateway", SmsGatewayComponent, "sms_gateway"),
    (SmsDiaryComponent, "crm", CrmComponent, "crm"),
    (WebexComponent, "switch", EnterpriseSwitchComponent, "enterprise_switch"),
    (TelephoneComponent, "of", EnterpriseSwitchComponent, "enterprise_switch"),
)
"""A component's key that names another: which, and of which role it must be."""
MAX_COMPONENTS = 2000
MAX_LAYOUTS = 50
NARROWEST = 5
"""Characters that a pattern of an allow-list must name."""


class Permit(Strict):
    """Leave to make an emergency or non-emergency police call, or a radio emergency, on real equipment, or to flood it
    with broken signalling; dated."""

    what: Literal["emergency_call", "radio_emergency", "flood"]
    target: str
    """The number (999, 112, 101 …), the talkgroup, or the component that is flooded."""
    valid_from: date
    valid_until: date
    """The last day on which it holds."""
    approved_by: str = Field(min_length=1)
    """Whose leave it is."""

    @model_validator(mode="after")
    def _in_order(self) -> Permit:
        if self.valid_until < self.valid_from:
            raise ValueError("'valid_until' lies before 'valid_from'")
        return self


class Safety(Strict):
    """What may be dialled, keyed and messaged on a testbed with real equipment. Everything else is refused."""

    dial: tuple[str, ...] = ()
    """Numbers or SIP users; a ``*`` at the end, after five characters or more, stands for anything."""
    key: tuple[str, ...] = ()
    """Talkgroups, and channels of keyed radios, by name."""
    call: tuple[Ssi | McpttName, ...] = ()
    """ISSIs and MCPTT users that may be called by radio, one to one."""
    message: tuple[Ssi | McpttName, ...] = ()
    """ISSIs, MCPTT users and groups that may be sent texts, statuses and places."""
    control: tuple[Ssi, ...] = ()
    """ISSIs of terminals that may be regrouped, listened to, disabled and enabled over the air."""
    locate: tuple[str, ...] = ()
    """Numbers whose location may be asked for, or sent in as a handset's; written as in ``dial``."""
    text: tuple[str, ...] = ()
    """Numbers that may be sent texts beside Ofcom's reserved ones, which are nobody's; written as in ``dial``."""
    submit: tuple[Name, ...] = ()
    """Real Contact Us systems, by component, that may be sent reports."""
    mail: tuple[str, ...] = ()
    """Addresses that may be sent mail by a relay, beside those of reserved domains, which are nobody's."""
    permits: tuple[Permit, ...] = ()

    @field_validator("dial", "locate", "text")
    @classmethod
    def _narrow(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            if "*" in pattern[:-1] or (pattern.endswith("*") and len(pattern) <= NARROWEST):
                raise ValueError(f"{pattern!r} allows too much: a '*' stands at the end, after {NARROWEST} characters")
        return patterns


class Numbers(Strict):
    """The numbers plan."""

    emergency: tuple[Number, ...] = Field(default=("999", "112"), min_length=1)
    non_emergency: tuple[Number, ...] = ("101",)


class RadioStatus(Strict):
    """A pre-coded status as this force uses it."""

    value: int = Field(ge=0, le=65535)
    """What goes over the air, 16 bits."""
    means: str


class VoiceScore(Strict):
    """The voice quality that was measured on a network, to which later runs are held (NICCS-RAD-006)."""

    score: float = Field(ge=-1, le=5)
    """As the run that measured it told: a MOS by PESQ, or STOI."""
    by: Literal["MOS", "STOI"]
    measured: date


class StandingBy(Strict):
    """Somebody at the bench."""

    terminal: Path = Path("/dev/tty")
    """The tester's terminal; left out: the one from which the run was started."""


class Testbed(Strict):
    """A whole testbed file."""

    __test__ = False

    name: str = Field(min_length=1, max_length=80)
    stage: Literal["FAT", "SAT", "E2E", "UAT", "OAT", "ITHC", "pilot"] = "SAT"
    numbers: Numbers = Numbers()
    talkgroups: dict[str, Ssi] = Field(default_factory=dict)
    """Talkgroup name to GSSI; one that is worked by MCPTT alone needs none."""
    statuses: dict[int, RadioStatus] = Field(default_factory=dict)
    """Radio status number to what goes over the air; forces differ, and their values are not public."""
    voice_baselines: dict[Literal["tetra", "roip"], VoiceScore] = Field(default_factory=dict)
    """What reference speech scored by each technology that is held to its own past."""
    clock_reference: Name | None = None
    """The component whose clock the others' are held against; left out: the clock of the machine that tests."""
    safety: Safety = Safety()
    tester: StandingBy | None = None
    """Somebody who makes real equipment fail when a test asks for it; left out: such tests are skipped there."""
    longest_wait_s: float = Field(default=7_200.0, ge=0, le=31 * 86_400.0)
    """For how long a test may let time pass in real time; one that needs longer is skipped."""
    stands_for: tuple[Name, ...] = Field(default=(), max_length=MAX_LAYOUTS)
    """Testbeds of ``fixtures/testbeds`` that this one, of real equipment, is laid out as: it plays their tests."""
    components: dict[Name, Component] = Field(min_length=1, max_length=MAX_COMPONENTS)

    @model_validator(mode="after")
    def _names_fit(self) -> Testbed:
        self._check_identities()
        self._check_talkgroups()
        self._check_sites()
        self._check_emergency()
        self._check_roip()
        self._check_interworking()
        self._check_clocks()
        check_ways(self.components, self.talkgroups)
        for name, each in self.components.items():
            self._check_references(name, each)
        networks = [n for n, each in self.components.items() if isinstance(each, RadioNetworkComponent)]
        if len(networks) > 1:
            raise misfit(("components", networks[1], "role"), "radio_network", "one radio network")
        return self

    def _check_references(self, name: str, each: Component) -> None:
        """Whatever a component names is there, and is what it must be."""
        for of, key, kind, role in _REFERENCES:
            named = getattr(each, key) if isinstance(each, of) else None
            there = [n for n, component in self.components.items() if isinstance(component, kind)]
            if named is not None and named not in there:
                raise misfit(("components", name, key), named, f"a component with role {role!r} ({listed(there)})")
        if (
            isinstance(each, ScriptedPhoneComponent | CallLoadComponent | AttendeesComponent)
            and each.to not in self.components
        ):
            raise misfit(("components", name, "to"), each.to, listed(self.components))
        if isinstance(each, McpttTerminalComponent):
            self._check_handset(name, each)
        if isinstance(each, EnterpriseSwitchComponent):
            for told in each.simulator.components():
                if told not in self.components:
                    raise misfit(("components", name, "simulator", "trunks"), told, listed(self.components))

    def _check_handset(self, name: str, handset: McpttTerminalComponent) -> None:
        servers = {n: each for n, each in self.components.items() if isinstance(each, McpttServerComponent)}
        if handset.of not in servers:
            allowed = f"a component with role 'mcptt_server' ({listed(servers)})"
            raise misfit(("components", name, "of"), handset.of, allowed)
        settings = servers[handset.of].simulator
        if settings is None:
            return
        users = [user.name for user in settings.users]
        if handset.user not in users:
            raise misfit(("components", name, "user"), handset.user, f"a user of {handset.of} ({listed(users)})")
        groups = {group.name: group for group in settings.groups}
        group = groups.get(handset.talkgroup)
        if group is None or not settings.may_join(handset.user, group):
            theirs = [n for n, each in groups.items() if settings.may_join(handset.user, each)]
            allowed = f"a group of {handset.of} with the user as a member ({listed(theirs)})"
            raise misfit(("components", name, "talkgroup"), handset.talkgroup, allowed)

    def _check_clocks(self) -> None:
        if self.clock_reference is not None and self.clock_reference not in self.components:
            raise misfit(("clock_reference",), self.clock_reference, listed(self.components))

    def _check_identities(self) -> None:
        """Every ISSI and GSSI is one party's alone: on air they are one number space (EN 300 392-1)."""
        held: dict[int, str] = {}
        for group, gssi in self.talkgroups.items():
            if gssi in held:
                raise misfit(("talkgroups", group), gssi, f"an identity of its own; {held[gssi]} has this one")
            held[gssi] = f"talkgroup {group}"
        for name, each in self.components.items():
            if isinstance(each, TerminalComponent):
                if each.issi in held:
                    raise misfit(
                        ("components", name, "issi"), each.issi, f"an identity of its own; {held[each.issi]} has this"
                    )
                held[each.issi] = name
            for at, issi, terminal in self._gateway_terminals(name, each):
                if terminal in self.components:
                    raise misfit(at, terminal.partition(".")[2], f"another name; {terminal} is a component")
                if issi is None:
                    continue
                if issi in held:
                    raise misfit((*at[:-1], "issi"), issi, f"an identity of its own; {held[issi]} has this")
                held[issi] = terminal

    @staticmethod
    def _gateway_terminals(name: str, gateway: Component) -> Iterable[tuple[tuple[str | int, ...], int | None, str]]:
        """Each TETRA terminal that a gateway has of its own: what names it in the file, its ISSI, its name."""
        at = ("components", name, "simulator")
        if isinstance(gateway, RoipGatewayComponent):
            for index, radio in enumerate(gateway.simulator.radios):
                yield (*at, "radios", index, "name"), radio.issi, f"{name}.{radio.name}"
        elif isinstance(gateway, InterworkingGatewayComponent):
            for index, join in enumerate(gateway.simulator.joins):
                yield (*at, "joins", index, "talkgroup"), join.issi, f"{name}.{join.talkgroup}"

    def _check_talkgroups(self) -> None:
        known = listed(self.talkgroups)
        worked = dict.fromkeys((*self.talkgroups, *ways_of(self.components.values())))
        gateways: dict[str, str] = {}
        for name, each in self.components.items():
            if isinstance(each, TerminalComponent) and each.talkgroup not in self.talkgroups:
                raise misfit(("components", name, "talkgroup"), each.talkgroup, known)
            if isinstance(each, RadioTerminalComponent) and each.tracker is not None:
                self._check_tracker(name, each.tracker.to)
            if isinstance(each, RadioGatewayComponent) and each.standby_of is not None:
                self._check_standby(name, each)
            elif isinstance(each, RadioGatewayComponent) and each.use == "talkgroup":
                if each.talkgroup in gateways:
                    raise misfit(
                        ("components", name, "talkgroup"),
                        each.talkgroup,
                        f"a talkgroup of its own; gateway {gateways[each.talkgroup]} has this one",
                    )
                gateways[each.talkgroup] = name
            if isinstance(each, IccsComponent):
                for index, row in enumerate(each.simulator.positions):
                    for group in row.talkgroups:
                        if group not in worked:
                            at = ("components", name, "simulator", "positions", index, "talkgroups")
                            raise misfit(at, group, listed(worked))
        channels = [each.keys(name) for name, each in self.components.items() if isinstance(each, KeyedRadioComponent)]
        handsets = [each.talkgroup for each in self.components.values() if isinstance(each, McpttTerminalComponent)]
        keyed = dict.fromkeys((*worked, *channels, *handsets))
        for index, group in enumerate(self.safety.key):
            if group not in keyed:
                raise misfit(("safety", "key", index), group, listed(keyed))

    def _check_standby(self, name: str, gateway: RadioGatewayComponent) -> None:
        mains = [
            other
            for other, each in self.components.items()
            if isinstance(each, RadioGatewayComponent)
            and (each.talkgroup, each.use, each.standby_of) == (gateway.talkgroup, "talkgroup", None)
        ]
        if gateway.standby_of not in mains or gateway.use != "talkgroup":
            allowed = f"the gateway that works {gateway.talkgroup} ({listed(mains)})"
            raise misfit(("components", name, "standby_of"), str(gateway.standby_of), allowed)

    def _check_tracker(self, name: str, to: str) -> None:
        terminals = [n for n, each in self.components.items() if isinstance(each, TerminalComponent)]
        if to not in terminals:
            allowed = f"a terminal or gateway ({listed(terminals)})"
            raise misfit(("components", name, "tracker", "to"), to, allowed)

    def _check_sites(self) -> None:
        networks = [each for each in self.components.values() if isinstance(each, RadioNetworkComponent)]
        sites = [site for network in networks for site in network.simulator.sites]
        for name, each in self.components.items():
            if isinstance(each, TerminalComponent) and each.site is not None and each.site not in sites:
                raise misfit(("components", name, "site"), each.site, f"a site of the radio network ({listed(sites)})")

    def _check_roip(self) -> None:
        """Radios are of gateways, and on talkgroups, that are there."""
        gateways = {n: each for n, each in self.components.items() if isinstance(each, RoipGatewayComponent)}
        groups = listed(self.talkgroups)
        for name, gateway in gateways.items():
            for index, row in enumerate(gateway.simulator.radios):
                if row.talkgroup is not None and row.talkgroup not in self.talkgroups:
                    at = ("components", name, "simulator", "radios", index, "talkgroup")
                    raise misfit(at, row.talkgroup, groups)
        for name, each in self.components.items():
            if not isinstance(each, RoipRadioComponent):
                continue
            if each.talkgroup is not None and each.talkgroup not in self.talkgroups:
                raise misfit(("components", name, "talkgroup"), each.talkgroup, groups)
            list(stations_at(self.components, ("components", name), each))  # each is looked at as it is taken

    def _check_interworking(self) -> None:
        """Joins are of talkgroups, groups and users that are there, and close no loop, whichever gateways make it."""
        servers = {n: each for n, each in self.components.items() if isinstance(each, McpttServerComponent)}
        joins = []
        for name, each in self.components.items():
            if not isinstance(each, InterworkingGatewayComponent):
                continue
            server = servers.get(each.of)
            if server is None:
                allowed = f"a component with role 'mcptt_server' ({listed(servers)})"
                raise misfit(("components", name, "of"), each.of, allowed)
            for index, join in enumerate(each.simulator.joins):
                at = ("components", name, "simulator", "joins", index)
                if join.talkgroup not in self.talkgroups:
                    raise misfit((*at, "talkgroup"), join.talkgroup, listed(self.talkgroups))
                self._check_join(at, join, each.of, server)
                joins.append(join.model_copy(update={"group": f"{join.group} of {each.of}"}))
                loop = loop_in(joins)
                if loop is not None:
                    raise misfit(at, f"{join.talkgroup} and {join.group}", f"two that are not joined yet: {loop}")

    @staticmethod
    def _check_join(at: tuple[str | int, ...], join: JoinSettings, of: str, server: McpttServerComponent) -> None:
        settings = server.simulator
        if settings is None:
            return
        group = next((group for group in settings.groups if group.name == join.group), None)
        if group is None:
            raise misfit((*at, "group"), join.group, f"a group of {of} ({listed(g.name for g in settings.groups)})")
        if not settings.may_join(join.user, group):
            members = [user.name for user in settings.users if settings.may_join(user.name, group)]
            raise misfit((*at, "user"), join.user, f"a member of {join.group} ({listed(members)})")

    def _check_emergency(self) -> None:
        networks = {n: each for n, each in self.components.items() if isinstance(each, EmergencyNetworkComponent)}
        services = [n for n, each in self.components.items() if isinstance(each, CallerLocationComponent)]
        for name, each in self.components.items():
            if isinstance(each, CallerPhoneComponent | EmergencyOperatorComponent) and each.of not in networks:
                allowed = f"a component with role 'emergency_network' ({listed(networks)})"
                raise misfit(("components", name, "of"), each.of, allowed)
            if isinstance(each, CallerPhoneComponent) and each.location not in {None, *services}:
                allowed = f"a component with role 'caller_location' ({listed(services)})"
                raise misfit(("components", name, "location"), each.location, allowed)
            if isinstance(each, EmergencyOperatorComponent) and networks[each.of].binding is Binding.SIMULATED:
                desks = networks[each.of].simulator.operators.desks
                if each.desk not in desks:
                    raise misfit(("components", name, "desk"), each.desk, f"a desk of {each.of} ({listed(desks)})")
            if isinstance(each, EmergencyNetworkComponent) and each.binding is Binding.SIMULATED:
                self._check_routes(name, each)
                self._check_location(name, each.simulator.location, services)

    def _check_location(self, name: str, to: str | None, services: list[str]) -> None:
        """Handsets' texts go to a component, of which the interlock knows, or stay on this machine."""
        if to is None or to in services or to == EmergencySettings().location:
            return
        if "://" not in to or not is_loopback(urlsplit(to).hostname or ""):
            allowed = f"a component with role 'caller_location' ({listed(services)}), or http://host:port on loopback"
            raise misfit(("components", name, "simulator", "location"), to, allowed)

    def _check_routes(self, name: str, network: EmergencyNetworkComponent) -> None:
        """A route leads to a component, of which the interlock knows, or stays on this machine."""
        iccss = [n for n, each in self.components.items() if isinstance(each, IccsComponent)]
        for number, authority in enumerate(network.simulator.authorities):
            at: tuple[str | int, ...] = ("components", name, "simulator", "authorities", number)
            routes = [((*at, "routes", index), route) for index, route in enumerate(authority.routes)]
            if authority.critical is not None:
                routes.append(((*at, "critical"), authority.critical))
            for key, route in routes:
                to = route.to
                host = None if to is None else to.rpartition(":")[0].strip("[]")
                if to is not None and to not in iccss and not (host and is_loopback(host)):
                    allowed = f"a component with role 'iccs' ({listed(iccss)}), or host:port on loopback"
                    raise misfit((*key, "to"), to, allowed)

    def real(self) -> list[str]:
        """Return the names of the components that are not simulated."""
        return [name for name, each in self.components.items() if each.binding is not Binding.SIMULATED]

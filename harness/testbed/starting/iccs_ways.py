"""The ways by which an ICCS reaches talkgroups without a TETRA terminal: to what was started, or is real."""

from __future__ import annotations

from harness.testbed.components import Binding, IccsComponent, McpttServerComponent
from harness.testbed.starting.base import Starting
from harness.transport.tap import Address
from simulators.iccs.settings.ways import McpttWaySettings, RoipWaySettings
from simulators.iccs.talkgroup_ways.lines import GatewayLine, McpttLine, RoipLine


def ways_of(starting: Starting, iccs: str, component: IccsComponent) -> list[GatewayLine]:
    """Return the lines of an ICCS's ways, without those that lead to a simulator that was not started."""
    lines: list[GatewayLine] = []
    for talkgroup, way in component.simulator.radio.ways.items():
        if isinstance(way, McpttWaySettings):
            server = _sip(starting, way.of)
            if server is not None:
                lines.append(_user(starting, iccs, talkgroup, way, server))
        else:
            lines += _radios(starting, iccs, talkgroup, way)
    return lines


def _user(starting: Starting, iccs: str, talkgroup: str, way: McpttWaySettings, server: Address) -> McpttLine:
    service = starting.testbed.components[way.of]
    assert isinstance(service, McpttServerComponent)
    password = way.password
    if password is None and service.simulator is not None:
        password = next((user.password for user in service.simulator.users if user.name == way.user), None)
    return McpttLine(
        name=f"{iccs}.{talkgroup}",
        talkgroup=talkgroup,
        server=server,
        domain=service.id_domain,
        group=way.group or talkgroup,
        user=way.user,
        terminal=f"{iccs}.{way.user}",
        password=password.get_secret_value() if password is not None else "",
        priority=way.priority,
        local=way.local,
    )


def _radios(starting: Starting, iccs: str, talkgroup: str, way: RoipWaySettings) -> list[GatewayLine]:
    radios = [(f"{iccs}.{talkgroup}", way.of, way.radio, False)]
    if way.standby is not None:
        radios.append((f"{iccs}.{talkgroup}.standby", way.standby_of or way.of, way.standby, True))
    lines: list[GatewayLine] = []
    for name, gateway, radio, stands_by in radios:
        at = _sip(starting, gateway)
        if at is not None:
            lines.append(
                RoipLine(
                    name=name,
                    talkgroup=talkgroup,
                    stands_by=stands_by,
                    uri=f"sip:{radio}@{at[0]}:{at[1]}",
                    local=way.local,
                    period_ms=way.period_ms,
                    multiplier=way.multiplier,
                    layout=way.layout,
                )
            )
    return lines


def _sip(starting: Starting, name: str) -> Address | None:
    """Where a component takes SIP; None: its simulator was not started."""
    each = starting.testbed.components[name]
    if each.binding is Binding.SIMULATED:
        return starting.addresses.host_port(name, "sip") if starting.addresses.has(name, "sip") else None
    host, _, port = str(getattr(each, "sip", "")).rpartition(":")
    return host, int(port)

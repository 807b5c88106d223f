"""The ways by which ICCSs reach talkgroups in a testbed file: each leads to what is there, and a talkgroup has one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.testbed.components import (
    Binding,
    Component,
    IccsComponent,
    McpttServerComponent,
    RadioGatewayComponent,
    RoipGatewayComponent,
    RoipRadioComponent,
)
from harness.testbed.misfit import listed, misfit
from simulators.iccs.settings.ways import McpttWaySettings, RoipWaySettings

At = tuple[str | int, ...]


def ways_of(components: Iterable[Component]) -> list[str]:
    """The talkgroups that ICCSs reach by a way in their settings."""
    each = (component.simulator.radio.ways for component in components if isinstance(component, IccsComponent))
    return list(dict.fromkeys(talkgroup for ways in each for talkgroup in ways))


def check_ways(components: Mapping[str, Component], talkgroups: Iterable[str]) -> None:
    """Raise the error of the first way that leads to nothing, or that a talkgroup has beside another."""
    terminals = {
        each.talkgroup: name
        for name, each in components.items()
        if isinstance(each, RadioGatewayComponent) and each.use == "talkgroup"
    }
    known = list(talkgroups)
    for name, iccs in components.items():
        if not isinstance(iccs, IccsComponent):
            continue
        taken: dict[tuple[str, str], str] = {}
        for talkgroup, way in iccs.simulator.radio.ways.items():
            at = ("components", name, "simulator", "radio", "ways", talkgroup)
            if talkgroup in terminals:
                allowed = f"a talkgroup of its own; gateway {terminals[talkgroup]} has this one, by TETRA"
                raise misfit(at, talkgroup, allowed)
            if isinstance(way, McpttWaySettings):
                _check_user(components, at, talkgroup, way)
                continue
            if talkgroup not in known:
                raise misfit(at, talkgroup, listed(known))
            _check_radios(components, at, talkgroup, way, taken)


def _check_user(components: Mapping[str, Component], at: At, talkgroup: str, way: McpttWaySettings) -> None:
    servers = {n: each for n, each in components.items() if isinstance(each, McpttServerComponent)}
    if way.of not in servers:
        raise misfit((*at, "of"), way.of, f"a component with role 'mcptt_server' ({listed(servers)})")
    settings = servers[way.of].simulator
    if settings is None:
        return
    groups = {group.name: group for group in settings.groups}
    wanted = way.group or talkgroup
    if wanted not in groups:
        where = at if way.group is None else (*at, "group")
        raise misfit(where, wanted, f"a group of {way.of} ({listed(groups)}), or 'group' to name it")
    if not settings.may_join(way.user, groups[wanted]):
        members = [user.name for user in settings.users if settings.may_join(user.name, groups[wanted])]
        raise misfit((*at, "user"), way.user, f"a member of {wanted} ({listed(members)})")


def stations_at(
    components: Mapping[str, Component], at: At, told: RoipRadioComponent | RoipWaySettings
) -> Iterator[tuple[str, str, str, RoipGatewayComponent]]:
    """Each radio that is told of, main one first: its key in the file, its gateway's name, its own, and the gateway.

    Raises the error of one that leads to nothing.
    """
    gateways = {n: each for n, each in components.items() if isinstance(each, RoipGatewayComponent)}
    stations = [("of", told.of, "radio", told.radio)]
    if told.standby is not None:
        of = "of" if told.standby_of is None else "standby_of"
        stations.append((of, told.standby_of or told.of, "standby", told.standby))
    for of, gateway, key, radio in stations:
        found = gateways.get(gateway)
        if found is None:
            raise misfit((*at, of), gateway, f"a component with role 'roip_gateway' ({listed(gateways)})")
        radios = [row.name for row in found.simulator.radios]
        if found.binding is Binding.SIMULATED and radio not in radios:
            raise misfit((*at, key), radio, f"a radio of {gateway} ({listed(radios)})")
        yield key, gateway, radio, found


def _check_radios(
    components: Mapping[str, Component],
    at: At,
    talkgroup: str,
    way: RoipWaySettings,
    taken: dict[tuple[str, str], str],
) -> None:
    """``taken``: the talkgroup for which each radio is keyed already, which this one's are added to."""
    for key, gateway, radio, found in stations_at(components, at, way):
        on = {row.name: row.talkgroup for row in found.simulator.radios}
        if found.binding is Binding.SIMULATED and on[radio] not in (None, talkgroup):
            fit = [each for each, its in on.items() if its in (None, talkgroup)]
            raise misfit(
                (*at, key), radio, f"a radio of {gateway} on {talkgroup} ({listed(fit)}); {radio} is on {on[radio]}"
            )
        if (gateway, radio) in taken:
            raise misfit((*at, key), radio, f"a radio of its own; {taken[gateway, radio]} is worked by this one")
        taken[gateway, radio] = talkgroup

"""Puts back what a test left at a control room: whoever comes next finds it as the test found it.

Theory. Calls and keys end as consoles log out, and what a simulator was told is gone with it. A real control room keeps
the rest: patches, emergencies that nobody acknowledged (of one officer one is open), groups given over the air, radios
taken off the network, incidents, faults. The journal has all that a test's consoles made, so that a test that broke off
is cleared up after as well. What others made is theirs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any

from harness.drivers.command_control import CommandControl
from harness.drivers.console import Console
from harness.drivers.controlled import SimulatedOrReal
from harness.drivers.directory import Directory
from harness.drivers.location import LocationService
from harness.drivers.records_database import RecordsDatabase
from harness.drivers.supervisor import Supervisor
from harness.errors import HarnessError
from harness.journal import Event, Journal
from harness.testbed.components import McpttServerComponent, McpttTerminalComponent, RadioTerminalComponent
from harness.testbed.model import Testbed

Undo = tuple[str, str, Callable[[], Awaitable[object]]]
"""At whom, what is put back, and how."""
_SupervisorOf = Callable[[Console], Awaitable[Supervisor]]


def radios_of(testbed: Testbed) -> set[int | str]:
    """Return by what a control room knows a testbed's radios: ISSIs and MCPTT IDs."""
    found: set[int | str] = set()
    for each in testbed.components.values():
        if isinstance(each, RadioTerminalComponent):
            found.add(each.issi)
        elif isinstance(each, McpttTerminalComponent):
            server = testbed.components[each.of]
            assert isinstance(server, McpttServerComponent), "the file's reader saw to it"
            found.add(f"sip:{each.user}@{server.id_domain}")
    return found


async def put_back(
    journal: Journal,
    drivers: Mapping[str, object],
    supervisor: _SupervisorOf,
    radios: Collection[int | str],
) -> None:
    """Put back what the journal says was left. What can't be is a warning in it, and fails no test.

    ``drivers``: by component; ``supervisor``: of a console's ICCS; ``radios``: ISSIs and MCPTT IDs of the testbed.
    """
    events = list(journal)
    consoles = {name: each for name, each in drivers.items() if type(each) is Console and each.logged_in}
    for at, what, undo in (
        *_faults(events, drivers),
        *_made(events, consoles),
        *_emergencies(events, consoles, supervisor, radios),
        *_stuck(events, consoles, supervisor),
        *_incidents(events, consoles),
    ):
        try:
            await undo()
        except HarnessError as error:
            journal.warn(at, "not_put_back", what=what, reason=str(error))
        else:
            journal.record(at, "put_back", what=what)


def _faults(events: list[Event], drivers: Mapping[str, object]) -> Iterator[Undo]:
    """Systems that were made to fail and did not recover."""
    failing = {}
    for event in events:
        if event.kind.endswith(".failing"):
            failing[event.source] = event.data.get("fault")
        elif event.kind.endswith(".recovering"):
            failing.pop(event.source, None)
    for name, fault in failing.items():
        driver = drivers.get(name)
        if isinstance(driver, CommandControl | Directory | LocationService | RecordsDatabase | SimulatedOrReal):
            yield name, f"fault {fault}", driver.recover


def _made(events: list[Event], consoles: Mapping[str, Console]) -> Iterator[Undo]:
    """Patches, groups over the air, radios off the network, talkgroups in the loudspeaker."""
    for name, console in consoles.items():
        undoes: tuple[tuple[str, str, str, str, Callable[[Any], Awaitable[object]]], ...] = (
            ("patch", "patch.made", "patch.ended", "console.unpatch", console.unpatch),
            ("gssi", "dgna.given", "dgna.taken", "console.ungroup", console.ungroup),
            ("issi", "terminal.disabled", "terminal.enabled", "console.enable", console.enable),
            ("talkgroup", "talkgroup.unselected", "talkgroup.selected", "", console.select),
        )
        for key, made, ended, asked, undo in undoes:
            left: dict[Any, None] = {}
            for event in events:
                value, is_here = event.data.get(key), event.source == name
                if event.kind == asked or (is_here and event.kind == ended):
                    left.pop(value, None)
                elif is_here and event.kind == made and event.data.get("by", console.position) == console.position:
                    left[value] = None
            for value in left:
                yield name, f"{made} {value}", _call(undo, value)


def _incidents(events: list[Event], consoles: Mapping[str, Console]) -> Iterator[Undo]:
    """Incidents that a console of the test's holds."""
    holder: dict[str, str] = {}
    for event in events:
        incident = str(event.data.get("incident"))
        if event.source in consoles and event.kind in ("incident.opened", "incident.received"):
            holder[incident] = event.source
        elif event.kind == "incident.handed_over" and holder.get(incident) == event.source:
            del holder[incident]
        elif event.kind in ("incident.closed", "incident.transferred", "console.close_incident"):
            holder.pop(incident, None)
    for incident, name in holder.items():
        yield name, f"incident {incident}", _call(consoles[name].close_incident, incident)


def _stuck(events: list[Event], consoles: Mapping[str, Console], supervisor: _SupervisorOf) -> Iterator[Undo]:
    """Alarms of keys that were held too long: a supervisor clears them."""
    for event in events:
        if event.source in consoles and event.kind == "ptt.timed_out" and event.data.get("alarm"):
            alarm, console = str(event.data["alarm"]), consoles[event.source]
            yield event.source, f"alarm {alarm}", _call(partial(_clear, supervisor, console), alarm)


async def _clear(supervisor: _SupervisorOf, console: Console, alarm: str) -> None:
    at = await supervisor(console)
    if alarm in [each["alarm"] for each in await at.alarms()]:
        await at.clear_alarm(alarm)


def _emergencies(
    events: list[Event], consoles: Mapping[str, Console], supervisor: _SupervisorOf, radios: Collection[int | str]
) -> Iterator[Undo]:
    """Emergencies of the testbed's radios that are open still, each at a console that was shown it."""
    shown: dict[str, str] = {}
    for event in events:
        who = event.data.get("issi") or event.data.get("mcptt_id")
        if event.kind == "emergency.shown" and event.source in consoles and who in radios:
            shown.setdefault(str(event.data["emergency"]), event.source)
        elif event.kind in ("emergency.cleared", "emergency.dropped"):
            shown.pop(str(event.data.get("emergency")), None)
    for emergency, name in shown.items():
        yield name, f"emergency {emergency}", _call(partial(_end, supervisor, consoles[name]), emergency)


async def _end(supervisor: _SupervisorOf, console: Console, emergency: str) -> None:
    at = await supervisor(console)
    there = {each["emergency"]: each for each in await at.emergencies()}
    if emergency in there and there[emergency]["acknowledged_by"] is None:
        await console.acknowledge_emergency(emergency)
        there = {each["emergency"]: each for each in await at.emergencies()}
    if emergency in there:  # its call goes on: one whose call is over was cleared by the acknowledgement
        await console.clear_emergency(emergency)


def _call(act: Callable[[Any], Awaitable[object]], value: Any) -> Callable[[], Awaitable[object]]:
    return lambda: act(value)

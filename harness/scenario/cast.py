"""The actors of a scenario on one bench: each bound to a component and its driver, with speech and calls under way."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.drivers.call_load import LoadedCall
from harness.drivers.crm import Crm
from harness.drivers.phone_call import PhoneCall
from harness.drivers.supervisor import Supervisor
from harness.drivers.trunk import TrunkCall
from harness.errors import DriverError, ScenarioError, TestbedError
from harness.scenario.actors import BoundActor, HandsetActor, TrunkCallerActor
from harness.scenario.model import Expect, Media, Outcome, Scenario
from harness.scenario.names import meant
from harness.scenario.speech import SpeechRoom
from harness.source import Spot
from harness.testbed.bench import Bench
from harness.testbed.components import ConsoleComponent, RadioGatewayComponent
from harness.testbed.components.base import BoundComponent
from harness.testbed.model import Testbed
from harness.testbed.since import Since

CALL_PLACED_S = 60.0
"""For so long a call that was dialled may ring."""


@dataclass(slots=True)
class Part:
    """One actor on the bench."""

    name: str
    actor: BoundActor
    component: str
    """The component's name: the source of its events."""
    settings: BoundComponent
    driver: Any
    """What the bench gives for the role; a person's seat has one that only looks on."""
    cast: Cast
    person: bool = False
    tells_speech: bool = False
    """Whether the person's client journals ``operator.spoke`` under the component when the person begins to speak."""
    since: Since | None = None
    """Of a supervisor: the moment at which the scenario began, before which the control room had calls, too."""
    counted: int = 0
    """The journal's position of the person's act that was counted last."""
    answering: asyncio.Task[None] | None = None
    """Of a caller: until the call that was dialled is answered."""
    call: PhoneCall | TrunkCall | None = None
    """Of a caller: the call that was dialled last."""
    load: asyncio.Task[list[LoadedCall]] | None = None
    """Of many callers: their calls, until all are over."""
    texts_seen: int = 0
    """Of a handset: the number of the newest text that was looked at."""

    def dialled(self) -> PhoneCall | TrunkCall:
        """The call that the caller dialled. Raises DriverError where none was dialled."""
        if self.call is None:
            raise DriverError(f"{self.name} has not dialled: there is no call")
        return self.call

    def dials(self, call: PhoneCall | TrunkCall) -> None:
        """Take a call that was dialled; what is said on it waits for the answer."""

        async def answered() -> None:
            await call.answered(within=CALL_PLACED_S)

        self.call = call
        self.answering = asyncio.create_task(answered())
        # Who goes on with the call is told what became of it; a caller who hangs up first does not ask.
        self.answering.add_done_callback(lambda task: None if task.cancelled() else task.exception())

    async def on_call(self) -> PhoneCall | TrunkCall:
        """The call that the caller dialled, once it is answered. Raises DriverError where none was dialled."""
        call = self.dialled()
        if self.answering is not None:
            await asyncio.shield(self.answering)
        return call

    async def mouth_and_ear(self) -> tuple[Any, Any]:
        """Where what it says goes in, and where what it hears comes out. Raises DriverError where it has neither."""
        match self.actor.role:  # type: ignore[attr-defined]
            case "emergency_caller" | "trunk_caller":
                call = await self.on_call()
                return call, call
            case "telephone":
                return self.driver.current, self.driver.current
            case "scripted_phone" if self.driver.calls:
                return self.driver.calls[-1], self.driver.calls[-1]
            case "console" | "emergency_operator":
                return self.driver.headset, self.driver.headset
            case "radio_terminal":
                return self.driver.jack, self.driver.jack
            case "roip_radio":
                return _Radio(self.driver), self.driver
        raise DriverError(f"{self.name} neither speaks nor hears")

    def voice(self, kind: str) -> tuple[str, str]:
        """The source and kind under which the journal has its events: speech is heard at a jack or a call."""
        if kind == "voice.heard":
            match self.actor.role:  # type: ignore[attr-defined]
                case "console" | "emergency_operator":
                    return f"{self.component} jack", "voice.started"
                case "emergency_caller" | "trunk_caller" if self.call is not None:
                    return self.call.name, "voice.started"
                case "telephone":
                    return self.driver.current.name, "voice.started"
                case "scripted_phone" if self.driver.calls:
                    return self.driver.calls[-1].port.name, "voice.started"
        return self.component, kind

    def own(self, kind: str) -> dict[str, Any]:
        """By what its events are told from those of others behind the same component."""
        match self.actor:
            case TrunkCallerActor() if self.call is not None and kind != "voice.heard":
                return {"call_id": self.call.id}
            case HandsetActor(number=number):
                return {"number": number}
        return {}

    async def close(self) -> None:
        """Wait for nothing any more."""
        waits = [task for task in (self.answering, self.load) if task is not None]
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


class _Radio:
    """A talking radio as a mouth that speaks without keying."""

    def __init__(self, radio: Any) -> None:
        self._radio = radio

    async def say(self, samples: Any) -> float:
        return float(await self._radio.speak(samples))


@dataclass(slots=True)
class Cast:
    """All actors of a scenario."""

    bench: Bench
    media: Media
    folder: Path | None = None
    """From where clips are looked for, beside the project's own."""
    parts: dict[str, Part] = field(default_factory=dict)
    speech: SpeechRoom = field(init=False)

    def __post_init__(self) -> None:
        self.speech = SpeechRoom(self.bench.journal, self.media, self.folder)

    @classmethod
    async def open(
        cls,
        bench: Bench,
        scenario: Scenario,
        seats: Collection[str] = (),
        telling: Collection[str] = (),
        lines: Spot | None = None,
    ) -> Cast:
        """Bind every actor and open its driver. Raises TestbedError, what opening raises, and NotPlayedError where
        something is expected of a real system that a simulator alone tells of.

        ``seats``: actors that are left to a person: their consoles are looked at, and nobody logs in. ``telling``: of
        those, whose client tells when the person speaks. ``lines``: where actors stand in the file.
        """
        cast = cls(bench, scenario.media, scenario.folder)
        found = casting(scenario, bench.testbed, lines)
        for name, actor in scenario.actors.items():
            component = found[name]
            person = name in seats
            driver = await _driver(bench, actor, component, watch=person)
            settings = bench.testbed.components[component]
            part = cast.parts[name] = Part(name, actor, component, settings, driver, cast, person, name in telling)
            part.counted = bench.journal.position
            part.since = await Since.now(driver) if isinstance(driver, Supervisor) else None
        expected: list[Expect | Outcome] = [each for step in scenario.timeline for each in step.expect]
        for due in (*expected, *scenario.outcome):
            part_of = cast.parts.get(due.on or "")
            if part_of is not None and due.event is not None and isinstance(part_of.driver, Crm):
                part_of.driver.tells(due.event)  # before anything is done: it is not played at a real one
        return cast

    def value(self, actor: str, field_: str) -> Any:
        """What the scenario, else the testbed, tells of an actor: ``issi``, ``position``, ``number`` … Raises
        TestbedError.
        """
        part = self.parts[actor]
        if field_ == "component":
            return part.component
        own = getattr(part.actor, field_, None) if field_ in type(part.actor).model_fields else None
        if isinstance(own, str | int):
            return own
        found = getattr(part.settings, field_, None) if field_ in type(part.settings).model_fields else None
        if not isinstance(found, str | int | float):
            simple = [
                key
                for key in type(part.settings).model_fields
                if isinstance(getattr(part.settings, key), str | int | float)
            ]
            raise TestbedError(
                f"the testbed tells no {field_!r} of {actor} ({part.component}); it tells {', '.join(simple)}"
            )
        return found

    def position(self, name: str) -> str:
        """A console's position by its actor's name; what is no console's is returned as it is."""
        part = self.parts.get(name)
        return part.settings.position if part is not None and isinstance(part.settings, ConsoleComponent) else name

    def issi(self, who: str | int) -> int:
        """The ISSI of an actor, or the number itself. Raises DriverError where it is neither."""
        part = self.parts.get(str(who))
        issi = getattr(part.settings, "issi", None) if part is not None else who
        if isinstance(issi, str) and issi.isdigit():
            return int(issi)
        if not isinstance(issi, int):
            radios = ", ".join(name for name, each in self.parts.items() if hasattr(each.settings, "issi")) or "none"
            raise DriverError(f"{who!r} is no radio: an ISSI or an actor with one is due, of which there is {radios}")
        return issi

    def gateway(self, talkgroup: str) -> int:
        """The ISSI through which the control room is on a talkgroup. Raises DriverError where it is not on it."""
        for component in self.bench.testbed.components.values():
            if isinstance(component, RadioGatewayComponent) and component.talkgroup == talkgroup:
                return component.issi
        raise DriverError(f"the control room has no gateway on {talkgroup}: say 'to' whom it goes")

    async def close(self) -> None:
        """Stop what actors wait for; their drivers are the bench's."""
        for part in self.parts.values():
            await part.close()


def named_testbed(scenario: Scenario, lines: Spot) -> Path | None:
    """Return the testbed file that a scenario names, None where it names none. Raises ScenarioError for no file."""
    if scenario.testbed is None:
        return None
    path = lines.file.parent / scenario.testbed
    try:
        if path.is_file():
            return path
        others = [str(Path(scenario.testbed).parent / each.name) for each in sorted(path.parent.glob("*.yaml"))]
    except (OSError, ValueError):  # too long, or a NUL in it
        others = []
    place = lines.at(["testbed"])
    raise ScenarioError(
        place.error(f"testbed: found {scenario.testbed!r}, which is no file{meant(scenario.testbed, others)}")
    )


def casting(scenario: Scenario, testbed: Testbed, lines: Spot | None = None) -> dict[str, str]:
    """Return which component each actor is. ``lines``: where actors stand in the file, for errors to tell.

    Raises TestbedError where one is missing, or is two actors.
    """
    found: dict[str, str] = {}
    for name, actor in scenario.actors.items():
        try:
            component = actor.find(testbed)
        except TestbedError as error:
            told = f"actor {name}: {error}"
            raise TestbedError(told if lines is None else lines.at(["actors", name]).error(told)) from error
        shared = [who for who, what in found.items() if what == component]
        other = next((who for who in shared if not (actor.shares and scenario.actors[who].shares)), None)
        if other is not None:
            told = f"actors {other} and {name} are the same component, {component}"
            raise TestbedError(told if lines is None else lines.at(["actors", name]).error(told))
        found[name] = component
    return found


async def _driver(bench: Bench, actor: Any, component: str, *, watch: bool) -> Any:
    if watch:
        return await bench.watched_console(component)
    opens = {
        "emergency_caller": bench.caller_phone,
        "emergency_operator": bench.emergency_operator,
        "console": bench.console,
        "radio_terminal": bench.terminal,
        "command_control": bench.command_control,
        "emergency_network": bench.emergency_network,
        "supervisor": bench.supervisor,
        "radio_network": bench.radio_network,
        "roip_radio": bench.roip_radio,
        "roip_gateway": bench.roip_gateway,
        "trunk_caller": bench.trunk,
        "crm": bench.crm,
        "call_load": bench.call_load,
        "scripted_phone": bench.scripted_phone,
        "handset": bench.sms_network,
        "sms_diary": bench.sms_diary,
        "telephone": bench.telephone,
        "enterprise_switch": bench.switch_faults,
        "webex": bench.webex,
    }
    return await opens[actor.role](component)

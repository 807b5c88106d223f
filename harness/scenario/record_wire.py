"""Makes a scenario of a packet capture and serial transcripts, of a run or of a real system: what came to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from harness.errors import ScenarioError
from harness.evidence.capture_file import CaptureError
from harness.evidence.capture_packets import Captured, read_capture
from harness.evidence.transcript import Piece, TranscriptError, read_transcript
from harness.scenario.record import Act, Recorded, actor_name, checked
from harness.scenario.record_calls import HALF_PACKET_S, Calls, system_of
from harness.scenario.record_connections import whole_messages
from harness.scenario.record_radio import Terminal
from harness.scenario.record_radio_speech import Radios, said_by_officers
from harness.scenario.record_speech import Allowance, Phrase
from harness.testbed.components import ConsoleComponent, RadioTerminalComponent, TrunkComponent
from harness.testbed.components.base import BoundComponent
from harness.testbed.model import Testbed
from harness.transport.tap import Address

MAX_CAPTURE: Final = 64 * 1024 * 1024
"""Bytes of a capture."""
MAX_TRANSCRIPT: Final = 64 * 1024 * 1024
"""Characters of one transcript."""


def record_wire(
    testbed: Testbed,
    *,
    capture: tuple[str, bytes] | None = None,
    transcripts: Mapping[str, tuple[str, str]] | None = None,
    system: Address | None = None,
    consoles: Sequence[str] = (),
    speech: str | None = None,
) -> Recorded:
    """Return what came to a control room.

    ``capture``: the name of a pcap or pcapng, for errors, and its bytes; ``transcripts``: name and text by terminal, a
    component of the testbed. ``system``: where the control room takes SIP; left out, the one address that calls came
    to. ``consoles``: components that take the calls, at the moments at which they were taken.
    ``speech``: the folder, seen from the scenario, in which clips of what callers and officers say will be; None:
    nobody speaks.

    Raises ScenarioError naming the file for what is no capture or transcript, or does not fit the testbed.
    """
    name = capture[0] if capture is not None else ", ".join(told for told, _ in (transcripts or {}).values())
    found = Recorded()
    packets = _packets(capture, found) if capture is not None else []
    pieces = _pieces(transcripts or {}, testbed, beside_capture=bool(packets))
    try:
        system = system or system_of(packets)
    except ScenarioError as error:
        raise ScenarioError(f"{name}: {error}") from error
    allowance = Allowance() if speech is not None else None
    said: list[tuple[str, Phrase]] = []
    if system is not None and packets:
        seats = [_console(each, testbed, found) for each in consoles]
        calls = Calls(found, system=system, trunk=_trunk(testbed), consoles=seats, allowance=allowance)
        try:
            for packet in packets:
                calls.take(packet)
            said += calls.phrases()
        except ScenarioError as error:
            raise ScenarioError(f"{name}: {error}") from error
    for component, rows in pieces.items():
        terminal = Terminal(found, testbed, component, _radio(component, testbed))
        for piece in rows:
            terminal.take(piece)
    if allowance is not None:
        said += _on_air(packets, found, allowance, name)
        _speak(found, sorted(said, key=lambda each: each[1].time), f"{speech}/")
    used = {act.actor for act in found.acts}
    found.actors = {actor: told for actor, told in found.actors.items() if actor in used}
    found.acts.sort(key=lambda act: act.time)
    return checked(found, testbed, name)


def _on_air(packets: Sequence[Captured], found: Recorded, allowance: Allowance, name: str) -> list[tuple[str, Phrase]]:
    radios = Radios(found, allowance)
    try:
        for packet in packets:
            radios.take(packet)
        return said_by_officers(radios.phrases(), found)
    except ScenarioError as error:
        raise ScenarioError(f"{name}: {error}") from error


def _speak(found: Recorded, phrases: Sequence[tuple[str, Phrase]], folder: str) -> None:
    for number, (actor, phrase) in enumerate(phrases, 1):
        clip = f"{folder}{number:03}-{actor}.wav"
        found.clips[clip] = phrase.samples
        found.acts.append(Act(phrase.time - HALF_PACKET_S, actor, "begin_saying", {"clip": clip}))


def _packets(capture: tuple[str, bytes], found: Recorded) -> list[Captured]:
    name, body = capture
    if len(body) > MAX_CAPTURE:
        raise ScenarioError(f"{name}: found more than {MAX_CAPTURE} bytes; editcap -A and -B cut a capture to a time")
    try:
        return whole_messages(read_capture(body), found)
    except CaptureError as error:
        raise ScenarioError(f"{name}: {error}") from error


def _pieces(
    transcripts: Mapping[str, tuple[str, str]], testbed: Testbed, *, beside_capture: bool
) -> dict[str, list[Piece]]:
    found: dict[str, list[Piece]] = {}
    origins: dict[str, bool] = {}
    for terminal, (name, text) in transcripts.items():
        _radio(terminal, testbed)
        if len(text) > MAX_TRANSCRIPT:
            raise ScenarioError(f"{name}: found more than {MAX_TRANSCRIPT} characters")
        try:
            found[terminal], origins[name] = read_transcript(text, name)
        except TranscriptError as error:
            raise ScenarioError(str(error)) from error
    without = [name for name, told in origins.items() if not told]
    if without and (beside_capture or len(without) < len(origins)):
        raise ScenarioError(
            f"{without[0]}:1: found no 'run time 0 is TIME', without which its times can't stand beside other files'"
        )
    return found


def _trunk(testbed: Testbed) -> str:
    trunks = _named(testbed, TrunkComponent)
    if len(trunks) != 1:
        there = ", ".join(trunks) or "none"
        raise ScenarioError(
            f"testbed {testbed.name!r} has to have one emergency_trunk, for callers to come by; it has {there}"
        )
    return trunks[0]


def _radio(component: str, testbed: Testbed) -> RadioTerminalComponent:
    found = testbed.components.get(component)
    if not isinstance(found, RadioTerminalComponent):
        there = ", ".join(_named(testbed, RadioTerminalComponent)) or "none"
        raise ScenarioError(f"{component!r} is no radio_terminal of testbed {testbed.name!r}; it has {there}")
    return found


def _console(component: str, testbed: Testbed, found: Recorded) -> str:
    if component not in (consoles := _named(testbed, ConsoleComponent)):
        there = ", ".join(consoles) or "none"
        raise ScenarioError(f"{component!r} is no console of testbed {testbed.name!r}; it has {there}")
    actor = actor_name(component)
    found.actors[actor] = {"role": "console", "component": component}
    return actor


def _named(testbed: Testbed, kind: type[BoundComponent]) -> list[str]:
    return [name for name, each in testbed.components.items() if isinstance(each, kind)]

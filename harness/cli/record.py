"""``iccs record``: makes a scenario of a run's journal, or of a packet capture and serial transcripts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.places import SIMULATED_TESTBED
from harness.errors import ScenarioError, TestbedError

if TYPE_CHECKING:
    from harness.scenario.record import Recorded

EXIT_USAGE, EXIT_ENVIRONMENT = 2, 3


def record(
    out: Annotated[Path, typer.Option(help="Scenario file to write.")],
    journal: Annotated[
        Path | None, typer.Argument(help="A run's journal (JSONL): iccs replay --journal, or of a test.")
    ] = None,
    capture: Annotated[
        Path | None, typer.Option(help="Instead of a journal, a packet capture (pcap, pcapng): SIP and RTP.")
    ] = None,
    transcript: Annotated[
        list[str] | None,
        typer.Option(help="TERMINAL=FILE: what crossed that terminal's serial line; may be given more than once."),
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="HOST:PORT at which the control room took calls, where there were several.")
    ] = None,
    console: Annotated[
        list[str] | None, typer.Option(help="A console that takes the capture's calls when they were taken.")
    ] = None,
    speech: Annotated[
        bool, typer.Option("--speech", help="Of a capture also what was said, as WAV files beside OUT.")
    ] = False,
    testbed: Annotated[Path, typer.Option(help="The testbed of that run: who the actors are.")] = SIMULATED_TESTBED,
    id_: Annotated[str, typer.Option("--id", help="The scenario's id.")] = "RECORDED",
) -> None:
    """Make a scenario that does what was done, by the same actors, at the same times.

    Of a run's journal: all acts. A journal has no passwords, no numbers but test numbers, and of speech the clips of
    scenarios alone: else keys are held as long as they were, and nobody speaks.

    Of a capture and serial transcripts, of a run or of a real system: what came to the control room. Callers dial,
    press keys and hang up, officers press, select and send. Numbers that are no test numbers become some, one each
    caller. With --speech callers say what they said, to the consoles that take them, and officers what a radio gateway
    (ED-137) brought while their key was down; the WAV files in the folder OUT-speech are people's voices: keep them as
    you would a recording. Else nobody speaks.

    What can't be done again is left out, and told.

    Exit codes: 0 written, 2 no journal, capture or transcript of that testbed, 3 a file can't be read or written.

    Examples:

      iccs record journal.jsonl --out recorded.yaml && iccs replay recorded.yaml --virtual

      iccs record --capture monday.pcap --system 192.0.2.10:5060 --transcript officer=officer.txt --console govan-12
      --out monday.yaml
    """
    from harness.scenario.load import load_scenario  # noqa: PLC0415 - help must come at once
    from harness.scenario.record import scenario_text  # noqa: PLC0415

    try:
        if (journal is None) == (capture is None and not transcript):
            raise ScenarioError("a JOURNAL is due, or --capture and --transcript: one of the two")
        if journal is not None and (system or console):
            raise ScenarioError("--system and --console go with --capture: a journal tells who did what")
        if speech and capture is None:
            raise ScenarioError("--speech goes with --capture: a journal has no word of what was said")
        recorded = (
            _of_journal(journal, testbed)
            if journal is not None
            else _of_wire(
                testbed, capture, transcript or [], system, console or [], f"{out.stem}-speech" if speech else None
            )
        )
        named = journal or capture or Path((transcript or [""])[0].partition("=")[2])
        _write_clips(recorded, out.parent)
        out.write_text(scenario_text(recorded, id_, f"Recorded from {named.name}"), encoding="utf-8")
        load_scenario(out)
    except (ScenarioError, TestbedError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE) from error
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_ENVIRONMENT) from error
    for why, count in sorted(recorded.left_out.items()):
        print(f"left out, {count}: {why}")  # noqa: T201
    if recorded.may_be_late:
        print(f"{recorded.may_be_late} acts come while a key before them waits for its floor: they may be late")  # noqa: T201
    if recorded.clips:
        print(f"{len(recorded.clips)} clips of what was said: {out.stem}-speech")  # noqa: T201
    print(f"{out}: {len(recorded.acts)} acts of {len(recorded.actors)} actors; iccs replay {out} plays it")  # noqa: T201


def _of_journal(journal: Path, testbed: Path) -> Recorded:
    from harness.scenario.record import record as read  # noqa: PLC0415 - as above
    from harness.testbed.load import load_testbed  # noqa: PLC0415

    with journal.open(encoding="utf-8") as file:
        return read(file, load_testbed(testbed), str(journal))


def _of_wire(
    testbed: Path,
    capture: Path | None,
    transcripts: list[str],
    system: str | None,
    consoles: list[str],
    speech: str | None,
) -> Recorded:
    from harness.scenario.record_wire import MAX_CAPTURE, MAX_TRANSCRIPT, record_wire  # noqa: PLC0415 - as above
    from harness.testbed.load import load_testbed  # noqa: PLC0415

    told: dict[str, tuple[str, str]] = {}
    for each in transcripts:
        terminal, mark, file = each.partition("=")
        if not mark or not file or terminal in told:
            raise ScenarioError(f"--transcript {each}: TERMINAL=FILE is due, each terminal once")
        with Path(file).open(encoding="utf-8") as text:
            told[terminal] = file, text.read(MAX_TRANSCRIPT + 1)
    packets = None
    if capture is not None:
        with capture.open("rb") as octets:
            packets = str(capture), octets.read(MAX_CAPTURE + 1)
    return record_wire(
        load_testbed(testbed),
        capture=packets,
        transcripts=told,
        system=_address(system),
        consoles=consoles,
        speech=speech,
    )


def _write_clips(recorded: Recorded, folder: Path) -> None:
    from harness.endpoints.media.wav import write_wav  # noqa: PLC0415 - as above

    for name, samples in recorded.clips.items():
        (folder / name).parent.mkdir(exist_ok=True)
        write_wav(folder / name, samples)


def _address(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ScenarioError(f"--system {text}: HOST:PORT is due, such as 192.0.2.10:5060")
    return host.strip("[]"), int(port)

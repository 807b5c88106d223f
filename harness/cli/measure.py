"""``iccs measure``: access time from a table of presses, mouth-to-ear latency from two recordings."""

from __future__ import annotations

import csv
import json
import sys
import wave
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from harness.errors import HarnessError, LocalError

EXIT_NO_RESULT = 1
EXIT_USAGE = 2
MAX_BYTES = 64 * 1024 * 1024
"""Of a table or a recording."""
MOST_LINES_BEFORE = 20
"""Lines of a table in which its header is looked for."""
app = typer.Typer(
    no_args_is_help=True,
    help="Measure speech from recordings and tables. Example: iccs measure latency TX.wav RX.wav",
)


@app.command("access-time")
def access_time(
    table: Annotated[Path, typer.Argument(help="CSV with columns ptt (seconds), p1 and p2 (intelligibility 0-1).")],
    alpha: Annotated[float, typer.Option(help="Share of full intelligibility that counts as access.")] = 0.9,
    level: Annotated[float, typer.Option(help="Confidence of the interval.")] = 0.95,
    plot: Annotated[Path | None, typer.Option(help="Write the fitted curve here, as SVG.")] = None,
    word_at: Annotated[
        float | None,
        typer.Option(help="Seconds into the clip at which the word begins, where ptt is a moment of the clip."),
    ] = None,
) -> None:
    """Fit NIST's access curve to a table of presses, and tell the access time with its interval, as JSON.

    A row is one message: when push-to-talk was pressed, in seconds (the lead before the word, or a moment of the clip),
    and how well the word that followed (p1) and the same word spoken later (p2, may be empty) were understood. Column
    names are read whatever their case: ptt, ptt_time, ptt_s or PTT_time; P1, P1_Int; P2, P2_Int. Lines before the
    header are passed over: NIST's published tables have three, and their PTT_time is a moment of the clip.

    Exit 0 with a result, 1 where the table holds none (it says why), 2 for a table that can't be read.

    Examples:

      iccs measure access-time presses.csv --alpha 0.9 --plot curve.svg

      iccs measure access-time capture_LTE_F1_b9_w1_bed.csv --word-at 2.5
    """
    trials = _or_exit(EXIT_USAGE, lambda: read_trials(table, word_at))
    from harness.measure.access.curve import fit  # noqa: PLC0415 - only when asked for

    def found() -> dict[str, Any]:
        curve = fit(trials)
        tau = curve.tau(alpha, level)
        if curve.lambda_s > 0:
            _warn(
                "the later the press, the less is understood: ptt is a moment of the clip, and so is the result; give"
            )
            _warn("--word-at, the moment at which the word begins, for the access time")
        if plot is not None:
            plot.write_bytes(_drawn(curve, trials, tau.value))
        return {
            "access_time_s": round(tau.value, 4),
            "interval_s": [round(tau.low, 4), round(tau.high, 4)],
            "alpha": alpha,
            "confidence": level,
            "i0": round(curve.i0, 4),
            "t0_s": round(curve.t0_s, 4),
            "lambda_s": round(curve.lambda_s, 5),
            "trials": curve.trials,
        }

    _show(_or_exit(EXIT_NO_RESULT, found))


@app.command("latency")
def latency(
    spoken: Annotated[Path, typer.Argument(help="WAV of what was spoken.")],
    heard: Annotated[Path, typer.Argument(help="WAV of what was heard, its recording begun at the same moment.")],
    method: Annotated[
        str, typer.Option(help="waveform, envelope (for vocoders), or auto: waveform, and envelope where it is gone.")
    ] = "auto",
) -> None:
    """Find what was spoken in what was heard, and tell by how much it is later, as JSON.

    Both 16-bit WAV at one sample rate; of several channels the first counts. Exit 0 with a result, 1 where what was
    spoken was not heard, 2 for files that can't be read.

    Example:

      iccs measure latency TX.wav RX.wav
    """
    from harness.endpoints.media.api import Recording  # noqa: PLC0415
    from harness.measure.latency import Method, mouth_to_ear  # noqa: PLC0415

    methods = {"auto": None, **{each.value: each for each in Method}}
    if method not in methods:
        _fail(EXIT_USAGE, f"unknown method {method!r}; there is {', '.join(methods)}")
    (ours, rate), (theirs, other) = (
        _or_exit(EXIT_USAGE, lambda path=path: read_sound(path)) for path in (spoken, heard)
    )
    if rate != other:
        _fail(EXIT_USAGE, f"{spoken} has {rate} samples a second, {heard} {other}; resample one (sox IN -r {rate} OUT)")
    found = _or_exit(
        EXIT_NO_RESULT, lambda: mouth_to_ear(ours, 0.0, Recording(0.0, theirs, rate=rate), methods[method])
    )
    _show({"latency_ms": found.ms, "confidence": found.confidence, "method": found.method.value, "rate": rate})


def read_trials(path: Path, word_at: float | None = None) -> list[Any]:
    """The trials of a table; with `word_at`, seconds, its presses are moments of a clip whose word begins then.

    Raises LocalError naming file and line.
    """
    from harness.measure.access.curve import MOST_TRIALS, Trial  # noqa: PLC0415

    try:
        if path.stat().st_size > MAX_BYTES:
            raise LocalError(f"{path}: larger than {MAX_BYTES} bytes")
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LocalError(f"{path}: can't be read as CSV: {error}") from None
    if not rows:
        raise LocalError(f"{path}: empty; a header with ptt, p1 and p2 is due")
    headers = ([name.strip().lower() for name in row] for row in rows[:MOST_LINES_BEFORE])
    begins, names = next(
        ((at, row) for at, row in enumerate(headers) if set(row) & set(_COLUMNS["ptt"])),
        (0, [name.strip().lower() for name in rows[0]]),
    )
    places = {column: _place(path, names, column) for column in _COLUMNS}
    trials = []
    for line, row in enumerate(rows[begins + 1 : begins + MOST_TRIALS + 1], begins + 2):
        if not any(cell.strip() for cell in row):
            continue
        values = {column: _number(path, line, row, column, place) for column, place in places.items()}
        if values["ptt"] is None or values["p1"] is None:
            raise LocalError(f"{path}:{line}: ptt and p1 are due in every row")
        lead = values["ptt"] if word_at is None else word_at - values["ptt"]
        trials.append(Trial(lead, values["p1"], values["p2"]))
    return trials


_COLUMNS = {
    "ptt": ("ptt", "ptt_s", "ptt_time", "ptt time", "ptt_time_s"),
    "p1": ("p1", "p1_int", "p1 int", "p1_intelligibility"),
    "p2": ("p2", "p2_int", "p2 int", "p2_intelligibility"),
}


def _place(path: Path, names: list[str], column: str) -> int | None:
    for name in _COLUMNS[column]:
        if name in names:
            return names.index(name)
    if column == "p2":
        return None
    raise LocalError(f"{path}:1: no column {column}; the header has {', '.join(names)[:200]}")


def _number(path: Path, line: int, row: list[str], column: str, place: int | None) -> float | None:
    text = row[place].strip() if place is not None and place < len(row) else ""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise LocalError(f"{path}:{line}: {column} is {text[:40]!r}, no number") from None
    if not np.isfinite(value) or (column != "ptt" and not 0 <= value <= 1):
        raise LocalError(f"{path}:{line}: {column} is {text}, {'finite' if column == 'ptt' else '0 to 1'} is due")
    return value


def read_sound(path: Path) -> tuple[NDArray[np.int16], int]:
    """The first channel of a 16-bit WAV file and its rate. Raises LocalError naming the file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LocalError(f"{path}: larger than {MAX_BYTES} bytes")
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                raise LocalError(f"{path}: {8 * file.getsampwidth()} bits; 16 are due (sox IN -b 16 OUT)")
            data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            return data[:: file.getnchannels()].astype(np.int16), file.getframerate()
    except (OSError, EOFError, wave.Error) as error:
        raise LocalError(f"{path}: can't be read as WAV: {error}") from None


def _drawn(curve: Any, trials: list[Any], tau: float) -> bytes:
    from harness.evidence.plot import Axis, Line, line_plot  # noqa: PLC0415

    leads = np.linspace(min(t.ptt_s for t in trials), max(t.ptt_s for t in trials), 400)
    lines = {
        "fitted": Line(list(leads), [curve.intelligibility(float(t)) for t in leads]),
        "access time": Line([tau, tau], [0.0, curve.intelligibility(tau)], ":"),
    }
    title = f"Access time {1000 * tau:.0f} ms from {len(trials)} messages"
    return line_plot(lines, title=title, x=Axis("push-to-talk pressed", "s"), y=Axis("intelligibility"))


def _or_exit(status: int, work: Any) -> Any:
    try:
        return work()
    except HarnessError as error:
        _fail(status, str(error))


def _warn(why: str) -> None:
    print(why, file=sys.stderr)  # noqa: T201


def _fail(status: int, why: str) -> None:
    _warn(why)
    raise typer.Exit(status)


def _show(result: dict[str, Any]) -> None:
    print(json.dumps(result, indent=2))  # noqa: T201

"""Runs every benchmark in turn, prints each figure beside its peer and its target, and writes reports/out/bench.json.

    python -m bench [NAME ...]

Figures are for the machine they were taken on; ratios against a peer measured in the same run carry over. A benchmark
never fails a build: it exits 0 whether targets are met or not, and 3 when one could not run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import (
    at_round_trips,
    bookings,
    c3_day,
    conference,
    console_actions,
    floor_requests,
    outbox,
    radio_codecs,
    radio_network,
    reports,
    rtp_pacing,
    sdp_answers,
    sip_calls,
    sip_messages,
    texts,
    webex_calls,
    webex_requests,
)

PROJECT = Path(__file__).resolve().parent.parent
OUT = PROJECT / "reports" / "out" / "bench.json"
EXIT_UNABLE = 3
STREAMS, STREAM_SECONDS = 200, 8.0
MANY_STREAMS = 1000
VIRTUAL_TARGET_S = 2.0

Row = tuple[str, str, str, str, bool | None]
"""What, ours, the peer's in the same run, the target, whether it is met (None: there is none)."""


def _messages() -> tuple[dict[str, Any], list[Row]]:
    result = sip_messages.measure()
    ours, peer = result["messages_per_second"], sip_messages.split_only()
    result["split_only_per_second"] = peer
    row = ("SIP messages parsed and serialised /s", f"{ours:,.0f}", f"bytes.split alone {peer:,.0f}", "≥ 100,000")
    return result, [(*row, ours >= 100_000)]


def _calls() -> tuple[dict[str, Any], list[Row]]:
    result = sip_calls.measure()
    peer = f"SIPp -sn uas {result['sipp_calls_per_second']:,.0f}"
    rows: list[Row] = []
    for what in ("answered", "placed"):
        ratio = result[f"{what}_ratio"]
        ours = f"{result[f'{what}_per_second']:,.0f}, ratio {ratio:.2f}"
        rows.append((f"calls {what} /s, none failed or repeated", ours, peer, "ratio ≥ 0.30", ratio >= 0.30))
    digest, tls = result["answered_with_digest_per_second"], result["both_sides_ours_over_tls_per_second"]
    rows.append(("the same answered, each INVITE challenged (MD5)", f"{digest:,.0f}", peer, "none", None))
    rows.append(("the same over TLS, both sides ours", f"{tls:,.0f}", peer, "none", None))
    return dict(result), rows


def _round_trips() -> tuple[dict[str, Any], list[Row]]:
    result = at_round_trips.measure()
    row = ("AT round trips over a PTY /s", f"{result['ours_per_s']:,}")
    peer = f"pyserial, blocking {result['pyserial_blocking_per_s']:,}"
    return result, [(*row, peer, "≥ 15,000", bool(result["met"]))]


def _outbox() -> tuple[dict[str, Any], list[Row]]:
    result = outbox.measure()
    ours, peer = f"{result['incidents_per_s']:,}", f"a plain file, flushed each {result['plain_file_per_s']:,}"
    return result, [("incidents through store-and-forward, flushed each /s", ours, peer, "", None)]


def _reports() -> tuple[dict[str, Any], list[Row]]:
    result = reports.measure()
    ratio, cost = result["ratio"], result["evidence_ms_per_test"]
    ours = f"{result['report_s']:.1f} + {result['dossier_s']:.1f} s, ratio {ratio:.2f}"
    peer = f"Allure alone {result['allure_alone_s']:.1f} s, {result['allure_alone_mib']} MiB"
    return result, [
        (f"report and dossier of {result['results']:,} results", ours, peer, "ratio ≤ 2", ratio <= 2),
        ("memory of the dossier", f"{result['dossier_mib']} MiB", peer, "", None),
        ("evidence of a test, without capture", f"{cost:.2f} ms", "", "≤ 5 ms", cost <= 5),
    ]


def _texts() -> tuple[dict[str, Any], list[Row]]:
    result = texts.measure()
    ours, bare = f"{result['submits_per_s']:,}", f"bare TCP answers {result['bare_tcp_answers_per_s']:,}"
    modem, plain = f"{result['modem_texts_per_s']:,}", f"pyserial, blocking {result['pyserial_texts_per_s']:,}"
    return result, [
        ("SMPP submits taken by the service centre /s", ours, bare, "", None),
        ("texts sent by a modem over a PTY /s", modem, plain, "", None),
    ]


def _console_actions() -> tuple[dict[str, Any], list[Row]]:
    result = console_actions.measure()
    ours, peer = result["all"]["p95_ms"], result["reading_alone"]["p95_ms"]
    what = f"a console's action until it is shown, {result['positions']} logged in, p95 ms"
    target = f"≤ {console_actions.TARGET_MS:.0f}"
    return result, [
        (what, f"{ours:,.1f}", f"reading a position {peer:,.1f}", target, ours <= console_actions.TARGET_MS)
    ]


def _bookings() -> tuple[dict[str, Any], list[Row]]:
    result = bookings.measure()
    rows: list[Row] = []
    for database, figures in result["databases"].items():
        what = f"appointments booked by {result['writers']} writers /s, {database}"
        if "missing" in figures:
            rows.append((what, "not measured", figures["missing"], "", None))
            continue
        ours, peer = f"{figures['bookings_per_s']:,}, ratio {figures['ratio']:.2f}", figures["rows_per_s"]
        rows.append((what, ours, f"one row a transaction {peer:,}", "", None))
    return result, rows


def _answers() -> tuple[dict[str, Any], list[Row]]:
    result = sdp_answers.measure()
    ours, peer = result["answers_per_second"], result["split_only_per_second"]
    return dict(result), [("SDP offers answered /s", f"{ours:,.0f}", f"split alone {peer:,.0f}", "", None)]


def _pacing() -> tuple[dict[str, Any], list[Row]]:
    result: dict[str, Any] = asyncio.run(rtp_pacing.measure(STREAMS, STREAM_SECONDS))
    rows: list[Row] = []
    for way, figures in result["ways"].items():
        if way != rtp_pacing.PLAIN:
            met = figures["p99_ms"] <= 2.0 and figures["p999_ms"] <= 5.0
            rows.append((*_paced(STREAMS, way, result), "p99 ≤ 2, p99.9 ≤ 5", met))
    return result, rows


def _many_streams() -> tuple[dict[str, Any], list[Row]]:
    """The targets are for SCHED_FIFO; without it, and with speech on every stream, the figures stand beside it."""
    result: dict[str, Any] = asyncio.run(rtp_pacing.measure(MANY_STREAMS, STREAM_SECONDS))
    rows: list[Row] = []
    for way, figures in result["ways"].items():
        if way == rtp_pacing.PLAIN:
            continue
        met = figures["p99_ms"] <= 0.5 and figures["core"] <= 0.4 if way == rtp_pacing.FIFO else None
        target = "p99 ≤ 0.5, core ≤ 40 %" if way == rtp_pacing.FIFO else ""
        rows.append((*_paced(MANY_STREAMS, way, result), target, met))
    return result, rows


def _paced(streams: int, way: str, result: dict[str, Any]) -> tuple[str, str, str]:
    figures, plain = result["ways"][way], result["ways"][rtp_pacing.PLAIN]
    told = f"p99 {figures['p99_ms']:.2f}, p99.9 {figures['p999_ms']:.2f}, core {figures['core']:.0%}"
    return f"send error of {streams} RTP streams, ms: {way}", told, f"plain event loop p99 {plain['p99_ms']:.2f}"


def _conference() -> tuple[dict[str, Any], list[Row]]:
    result: dict[str, Any] = conference.measure()
    ours, peer = (result["ways"][way]["conferences_per_core"] for way in ("bridge", "each by itself"))
    what = f"conferences of {result['parties']} that one core mixes, RTP in and out"
    return result, [(what, f"{ours:.0f}", f"each party mixed by itself {peer:.0f}", "", None)]


def _virtual() -> tuple[dict[str, Any], list[Row]]:
    """Run the end-to-end test in virtual time and see how long it takes and how long it stands for."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "suites/niccs/test_999_to_radio.py", "--time", "virtual", "-q"]
        command += ["--journal-dir", folder, "--durations=0", "--durations-min=0", "-p", "no:cacheprovider"]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120)
        whole = time.perf_counter() - began
        if done.returncode != 0:
            raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
        phases = [line.split() for line in done.stdout.splitlines() if "s setup" in line or "s call" in line]
        test = sum(float(words[0].removesuffix("s")) for words in phases)
        last = next(Path(folder).glob("*.jsonl")).read_text(encoding="utf-8").splitlines()[-1]
    stands_for = json.loads(last)["time"]
    result = {"test_s": round(test, 3), "command_s": round(whole, 3), "run_time_s": stands_for}
    ours = f"{test:.2f} s ({whole:.2f} s with start-up)"
    row = ("the 999-to-radio test in virtual time", ours, f"real time {stands_for:.1f} s", "< 2 s")
    return result, [(*row, test < VIRTUAL_TARGET_S)]


def _codecs() -> tuple[dict[str, Any], list[Row]]:
    result = radio_codecs.measure()
    rows: list[Row] = [
        (
            f"{kind['what']} written and read /s",
            f"{kind['per_second']:,}",
            f"{kind['peer']} alone {kind['peer_per_second']:,}",
            "",
            None,
        )
        for kind in result
    ]
    return {"kinds": result}, rows


def _floor_requests() -> tuple[dict[str, Any], list[Row]]:
    result = floor_requests.measure()
    what = f"MCPTT floor requests /s, {result['groups']} groups of {result['members']}"
    peer = f"UDP echoes over two {result['peer_per_second']:,}"
    return result, [(what, f"{result['requests_per_second']:,}", peer, "", None)]


def _radio_network() -> tuple[dict[str, Any], list[Row]]:
    result = radio_network.measure()
    hour = f"an hour of {radio_network.TERMINALS:,} terminals, {result['presses']['pressed']:,} presses"
    ours, memory = f"{result['wall_s']:.1f} s ({result['cpu_s']:.1f} s of processor)", result["memory_mib"]
    peer = f"{result['timers']:,} idle timers {result['idle_timers_s']:.1f} s"
    same = "the same" if result["same_journal"] else "another"
    grown = f"{memory['growth_an_hour']:+.1f} MiB an hour of {memory['last']:.0f}"
    flat = memory["growth_an_hour"] <= radio_network.FLAT_MIB
    return result, [
        (hour, ours, peer, f"≤ {radio_network.TARGET_S:.0f} s", result["wall_s"] <= radio_network.TARGET_S),
        ("the same seed again: its journal", same, "", "the same", result["same_journal"]),
        ("memory of that hour", grown, "", f"≤ {radio_network.FLAT_MIB:.0f} MiB an hour", flat),
    ]


def _c3_day() -> tuple[dict[str, Any], list[Row]]:
    result = c3_day.measure()
    what = f"a C3 day, {result['came']['presses']:,} presses and {result['events']:,} events"
    ours = f"{result['wall_s']:.0f} s ({result['cpu_s']:.0f} s of processor), {result['times_real']:,} times real time"
    in_time, flat = result["wall_s"] <= c3_day.TARGET_S, result["grown_mib"] <= c3_day.FLAT_MIB
    return result, [
        (what, ours, "", f"≤ {c3_day.TARGET_S:.0f} s", in_time),
        ("memory of that day", f"{result['grown_mib']:+.1f} MiB", "", f"≤ {c3_day.FLAT_MIB:.0f} MiB", flat),
    ]


def _webex() -> tuple[dict[str, Any], list[Row]]:
    result = webex_requests.measure()
    peer = f"a bare page {result['bare']['per_s']:,}, {result['bare']['p99_ms']} ms"
    rows: list[Row] = []
    for key, what in (("people_me", "people/me"), ("message_with_webhook", "a message told by a webhook")):
        figures = result[key]
        rows.append((f"Webex: {what} /s, p99", f"{figures['per_s']:,}, {figures['p99_ms']} ms", peer, "", None))
    paging = result["paging"]
    ours = f"{paging['messages_per_s']:,}, slowest page {paging['slowest_page_ms']} ms"
    return result, [*rows, (f"Webex: {webex_requests.MESSAGES:,} messages paged /s", ours, "", "", None)]


def _webex_calls() -> tuple[dict[str, Any], list[Row]]:
    result = webex_calls.measure()
    ours, peer = f"{result['by_rest_per_s']:,}", f"the same dialled by SIP {result['by_sip_per_s']:,}"
    return result, [("Webex: calls by REST, answered by SIP with speech, and ended /s", ours, peer, "", None)]


BENCHMARKS: dict[str, Callable[[], tuple[dict[str, Any], list[Row]]]] = {
    "sip_messages": _messages,
    "sip_calls": _calls,
    "sdp_answers": _answers,
    "at_round_trips": _round_trips,
    "texts": _texts,
    "bookings": _bookings,
    "console_actions": _console_actions,
    "outbox": _outbox,
    "reports": _reports,
    "radio_codecs": _codecs,
    "radio_network": _radio_network,
    "c3_day": _c3_day,
    "floor_requests": _floor_requests,
    "rtp_pacing": _pacing,
    "rtp_1000": _many_streams,
    "conference": _conference,
    "virtual_time": _virtual,
    "webex_requests": _webex,
    "webex_calls": _webex_calls,
}


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these of {', '.join(BENCHMARKS)}")
    wanted = parser.parse_args().names
    if unknown := sorted(set(wanted) - set(BENCHMARKS)):
        parser.error(f"no benchmark {unknown[0]!r}; there is {', '.join(BENCHMARKS)}")
    console = Console()
    table = Table("measure", "ours", "peer, same run", "target", "met")
    results: dict[str, Any] = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    }
    unable = False
    for name, measure in BENCHMARKS.items():
        if wanted and name not in wanted:
            continue
        console.print(f"measuring {name} …", style="dim")
        try:
            results[name], rows = measure()
        except (OSError, RuntimeError, subprocess.SubprocessError, SystemExit) as error:
            unable = True
            results[name] = {"error": str(error)}
            console.print(f"{name} could not run: {error}", style="red")
            continue
        for what, ours, peer, target, met in rows:
            mark = "" if met is None else "[green]yes[/]" if met else "[red]no[/]"
            table.add_row(what, ours, peer, target, mark)
    console.print(table)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    console.print(f"written to {OUT.relative_to(PROJECT)}")
    return EXIT_UNABLE if unable else 0


if __name__ == "__main__":
    sys.exit(main())

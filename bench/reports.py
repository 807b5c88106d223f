"""Seconds and memory of report and dossier for many results with attachments, and what evidence costs each test.

The peer is Allure alone over the same results in the same run. Each is a process of its own, whose largest memory the
system tells.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.cli.node import ALLURE_CONFIG, find_allure, find_node
from harness.evidence.collect import Evidence
from harness.evidence.manifest import make_key
from harness.evidence.requirements import catalogue
from harness.journal import Event

RESULTS, EVENTS, TESTS = 10_000, 40, 300


def measure() -> dict[str, Any]:
    """Return seconds and MiB of Allure alone and of report and dossier, and milliseconds of evidence a test."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "out"
        _fill(out)
        key = Path(place) / "key.pem"
        make_key(key)
        allure = [find_node(), find_allure(), "generate", "--config", ALLURE_CONFIG, "--cwd", out]
        alone = _ran([*allure, "--output", Path(place) / "alone", "allure-results"])
        iccs = [sys.executable, "-m", "harness.cli"]
        report = _ran([*iccs, "report", "--results", out / "allure-results", "--out", out])
        dossier = _ran([*iccs, "dossier", "--stage", "SAT", "--key", key, "--out", out])
    both = report[0] + dossier[0]
    return {
        "results": RESULTS,
        "allure_alone_s": round(alone[0], 2),
        "allure_alone_mib": round(alone[1]),
        "report_s": round(report[0], 2),
        "dossier_s": round(dossier[0], 2),
        "dossier_mib": round(dossier[1]),
        "ratio": round(both / alone[0], 2),
        "evidence_ms_per_test": round(_evidence_ms(), 3),
    }


def _fill(out: Path) -> None:
    """Write results of the form that pytest's have, each with a journal and a table of measures."""
    results = out / "allure-results"
    results.mkdir(parents=True)
    names = list(catalogue())
    journal = "".join(_event(index).told() + "\n" for index in range(EVENTS))
    for number in range(RESULTS):
        requirement = names[number % len(names)]
        value = {"name": "answer", "value": number % 97 / 10, "unit": "s", "requirement": requirement, "limit": 10}
        (results / f"{number}-j-attachment.txt").write_text(journal, encoding="utf-8")
        (results / f"{number}-m-attachment.json").write_text(json.dumps([value]), encoding="utf-8")
        labels = {"requirement": requirement, "binding": "simulated", "epic": "SAT on simulators", "feature": "Bench"}
        result = {
            "uuid": f"{number}",
            "historyId": f"{number}",
            "name": f"test {number}",
            "fullName": f"suites.bench.test_many#test_{number}",
            "status": "passed",
            "start": 1_700_000_000_000 + number,
            "stop": 1_700_000_000_500 + number,
            "labels": [{"name": name, "value": told} for name, told in labels.items()],
            "attachments": [
                {"name": "journal", "source": f"{number}-j-attachment.txt", "type": "text/plain"},
                {"name": "measures", "source": f"{number}-m-attachment.json", "type": "application/json"},
            ],
        }
        (results / f"{number}-result.json").write_text(json.dumps(result), encoding="utf-8")
    run = {"exit": 0, "interrupted": False, "began": time.time(), "testbed": "bench", "stage": "SAT"}
    (out / "summary.json").write_text(json.dumps({"run": {**run, "bindings": {"iccs": "simulated"}}}), encoding="utf-8")


def _event(index: int) -> Event:
    return Event(index + 1, index / 10, "govan-12", "call.ringing", {"call_id": f"c-{index}", "cli": "+447700900123"})


def _ran(command: Sequence[object]) -> tuple[float, float]:
    """Run a process; return its seconds and its largest memory, with its children's, in MiB."""
    words = [str(each) for each in command]
    began = time.perf_counter()
    quiet = os.open(os.devnull, os.O_WRONLY)
    try:
        actions = [(os.POSIX_SPAWN_DUP2, quiet, 1), (os.POSIX_SPAWN_DUP2, quiet, 2)]
        child = os.posix_spawn(words[0], words, os.environ, file_actions=actions)
    finally:
        os.close(quiet)
    _, status, used = os.wait4(child, 0)
    if (code := os.waitstatus_to_exitcode(status)) != 0:
        raise RuntimeError(f"{' '.join(words)} ended with {code}")
    return time.perf_counter() - began, used.ru_maxrss / 1024


def _evidence_ms() -> float:
    """Return the milliseconds in which a passed test's evidence is made, without capture."""
    events = [_event(index) for index in range(EVENTS)]
    evidence = Evidence((), {}, 1_700_000_000.0)
    evidence.attachments("warm", events, start=0, end=EVENTS, failed=None)
    began = time.perf_counter()
    for _ in range(TESTS):
        evidence.attachments("test", events, start=0, end=EVENTS, failed=None)
    return (time.perf_counter() - began) * 1000 / TESTS

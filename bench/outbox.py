"""Incidents a second through store-and-forward: put on disk with a flush each, read again, settled when told.

The peer appends the same bytes to a plain file with a flush each and does nothing else. Both are in a folder of the
working directory, as a temporary folder may be memory.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from harness.endpoints.command_control import Entry, Outbox
from simulators.contact_us.incidents import incident_object

INCIDENTS, BATCH, ROUNDS = 500, 100, 3


def _entries() -> list[Entry]:
    found = []
    for number in range(INCIDENTS):
        kept = {
            "reference": f"CU-{number:08d}",
            "received": 1_767_225_600.0 + number,
            "person": {"telephone": "+447700900123", "email": "iona@example.org"},
            "flags": ["urgent"],
            "place": "The close of 12 Larch Street",
            "text": "Somebody is in the close with a knife. " * 10,
        }
        about = f"contact-us-{kept['reference']}"
        found.append(Entry("incident.opened", about, incident_object(kept, about, "contact-us").written()))
    return found


def _through(entries: list[Entry], folder: Path) -> float:
    outbox = Outbox(folder / "outbox.sqlite", origin="bench")
    began = time.perf_counter()
    for entry in entries:
        outbox.put_once(entry)
    while told := outbox.first(BATCH):
        outbox.settle(told)
    elapsed = time.perf_counter() - began
    outbox.close()
    return len(entries) / elapsed


def _plain(entries: list[Entry], folder: Path) -> float:
    lines = [json.dumps(entry.body).encode() + b"\n" for entry in entries]
    with (folder / "plain").open("ab", buffering=0) as file:
        began = time.perf_counter()
        for line in lines:
            file.write(line)
            os.fsync(file.fileno())
        return len(lines) / (time.perf_counter() - began)


def measure() -> dict[str, Any]:
    """Measure both in turns; give the best of each."""
    entries = _entries()
    ours, plain = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
            ours.append(_through(entries, Path(folder)))
            plain.append(_plain(entries, Path(folder)))
    return {
        "incidents": INCIDENTS,
        "incidents_per_s": round(max(ours)),
        "plain_file_per_s": round(max(plain)),
    }

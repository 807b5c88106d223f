"""Either side of the link is killed a hundred times at random: nothing is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.endpoints.command_control import CommandControlLink, Outbox, load_dialect
from harness.transport.context import Context
from simulators.command_control.store import Message, Store

KILLS = 50
"""Of each shape: a hundred in all."""
INCIDENTS = 50
"""As many as the sender writes about."""
LIVES_S = (0.0, 0.25)
"""How long a process lives, at least and at most, once it is up."""
DRAINS_WITHIN_S = 240.0
OPENED = {
    "$id": "opened",
    "issuingElementIdentification": "s",
    "incidentComponent": {"$id": "i", "incidentTypeCommonRegistryText": "Other"},
}


class Side:
    """One of the two processes."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, str(Path(__file__).with_name("killed.py")), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.out = self.process.stdout
        self.first = self.out.readline().strip()
        assert self.first, f"{arguments[0]} did not come up"

    def kill(self) -> list[str]:
        """End it with SIGKILL; give the whole lines that it had said, once."""
        if self.out.closed:
            return []
        self.process.kill()
        said = self.out.read()
        self.process.wait()
        self.out.close()
        return [self.first, *said[: said.rfind("\n") + 1].split()]


def begin(living: ExitStack, *arguments: str) -> Side:
    """Start one; none outlives the test, whatever becomes of it."""
    side = Side(*arguments)
    living.callback(side.kill)
    return side


@pytest.mark.parametrize("shape", ["storm", "next_generation"])
def test_nothing_is_lost_or_doubled_though_either_side_is_killed_at_random(shape: str, tmp_path: Path) -> None:
    chance = random.Random(f"{shape} 1")
    with_incident = Store(tmp_path / "store.sqlite", [])
    with_incident.take(
        [Message(f"before:{each}", "incident.opened", f"INC-{each}", OPENED) for each in range(INCIDENTS)]
    )
    with_incident.close()
    put: list[int] = []
    with ExitStack() as living:
        receiver = begin(living, "receiver", str(tmp_path), shape, "0")
        url = receiver.first
        port = url.rpartition(":")[2]
        sender = begin(living, "sender", str(tmp_path), shape, url)
        for _ in range(KILLS):
            time.sleep(chance.uniform(*LIVES_S))  # real processes, whose time is the wall's
            if chance.random() < 0.5:
                put += map(int, sender.kill())
                sender = begin(living, "sender", str(tmp_path), shape, url)
            else:
                receiver.kill()
                receiver = begin(living, "receiver", str(tmp_path), shape, port)
        put += map(int, sender.kill())
        drain(tmp_path, shape, url)

    store = Store(tmp_path / "store.sqlite", [])
    had = store.told("sender")
    lines = sum(len(store.incident(f"INC-{each}")["log"]) for each in range(INCIDENTS))
    store.close()
    assert len(put) > 10 * KILLS, "too little was put in for the test to show anything"
    assert set(put) <= set(had), f"lost: {sorted(set(put) - set(had))[:5]} of {len(put)}"
    assert had == list(range(1, len(had) + 1)), "out of order, doubled or missing"
    assert lines == len(had), f"{len(had)} entries were acted on, and {lines} lines are in the log"


def drain(folder: Path, shape: str, url: str) -> None:
    """Let all that waits be told, by a link of this process."""

    async def run() -> None:
        outbox = Outbox(folder / "outbox.sqlite")
        link = CommandControlLink.open(Context.create(seed=1), "drain", url, outbox, load_dialect(shape))
        async with asyncio.timeout(DRAINS_WITHIN_S):
            while outbox:  # noqa: ASYNC110 - it can't tell when it is empty
                await asyncio.sleep(0.05)
        await link.close()
        outbox.close()

    asyncio.run(run())

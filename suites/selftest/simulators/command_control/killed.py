"""The two sides of the link as processes that can be killed: `python killed.py sender|receiver …`. Used by the test."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

import uvloop

from harness.endpoints.command_control import CommandControlLink, Entry, Outbox, load_dialect
from harness.transport.context import Context

PACE_S = 0.005
INCIDENTS = 50


async def sender(folder: Path, shape: str, url: str) -> None:
    """Put one line after another in the outbox, and say of each that it is there, until killed."""
    outbox = Outbox(folder / "outbox.sqlite", origin="sender")
    link = CommandControlLink.open(Context.create(seed=1), "sender", url, outbox, load_dialect(shape))
    for line in itertools.count():
        body = {
            "$id": "e",
            "issuingElementIdentification": "s",
            "notesComponent": [{"$id": "n", "notesActionComments": "x"}],
        }
        [number] = link.put(Entry("incident.noted", f"INC-{line % INCIDENTS}", body))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        await asyncio.sleep(PACE_S)


async def receiver(folder: Path, shape: str, port: int) -> None:
    """Command and control on a port, until killed."""
    from simulators.command_control.settings import CommandControlSettings  # noqa: PLC0415 - slow
    from simulators.command_control.simulator import CommandControlSimulator  # noqa: PLC0415 - slow

    settings = CommandControlSettings.model_validate({"shape": shape, "port": port, "store": folder / "store.sqlite"})
    simulator = await CommandControlSimulator.start(Context.create(seed=1), settings)
    sys.stdout.write(f"{simulator.link_url}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    what, folder, shape, address = sys.argv[1:]
    if what == "sender":
        uvloop.run(sender(Path(folder), shape, address))
    else:
        uvloop.run(receiver(Path(folder), shape, int(address)))

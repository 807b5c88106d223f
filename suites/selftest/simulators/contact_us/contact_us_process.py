"""Contact Us as a process that can be killed: `python contact_us_process.py FOLDER STORM CRM`. Used by the test."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from harness.transport.context import Context
from simulators.contact_us.crm_queue import CrmAt
from simulators.contact_us.incidents import CommandControlAt
from simulators.contact_us.settings import ContactUsSettings
from simulators.contact_us.simulator import ContactUsSimulator


async def run(folder: Path, storm: str, crm: str) -> None:
    """Serve on any port, say which, until killed."""
    settings = ContactUsSettings.model_validate(
        {
            "store": str(folder / "store.sqlite"),
            "outbox": folder / "outbox.sqlite",
            "limits": {"per_sender": 10_000, "in_all": 10_000, "same_text": 10_000},
        }
    )
    simulator = await ContactUsSimulator.start(
        Context.create(), settings, virtual=False, crm=CrmAt(crm), command_control=CommandControlAt(storm, "storm")
    )
    sys.stdout.write(f"{simulator.http_url}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))

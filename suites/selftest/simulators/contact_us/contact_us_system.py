"""A Contact Us system with a CRM and command and control behind it, for tests of what passes between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from harness.drivers.command_control import CommandControl
from harness.drivers.contact_us import ContactUs
from harness.endpoints.contact_us import Address, Ours
from harness.transport.context import Context
from simulators.command_control.settings import CommandControlSettings
from simulators.command_control.simulator import CommandControlSimulator
from simulators.contact_us.crm_queue import CrmAt
from simulators.contact_us.incidents import CommandControlAt
from simulators.contact_us.settings import ContactUsSettings
from simulators.contact_us.simulator import ContactUsSimulator
from simulators.web import WebServer

URGENT = "Somebody is in the close with a knife, please hurry"
CALM = "My bicycle light is missing from the rack at the station"


@dataclass
class PlainCrm:
    """Takes records as the contract says, each key once, and can be made to fail."""

    answers: int = 201
    """The status that it answers with; 201 takes."""
    loses_answers: bool = False
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: int = 0

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/v1/records")
        async def take(request: Request) -> JSONResponse:
            self.asked += 1
            if self.answers != 201:
                return JSONResponse({"detail": "no"}, self.answers)
            key = request.headers["idempotency-key"]
            created = key not in self.records
            self.records.setdefault(key, {"id": f"R-{len(self.records) + 1:06d}", **await request.json()})
            if self.loses_answers:
                return JSONResponse({"detail": "lost"}, 502)
            return JSONResponse(
                {"id": self.records[key]["id"], "contact": "C-000001", "created": created}, 201 if created else 200
            )

        return app


@dataclass
class System:
    """All of it."""

    context: Context
    contact: ContactUs
    storm: CommandControl
    crm: PlainCrm
    simulator: ContactUsSimulator
    at: Address


@asynccontextmanager
async def system(*, virtual: bool = True, **settings: Any) -> AsyncIterator[System]:
    """Bring it up, and down again. ``settings`` are those of Contact Us."""
    context = Context.create(seed=1)
    crm = PlainCrm()
    web = WebServer(crm.app(), "127.0.0.1", 0)
    port = await web.start()
    storm = await CommandControlSimulator.start(context, CommandControlSettings(), name="storm")
    simulator = await ContactUsSimulator.start(
        context,
        ContactUsSettings.model_validate(settings),
        virtual=virtual,
        crm=CrmAt(f"http://127.0.0.1:{port}"),
        command_control=CommandControlAt(storm.link_url, "storm"),
    )
    at = Address(simulator.http_url, "", simulator.smtp_address, "contact@police.example")
    seen = Context.create(seed=2)
    terminal = await CommandControl.open(seen, "storm", control=storm.control_url)
    contact = await ContactUs.open(
        seen, "contact-us", Ours(at), control=simulator.control_url, token=None, permit=lambda: None
    )
    try:
        yield System(seen, contact, terminal, crm, simulator, at)
    finally:
        await contact.close()
        await terminal.close()
        await simulator.stop()
        await storm.stop()
        await web.stop()


PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))

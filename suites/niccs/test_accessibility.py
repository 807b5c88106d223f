"""The console's page is held against WCAG 2.2 AA in the states that a call brings it to (NFR-013)."""

from __future__ import annotations

from harness.drivers.web_console.driver import WebConsole
from harness.errors import NotPlayedError
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.components import ConsoleComponent

CLI = "+447700900113"


def in_a_browser(bench: Bench) -> str:
    """The first console of the testbed that is worked in a browser. Raises NotPlayedError where there is none."""
    for name, component in bench.testbed.components.items():
        if isinstance(component, ConsoleComponent) and component.driver == "web":
            return name
    raise NotPlayedError("no console of this testbed is worked in a browser ('driver: web'), so no page can be audited")


@requirement("NFR-013")
async def test_the_consoles_page_breaks_no_rule_of_wcag(bench: Bench) -> None:
    """Idle, while a call rings, with its caller, on hold, with an incident open, and after all of it."""
    console = await bench.console(in_a_browser(bench))
    assert isinstance(console, WebConsole)
    found: dict[str, list[str]] = {}

    async def look(state: str) -> None:
        found[state] = [str(each) for each in await console.audit()]

    await look("idle")
    call = await (await bench.trunk()).dial("999", cli=CLI)
    await console.expect("call.ringing", within=5)
    await look("a call rings")
    await console.answer(queue="emergency")
    await call.answered(within=5)
    await console.expect("call.connected", within=5)
    await look("with the caller")
    await console.hold()
    await console.expect("call.held", within=5)
    await look("on hold")
    await console.resume()
    await console.expect("call.resumed", within=5)
    incident = await console.open_incident("Shouting heard behind a closed door")
    await look("an incident is open")
    await console.clear()
    await console.expect("call.cleared", within=5)
    await console.close_incident(incident)
    await look("after the call")
    bench.measured("elements that break a rule", sum(map(len, found.values())), "")
    assert {state: broken for state, broken in found.items() if broken} == {}

"""Opens a position's console."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from harness.drivers.adapted_console import AdaptedConsole, Seat, load_plugin
from harness.drivers.console import Console
from harness.drivers.jack import RtpJack
from harness.drivers.manual_console import ManualConsole
from harness.drivers.web_console.driver import WebConsole
from harness.drivers.web_console.mapping import SIMULATOR, load_pages
from harness.errors import TestbedError
from harness.testbed.components import ConsoleComponent, IccsComponent
from harness.testbed.components.base import Binding
from harness.testbed.opening.base import Opening


async def open_console(opening: Opening, name: str, component: ConsoleComponent) -> Console:
    """Open it and log in. Raises TestbedError where no driver reaches it."""
    opens = _by_tester if component.binding is Binding.MANUAL else _OPENS[component.driver]
    console = await opens(opening, name, component)
    lead = console.lead if isinstance(console, AdaptedConsole) else console.headset
    if isinstance(lead, RtpJack):
        opening.context.called(lead.remote, component.of)
    return console


async def _by_api(opening: Opening, name: str, component: ConsoleComponent) -> Console:
    control, token = control_of(opening, component.of)
    return await Console.open(
        opening.context,
        opening.media,
        name,
        control=control,
        position=component.position,
        audio=component.audio,
        token=token,
        permit_dial=opening.interlock.dial,
        permit_radio=opening.interlock.radio,
    )


async def _by_browser(opening: Opening, name: str, component: ConsoleComponent) -> Console:
    settings = component.web
    return await WebConsole.open_page(
        opening.context,
        opening.media,
        name,
        url=settings.url or control_of(opening, component.of)[0],
        position=component.position,
        pages=load_pages(settings.selectors or SIMULATOR),
        audio=component.audio,
        permit_dial=opening.interlock.dial,
        permit_radio=opening.interlock.radio,
    )


async def _by_tester(opening: Opening, name: str, component: ConsoleComponent) -> Console:
    return await ManualConsole.open_seat(
        opening.context,
        opening.media,
        name,
        position=component.position,
        audio=component.audio,
        terminal=component.manual.terminal,
        watching=opening.watching,
        record=component.manual.record,
        permit_dial=opening.interlock.dial,
        permit_radio=opening.interlock.radio,
    )


async def _by_plugin(opening: Opening, name: str, component: ConsoleComponent) -> Console:
    assert component.plugin is not None, "the testbed's reader saw to it"
    return await load_plugin(component.plugin.name)(
        Seat(
            context=opening.context,
            media=opening.media,
            name=name,
            position=component.position,
            audio=component.audio,
            settings=component.plugin.settings,
            permit_dial=opening.interlock.dial,
            permit_radio=opening.interlock.radio,
        )
    )


_Opens = Callable[[Opening, str, ConsoleComponent], Awaitable[Console]]
_OPENS: Final[Mapping[str, _Opens]] = {"api": _by_api, "web": _by_browser, "plugin": _by_plugin}


async def watch_console(opening: Opening, name: str, component: ConsoleComponent) -> Console:
    """Look on at it, as a person sits there. Raises TestbedError where no driver reaches it."""
    control, token = control_of(opening, component.of)
    return await Console.watch(
        opening.context, opening.media, name, control=control, position=component.position, token=token
    )


def control_of(opening: Opening, name: str) -> tuple[str, str | None]:
    """Where an ICCS's control interface is, and its token. Raises TestbedError where it has none."""
    iccs = opening.at(name, IccsComponent)
    control = iccs.control or (None if iccs.sip else opening.addresses.url(name, "http"))
    if control is None:
        raise TestbedError(f"component {name!r} is real and has no 'control': no driver can reach its consoles")
    token = iccs.control_token if iccs.control is not None else iccs.simulator.control_token
    return control, token.get_secret_value() if token is not None else None

"""Opens a radio terminal."""

from __future__ import annotations

from harness.drivers.jack import RtpJack
from harness.drivers.radio import RadioTerminal
from harness.testbed.components import Binding, RadioTerminalComponent
from harness.testbed.opening.base import Opening


async def open_terminal(opening: Opening, name: str, component: RadioTerminalComponent) -> RadioTerminal:
    """Open it, its talkgroup selected."""
    serial, audio = component.serial.url, component.audio
    if component.binding is Binding.SIMULATED:
        serial = opening.addresses.url(name, "serial").removeprefix("serial:")
        audio = opening.addresses.url(name, "rtp") if audio == "rtp" else audio
    terminal = await RadioTerminal.open(
        opening.context,
        opening.media,
        name,
        serial=serial,
        baud=component.serial.baud,
        audio=audio,
        talkgroups=opening.testbed.talkgroups,
        permit=opening.interlock.radio,
    )
    if isinstance(terminal.jack, RtpJack):
        opening.context.called(terminal.jack.port.address, f"{name} jack")
    await terminal.select(component.talkgroup)
    return terminal

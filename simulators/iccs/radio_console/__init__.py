"""The radio side of consoles beside push-to-talk: emergencies, alarms, several groups at once, speakers, folders."""

from __future__ import annotations

from simulators.iccs.radio_console.room import RadioConsole

__all__ = ["RadioConsole"]

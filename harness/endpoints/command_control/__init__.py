"""The link to command and control: kept on disk, told in order, each once, whoever goes away when."""

from harness.endpoints.command_control.dialect import Dialect, load_dialect
from harness.endpoints.command_control.link import CommandControlLink, LinkChanged, Notice, Told
from harness.endpoints.command_control.outbox import Entry, Kept, Outbox
from harness.endpoints.command_control.telling import News

__all__ = [
    "CommandControlLink",
    "Dialect",
    "Entry",
    "Kept",
    "LinkChanged",
    "News",
    "Notice",
    "Outbox",
    "Told",
    "load_dialect",
]

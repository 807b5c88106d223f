"""Where each simulated component can be reached: what ``iccs simulate`` prints and a bench connects to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import TestbedError

TOKEN = "token"  # noqa: S105 - a kind of entry
"""The kind of an entry that is no address but what its owner asks for; it is printed, and kept in no file."""


@dataclass(frozen=True, slots=True)
class Reached:
    """One way to reach one component."""

    name: str
    """The component's name in the testbed file."""
    role: str
    kind: str
    """``sip``, ``trunk`` (SIP of an emergency network, for control rooms that ring back), ``sips``, ``http``,
    ``serial``, ``tcp-serial`` (the same line by TCP), ``smpp``, ``rtp``, ``location`` (a link of the caller-location
    interface), ``command_control`` (a link of control rooms), ``crm`` (where a CRM is asked), ``ntp`` (its clock),
    ``clock`` (where clocks are set), ``control`` (a simulator's control interface, ``http`` being what it simulates),
    ``token`` (an administrator's bearer token, made for the run), ``lines`` (control lines at a terminal server),
    ``records`` (a folder of call records) or ``authority`` (the PEM file of who signed a certificate)."""
    url: str
    """``sip:127.0.0.1:5070``, ``http://127.0.0.1:8080``, ``serial:/dev/pts/4``, ``rtp://127.0.0.1:40000``,
    ``socket://127.0.0.1:7000``, ``smpp://system_id:password@127.0.0.1:2775``, ``tcp://127.0.0.1:9100``,
    ``ntp://127.0.0.1:9123`` or, over TLS, ``tls://…``."""

    def line(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(asdict(self))


class Addresses:
    """All ways to reach the components of a testbed."""

    def __init__(self, entries: Iterable[Reached] = ()) -> None:
        self._entries = list(entries)

    def __iter__(self) -> Iterator[Reached]:
        return iter(self._entries)

    def add(self, entry: Reached) -> None:
        """Add one."""
        self._entries.append(entry)

    def has(self, name: str, kind: str) -> bool:
        """Whether a component has an address of one kind."""
        return any((entry.name, entry.kind) == (name, kind) for entry in self._entries)

    def url(self, name: str, kind: str) -> str:
        """Return a component's URL of one kind. Raises TestbedError when it has none, naming what there is."""
        for entry in self._entries:
            if entry.name == name and entry.kind == kind:
                return entry.url
        there = ", ".join(f"{e.name} ({e.kind})" for e in self._entries) or "nothing"
        raise TestbedError(f"component {name!r} offers no {kind} address; there is {there}")

    def host_port(self, name: str, kind: str) -> tuple[str, int]:
        """Return a component's address of one kind as (host, port)."""
        host, _, port = self.url(name, kind).rpartition(":")
        return host.rpartition("/")[2].rpartition(":")[2], int(port)

    def file(self, name: str, kind: str) -> Path:
        """Return where a component's file of one kind is. Raises TestbedError when it has none."""
        return Path(self.url(name, kind).removeprefix("file:"))

    def save(self, path: Path) -> None:
        """Write them to ``path`` as a JSON list, tokens left out."""
        kept = [asdict(each) for each in self._entries if each.kind != TOKEN]
        path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Addresses:
        """Read what ``save`` wrote. Raises TestbedError when it can't be read."""
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
            return cls(Reached(**{key: str(row[key]) for key in ("name", "role", "kind", "url")}) for row in rows)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TestbedError(f"{path}: not a list of addresses: {error}") from error

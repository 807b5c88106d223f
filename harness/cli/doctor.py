"""``iccs doctor``: tells what is here, what is missing, and how to get it."""

from __future__ import annotations

import json as json_module
import os
import pty
import resource
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.cli.node import MissingToolError, find_allure, find_node, version_of

EXIT_MISSING = 3
UDP_PORTS = 64
"""Free UDP ports a run should find; each call's speech takes two at each end."""
DESCRIPTORS = 1_024
"""Open files a run should be allowed."""
PACKAGES = (
    "allure-pytest",
    "allure-robotframework",
    "asn1tools",
    "defusedxml",
    "numpy",
    "pydantic",
    "pyserial",
    "pytest",
    "robotframework",
    "scapy",
)
WITNESSES = {
    "sipp": ("sip-tester", "-v"),
    "baresip": ("baresip", "-h"),
    "tshark": ("tshark", "--version"),
    "socat": ("socat", "-V"),
    "kamailio": ("kamailio kamailio-tls-modules", "-v"),
    "sipsak": ("sipsak", "-V"),
    "openssl": ("openssl", "version"),
}
"""Outside programs that check ours in `make test`: program, Debian package (or packages), how it tells its version."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for."""

    name: str
    ok: bool
    needed: bool
    """True where ``iccs accept`` can't do without it."""
    found: str
    get: str = ""
    """How to get it, where it is missing."""


def doctor(json: Annotated[bool, typer.Option("--json", help="Print the findings as a JSON list.")] = False) -> None:
    """Tell what is here, what is missing, and how to get it. Exit 3 when something that `iccs accept` needs is missing.

    Example: iccs doctor --json
    """
    findings = examine()
    if json:
        print(json_module.dumps([asdict(each) for each in findings], ensure_ascii=False, indent=1))  # noqa: T201
    else:
        _show(findings)
    if any(each.needed and not each.ok for each in findings):
        raise typer.Exit(EXIT_MISSING)


def examine() -> list[Finding]:
    """Look for everything that a run or the project's own tests use."""
    return [
        _python(),
        *map(_package, PACKAGES),
        _tool("Node 22 or later", find_node, "make setup"),
        _tool("Allure 3", find_allure, "make setup"),
        _pseudo_terminal(),
        _udp_ports(),
        _descriptors(),
        *(_witness(program, *how) for program, how in WITNESSES.items()),
        _serial_devices(),
        _sound(),
        _real_time(),
    ]


def _python() -> Finding:
    told = f"{sys.version.split()[0]} at {sys.executable}"
    return Finding(
        "Python 3.11 or later", sys.version_info >= (3, 11), True, told, "install Python 3.11, then make setup"
    )


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, True, "not installed", "make setup")


def _tool(name: str, find: Callable[[], Path], get: str) -> Finding:
    try:
        path = find()
    except MissingToolError as error:
        return Finding(name, False, True, str(error), get)
    told = version_of(path) if path.suffix != ".js" else _package_version(path)
    return Finding(name, True, True, f"{told} at {path}")


def _package_version(script: Path) -> str:
    try:
        return str(json_module.loads((script.parent / "package.json").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return "unknown version"


def _pseudo_terminal() -> Finding:
    try:
        master, slave = pty.openpty()
    except OSError as error:
        return Finding("pseudo-terminals", False, True, str(error), "mount devpts at /dev/pts")
    name = os.ttyname(slave)
    os.close(master)
    os.close(slave)
    return Finding("pseudo-terminals", True, True, f"for example {name}")


def _udp_ports() -> Finding:
    held: list[socket.socket] = []
    try:
        for _ in range(UDP_PORTS):
            port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            held.append(port)
            port.bind(("127.0.0.1", 0))
    except OSError as error:
        told = f"{len(held)} on 127.0.0.1, then: {error.strerror}"
        return Finding(
            "free UDP ports", False, True, told, "end what holds them, or widen net.ipv4.ip_local_port_range"
        )
    finally:
        for port in held:
            port.close()
    return Finding("free UDP ports", True, True, f"{UDP_PORTS} or more on 127.0.0.1")


def _descriptors() -> Finding:
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    endless = allowed == resource.RLIM_INFINITY
    told = "without limit" if endless else str(allowed)
    return Finding("open files", endless or allowed >= DESCRIPTORS, True, told, f"ulimit -n {DESCRIPTORS}")


def _witness(program: str, package: str, argument: str) -> Finding:
    path = shutil.which(program)
    name = f"{program} (make test)"
    if path is None:
        return Finding(name, False, False, "not on PATH", f"make witnesses, or apt-get install {package}")
    return Finding(name, True, False, f"{(version_of(path, argument) or '').strip()} at {path}")


def _serial_devices() -> Finding:
    from serial.tools.list_ports import comports  # noqa: PLC0415 - only here

    devices = [port.device for port in comports()]
    told = ", ".join(devices) or "none; simulated terminals use pseudo-terminals"
    return Finding("serial devices", bool(devices), False, told, "only for real terminals: plug one in; group dialout")


def _sound() -> Finding:
    try:
        return Finding("sound devices", True, False, f"sounddevice {version('sounddevice')}")
    except PackageNotFoundError:
        told = "not installed; simulated headsets use RTP"
        return Finding("sound devices", False, False, told, "only for real headsets: pip install '.[sound]'")


def _real_time() -> Finding:
    """Look whether a paced media thread may ask for real-time scheduling; without it, load makes pacing worse."""
    get = "only for exact pacing under load: CAP_SYS_NICE, or rtprio in /etc/security/limits.conf"
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError as error:
        return Finding("real-time scheduling", False, False, error.strerror or str(error), get)
    os.sched_setscheduler(0, *before)
    return Finding("real-time scheduling", True, False, "SCHED_FIFO allowed")


def _show(findings: list[Finding]) -> None:
    table = Table(title="What iccs needs and uses", title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("what", "found", "how to get it"):
        table.add_column(heading, overflow="fold")
    for each in findings:
        mark = "[green]ok[/]" if each.ok else "[bold red]missing[/]" if each.needed else "[yellow]absent[/]"
        table.add_row(mark, *map(escape, (each.name, each.found, "" if each.ok else each.get)))
    console = Console()
    console.print(table)
    missing = [each.name for each in findings if each.needed and not each.ok]
    console.print(f"Missing for iccs accept: {', '.join(missing)}" if missing else "iccs accept has all it needs.")

"""A control room that is real to a run: simulators of another process, of which the testbed file has addresses alone.

What a test engineer does at the test bench is that: the same tests, another testbed file. Nothing is known of what is
there but what the file says, everything that leaves has to be allowed, and time is real.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from harness.testbed.addresses import Addresses

NOBODY = 4_000_999
"""An ISSI that no radio has: tests call it."""
DIALLED = ("+4414149*", "+4477009*", "+4416329*", "01632960*", "01414960*", "01314960*")
"""Ofcom's numbers for tests."""
POLICE = ("999", "112", "101", "18000")
ONLY_SIMULATED = ("sms_network", "sms_gateway", "sms_diary", "webex", "enterprise_switch")
"""What can't be bound real by an address, or has a suite of its own."""


def real_file(layout: Path, at: Addresses, file: Path, *, stands_for: tuple[str, ...] = ()) -> Path:
    """Write a testbed file that binds a layout's components as real, where the simulators of it are; return it."""
    told = YAML(typ="safe").load(layout.read_text(encoding="utf-8"))
    there = {name: each for name, each in told["components"].items() if each["role"] not in ONLY_SIMULATED}
    components = {name: _real(name, each, at, there) for name, each in there.items()}
    kept = {key: told[key] for key in ("numbers", "talkgroups", "statuses") if key in told}
    testbed = {
        "name": f"real-{told['name']}"[:80],
        "stands_for": [layout.stem, *stands_for],
        "longest_wait_s": 30,
        **kept,
        "safety": _safety(told, there),
        "components": components,
    }
    with file.open("w", encoding="utf-8") as written:
        YAML().dump(testbed, written)
    return file


def _real(name: str, told: dict[str, Any], at: Addresses, there: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One component, by its address."""
    found = {key: value for key, value in told.items() if key not in ("simulator", "personality", "tracker", "site")}
    found["binding"] = "real"
    if at.has(name, "ntp"):
        found["ntp"] = _host_port(at, name, "ntp")
    match told["role"]:
        case "iccs" | "emergency_network":
            found |= {"sip": _host_port(at, name, "sip"), "control": at.url(name, "http")}
        case "caller_location":
            found |= {"link": _host_port(at, name, "location"), "aml": at.url(name, "http")}
        case "command_control":
            shape = told.get("simulator", {}).get("shape", "storm")
            found |= {"link": at.url(name, "command_control"), "dialect": shape}
        case "crm":
            found["service"] = at.url(name, "crm")
        case "contact_us":
            found["address"] = at.url(name, "intake")
        case "workforce":
            found.pop("iccs", None)
            found["url"] = at.url(name, "http")
        case "mcptt_server":
            found |= {"sip": _host_port(at, name, "sip"), "domain": told["simulator"].get("domain", "mcptt.example")}
        case "mcptt_terminal":
            users = there[told["of"]]["simulator"]["users"]
            password = next(user.get("password") for user in users if user["name"] == told["user"])
            found |= {} if password is None else {"password": password}
        case "roip_gateway":
            found["sip"] = _host_port(at, name, "sip")
        case "keyed_radio":
            found["lines"] = at.url(name, "lines")
        case "radio_terminal" | "radio_gateway":
            line = at.url(name, "serial").removeprefix("serial:")
            found["serial"] = {"url": line, "baud": told.get("serial", {}).get("baud", 38400)}
            found["audio"] = at.url(name, "rtp")
    return found


def _host_port(at: Addresses, name: str, kind: str) -> str:
    return "{}:{}".format(*at.host_port(name, kind))


def _safety(told: dict[str, Any], there: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the layout's tests do is allowed, and nothing beside it."""
    issis = [each["issi"] for each in there.values() if "issi" in each]
    users = [each["user"] for each in there.values() if each["role"] == "mcptt_terminal"]
    groups = {each["talkgroup"] for each in there.values() if each["role"] in ("mcptt_terminal", "keyed_radio")}
    groups |= {*told.get("talkgroups", {})}
    positions = [each["position"] for each in there.values() if each["role"] == "console"]
    radios = [each[key] for each in there.values() for key in ("radio", "standby") if key in each]
    permits = [("emergency_call", number) for number in POLICE] + [("flood", "iccs")]
    permits += [("radio_emergency", str(each)) for each in (*sorted(groups), *issis, *users)]
    dated = {"valid_from": "2026-01-01", "valid_until": "2999-12-31", "approved_by": "A test"}
    return {
        "dial": [*DIALLED, *positions, *radios],
        "key": sorted(groups),
        "call": [*issis, *users, NOBODY],
        "message": [*issis, *users, *told.get("talkgroups", {}).values(), *sorted(groups)],
        "control": issis,
        "locate": ["+4477009*", "+4414149*"],
        "submit": [name for name, each in there.items() if each["role"] == "contact_us"],
        "permits": [{"what": what, "target": target, **dated} for what, target in permits],
    }

"""``iccs simulate`` as a child process: what it prints, how it ends, and that nothing outlives it."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from harness.errors import TestbedError
from harness.testbed.child import simulators

SIMULATED = Path(__file__).resolve().parents[3] / "fixtures" / "testbeds" / "simulated.yaml"
ENDS_WITHIN = 15.0
GATEWAYS = (
    *("gateway-1", "gateway-1b", "gateway-2", "gateway-3", "gateway-ma", "line-1"),
    *("roip.main", "roip.standby", "roip.second", "roip.third", "roip.fourth"),
    *("roip.desk-1", "roip.desk-1b", "roip.desk-2", "roip.desk-3"),
)
NODES = (
    ("iccs", "iccs"),
    ("radio", "radio_network"),
    ("vhf-1", "keyed_radio"),
    ("storm", "command_control"),
    ("sms", "sms_network"),
    ("workforce", "workforce"),
    ("emergency", "emergency_network"),
    ("location", "caller_location"),
    ("esn", "mcptt_server"),
    ("roip", "roip_gateway"),
    ("records", "records_database"),
    ("phone-book", "directory"),
    ("webex-switch", "enterprise_switch"),
    ("webex", "webex"),
)
"""What has a simulator, and so a clock."""
TERMINALS = ("officer", "officer-2", "officer-3", "sergeant", "constable")


@contextmanager
def simulating(*words: str) -> Iterator[tuple[subprocess.Popen[str], list[dict[str, Any]]]]:
    """A child in a process group of its own that is ready, and what it printed."""
    command = [sys.executable, "-m", "harness.cli", "simulate", "--json", *words]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, process_group=0)
    assert child.stdout is not None
    lines = []
    try:
        for line in child.stdout:
            lines.append(json.loads(line))
            if "ready" in lines[-1]:
                break
        yield child, lines
    finally:
        child.kill()
        child.communicate()


def group(leader: int) -> set[int]:
    """The processes of a group that run still."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _parent, number = (entry / "stat").read_text().rpartition(") ")[2].split()[:3]
            except OSError:
                continue
            if int(number) == leader and state != "Z":
                found.add(int(entry.name))
    return found


def gone(processes: set[int], leader: int) -> bool:
    """Whether all of them end in time; each is waited for by its own file descriptor, not by asking again."""
    deadline = monotonic() + ENDS_WITHIN
    for each in processes:
        try:
            handle = os.pidfd_open(each)
        except ProcessLookupError:
            continue
        try:
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            poll.poll(max(0.0, deadline - monotonic()) * 1000)
        finally:
            os.close(handle)
    return group(leader) == set()


def ended(child: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and error output."""
    _out, err = child.communicate(timeout=ENDS_WITHIN)
    return child.returncode, err


def test_each_address_is_an_object_on_a_line_and_ready_comes_last() -> None:
    with simulating() as (child, lines):
        assert lines[-1] == {"ready": True}
        rows = [tuple(line) for line in lines[:-1]]
        assert set(rows) == {("name", "role", "kind", "url")}
        found = {(line["name"], line["role"], line["kind"]): line["url"] for line in lines[:-1]}
        assert set(found) == {
            ("iccs", "iccs", "sip"),
            ("iccs", "iccs", "http"),
            *((name, "radio_gateway", kind) for name in GATEWAYS for kind in ("serial", "rtp")),
            *((name, "radio_terminal", kind) for name in TERMINALS for kind in ("serial", "rtp")),
            ("radio", "radio_network", "http"),
            ("vhf-1", "keyed_radio", "lines"),
            ("vhf-1", "keyed_radio", "http"),
            ("storm", "command_control", "command_control"),
            ("storm", "command_control", "http"),
            *(("sms", "sms_network", kind) for kind in ("serial", "tcp-serial", "smpp", "http")),
            ("workforce", "workforce", "http"),
            ("emergency", "emergency_network", "sip"),
            ("emergency", "emergency_network", "trunk"),
            ("emergency", "emergency_network", "http"),
            ("location", "caller_location", "location"),
            ("location", "caller_location", "http"),
            ("esn", "mcptt_server", "sip"),
            ("esn", "mcptt_server", "http"),
            ("roip", "roip_gateway", "sip"),
            ("roip", "roip_gateway", "http"),
            ("records", "records_database", "http"),
            ("phone-book", "directory", "http"),
            *(("webex-switch", "enterprise_switch", kind) for kind in ("sip", "http", "records")),
            *(("webex", "webex", kind) for kind in ("http", "control", "token")),
            *((name, role, kind) for (name, role) in NODES for kind in ("ntp", "clock")),
        }
        assert found["iccs", "iccs", "sip"].startswith("sip:127.0.0.1:")
        assert found["officer", "radio_terminal", "serial"].startswith("serial:/dev/pts/")
        assert found["officer", "radio_terminal", "rtp"].startswith("rtp://127.0.0.1:")
        url = found["iccs", "iccs", "http"]
        assert httpx.get(f"{url}/v1/status", trust_env=False).json()["logged_in"] == []
        assert len(group(child.pid)) == 2, "the simulators and their media worker"
        child.terminate()
        assert ended(child) == (0, "")
        assert group(child.pid) == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_to_the_whole_group_stops_it_cleanly(number: signal.Signals) -> None:
    with simulating("iccs") as (child, lines):
        assert {line.get("name") for line in lines[:-1]} == {"iccs"}
        everyone = group(child.pid)
        os.killpg(child.pid, number)
        assert ended(child) == (0, "")
        assert gone(everyone, child.pid)


def test_it_ends_with_its_standard_input_when_asked_to() -> None:
    with simulating("iccs", "--until-stdin-closes") as (child, _):
        assert child.stdin is not None
        child.stdin.close()
        child.stdin = None
        assert ended(child) == (0, "")


def test_standard_input_that_can_not_be_waited_for_has_ended() -> None:
    command = [sys.executable, "-m", "harness.cli", "simulate", "iccs", "--until-stdin-closes"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_killed_outright_it_leaves_no_worker() -> None:
    with simulating() as (child, _):
        everyone = group(child.pid)
        assert len(everyone) == 2
        child.kill()
        child.wait()
        assert gone(everyone, child.pid)


def simulate(*words: str) -> tuple[int, str, str]:
    """A run that is to end by itself."""
    command = [sys.executable, "-m", "harness.cli", "simulate", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_what_the_default_testbed_lacks_is_started_from_another_of_ours_by_name_or_role() -> None:
    with simulating("crm", "contact_us") as (child, lines):
        assert {(line["name"], line["role"]) for line in lines[:-1]} == {("crm", "crm"), ("contact-us", "contact_us")}
        url = next(line["url"] for line in lines if line.get("name") == "crm" and line["kind"] == "crm")
        assert httpx.get(f"{url}/openapi.json", trust_env=False).status_code == 200
        child.terminate()
        code, told = ended(child)
        assert code == 0 and told.startswith("from ") and told.endswith("service-centre.yaml\n")


def test_an_unknown_name_is_exit_2_with_what_there_is() -> None:
    there = "iccs, emergency, location, storm, phone-book, webex, webex-switch, records, radio, esn, roip, vhf-1, sms"
    told = f"no simulator 'icss' in testbed 'niccs-simulated'; there is {there}, workforce\n"
    assert simulate("icss") == (2, "", told)


def test_a_bad_testbed_is_exit_2(tmp_path: Path) -> None:
    assert simulate("--testbed", str(tmp_path / "x.yaml")) == (
        2,
        "",
        f"{tmp_path / 'x.yaml'}: can't be read: No such file or directory\n",
    )


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["sip", "control"])
def test_a_port_that_is_taken_is_exit_3_and_told(tmp_path: Path, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        key = "sip_port" if kind is socket.SOCK_DGRAM else "control_port"
        if kind is socket.SOCK_STREAM:
            taken.listen()
        path = tmp_path / "taken.yaml"
        path.write_text(f"name: taken\ncomponents: {{iccs: {{role: iccs, simulator: {{{key}: {port}}}}}}}\n")
        code, out, err = simulate("--testbed", str(path))
        assert (code, out) == (3, "")
        assert f"127.0.0.1:{port}" in err
        assert "Traceback" not in err


def test_a_folder_that_can_not_be_written_is_exit_3(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, out, err = simulate("--run-dir", str(tmp_path / "file" / "run"))
    assert (code, out) == (3, "")
    assert "Not a directory" in err
    assert "Traceback" not in err


def test_the_location_service_alone_answers_a_client_that_is_not_ours() -> None:
    with simulating("location") as (child, lines):
        found = {line["kind"]: line["url"] for line in lines[:-1]}
        assert {line["name"] for line in lines[:-1]} == {"location"}
        assert len(group(child.pid)) == 1, "nobody speaks: there is no media worker"
        host, _, port = found["location"].removeprefix("tcp://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=ENDS_WITHIN) as link, link.makefile("rw") as wire:

            def say(**message: Any) -> None:
                wire.write(json.dumps(message) + "\n")
                wire.flush()

            def hear(type_: str) -> dict[str, Any]:
                while (message := json.loads(wire.readline()))["type"] != type_:
                    pass
                return dict(message)

            say(seq=1, type="hello", version=1, client="nc")
            assert hear("welcome")["keep_alive_s"] == 2.0
            say(seq=2, type="query", query=1, call="c-1", cli="+441414960123")
            answer = hear("answer")
            assert (answer["query"], answer["call"], answer["status"]) == (1, "c-1", "found")
            assert answer["locations"][0]["subscriber"]["postcode"] == "G51 0CV"
            say(seq=3, type="query", query=2, call="c-2", cli="+447700900124")
            assert hear("answer")["locations"][0]["source"] == "cell"
            posted = httpx.post(
                f"{found['http']}/aml",
                data={"device_number": "+447700900124", "location_latitude": "55.9", "location_longitude": "-3.2"},
                trust_env=False,
            )
            assert posted.status_code == 200
            update = hear("update")
            assert (update["call"], update["location"]["source"]) == ("c-2", "AML")
            httpx.put(f"{found['http']}/v1/fault", json={"fault": "down"}, trust_env=False)
            assert wire.read() == "", "the link is dropped"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)), timeout=ENDS_WITHIN)
        httpx.delete(f"{found['http']}/v1/fault", trust_env=False)
        socket.create_connection((host, int(port)), timeout=ENDS_WITHIN).close()
        child.terminate()
        assert ended(child) == (0, "")


def test_the_emergency_network_alone_answers_a_client_that_is_not_ours() -> None:
    with simulating("emergency") as (child, lines):
        found = {line["kind"]: line["url"] for line in lines[:-1]}
        assert {line["name"] for line in lines[:-1]} == {"emergency"}
        (authority,) = httpx.get(f"{found['http']}/v1/authorities", trust_env=False).json()
        assert authority["routes"][0]["to"] is None, "the control room was not started"
        for kind in ("sip", "trunk"):
            host, _, port = found[kind].removeprefix("sip:").rpartition(":")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
                phone.settimeout(ENDS_WITHIN)
                phone.bind(("127.0.0.1", 0))
                here = f"127.0.0.1:{phone.getsockname()[1]}"
                asked = (
                    f"OPTIONS sip:{host}:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK-1\r\n"
                    f"From: <sip:a@{here}>;tag=1\r\nTo: <sip:{host}:{port}>\r\nCall-ID: {kind}\r\nCSeq: 1 OPTIONS\r\n"
                    "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
                )
                phone.sendto(asked.encode(), (host, int(port)))
                answer = phone.recv(65_536).decode()
            assert answer.startswith("SIP/2.0 200 ")
            assert "iccs-emergency" in answer
        route = f"{found['http']}/v1/authorities/police/routes/primary"
        led = httpx.put(route, json={"to": "127.0.0.1:5999"}, trust_env=False)
        assert (led.status_code, led.json()["to"]) == (200, "127.0.0.1:5999")
        child.terminate()
        assert ended(child) == (0, "")


def test_a_test_s_simulators_end_with_their_block() -> None:
    with simulators(SIMULATED, origin=monotonic()) as addresses:
        host, port = addresses.host_port("iccs", "http")
        assert httpx.get(f"http://{host}:{port}/v1/positions", trust_env=False).status_code == 200
        assert addresses.host_port("iccs", "sip")[0] == "127.0.0.1"
        with pytest.raises(TestbedError, match=r"component 'iccs' offers no serial address; there is "):
            addresses.url("iccs", "serial")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{host}:{port}/v1/positions", trust_env=False)


def test_simulators_that_do_not_come_up_are_told_with_what_they_said(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("name: [")
    with (
        pytest.raises(TestbedError, match=r"the simulators ended with 2\n.*bad\.yaml:1: not YAML"),
        simulators(path, origin=monotonic()),
    ):
        pass

"""openssl as a control room: the simulated caller-location service's TLS is what others take for TLS."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from datetime import date
from pathlib import Path
from time import monotonic

import httpx
import pytest
from witness import need

from harness.protocols.location.aml_https import AmlForm
from harness.testbed.bench import open_bench
from harness.testbed.child import simulators
from harness.testbed.load import load_testbed

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("openssl")]


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """A testbed whose caller-location service has a certificate that openssl made; it stands beside the file."""
    openssl = need("openssl", package="openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    make = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(key)]
    subprocess.run([*make, "-out", str(certificate), *subject], check=True, capture_output=True, timeout=60)
    path = tmp_path / "tls.yaml"
    path.write_text(
        "name: tls\ncomponents: {location: {role: caller_location, simulator: "
        f"{{certificate: '{certificate}', key: '{key}', token: s3cret}}}}}}\n"
    )
    return path


async def test_a_bench_links_and_posts_over_tls(layout: Path) -> None:
    with simulators(layout, origin=monotonic()) as addresses:
        async with open_bench(
            load_testbed(layout), today=date(2026, 3, 10), addresses=addresses, virtual=False
        ) as bench:
            service = await bench.location_service()
            await service.linked()
            await service.locate("1", "+447700900124")
            assert await service.post_aml(AmlForm(number="+447700900124", latitude=55.8, longitude=-4.2)) == 200
            await service.expect("location.received", within=5, source="AML")
            await service.fail("down")
            await service.down(within=2)


def test_the_location_service_speaks_tls_to_openssl(layout: Path) -> None:
    openssl, certificate = need("openssl", package="openssl"), layout.parent / "certificate.pem"
    options = ["--testbed", str(layout), "--json", "--until-stdin-closes"]
    command = [sys.executable, "-m", "harness.cli", "simulate", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            found = {}
            while not (line := json.loads(child.stdout.readline())).get("ready"):
                found[line["kind"]] = line["url"]
            take_in_by_https(found["http"], certificate)
            greet(openssl, found["location"].removeprefix("tls://"), certificate)
        finally:
            child.stdin.close()
            assert child.wait(15) == 0


def take_in_by_https(url: str, certificate: Path) -> None:
    """A handset's form over https is answered."""
    assert url.startswith("https://127.0.0.1:")
    trusting = ssl.create_default_context(cafile=certificate)
    assert httpx.post(f"{url}/aml", content=b"v=1", verify=trusting, trust_env=False).status_code == 202
    with pytest.raises(httpx.ConnectError):
        httpx.post(f"{url}/aml", content=b"v=1", trust_env=False)


def greet(openssl: str, address: str, certificate: Path) -> None:
    """A greeting by openssl's own client is answered, the certificate verified."""
    pipe = subprocess.PIPE
    s_client = [openssl, "s_client", "-connect", address, "-CAfile", str(certificate), "-verify_return_error", "-quiet"]
    with subprocess.Popen(s_client, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write('{"seq":1,"type":"hello","version":1,"client":"openssl","token":"s3cret"}\n')
        client.stdin.flush()
        assert json.loads(client.stdout.readline())["type"] == "welcome"
        client.kill()

"""Runs schemathesis on a simulator that is up: does it do what its OpenAPI document says, and stand what is thrown."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ENDS_WITHIN_S: Final = 900
"""A minute where nothing else goes on; these tests give way to all others."""
EXAMPLES: Final = 25
"""Of each operation; beyond those that cover its schema."""


async def schemathesis_finds_nothing(
    url: str, *options: str, token: str | None = None, known: Mapping[str, str] | None = None
) -> None:
    """Let schemathesis read ``url``/openapi.json and try every operation; fail with what it found.

    Deterministic: the same document is tried the same way. ``options`` are added to its command line. ``known``: values
    of parameters that nobody guesses, by ``path.NAME``.
    """
    with TemporaryDirectory() as folder:
        configured = []
        if known:
            file = Path(folder) / "schemathesis.toml"
            lines = [f"{json.dumps(name)} = {json.dumps(value)}" for name, value in known.items()]
            file.write_text("\n".join(["[parameters]", *lines, ""]), encoding="utf-8")
            configured = ["--config-file", str(file)]
        await _run(url, configured, options, token)


async def _run(url: str, configured: Sequence[str], options: Sequence[str], token: str | None) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", *configured, "run", f"{url}/openapi.json"]
    command += ["--checks", "all", "--no-color"]
    command += ["--generation-deterministic", "--max-examples", str(EXAMPLES), *options]
    command += ["--header", f"Authorization: Bearer {token}"] if token is not None else []
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    output = told.decode(errors="replace")
    assert process.returncode == 0, output
    tested = re.search(r"Tested: (\d+)", output)
    assert tested is not None and int(tested[1]) > 0, output

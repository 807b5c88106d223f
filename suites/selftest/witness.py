"""Finds the outside programs that witness our protocols; a missing one skips with the reason, on CI it fails."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import pytest


def need(program: str, *, package: str) -> str:
    """Return the path of `program`, which Debian's `package` brings.

    Where it is missing the test is skipped and says how to get it; with `CI` set in the environment it fails instead,
    so that a build without its witnesses can't pass for one with them.
    """
    path = shutil.which(program)
    if path is not None:
        return path
    reason = f"{program} is not on PATH; get it with: apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def need_module(module: str, *, package: str) -> None:
    """Skip, or on CI fail, where a Python module is missing that PyPI's `package` brings."""
    if find_spec(module) is not None:
        return
    reason = f"the module {module} is not here; get it with: pip install {package}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)

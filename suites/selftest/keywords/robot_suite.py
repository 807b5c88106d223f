"""Runs Robot text in virtual time, in this process."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

from robot.run import run as robot

LIBRARY = "harness.keywords.ICCS"


class Suite:
    """Runs Robot text in virtual time, in this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, body: str, *, options: str = "time=virtual") -> tuple[int, dict[str, tuple[str, str]], str]:
        """Return code, status and message by test, and what Robot said."""
        file = self._folder / "suite.robot"
        file.write_text(f"*** Settings ***\nLibrary    {LIBRARY}    {options}\n\n*** Test Cases ***\n{body}")
        said = io.StringIO()
        output = self._folder / "output.xml"
        code = robot(str(file), output=str(output), log="NONE", report="NONE", stdout=said, stderr=said)
        results = {}
        for test in ElementTree.parse(output).getroot().iter("test"):
            status = test.find("status")
            assert status is not None
            results[str(test.get("name"))] = (str(status.get("status")), status.text or "")
        return int(code), results, said.getvalue()

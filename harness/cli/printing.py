"""Prints a page as PDF by a Chromium of the machine's, where there is one; the page is whole without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from harness.errors import LocalError
from harness.whole_file import write_whole

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PRINT_S: Final = 120.0
"""Seconds a page may take to be printed."""


class PrintError(LocalError):
    """The page could not be printed."""


def print_pdf(page: Path, pdf: Path) -> None:
    """Write ``page`` to ``pdf`` on A4. Raises PrintError, which says what to do; the page stays as it is."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise PrintError(
            f"no PDF: none of {', '.join(PROGRAMS)} is here; install Chromium, or open {page} in a browser and print it"
        )
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / "page.pdf"
        command = [program, "--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={place}/profile"]
        command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer", f"--print-to-pdf={made}"]
        if os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium refuses root otherwise; the page is ours and has no script
        try:
            ran = subprocess.run(  # noqa: S603 - our own command
                [*command, page.resolve().as_uri()],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PRINT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PrintError(f"no PDF: {program}: {error}; {page} is whole") from error
        if ran.returncode != 0 or not made.is_file():
            raise PrintError(
                f"no PDF: {program} ended with {ran.returncode}: {ran.stderr[-500:].strip()}; {page} is whole"
            )
        try:
            write_whole(pdf, made.read_bytes())
        except OSError as error:
            raise PrintError(f"no PDF: {pdf}: {error.strerror}; {page} is whole") from error

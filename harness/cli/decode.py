"""``iccs decode``: shows what the harness's engines understand of a message, as JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.decoders import ALIASES, KINDS
from harness.cli.decoders import decode as decoded
from harness.errors import HarnessError

EXIT_NONSENSE = 1
EXIT_USAGE = 2
MAX_INPUT = 2 * 1024 * 1024
"""Bytes that are read; a message is far smaller."""


def decode(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join([*KINDS, *ALIASES])}.")],
    message: Annotated[
        list[str] | None,
        typer.Argument(help="The message: text, hexadecimal digits for a binary kind, a file's name, or - for stdin."),
    ] = None,
) -> None:
    """Show what the harness understands of a message, as JSON; a named error and exit 1 on nonsense.

    Kinds: sip, sdp, rtp, rtcp, dtmf (RFC 4733 event), pei (one AT line or code of a TETRA terminal; at is the same),
    sds (type 4 user data), lip (short location report), status (pre-coded status), aml (a handset's position, a text or
    a form), pidf (PIDF-LO), msd (eCall's minimum set of data), cdr and cmr (Cisco Unified CM's call records),
    message-summary (RFC 3842), dialog-info (RFC 4235).

    Examples:

      iccs decode lip 0A0088BD4247F737FFE810

      iccs decode pei 'AT+CTXD=1,0'

      iccs decode sip message.txt
    """
    if kind not in KINDS and kind not in ALIASES:
        print(f"unknown kind {kind!r}; there is {', '.join([*KINDS, *ALIASES])}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE)
    try:
        data, from_file = _read(" ".join(message or ["-"]))
        shown = json.dumps(decoded(kind, data, from_file=from_file), indent=2, ensure_ascii=False)
        sys.stdout.buffer.write(shown.encode("utf-8", "backslashreplace") + b"\n")
    except HarnessError as error:
        told = f"{type(error).__name__}: {error}".encode(errors="backslashreplace").decode()
        print(told, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_NONSENSE) from error


def _read(text: str) -> tuple[bytes, bool]:
    try:
        if text == "-":
            data = sys.stdin.buffer.read(MAX_INPUT + 1)
        elif _is_file(text):
            with Path(text).open("rb") as file:
                data = file.read(MAX_INPUT + 1)
        else:
            return os.fsencode(text), False
    except OSError as error:
        raise HarnessError(f"{text}: can't be read: {error.strerror}") from error
    if len(data) > MAX_INPUT:
        raise HarnessError(f"more than {MAX_INPUT} bytes")
    return data, True


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL in it
        return False

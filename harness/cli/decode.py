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
    profile: Annotated[
        str | None,
        typer.Option(help="For ed137: the message is the words of a header extension of this profile, e.g. 0x0167."),
    ] = None,
) -> None:
    """Show what the harness understands of a message, as JSON; a named error and exit 1 on nonsense.

    Kinds: sip, sdp, rtp, rtcp, dtmf (RFC 4733 event), pei (an AT line or code of a TETRA terminal, or a transcript in a
    file: each line with its meaning, unknown ones as such; at is the same), sds (type 4 user data), lip (short location
    report: degrees, metres, km/h), status (pre-coded status, decimal or 0x…), ed137 (an RTP packet of a radio gateway),
    mcptt (a datagram of floor control, a document of MCPTT, or a SIP message with such), aml (a handset's position, a
    text or a form), pidf (PIDF-LO), msd (eCall's minimum set of data), cdr and cmr (Cisco Unified CM's call records),
    message-summary (RFC 3842), dialog-info (RFC 4235).

    Examples:

      iccs decode lip 0A0088BD4247F737FFE810

      iccs decode pei 'AT+CTXD=1,0'

      iccs decode pei transcript.log

      iccs decode ed137 --profile 0x0167 20400000

      iccs decode sip message.txt
    """
    if kind not in KINDS and kind not in ALIASES:
        print(f"unknown kind {kind!r}; there is {', '.join([*KINDS, *ALIASES])}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE)
    told = None if profile is None else _profile(kind, profile)
    try:
        data, from_file = _read(" ".join(message or ["-"]))
        shown = json.dumps(decoded(kind, data, from_file=from_file, profile=told), indent=2, ensure_ascii=False)
        sys.stdout.buffer.write(shown.encode("utf-8", "backslashreplace") + b"\n")
    except HarnessError as error:
        why = f"{type(error).__name__}: {error}".encode(errors="backslashreplace").decode()
        print(why, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_NONSENSE) from error


def _profile(kind: str, text: str) -> int:
    why = f"--profile is for the kind ed137, not for {kind}"
    if kind == "ed137":
        try:
            return int(text, 16)
        except ValueError:
            why = f"--profile is four hexadecimal digits, 0x0167 or 0x0067, not {text[:20]!r}"
    print(why, file=sys.stderr)  # noqa: T201
    raise typer.Exit(EXIT_USAGE)


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

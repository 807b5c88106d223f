"""Files that come with a submission: known by their content, kept as they are, never opened, unpacked or run."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.errors import RemoteError

MAX_FILES: Final = 5
MAX_FILE: Final = 5 * 1024 * 1024
"""Bytes of one file."""
MAX_FILES_BYTES: Final = 10 * 1024 * 1024
"""Bytes of all files of one submission."""
MAX_FILE_NAME: Final = 100
TAKEN: Final = "pictures (JPEG, PNG, GIF, WebP, HEIC), PDF, plain text, Office documents and zip, sound and video"
"""In words for the public."""
_ZIP: Final = "application/zip"
_STARTS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", _ZIP),  # Office documents are zip files: which one it is would need unpacking
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"\x1aE\xdf\xa3", "video/webm"),
)
_RIFF: Final = {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}
_BRANDS: Final = {b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heic", b"M4A ": "audio/mp4"}
"""Major brands of ISO 14496-12 files; all others are video."""
_ACTIVE: Final = re.compile(r"^\s*(?:#!|<\?|<!|</?[a-z]+[\s>])", re.IGNORECASE)
"""How text begins that something would act on: scripts, HTML, XML, SVG."""


class AttachmentError(RemoteError):
    """A file that is not taken."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file."""

    name: str
    """Harmless: one component, no control characters, MAX_FILE_NAME at most."""
    media_type: str
    """By its content."""
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def attached(name: str, content: bytes, number: int = 1) -> Attachment:
    """A file as it is kept. Raises AttachmentError, in words for the sender, for one that is not taken.

    ``number``: which file of the submission it is, for one without a name.
    """
    shown = harmless(name) or f"file-{number}"
    if not content:
        raise AttachmentError(f"{shown} is empty")
    if len(content) > MAX_FILE:
        raise AttachmentError(f"{shown} must be smaller than {MAX_FILE // 2**20} MB")
    kind = media_type(content)
    if kind is None:
        raise AttachmentError(f"{shown} is not a kind of file that we can take: we take {TAKEN}")
    return Attachment(shown, kind, content)


def check_together(attachments: Sequence[Attachment]) -> None:
    """Raise AttachmentError where there are too many files, or they are too big together."""
    if len(attachments) > MAX_FILES:
        raise AttachmentError(f"You can send up to {MAX_FILES} files; there are {len(attachments)}")
    if sum(len(each.content) for each in attachments) > MAX_FILES_BYTES:
        raise AttachmentError(f"All files together must be smaller than {MAX_FILES_BYTES // 2**20} MB")


def media_type(content: bytes) -> str | None:
    """What a file is, by its first bytes; None where it is nothing that is taken."""
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12])
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], "video/mp4")
    for start, kind in _STARTS:
        if content.startswith(start):
            return kind
    return _text(content)


def _text(content: bytes) -> str | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if _ACTIVE.match(text[:1_000]) or any(unicodedata.category(c) == "Cc" and c not in "\t\n\r\f" for c in text):
        return None
    return "text/plain"


def harmless(name: str) -> str:
    """A file's name that is one component of a path and shows as what it is; may come out empty."""
    last = re.split(r"[/\\:]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in '<>"|?*').strip(" .")
    stem, dot, suffix = shown.rpartition(".")
    if len(shown) > MAX_FILE_NAME and dot and len(suffix) < 10:
        return f"{stem[: MAX_FILE_NAME - len(suffix) - 1]}.{suffix}"
    return shown[:MAX_FILE_NAME]

"""Looks at a file that is sent with a message before anything is kept: its name, its length, what it unpacks to."""

from __future__ import annotations

import io
import mimetypes
import re
import unicodedata
import zipfile
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final

from simulators.webex.errors import WebexError, unfit
from simulators.webex.front import MAX_UPLOAD

MAX_NAME: Final = 255
MAX_UNPACKED: Final = 1024 * 1024 * 1024
"""Bytes that an archive may unpack to; Webex scans what is sent, and a bomb is refused."""
MAX_RATIO: Final = 200
"""How many times its own length an archive may unpack to, where that is more than MAX_UPLOAD."""
MAX_MEMBERS: Final = 10_000
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}")
_PLAIN: Final = "application/octet-stream"


def file_name(sent: str) -> str:
    """The name of a file without folders, whichever system's. Raises WebexError for what is no name."""
    name = unicodedata.normalize("NFC", PurePosixPath(sent.replace("\\", "/")).name)
    name = _CONTROL.sub("", name).strip()
    if name in {"", ".", ".."}:
        raise unfit("The file has no name.")
    if len(name.encode(errors="replace")) > MAX_NAME:
        raise unfit(f"The file's name is longer than {MAX_NAME} bytes.")
    return name


def media_type(name: str, sent: str | None) -> str:
    """What a file is said to be: as it was sent, else by its name; never what a browser would run."""
    told = (sent or "").partition(";")[0].strip().lower()
    if told == _PLAIN or not _MEDIA_TYPE.fullmatch(told):
        told = mimetypes.guess_type(name)[0] or _PLAIN
    return told


def check(data: bytes) -> None:
    """Raise WebexError for a file that is not taken: empty, too long, or an archive that unpacks to too much."""
    if not data:
        raise unfit("The file is empty.")
    if len(data) > MAX_UPLOAD:
        raise WebexError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The file is longer than {MAX_UPLOAD} bytes.")
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise unfit("The file looks like an archive and can't be read as one.") from error
    unpacked = sum(each.file_size for each in members)
    packed = sum(each.compress_size for each in members)
    bomb = unpacked > MAX_UNPACKED or (unpacked > MAX_UPLOAD and unpacked > MAX_RATIO * len(data))
    # Members that lie in one another's bytes add up to more than the file: a bomb that needs no nesting.
    if bomb or packed > len(data) or len(members) > MAX_MEMBERS:
        raise unfit("The file could not be scanned: it unpacks to too much.")

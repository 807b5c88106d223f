"""Reads what a browser's form sends: fields and files, bounded, all in memory, whatever shape it is in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser

from harness.errors import RemoteError
from simulators.contact_us.attachments import (
    MAX_FILE,
    MAX_FILES,
    MAX_FILES_BYTES,
    Attachment,
    AttachmentError,
    attached,
    check_together,
)

MAX_UPLOAD: Final = MAX_FILES_BYTES + 1024 * 1024
"""Bytes of what a form sends."""
MAX_FIELDS: Final = 30
MAX_FIELD: Final = 256 * 1024
"""Bytes of one field."""


class UploadError(RemoteError):
    """What was sent is no form."""


class _InMemory(MultiPartParser):
    """Keeps files in memory: what spills to disk is written by threads, and there are none in virtual time."""

    spool_max_size = MAX_UPLOAD


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was filled in."""

    fields: dict[str, str]
    files: tuple[Attachment, ...]
    wrong: tuple[str, ...]
    """What is wrong with files, in words."""


async def read_form(request: Request) -> Filled:
    """The form that a request brings; of a field that comes twice the last counts. Raises UploadError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        parser: FormParser | MultiPartParser = _InMemory(
            request.headers,
            _bounded(request),
            max_files=4 * MAX_FILES,  # a few more than may come are counted, and told of in words
            max_fields=MAX_FIELDS,
            max_part_size=MAX_FIELD,
        )
    elif kind == "application/x-www-form-urlencoded":
        parser = FormParser(request.headers, _bounded(request), max_fields=MAX_FIELDS, max_part_size=MAX_FIELD)
    else:
        raise UploadError("a form is due: multipart/form-data or application/x-www-form-urlencoded")
    try:
        form = await parser.parse()
    except (MultiPartException, UnicodeError, ValueError, LookupError) as error:
        raise UploadError(f"the form can't be read: {error}") from error
    try:
        return _filled(form)
    finally:
        await form.close()


def _filled(form: FormData) -> Filled:
    fields: dict[str, str] = {}
    files: list[Attachment] = []
    wrong: list[str] = []
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields[name] = value
            continue
        if not isinstance(value, UploadFile) or (not value.filename and not value.size):
            continue  # a browser's empty part, where no file was chosen
        content = value.file.read(MAX_FILE + 1)
        try:
            files.append(attached(value.filename or "", content, len(files) + 1))
        except AttachmentError as error:
            wrong.append(str(error))
    try:
        check_together(files)
    except AttachmentError as error:
        wrong.append(str(error))
    return Filled(fields, tuple(files), tuple(wrong))


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_UPLOAD:
            raise UploadError(f"a form holds {MAX_UPLOAD} bytes at most")
        yield chunk

"""Our own Contact Us interface from the public's side: REST intake, form, mailbox (docs/interfaces/contact-us.md)."""

from __future__ import annotations

import base64
from html.parser import HTMLParser
from typing import Any, Final

import httpx

from harness.endpoints.contact_us.adapter import Address, Message, Receipt
from harness.endpoints.mail import hand_over
from harness.errors import DriverError, MailError, NotPlayedError
from harness.transport.https import http_client

ANSWERS_WITHIN_S: Final = 15.0


class FormPage(HTMLParser):
    """What a browser without scripts knows of the page: where its form goes, what is filled in, what is wrong."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.values: dict[str, str] = {}
        self.wrong: list[str] = []
        self.reference = ""
        self._in = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = named.get("action", "")
        elif tag == "input" and named.get("type") not in {"radio", "file"} and "name" in named:
            self.values[named["name"]] = named.get("value", "")
        self._in = {"error": "error"}.get(named.get("class", ""), self._in)
        if named.get("id") == "reference":
            self._in = "reference"

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "strong"}:
            self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "error" and data.strip() not in {"", "Error:"}:
            self.wrong.append(data.strip())
        elif self._in == "reference":
            self.reference += data.strip()


class Ours:
    """The adapter ``iccs``."""

    def __init__(self, at: Address) -> None:
        self._at = at
        self._http = http_client(at.http, timeout=ANSWERS_WITHIN_S)

    async def close(self) -> None:
        await self._http.aclose()

    async def submit(self, message: Message, key: str) -> Receipt:
        body: dict[str, Any] = {
            name: getattr(message, name) for name in ("text", "kind", "name", "email", "telephone", "place")
        }
        body["attachments"] = [
            {"name": name, "content": base64.b64encode(content).decode()} for name, content in message.files
        ]
        headers = {"Idempotency-Key": key}
        if self._at.token:
            headers["Authorization"] = f"Bearer {self._at.token}"
        answer = await self._ask("POST", "/v1/submissions", json=body, headers=headers)
        if answer.status_code not in (200, 201):
            raise DriverError(f"the intake answered {answer.status_code}: {answer.text[:300]}")
        told = answer.json()
        return Receipt(str(told["reference"]), bool(told["repeated"]))

    async def fill_in(self, message: Message, form_key: str | None) -> Receipt:
        page = FormPage((await self._ask("GET", "/contact")).text)
        values = page.values | {
            name: getattr(message, name) for name in ("text", "kind", "name", "email", "telephone", "place")
        }
        if form_key is not None:
            values["form_key"] = form_key
        files = [("files", (name, content)) for name, content in message.files] or [("files", ("", b""))]
        answer = await self._ask("POST", page.action, data=values, files=files)
        if answer.status_code != 303:
            wrong = "; ".join(FormPage(answer.text).wrong)
            raise DriverError(f"the form answered {answer.status_code}: {wrong or 'no reason given'}")
        receipt = FormPage((await self._ask("GET", answer.headers["location"])).text)
        if not receipt.reference:
            raise DriverError("the form's receipt has no reference")
        return Receipt(receipt.reference)

    async def mail(self, sender: str, mail: bytes) -> str:
        if self._at.smtp is None:
            raise NotPlayedError("it is not told where this Contact Us system takes mail")
        try:
            return await hand_over(self._at.smtp, sender, [self._at.mailbox], mail)
        except MailError as error:
            raise DriverError(str(error)) from error

    async def _ask(self, method: str, path: str, **what: Any) -> httpx.Response:
        try:
            return await self._http.request(method, path, **what)
        except httpx.HTTPError as error:
            raise DriverError(f"Contact Us: no answer to {method} {path}: {error or type(error).__name__}") from error

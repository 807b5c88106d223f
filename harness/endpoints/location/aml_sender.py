"""The sending side of AML by HTTPS: a handset that posts its position."""

from __future__ import annotations

import ssl as ssl_module
from collections.abc import Callable

import httpx

from harness.errors import CallerLocationLocalError
from harness.protocols.location import aml_https
from harness.protocols.location.aml_https import AmlForm
from harness.transport.context import Context
from harness.transport.https import http_client

ANSWERS_WITHIN_S = 5.0

Permit = Callable[[str], None]
"""Asked with the caller's number before a byte leaves; raises InterlockError to refuse."""


class AmlSender:
    """Posts to one intake endpoint, ``http://host:port`` or ``https://…``."""

    def __init__(
        self,
        context: Context,
        name: str,
        url: str,
        permit: Permit,
        *,
        key: bytes | None = None,
        tls: ssl_module.SSLContext | None = None,
    ) -> None:
        """``key`` signs what is posted; ``tls`` verifies an https endpoint, by default as the system does."""
        self.name = name
        self._journal = context.journal
        self._permit = permit
        self._key = key
        self._http = http_client(url, timeout=ANSWERS_WITHIN_S, tls=tls)

    async def post(self, form: AmlForm) -> int:
        """Post a handset's position to ``/aml`` and return the status, which is 2xx whatever the endpoint makes of it.

        Raises InterlockError when the testbed does not allow it (nothing has left then), AmlError for what can't be
        written, CallerLocationLocalError when there is no answer or another than 2xx.
        """
        self._permit(form.number)
        body = aml_https.build(form, key=self._key)
        self._journal.record(self.name, "aml.posted", cli=form.number, length=len(body))
        try:
            response = await self._http.post("/aml", content=body, headers={"Content-Type": aml_https.CONTENT_TYPE})
        except httpx.HTTPError as error:
            told = f"{self._http.base_url}: {str(error) or type(error).__name__}"
            raise CallerLocationLocalError(f"{self.name}: AML got no answer from {told}") from error
        if not response.is_success:
            told = f"{response.status_code} {response.text[:200]}"
            raise CallerLocationLocalError(f"{self.name}: AML is answered 2xx whatever comes; the answer was {told}")
        return response.status_code

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

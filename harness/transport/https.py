"""HTTP clients: with a bearer's token or without, by nothing in the environment, and quickly made.

httpx tells each request in the log, which Robot and pytest put into reports: it tells it without the query, in which
there are people's addresses and numbers.
"""

from __future__ import annotations

import functools
import logging
import ssl

import httpx


def http_client(
    base_url: str = "",
    *,
    timeout: float | httpx.Timeout,
    token: str | None = None,
    tls: ssl.SSLContext | None = None,
) -> httpx.AsyncClient:
    """Return a client that knows no proxy and no password of the environment's, and follows no redirect.

    ``timeout``: seconds for each answer; ``token``: sent with each request; ``tls``: by what a server is checked, left
    out: whom the public web trusts.
    """
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=timeout,
        headers=bearing(token),
        trust_env=False,
        follow_redirects=False,
        verify=tls if tls is not None else _web_authorities(),
    )


def bearing(token: str | None) -> dict[str, str]:
    """Return the header field of a bearer's token (RFC 6750 section 2.1); empty without one."""
    return {"Authorization": f"Bearer {token}"} if token else {}


@functools.cache
def _web_authorities() -> ssl.SSLContext:
    """httpx's own default, made once: to read the authorities takes longer than most requests."""
    return httpx.create_ssl_context(trust_env=False)


def _without_query(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(
            each.copy_with(query=None, fragment=None) if isinstance(each, httpx.URL) else each for each in record.args
        )
    return True


logging.getLogger("httpx").addFilter(_without_query)

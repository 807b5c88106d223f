"""By whom an HTTP client checks a server where nothing else is agreed."""

from __future__ import annotations

import functools
import ssl

import httpx


@functools.cache
def web_authorities() -> ssl.SSLContext:
    """Return a client's context that trusts whom the public web trusts (httpx's own default).

    It is made once: to read the authorities takes longer than most requests, and a run opens a client for each driver.
    """
    return httpx.create_ssl_context(trust_env=False)

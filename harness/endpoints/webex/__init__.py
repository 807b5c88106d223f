"""A client of Webex's REST API: one account's requests, paged, in no more than the rate that the service allows."""

from harness.endpoints.webex.client import WebexClient
from harness.endpoints.webex.secrets import token_from

__all__ = ["WebexClient", "token_from"]

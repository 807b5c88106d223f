"""A client of Webex's REST API: one account's requests, paged, in no more than the rate that it allows; webhooks."""

from harness.endpoints.webex.client import WebexClient
from harness.endpoints.webex.secrets import token_from
from harness.endpoints.webex.webhooks import WebhookVerifier

__all__ = ["WebexClient", "WebhookVerifier", "token_from"]

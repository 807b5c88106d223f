"""A client of Webex's REST API: one account's requests, paged, in no more than the rate that it allows; webhooks."""

from harness.endpoints.webex.client import WebexClient
from harness.endpoints.webex.secrets import KEYRING_SERVICE, token_from, tokens_from
from harness.endpoints.webex.sign_in import Credentials, Integration, SignedIn, sign_in
from harness.endpoints.webex.webhooks import WebhookVerifier

__all__ = [
    "KEYRING_SERVICE",
    "Credentials",
    "Integration",
    "SignedIn",
    "WebexClient",
    "WebhookVerifier",
    "sign_in",
    "token_from",
    "tokens_from",
]

"""What Webex refuses, by the status it answers; the words are the service's own where it publishes them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from harness.errors import LocalError


class WebexError(LocalError):
    """A request is refused; the answer has Webex's shape: ``message``, ``errors``, ``trackingId``."""

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        *described: str,
        headers: Mapping[str, str] | None = None,
        scim_type: str | None = None,
    ) -> None:
        """``described``: each of the ``errors``; left out, the message itself. ``scim_type``: SCIM's word for it."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.described = described or (message,)
        self.headers = dict(headers or {})
        self.scim_type = scim_type


def unknown(what: str = "resource") -> WebexError:
    """It is not there, or is not there for whoever asks."""
    return WebexError(
        HTTPStatus.NOT_FOUND, "The requested resource could not be found.", f"The requested {what} could not be found."
    )


def unfit(why: str, scim_type: str | None = None) -> WebexError:
    """The request can't be right: 400."""
    return WebexError(HTTPStatus.BAD_REQUEST, why, scim_type=scim_type)


def unauthenticated(
    why: str = "The request requires a valid access token set in the Authorization request header.",
) -> WebexError:
    """No token, or one that is not, or no longer, valid: 401."""
    return WebexError(HTTPStatus.UNAUTHORIZED, why, headers={"WWW-Authenticate": 'Bearer realm="webex"'})


def forbidden(
    why: str = "The server understood the request, but refused to fulfill it because the access token is missing "
    "required scopes or the user is missing required roles or licenses.",
) -> WebexError:
    """Whoever asks may not: 403."""
    return WebexError(HTTPStatus.FORBIDDEN, why)


def conflict(why: str) -> WebexError:
    """It is so already, or something else is in its way: 409."""
    return WebexError(HTTPStatus.CONFLICT, why, scim_type="uniqueness")


def full(what: str, most: int) -> WebexError:
    """The simulator holds no more: 507, which the service itself does not answer."""
    return WebexError(HTTPStatus.INSUFFICIENT_STORAGE, f"this simulated Webex holds {most} {what} and no more")

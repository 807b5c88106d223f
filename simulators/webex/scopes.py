"""Which scopes an access token can have, and which of them are an administrator's."""

from __future__ import annotations

from typing import Final

_MESSAGING: Final = ("rooms", "memberships", "messages", "teams", "team_memberships")

USER: Final = frozenset(
    {"spark:all", "spark:kms", "spark:people_read", "spark:devices_read", "spark:devices_write", "spark:calls_read"}
    | {"spark:calls_write", "spark:workspaces_read", "spark:places_read"}
    | {"spark:xapi_commands", "spark:xapi_statuses", "Identity:contact", "Identity:SCIM"}
    | {"meeting:schedules_read", "meeting:schedules_write", "meeting:participants_read", "meeting:participants_write"}
    | {"meeting:controls_write", "meeting:recordings_read", "meeting:recordings_write"}
    | {f"spark:{what}_{act}" for what in _MESSAGING for act in ("read", "write")}
)
"""What anybody can be given."""
ADMIN: Final = frozenset(
    f"spark-admin:{what}_{act}"
    for what in ("people", "organizations", "licenses", "roles", "locations", "workspaces", "devices")
    for act in ("read", "write")
) | {
    "spark-admin:telephony_config_read",
    "spark-admin:telephony_config_write",
    "spark-admin:calling_cdr_read",
    "analytics:read_all",
    "audit:events_read",
    "spark-compliance:events_read",
    "meeting:admin_schedule_read",
    "meeting:admin_schedule_write",
    "identity:people_read",
    "identity:people_rw",
}
"""What only an administrator's token serves for, whoever has it."""
ALL: Final = USER | ADMIN
ISSUING: Final = frozenset({"guest-issuer:read", "guest-issuer:write"})
"""What only a service app's token serves for."""
SERVICE_APP: Final = ISSUING | {"spark:people_read"}
"""What a service app is given."""
GUEST: Final = frozenset(
    {"spark:people_read", "spark:kms", "spark:rooms_read", "spark:memberships_read"}
    | {"spark:messages_read", "spark:messages_write"}
)
"""What a guest has, whoever made them. Which scopes Webex's guests have is not published. [unconfirmed]"""
_UNDER_ALL: Final = frozenset(
    {"spark:people_read"} | {f"spark:{what}_{act}" for what in _MESSAGING for act in ("read", "write")}
)
"""What ``spark:all`` stands for."""


def holds(granted: frozenset[str], needed: str) -> bool:
    """Whether scopes that were ``granted`` hold ``needed``."""
    return needed in granted or (needed in _UNDER_ALL and "spark:all" in granted)

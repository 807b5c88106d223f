"""What a simulated Webex tells of its SCIM service itself: what it can, which resources and attributes it has.

RFC 7643 sections 5 to 7, RFC 7644 section 4. The attributes are those that requests are read by (`scim_shapes`), so
what is told and what is taken are one. developer.webex.com describes users, groups and bulk and no discovery: whether
the service has it, and what its limits are, is [unconfirmed].
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from harness.protocols.scim import Attribute
from simulators.webex.scim_messages import MOST
from simulators.webex.scim_shapes import (
    CORE_GROUP,
    CORE_USER,
    ENTERPRISE,
    GROUP,
    MAX_OPERATIONS,
    USER,
    WEBEX_GROUP,
    WEBEX_USER,
)

CORE: Final = "urn:ietf:params:scim:schemas:core:2.0"
MAX_PAYLOAD: Final = 1024 * 1024
"""Bytes of a bulk request: as of any. [p]"""
_COMMON: Final = frozenset({"schemas", "id", "externalId", "meta"})
"""What every resource has, and no schema tells (RFC 7643 section 3.1)."""
_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_REFERENCES: Final = {"$ref": ["User", "Group"], "profileUrl": ["external"]}
_UNIQUE: Final = {(CORE_USER, "userName"): "global", (CORE_GROUP, "displayName"): "server"}
_CORES: Final = frozenset({CORE_USER, CORE_GROUP})
_SCHEMAS: Final = {
    CORE_USER: ("User", "An account", USER.root.parts),
    ENTERPRISE: ("EnterpriseUser", "Where somebody works", USER.root.parts[ENTERPRISE.lower()].parts),
    WEBEX_USER: ("WebexUser", "What Webex adds to an account", USER.root.parts[WEBEX_USER.lower()].parts),
    CORE_GROUP: ("Group", "A group of accounts", GROUP.root.parts),
    WEBEX_GROUP: ("WebexGroup", "What Webex adds to a group", GROUP.root.parts[WEBEX_GROUP.lower()].parts),
}
_TYPES: Final = {
    "User": ("/Users", CORE_USER, (ENTERPRISE, WEBEX_USER)),
    "Group": ("/Groups", CORE_GROUP, (WEBEX_GROUP,)),
}


def service_provider(base: str) -> dict[str, Any]:
    """What the service can; ``base``: where it is reached."""
    return {
        "schemas": [f"{CORE}:ServiceProviderConfig"],
        "documentationUri": "https://developer.webex.com/docs/scim-2-overview",
        "patch": {"supported": True},
        "bulk": {"supported": True, "maxOperations": MAX_OPERATIONS, "maxPayloadSize": MAX_PAYLOAD},
        "filter": {"supported": True, "maxResults": MOST},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": False},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "OAuth bearer token",
                "description": "An access token of an administrator, with a scope of identity:people_read or people_rw",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def resource_types(base: str) -> list[dict[str, Any]]:
    """Which resources there are."""
    return [
        {
            "schemas": [f"{CORE}:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": endpoint,
            "description": _SCHEMAS[core][1],
            "schema": core,
            "schemaExtensions": [{"schema": each, "required": False} for each in extensions],
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{name}"},
        }
        for name, (endpoint, core, extensions) in _TYPES.items()
    ]


def schemas(base: str) -> list[dict[str, Any]]:
    """Which attributes they have."""
    return [
        {
            "schemas": [f"{CORE}:Schema"],
            "id": uri,
            "name": name,
            "description": description,
            "attributes": _attributes(uri, parts),
            "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{uri}"},
        }
        for uri, (name, description, parts) in _SCHEMAS.items()
    ]


def _attributes(uri: str, parts: Mapping[str, Attribute], *, fixed: bool = False) -> list[dict[str, Any]]:
    return [
        _attribute(uri, each, fixed=fixed or each.fixed)
        for each in parts.values()
        if ":" not in each.name and not (uri in _CORES and each.name in _COMMON)
    ]


def _attribute(uri: str, it: Attribute, *, fixed: bool) -> dict[str, Any]:
    """One attribute (RFC 7643 section 7)."""
    told: dict[str, Any] = {
        "name": it.name,
        "type": "complex" if it.parts else "boolean" if it.boolean else "string",
        "multiValued": it.multiple,
        "description": it.description or _WORDS.sub(" ", it.name).capitalize(),
        "required": it.required,
        "mutability": "readOnly" if fixed or it.name == "$ref" else "readWrite",
        "returned": "default",
    }
    if it.name in _REFERENCES:
        told |= {"type": "reference", "referenceTypes": _REFERENCES[it.name]}
    if told["type"] not in {"complex", "boolean"}:
        told |= {"caseExact": it.exact, "uniqueness": _UNIQUE.get((uri, it.name), "none")}
    if it.values:
        told["canonicalValues"] = list(it.values)
    if it.parts:
        told["subAttributes"] = _attributes(uri, it.parts, fixed=fixed)
    return told

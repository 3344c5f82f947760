"""What a token says of itself: read without trust, to explain and never to decide who may do what."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

#: Graph's own application id: an audience that Graph takes as it takes its root.
GRAPH_APPLICATION_ID = "00000003-0000-0000-c000-000000000000"
#: The application permission that the PATCH needs (docs/graph-facts.md#f20).
WRITE_ROLE = "DeviceManagementConfiguration.ReadWrite.All"
_PARTS = 3


@dataclass(frozen=True)
class Claims:
    """Whom a token is for, which application permissions it carries, and whose it is."""

    audience: str
    roles: frozenset[str]
    application_id: str | None = None

    def is_for(self, root: str) -> bool:
        """Whether a Graph at this root takes it."""
        return self.audience.rstrip("/").lower() in (root.rstrip("/").lower(), GRAPH_APPLICATION_ID)


def read_claims(token: str) -> Claims | None:
    """Return the claims of a JWT (RFC 7519), its signature unseen; None for whatever is none."""
    match _payload(token):
        case {"aud": str(audience), **claims}:
            client_id = claims.get("appid")
            return Claims(audience, _texts(claims.get("roles")), client_id if isinstance(client_id, str) else None)
    return None


def expiry_of(token: str) -> int | None:
    """Return when a JWT expires, in seconds since 1970; None where it does not say so."""
    match _payload(token):
        case {"exp": int(seconds)}:
            return seconds
    return None


def _payload(token: str) -> Any:
    parts = token.split(".")
    if len(parts) != _PARTS:
        return None
    try:
        return json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None


def _texts(value: object) -> frozenset[str]:
    return frozenset(text for text in value if isinstance(text, str)) if isinstance(value, list) else frozenset()

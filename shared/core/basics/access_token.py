"""What a token says of itself: read without trust, to explain and never to decide who may do what."""

import base64
import binascii
import json
from dataclasses import dataclass

#: Graph's own application id: an audience that Graph takes as it takes its root.
GRAPH_APPLICATION_ID = "00000003-0000-0000-c000-000000000000"
#: The application permission that the PATCH needs (docs/graph-facts.md#f20).
WRITE_ROLE = "DeviceManagementConfiguration.ReadWrite.All"
_PARTS = 3


@dataclass(frozen=True)
class Claims:
    """Whom a token is for, and which application permissions it carries."""

    audience: str
    roles: frozenset[str]

    def is_for(self, root: str) -> bool:
        """Whether a Graph at this root takes it."""
        return self.audience.rstrip("/").lower() in (root.rstrip("/").lower(), GRAPH_APPLICATION_ID)


def read_claims(token: str) -> Claims | None:
    """The claims of a JWT (RFC 7519), its signature unseen; None for whatever is none."""
    parts = token.split(".")
    if len(parts) != _PARTS:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    match claims:
        case {"aud": str(audience)}:
            roles = claims.get("roles", [])
            return Claims(audience, frozenset(one for one in roles if isinstance(one, str)) if _is_list(roles) else _NO)
    return None


_NO: frozenset[str] = frozenset()


def _is_list(value: object) -> bool:
    return isinstance(value, list)

"""Read the principal that App Service authentication established, from the headers that it sets.

The platform removes these headers from requests of others, but only where it is on
(https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities).
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from shared.web.authorization import Principal, Role

#: The claim of app roles, beside the type that the header itself names as ``role_typ``.
_ROLES = "roles"


def read_principal(headers: Mapping[str, str]) -> Principal | None:
    """Return the caller; None where no principal was established, or the headers cannot be read."""
    claims = _claims(headers.get("X-MS-CLIENT-PRINCIPAL", ""))
    principal_id = headers.get("X-MS-CLIENT-PRINCIPAL-ID")
    if claims is None or not principal_id:
        return None
    given, role_type = claims
    texts = {text for kind, text in given if kind in (_ROLES, role_type)}
    roles = frozenset(role for role in Role if role.value in texts)
    return Principal(principal_id, headers.get("X-MS-CLIENT-PRINCIPAL-NAME", ""), roles)


def _claims(header: str) -> tuple[list[tuple[str, str]], str] | None:
    """Return the claims as pairs of type and value, and the type of role claims; None where it is no principal."""
    try:
        document: Any = json.loads(base64.b64decode(header, validate=True))
        pairs = [(str(claim["typ"]), str(claim["val"])) for claim in document["claims"]]
        return pairs, str(document.get("role_typ", _ROLES))
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None

"""The emulator's access tokens: JWTs that the identity endpoint signs and the emulated Graph verifies."""

import base64
import hashlib
import hmac
import json
import uuid
from typing import Any

DEVELOPMENT_KEY = "compliance-status-relay-emulator"
TENANT = "7f3b6f0c-55a1-4f41-9a5e-3c1f6b1f3e11"
GRAPH_AUDIENCE = "https://graph.microsoft.com"
WRITE_ROLE = "DeviceManagementConfiguration.ReadWrite.All"


def issue(
    audience: str, roles: list[str], *, now: float, lifetime: int, key: str = DEVELOPMENT_KEY, **claims: str
) -> str:
    """Return a signed token; ``claims`` are added to those that every token has, or replace them."""
    whole = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{TENANT}/",
        "iat": int(now),
        "nbf": int(now) - 5,
        "exp": int(now) + lifetime,
        "oid": str(uuid.uuid4()),
        "tid": TENANT,
        "roles": roles,
        "jti": str(uuid.uuid4()),
        **claims,
    }
    signed = f"{_part({'typ': 'JWT', 'alg': 'HS256'})}.{_part(whole)}"
    return f"{signed}.{_signature(signed, key)}"


def claims_of(token: str, *, key: str = DEVELOPMENT_KEY) -> dict[str, Any] | None:
    """Return the claims of a token with a good signature."""
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_signature(signed, key), signature):
        return None
    try:
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
    except ValueError:
        return None
    return claims


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _signature(signed: str, key: str) -> str:
    digest = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

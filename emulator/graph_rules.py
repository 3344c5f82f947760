"""What Graph would refuse about a request: the emulated one refuses it too, with Graph's own words and shape."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from emulator.tokens import GRAPH_AUDIENCE, WRITE_ROLE, claims_of

ODATA_TYPE = "#microsoft.graph.deviceComplianceUserStatus"
STATUSES = frozenset(
    {"unknown", "notApplicable", "compliant", "remediated", "nonCompliant", "error", "conflict", "notAssigned"}
)
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)")
_INT32 = 2**31


@dataclass
class Refusal(Exception):
    """An answer of Graph's that is not success."""

    status: int
    code: str
    message: str
    retry_after: str | None = None

    def answer(self, request: web.Request) -> web.Response:
        """Return it as Graph sends it."""
        response = error(request, self.status, self.code, self.message)
        if self.retry_after is not None:
            response.headers["Retry-After"] = self.retry_after
        return response


def id_headers(request: web.Request) -> dict[str, str]:
    """Return the ids of a request, as the headers of each answer of Graph's repeat them."""
    client = request.headers.get("client-request-id")
    return {"request-id": str(uuid.uuid4())} | ({"client-request-id": client} if client else {})


def error(
    request: web.Request, status: int, code: str, message: str, *, members: Mapping[str, Any] | None = None
) -> web.Response:
    """Return Graph's error object with its headers (docs/graph-facts.md#f10)."""
    headers = id_headers(request)
    inner = {"date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"), **headers}
    body = {"error": {"code": code, "message": message, "innerError": inner}, **(members or {})}
    return web.json_response(body, status=status, headers=headers)


def check_caller(request: web.Request, now: float, *, write: bool) -> None:
    """Check token, permission and the headers that every caller of ours sends. Raise ``Refusal``."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    claims = claims_of(token) if scheme == "Bearer" else None
    if claims is None:
        raise Refusal(401, "InvalidAuthenticationToken", "Access token is empty or invalid.")
    if not claims["nbf"] <= now < claims["exp"]:
        raise Refusal(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
    if claims["aud"] != GRAPH_AUDIENCE:
        raise Refusal(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
    readable = {WRITE_ROLE, "DeviceManagementConfiguration.Read.All"}
    if not (set(claims["roles"]) & ({WRITE_ROLE} if write else readable)):
        wanted = f"Application must have one of the following scopes: {WRITE_ROLE}"
        operation = f"Operation ID (for customer support): {uuid.UUID(int=0)}"
        not_authorized = "Application is not authorized to perform this operation."
        raise Refusal(403, "Forbidden", f"{not_authorized} {wanted} - {operation}")
    if not _GUID.fullmatch(request.headers.get("client-request-id", "")):
        raise Refusal(400, "BadRequest", "client-request-id must be a GUID.")
    if not request.headers.get("User-Agent"):
        raise Refusal(400, "BadRequest", "User-Agent is missing.")


def check_ids(policy: str, user_status: str) -> None:
    """Return the ids of the path. Raise ``Refusal``."""
    if not _GUID.fullmatch(policy):
        raise Refusal(400, "BadRequest", "Invalid policy id.")
    if not user_status or "/" in user_status:
        raise Refusal(404, "ResourceNotFound", "Resource not found.")


def check_body(request: web.Request, body: Any, user_status: str) -> dict[str, Any]:
    """Return the properties of a deviceComplianceUserStatus to update. Raise ``Refusal``."""
    if request.content_type != "application/json":
        raise Refusal(415, "UnsupportedMediaType", "A content type of application/json is required.")
    if not isinstance(body, dict):
        raise Refusal(400, "BadRequest", "Unable to read JSON request payload.")
    if body.get("@odata.type") != ODATA_TYPE:
        raise Refusal(400, "BadRequest", f"@odata.type must be {ODATA_TYPE}.")
    if body.get("id", user_status) != user_status:
        raise Refusal(400, "BadRequest", "The key cannot be changed.")
    properties = {name: value for name, value in body.items() if name not in ("@odata.type", "id")}
    for name, value in properties.items():
        if name not in _PROPERTIES:
            raise Refusal(400, "BadRequest", f"The property '{name}' does not exist on type '{ODATA_TYPE}'.")
        if not _PROPERTIES[name](value):
            raise Refusal(400, "BadRequest", f"Cannot convert the value of '{name}'.")
    return properties


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


_PROPERTIES: dict[str, Any] = {
    "userDisplayName": _is_text,
    "userPrincipalName": _is_text,
    "devicesCount": lambda value: type(value) is int and -_INT32 <= value < _INT32,
    "status": lambda value: value in STATUSES,
    "lastReportedDateTime": lambda value: isinstance(value, str) and _DATE.fullmatch(value) is not None,
}

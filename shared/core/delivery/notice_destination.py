"""Where outcome notices go, as ``NOTICES`` describes it: a webhook, a Storage queue or an Event Grid topic by source.

Checked when the app starts; no fault shows a value, since URLs may hold keys, too.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.core.basics.json_schema import Validator
from shared.core.basics.strict_json import Fault
from shared.core.basics.web_address import web_address
from shared.core.intake.update_schema import SOURCE_SCHEMA

#: The destination of every source that has none of its own, and of updates without a source.
ANY_SOURCE: Final = "*"
#: The least that Standard Webhooks allows (docs/graph-facts.md#f50).
MIN_SECRET_BYTES = 24
_WHSEC = "whsec_"


@dataclass(frozen=True)
class WebhookDestination:
    """A URL that takes signed POSTs; each of the secrets signs, so that a receiver can change to a new one."""

    url: str
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class QueueDestination:
    """A Storage queue; ``connection`` names a setting, or the prefix of settings."""

    connection: str
    queue: str


@dataclass(frozen=True)
class EventGridDestination:
    """An Event Grid topic, reached with a token of the app's identity for ``audience``."""

    endpoint: str
    audience: str


type Destination = WebhookDestination | QueueDestination | EventGridDestination


def destination_of(source: str | None, names: Mapping[str, Any]) -> str | None:
    """Return the name of the destination that takes a source's notices; None where there is none."""
    if source is not None and source in names:
        return source
    return ANY_SOURCE if ANY_SOURCE in names else None


def _object(**properties: Mapping[str, Any]) -> Validator:
    schema = {"type": "object", "properties": {"type": {}, **properties}, "required": list(properties)}
    return Validator(schema | {"additionalProperties": False}, unknown="is not known here")


_TEXT = {"type": "string", "minLength": 1}
_NAME = Validator(SOURCE_SCHEMA)
_TYPES: Final[Mapping[str, Validator]] = {
    "webhook": _object(url=_TEXT, secrets={"type": "array", "items": {"type": "string"}, "minItems": 1}),
    "queue": _object(
        connection={"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,127}$", "x-accepts": "a setting's name"},
        queue={
            "type": "string",
            "pattern": "^[a-z0-9](?:-?[a-z0-9]){2,62}$",
            "maxLength": 63,
            "x-accepts": "3 to 63 of a-z 0-9 -, no - first, last or twice in a row",
        },
    ),
    "eventGrid": _object(endpoint=_TEXT, audience=_TEXT),
}
_TYPE = Validator(
    {"type": "object", "properties": {"type": {"type": "string", "enum": list(_TYPES)}}, "required": ["type"]}
)


def notice_destinations(document: Any) -> dict[str, Destination]:
    """Return all destinations by source. Raise ``ValueError`` that names every fault, each by its path."""
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - one kind of failure for every setting
    faults = [text for name, given in document.items() for text in _faults_of(name, given)]
    if faults:
        raise ValueError("; ".join(faults))
    return {name: _destination(given) for name, given in document.items()}


def _faults_of(name: str, given: Any) -> Iterator[str]:
    bad_name = [] if name == ANY_SOURCE else [f"the name {name[:80]!r} {fault.detail}" for fault in _NAME.faults(name)]
    yield from bad_name or (f"{name}{fault.pointer.replace('/', '.')} {fault.detail}" for fault in _faults(given))


def _faults(given: Any) -> Iterator[Fault]:
    found = list(_TYPE.faults(given))
    yield from found
    if found:
        return
    yield from _TYPES[given["type"]].faults(given)
    for member in ("url", "endpoint"):
        if isinstance(given.get(member), str) and not _is_address(given[member], query=True):
            yield Fault(f"/{member}", "must be an https URL (http on loopback)")
    if isinstance(given.get("audience"), str) and not _is_address(given["audience"], query=False):
        yield Fault("/audience", "must be an https URL, such as https://eventgrid.azure.net")
    secrets = given.get("secrets")
    for number, secret in enumerate(secrets if isinstance(secrets, list) else []):
        if isinstance(secret, str) and not _is_secret(secret):
            yield Fault(f"/secrets/{number}", f"must be whsec_ and the base64 of at least {MIN_SECRET_BYTES} bytes")


def _is_address(text: str, *, query: bool) -> bool:
    try:
        return bool(web_address(text, query=query))
    except ValueError:
        return False


def _is_secret(text: str) -> bool:
    encoded = text.removeprefix(_WHSEC)
    if encoded == text or not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", encoded):
        return False
    try:
        # Secrets without padding are common, and the library accepts them.
        return len(base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4))) >= MIN_SECRET_BYTES
    except binascii.Error:
        return False


def _destination(given: Mapping[str, Any]) -> Destination:
    match given["type"]:
        case "webhook":
            return WebhookDestination(given["url"], tuple(given["secrets"]))
        case "queue":
            return QueueDestination(given["connection"], given["queue"])
        case _:
            return EventGridDestination(given["endpoint"], given["audience"].rstrip("/"))

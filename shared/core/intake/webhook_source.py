"""A webhook source as ``WEBHOOK_SOURCES`` describes it: how it is verified, and how its JSON becomes messages.

Checked when the app starts; no fault names a secret.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from shared.core.basics.json_schema import Validator
from shared.core.basics.strict_json import Fault
from shared.core.intake.message_map import EACH, MessageMap, map_faults
from shared.core.intake.update_schema import SOURCE_SCHEMA

_BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3}={0,2}|[A-Za-z0-9+/]{4})"
_HEADER_NAME = "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}"
_HEADER = {"type": "string", "pattern": f"^{_HEADER_NAME}$", "x-accepts": "the name of a header"}
_SECRET = {"type": "string", "minLength": 1}
_TYPE = {"type": {"type": "string"}}
_PLACEHOLDER = re.compile(rf"\{{(?:body|header:({_HEADER_NAME}))\}}")


class VerificationType(StrEnum):
    """How a source proves that it sent a request."""

    STANDARD_WEBHOOKS = "standardWebhooks"
    HMAC_SHA256 = "hmacSha256"
    HEADER = "header"


class Challenge(StrEnum):
    """How a sender asks once, by ``GET``, whether the address is the receiver's."""

    OKTA = "okta"


class Refusal(StrEnum):
    """Why a request, or an item of it, was refused: the reasons that are counted."""

    SIGNATURE = "signature"
    TIMESTAMP = "timestamp"
    UNKNOWN_SOURCE = "unknownSource"
    INVALID_MESSAGE = "invalidMessage"


@dataclass(frozen=True)
class Verification:
    """How a source is verified; any of the secrets will do.

    ``header`` names the header of the proof, ``prefix`` is what stands before it there, ``encoding`` is hex or base64.
    ``signed_content`` is a template of what an HMAC covers; ``timestamp_header`` names the header with the time of the
    request.
    """

    type: VerificationType
    secrets: tuple[str, ...]
    header: str = ""
    prefix: str = ""
    encoding: str = "hex"
    signed_content: str = "{body}"
    timestamp_header: str | None = None

    def content(self, headers: Mapping[str, str], body: bytes) -> bytes:
        """Return the bytes that an HMAC covers. Raise ``KeyError`` where a header is missing."""
        parts, end = [], 0
        for found in _PLACEHOLDER.finditer(self.signed_content):
            parts.append(self.signed_content[end : found.start()].encode())
            parts.append(body if found[1] is None else headers[found[1].lower()].encode())
            end = found.end()
        return b"".join([*parts, self.signed_content[end:].encode()])


@dataclass(frozen=True)
class WebhookSource:
    """One sender."""

    verification: Verification
    map: MessageMap | None = None
    challenge: Challenge | None = None


def _object(properties: Mapping[str, Any], required: tuple[str, ...]) -> Validator:
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return Validator(schema, unknown="is not known here")


_NAME = Validator(SOURCE_SCHEMA)
_EXPRESSIONS = {"type": "object", "additionalProperties": {"type": "string"}}
_SOURCE = _object(
    {
        "verify": {"type": "object"},
        "map": _EXPRESSIONS,
        "challenge": {"type": "string", "enum": [str(challenge) for challenge in Challenge]},
    },
    ("verify",),
)
_VERIFY_TYPE = Validator(
    {
        "type": "object",
        "properties": {"type": {"type": "string", "enum": [str(kind) for kind in VerificationType]}},
        "required": ["type"],
    }
)
_SECRETS = {"type": "array", "items": _SECRET, "minItems": 1}
_WHSEC = {"type": "string", "pattern": f"^(?:whsec_)?{_BASE64}$", "x-accepts": "whsec_ and base64"}
_VERIFY: Final[Mapping[VerificationType, Validator]] = {
    VerificationType.STANDARD_WEBHOOKS: _object(
        _TYPE | {"secrets": {"type": "array", "items": _WHSEC, "minItems": 1}}, ("secrets",)
    ),
    VerificationType.HMAC_SHA256: _object(
        _TYPE
        | {
            "secrets": _SECRETS,
            "header": _HEADER,
            "prefix": {"type": "string"},
            "encoding": {"type": "string", "enum": ["hex", "base64"]},
            "signedContent": {"type": "string"},
            "timestampHeader": _HEADER,
        },
        ("secrets", "header"),
    ),
    VerificationType.HEADER: _object(_TYPE | {"secrets": _SECRETS, "header": _HEADER}, ("secrets", "header")),
}


def webhook_sources(document: Any) -> dict[str, WebhookSource]:
    """Return all sources by name. Raise ``ValueError`` that names every fault, each by its path."""
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - one kind of failure for every setting
    faults: list[str] = []
    sources = {}
    for name, source in document.items():
        found = [f"the name {name[:80]!r} {fault.detail}" for fault in _NAME.faults(name)]
        found = found or [f"{name}{fault.pointer.replace('/', '.')} {fault.detail}" for fault in _faults(source)]
        faults += found
        if not found:
            sources[name] = _source(source)
    if faults:
        raise ValueError("; ".join(faults))
    return sources


def _source(source: Mapping[str, Any]) -> WebhookSource:
    verify, expressions, challenge = source["verify"], source.get("map"), source.get("challenge")
    known = Verification(
        VerificationType(verify["type"]),
        tuple(verify["secrets"]),
        header=verify.get("header", ""),
        prefix=verify.get("prefix", ""),
        encoding=verify.get("encoding", "hex"),
        signed_content=verify.get("signedContent", "{body}"),
        timestamp_header=verify.get("timestampHeader"),
    )
    message_map = None if expressions is None else MessageMap.compiled(expressions)
    return WebhookSource(known, message_map, challenge and Challenge(challenge))


def _faults(source: Any) -> Iterator[Fault]:
    found = list(_SOURCE.faults(source))
    yield from found
    if isinstance(source, dict) and isinstance(source.get("verify"), dict):
        yield from (Fault(f"/verify{fault.pointer}", fault.detail) for fault in _verify_faults(source["verify"]))
    members = source.get("map") if isinstance(source, dict) else None
    if isinstance(members, dict):
        if not members.keys() - {EACH}:
            yield Fault("/map", "must give members of a message")
        yield from (Fault(f"/map/{member[:80]}", detail) for member, detail in map_faults(members))


def _verify_faults(verify: dict[str, Any]) -> Iterator[Fault]:
    found = list(_VERIFY_TYPE.faults(verify))
    yield from found
    if found:
        return
    yield from _VERIFY[VerificationType(verify["type"])].faults(verify)
    content, timestamp = verify.get("signedContent"), verify.get("timestampHeader")
    if isinstance(content, str):
        yield from _content_faults(content)
    covered = f"{{header:{timestamp}}}".lower()
    if isinstance(timestamp, str) and covered not in str(content).lower():
        yield Fault("/timestampHeader", "must be part of signedContent: else anyone could change the time")


def _content_faults(content: str) -> Iterator[Fault]:
    if "{body}" not in content:
        yield Fault("/signedContent", "must hold {body}: else the signature would fit any body")
    if re.search(r"[{}]", _PLACEHOLDER.sub("", content)):
        yield Fault("/signedContent", "must have no braces but those of {body} and {header:NAME}")

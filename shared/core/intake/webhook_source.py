"""A webhook source as ``WEBHOOK_SOURCES`` describes it: how it is verified, and how its JSON becomes messages.

Checked when the app starts; no fault names a secret.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from shared.core.basics.strict_json import Fault, InvalidMessage
from shared.core.intake.update_schema import UPDATE_SCHEMA, USER_STATUS_SCHEMA

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3}={0,2}|[A-Za-z0-9+/]{4})")
EACH = "$each"
_STATUS = "userStatus."
#: The members of a message that an expression may give.
TARGETS = frozenset(
    [name for name in UPDATE_SCHEMA["properties"] if name not in ("userStatus", "source")]
    + [_STATUS + name for name in USER_STATUS_SCHEMA["properties"]]
)


class VerificationType(StrEnum):
    """How a source proves that it sent a request."""

    STANDARD_WEBHOOKS = "standardWebhooks"
    HMAC_SHA256 = "hmacSha256"
    HEADER = "header"


@dataclass(frozen=True)
class Verification:
    """``header`` where the type has one; ``prefix`` and ``encoding`` (hex or base64) for HMACs; any secret will do."""

    type: VerificationType
    secrets: tuple[str, ...]
    header: str = ""
    prefix: str = ""
    encoding: str = "hex"


@dataclass(frozen=True)
class MessageMap:
    """Expressions over a sender's JSON, by the member that each gives; ``each`` finds the events in one request."""

    members: Mapping[str, ParsedResult]
    each: ParsedResult | None = None

    def events(self, document: Any) -> list[Any] | InvalidMessage:
        """What becomes a message each."""
        if self.each is None:
            return [document]
        found = _search(self.each, document, EACH)
        if isinstance(found, Fault):
            return InvalidMessage((found,))
        return found if isinstance(found, list) else [] if found is None else [found]

    def message(self, event: Any) -> dict[str, Any] | InvalidMessage:
        """One event's message, not validated yet; what an expression finds null is left out."""
        message: dict[str, Any] = {}
        faults: list[Fault] = []
        for target, expression in self.members.items():
            value = _search(expression, event, target)
            if isinstance(value, Fault):
                faults.append(value)
            elif value is not None:
                into = message.setdefault("userStatus", {}) if target.startswith(_STATUS) else message
                into[target.removeprefix(_STATUS)] = value
        return InvalidMessage(tuple(faults)) if faults else message


@dataclass(frozen=True)
class WebhookSource:
    """One sender."""

    verification: Verification
    map: MessageMap | None = None


def webhook_sources(document: Any) -> dict[str, WebhookSource]:
    """All sources by name. Raises ``ValueError`` that names every fault."""
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - one kind of failure for every setting
    faults: list[str] = []
    sources = {}
    for name, source in document.items():
        if not _NAME.fullmatch(name):
            faults.append(f"the name {name[:80]!r} is not 1 to 64 of A-Z a-z 0-9 . _ -")
        elif not isinstance(source, dict) or source.keys() - {"verify", "map"}:
            faults.append(f"{name} is not an object with verify and, if need be, map")
        else:
            found = list(_verify_faults(source.get("verify"))) + list(_map_faults(source.get("map")))
            faults += [f"{name}.{fault}" for fault in found]
            if not found:
                sources[name] = WebhookSource(_verification(source["verify"]), _map(source.get("map")))
    if faults:
        raise ValueError("; ".join(faults))
    return sources


def _verification(verify: dict[str, Any]) -> Verification:
    rest = {name: verify[name] for name in ("header", "prefix", "encoding") if name in verify}
    return Verification(VerificationType(verify["type"]), tuple(verify["secrets"]), **rest)


def _map(members: Mapping[str, str] | None) -> MessageMap | None:
    if members is None:
        return None
    compiled = {target: jmespath.compile(expression) for target, expression in members.items()}
    return MessageMap({target: one for target, one in compiled.items() if target != EACH}, compiled.get(EACH))


_MEMBERS = {
    VerificationType.STANDARD_WEBHOOKS: {"type", "secrets"},
    VerificationType.HMAC_SHA256: {"type", "secrets", "header", "prefix", "encoding"},
    VerificationType.HEADER: {"type", "secrets", "header"},
}


def _verify_faults(verify: Any) -> Iterator[str]:
    if not isinstance(verify, dict):
        yield "verify is missing"
        return
    if verify.get("type") not in list(VerificationType):
        yield f"verify.type is none of {', '.join(VerificationType)}"
        return
    kind = VerificationType(verify["type"])
    for name in sorted(verify.keys() - _MEMBERS[kind]):
        yield f"verify.{name} is not known for {kind}"
    yield from _secret_faults(kind, verify.get("secrets"))
    header = verify.get("header")
    if "header" in _MEMBERS[kind] and not (isinstance(header, str) and _HEADER.fullmatch(header)):
        yield "verify.header is not the name of a header"
    if not isinstance(verify.get("prefix", ""), str):
        yield "verify.prefix is not a string"
    if verify.get("encoding", "hex") not in ("hex", "base64"):
        yield "verify.encoding is neither hex nor base64"


def _secret_faults(kind: VerificationType, secrets: Any) -> Iterator[str]:
    if not isinstance(secrets, list) or not secrets or not all(isinstance(one, str) and one for one in secrets):
        yield "verify.secrets is not a list of one or more non-empty strings"
    elif kind is VerificationType.STANDARD_WEBHOOKS and not all(map(_is_base64, secrets)):
        yield "verify.secrets holds one that is not whsec_ and base64"


def _is_base64(secret: str) -> bool:
    return _BASE64.fullmatch(secret.removeprefix("whsec_")) is not None


def _map_faults(members: Any) -> Iterator[str]:
    if members is None:
        return
    if not isinstance(members, dict) or not members.keys() - {EACH}:
        yield "map is not an object of members and expressions"
        return
    for target, expression in members.items():
        if target != EACH and target not in TARGETS:
            yield f"map gives {target[:80]!r}, which is no member of a message"
        elif not isinstance(expression, str):
            yield f"map.{target} is not a string"
        else:
            yield from _expression_faults(target, expression)


def _expression_faults(target: str, expression: str) -> Iterator[str]:
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        yield f"map.{target} is no JMESPath expression: {str(error).splitlines()[0][:200]}"


def _search(expression: ParsedResult, document: Any, target: str) -> Any:
    try:
        return expression.search(document)
    except Exception as error:  # noqa: BLE001 - the boundary: functions fail in many ways on JSON that nobody foresaw
        return Fault("", f"{target}: the source's map does not fit: {type(error).__name__}")

"""Whom an erasure is about, and which outcomes and user statuses are theirs (GDPR article 17).

An outcome is *theirs* when its message or Graph's object names them; its user status, and all updates of that, are
theirs too. One whose other text only mentions them is erased alone: the user status may be somebody else's.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.core.basics.json_schema import Validator
from shared.core.basics.strict_json import Fault, InvalidMessage, Parsed, read_json
from shared.core.delivery.outcome import Outcome
from shared.core.erasure.name_matching import is_name, mentions, mentions_anywhere
from shared.core.intake.cloud_event import Unwrapped, unwrap
from shared.core.intake.queue_text import decoded
from shared.core.intake.update import user_status_key
from shared.core.intake.update_schema import POLICY_ID_SCHEMA, PRINCIPAL_NAME_SCHEMA, USER_STATUS_ID_SCHEMA

_BY_NAME, _BY_IDS = "userPrincipalName", ("deviceCompliancePolicyId", "deviceComplianceUserStatusId")
#: The members of a message that say whose update it is.
_OWNER_MEMBERS = ("userPrincipalName", "deviceComplianceUserStatusId", "userStatus")
#: Members that hold a name or an id, and nothing else: they are compared whole.
_WHOLE = frozenset({"userPrincipalName", "deviceComplianceUserStatusId", "id"})

SUBJECT_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "A person by principal name, or one user status by its two ids.",
    "properties": {
        _BY_NAME: PRINCIPAL_NAME_SCHEMA,
        _BY_IDS[0]: POLICY_ID_SCHEMA,
        _BY_IDS[1]: USER_STATUS_ID_SCHEMA,
    },
    "additionalProperties": False,
}
_SCHEMA = Validator(SUBJECT_SCHEMA)


@dataclass(frozen=True)
class Subject:
    """A principal name, or the key of one user status."""

    name: str | None = None
    key: str | None = None

    def owns(self, outcome: Outcome) -> bool:
        """Return whether this update is about them."""
        if self.name is None:
            return key_in(outcome) == self.key
        return self.owns_values(_owner_values(outcome))

    def owns_values(self, values: object) -> bool:
        """Return whether these values are theirs: a name or id is theirs, or other text names them."""
        name = self.name
        return name is not None and any(
            is_name(name, text) if member in _WHOLE else mentions(name, text) for member, text in _texts(values)
        )

    def in_passing(self, outcome: Outcome) -> bool:
        """Return whether some other text of the outcome names them: an error, a raw message, a sender's key."""
        name, named = self.name, outcome.named
        if name is None:
            return False
        if outcome.submitted_by is not None and is_name(name, outcome.submitted_by):
            return True
        free_text = [outcome.error, named and named.idempotency_key, outcome.raw_message, _body(outcome)]
        return any(mentions_anywhere(name, text) for _, text in _texts(free_text))


def parse_subject(document: object) -> Subject | InvalidMessage:
    """Return the subject that a request names, or all its faults."""
    if not isinstance(document, dict):
        return InvalidMessage((Fault("", "must be a JSON object"),))
    faults = [*_SCHEMA.faults(document), *_across(document)]
    if faults:
        return InvalidMessage(tuple(dict.fromkeys(faults)))
    if _BY_NAME in document:
        return Subject(name=document[_BY_NAME])
    return Subject(key=user_status_key(*(document[name] for name in _BY_IDS)))


def key_in(outcome: Outcome) -> str | None:
    """Return the key of its user status; of a message that could not be read too, where its ids can."""
    if outcome.named is not None:
        ids = (outcome.named.device_compliance_policy_id, outcome.named.device_compliance_user_status_id)
    else:
        raw = _raw(outcome)
        ids = (raw.get(_BY_IDS[0]), raw.get(_BY_IDS[1]))
    policy_id, user_status_id = ids
    if isinstance(policy_id, str) and isinstance(user_status_id, str):
        return user_status_key(policy_id, user_status_id)
    return None


def _across(document: Mapping[str, Any]) -> Iterator[Fault]:
    given = [name for name in _BY_IDS if name in document]
    if _BY_NAME in document and given:
        yield Fault(f"/{_BY_NAME}", f"must not come together with {given[0]}")
    elif _BY_NAME not in document and not given:
        yield Fault("", f"must hold {_BY_NAME}, or {_BY_IDS[0]} and {_BY_IDS[1]}")
    elif len(given) == 1:
        (lacking,) = set(_BY_IDS) - set(given)
        yield Fault(f"/{lacking}", f"is required with {given[0]}")


def _owner_values(outcome: Outcome) -> list[object]:
    message = outcome.update.message if outcome.update else _raw(outcome)
    return [{name: message.get(name) for name in _OWNER_MEMBERS}, outcome.result]


def _texts(value: object, member: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a value with the name of the member that holds it."""
    left: list[tuple[str, object]] = [(member, value)]
    while left:
        name, here = left.pop()
        if isinstance(here, str):
            yield name, here
        elif isinstance(here, Mapping):
            left += here.items()
        elif isinstance(here, list):
            left += [(name, item) for item in here]


def _raw(outcome: Outcome) -> Mapping[str, Any]:
    """Return the members of a message that could not be read, as far as it is JSON."""
    document = read_json(_body(outcome))
    inner = document.value if isinstance(document, Parsed) else None
    if isinstance(inner, dict) and "relay" in inner:
        inner = inner.get("update")
    unwrapped = unwrap(inner)
    inner = unwrapped.document if isinstance(unwrapped, Unwrapped) else None
    return inner if isinstance(inner, dict) else {}


def _body(outcome: Outcome) -> str:
    """Return the text of the raw message, decoded as the queue's consumer does it."""
    raw = (outcome.raw_message or "").encode(errors="replace")
    if outcome.raw_message_encoding is not None:
        raw = base64.b64decode(raw)
    return decoded(raw).decode(errors="replace")

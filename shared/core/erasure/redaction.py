"""Erasing: what is left of an outcome and of a user status once their personal members are redacted.

Ids, states, times, counts, versions and codes stay: order and statistics depend on them. What outsiders wrote stays
only where it has the form of an id or a code.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from shared.core.basics.update_id import accepted_at
from shared.core.basics.version import Version
from shared.core.delivery.outcome import Attempt, Members, Outcome, Tombstone
from shared.core.delivery.user_status import UserStatusRow, Value
from shared.core.erasure.name_matching import folded
from shared.core.erasure.subject import Subject

#: Stands where an error's text was.
ERASED_MESSAGE: Final = "What this error said was erased with the personal data of its update."
_CODE = re.compile(r"[A-Za-z0-9._:+-]{1,100}")


def redact_outcome(outcome: Outcome, subject: Subject) -> Outcome:
    """Return a final outcome without its personal members; its state is as it was."""
    return replace(
        outcome,
        update=None,
        erased=_tombstone(outcome, subject),
        submitted_by=_kept(outcome.submitted_by, subject),
        attempts=tuple(_attempt(attempt, subject) for attempt in outcome.attempts),
        result=None,
        error=outcome.error and _error(outcome.error, subject),
        raw_message=None,
        raw_message_encoding=None,
        unknown={},
    )


def redact_user_status(row: UserStatusRow, until: datetime) -> UserStatusRow:
    """Return the row without the values first accepted until then; their versions still keep older values out."""
    confirmed = {name: _value(value, until) for name, value in row.confirmed.items()}
    return replace(row, confirmed=confirmed)


def was_accepted_by(version: Version, until: datetime) -> bool:
    """Return whether a value of this version was first accepted until then: a replay brings its original's."""
    return accepted_at(version.id) <= until


def _value(value: Value, until: datetime) -> Value:
    return replace(value, value=None) if was_accepted_by(value.version, until) else value


def _tombstone(outcome: Outcome, subject: Subject) -> Tombstone:
    named = outcome.named
    if named is None:
        return Tombstone()
    return Tombstone(
        named.device_compliance_policy_id,
        named.device_compliance_user_status_id,
        _kept(named.source, subject),
        _kept(named.idempotency_key, subject),
    )


def _attempt(attempt: Attempt, subject: Subject) -> Attempt:
    return replace(
        attempt,
        code=_code(attempt.code, subject),
        request_id=_code(attempt.request_id, subject),
        client_request_id=_code(attempt.client_request_id, subject),
    )


def _error(error: Members, subject: Subject) -> Members:
    redacted: dict[str, Any] = {"code": error["code"], "message": ERASED_MESSAGE}
    inner = error.get("innerError")
    return redacted | ({"innerError": dict(_inner(inner.items(), subject))} if isinstance(inner, Mapping) else {})


def _inner(members: Iterable[tuple[str, Any]], subject: Subject) -> Iterable[tuple[str, Any]]:
    for name, value in members:
        yield name, _code(value, subject) if isinstance(value, str) else value


def _code(text: str | None, subject: Subject) -> str | None:
    return _kept(text, subject) if text is not None and _CODE.fullmatch(text) else None


def _kept(text: str | None, subject: Subject) -> str | None:
    """Return the text, or None where the name is anywhere in it."""
    named = text is not None and subject.name is not None and folded(subject.name) in folded(text)
    return None if named else text

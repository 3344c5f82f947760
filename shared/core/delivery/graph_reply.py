"""The end of one call to Graph as a frozen value: what was answered, or what happened instead."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from shared.core.delivery.error_body import NO_ERROR, ErrorBody, has_error, parse_json
from shared.core.delivery.judgement import MEANINGS, assumed, judge
from shared.core.delivery.reply_kind import BodyForm, Evidence, Meaning, NetworkFault, ReplyKind, TransportFault

__all__ = ["RESULT_BYTES", "GraphReply", "TransportFault", "parse_reply"]
#: Bytes of a result that an outcome keeps.
RESULT_BYTES = 16 * 1024


@dataclass(frozen=True)
class GraphReply:
    """One call's end: a status, a transport fault, or no token to make it with.

    ``judged`` is its kind; None where no more is known than the status or the fault. ``retry_after_seconds`` counts
    from the moment of the reply. ``network`` is why the request was never sent.
    """

    status_code: int | None
    transport: TransportFault | None = None
    identity_fault: str | None = None
    code: str | None = None
    message: str | None = None
    request_id: str | None = None
    client_request_id: str | None = None
    activity_id: str | None = None
    date: str | None = None
    retry_after_seconds: float | None = None
    result: Mapping[str, Any] | None = None
    network: NetworkFault | None = None
    judged: ReplyKind | None = None

    @cached_property
    def kind(self) -> ReplyKind:
        """What kind of reply it is."""
        if self.judged is not None:
            return self.judged
        return assumed(self.status_code, self.transport, no_token=self.identity_fault is not None)

    @property
    def meaning(self) -> Meaning:
        """What follows from it."""
        return MEANINGS[self.kind]


def parse_reply(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    client_request_id: str,
    complete: bool = True,
    result_bytes: int = RESULT_BYTES,
) -> GraphReply:
    """Read an HTTP answer. ``complete`` is False when the body ended early or was longer than we read.

    A result of more than ``result_bytes`` is left out.
    """
    known = {name.lower(): text for name, text in headers.items()}
    document = parse_json(body) if complete else None
    kind, error = _judged(status, known, document, body, complete=complete)
    return GraphReply(
        status_code=status,
        code=error.code,
        message=error.message,
        request_id=_short(known.get("request-id")) or error.find("request-id"),
        client_request_id=client_request_id,
        activity_id=error.activity_id(),
        date=_short(known.get("date")),
        retry_after_seconds=error.retry_after(known.get("retry-after"), now),
        result=_result(document, result_bytes) if kind is ReplyKind.SUCCESS else None,
        judged=kind,
    )


def _judged(
    status: int, headers: Mapping[str, str], document: Any, body: bytes, *, complete: bool
) -> tuple[ReplyKind, ErrorBody]:
    form = _form(document, body, complete=complete)
    error = NO_ERROR if form is BodyForm.JSON and status // 100 == 2 else ErrorBody(document, body)  # noqa: PLR2004
    evidence = Evidence(
        status,
        form,
        words=error.words,
        codes=frozenset(code.lower() for code in error.codes),
        headers=frozenset(headers),
    )
    return judge(evidence), error


def _form(document: Any, body: bytes, *, complete: bool) -> BodyForm:
    if not complete:
        markup = body.lstrip()[:1] == b"<"  # never JSON, however it would have ended
        return BodyForm.TEXT if markup else BodyForm.BROKEN
    if not body.strip():
        return BodyForm.EMPTY
    if has_error(document):
        return BodyForm.ERROR
    return BodyForm.TEXT if document is None and body.strip() != b"null" else BodyForm.JSON


def _short(text: str | None) -> str | None:
    return text[:200] if text else None


def _result(document: Any, most: int) -> Mapping[str, Any] | None:
    if not isinstance(document, dict):
        return None
    size = len(json.dumps(document))
    return document if size <= most else {"truncated": True, "length": size}

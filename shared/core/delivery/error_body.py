"""What an answer that is no success says: its codes, its words, and how long to wait.

Intune nests its errors: ``error.message`` is often JSON text that holds another message
(docs/graph-facts.md#f14), ``innerError`` nests under any casing (docs/graph-facts.md#f10). At most three levels of text
are opened. What answers in Graph's place sends a page or plain text. Reading never raises.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

#: Characters of a message that an outcome keeps.
MESSAGE_LENGTH = 2048
#: A longer ``Retry-After`` counts as this many seconds.
MAX_RETRY_AFTER = 24 * 3600.0
_TEXT_LEVELS = 3
_MAX_OBJECTS = 50
_LINE_LENGTH = 200
#: Internal addresses may hold ids (docs/graph-facts.md#f14); a token or a key is a secret.
_URL = re.compile(r"https?://\S+")
_SECRET = re.compile(r"\beyJ[\w-]+\.[\w.-]+|(?i:\b(?:bearer|basic|sharedkey)\s+\S+|\b(?:sig|code|key|token)=[^\s&]+)")
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_ACTIVITY = re.compile(r"Activity ID:\s*([0-9a-fA-F-]{36})")
_CODE = re.compile(r"[\w.]{1,100}")
_SPAN = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)(?:\.\d+)?")
_ERRORS = ("error", "odata.error")


def parse_json(body: bytes | str) -> Any:
    """Return the JSON document; None where it is none."""
    try:
        return json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> Any:
    raise ValueError(constant)  # NaN and Infinity are not JSON


def has_error(document: Any) -> bool:
    """Return whether this is an object with an error, as Graph refuses."""
    return isinstance(document, dict) and any(_is_error(document.get(name)) for name in _ERRORS)


def _is_error(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, str) and bool(value.strip()))


class ErrorBody:
    """The error objects of a JSON document, outermost first; without any, the words of the page or text."""

    def __init__(self, document: Any, body: bytes) -> None:
        self._objects = list(_objects(document))
        self.codes = [code for members in self._objects if (code := _code(members))]
        self._messages = [text for members in self._objects if (text := _message(members)) and not _opens(text)]
        self._words = "" if self._objects else _first_words(body)

    @property
    def code(self) -> str | None:
        """The most specific code."""
        return self.codes[-1][:200] if self.codes else None

    @property
    def message(self) -> str | None:
        """The most specific message, redacted; of a page its title alone, of other text its first line."""
        return redact(self._messages[-1]) if self._messages else redact(self._words) or None

    @property
    def words(self) -> str:
        """Every code and message, in lower case."""
        return " ".join((*self.codes, *self._messages)).lower()

    def find(self, name: str) -> str | None:
        """Return the outermost member of that name which is a text."""
        return next((text[:200] for members in self._objects if (text := _text(members, name))), None)

    def activity_id(self) -> str | None:
        """Return the id that Intune puts into its message."""
        return next((found[1] for text in self._messages if (found := _ACTIVITY.search(text))), None)

    def retry_after(self, header: str | None, now: datetime) -> float | None:
        """Return the seconds to wait from ``now`` on, as the header or Intune's own member asks."""
        values = [header, *(members.get("retryafter") for members in self._objects)]
        return next((seconds for value in values if (seconds := _seconds(value, now)) is not None), None)


def redact(message: str) -> str:
    """Return the message without addresses and secrets, cut to its bound."""
    return _SECRET.sub("[secret]", _URL.sub("[url]", message))[:MESSAGE_LENGTH].encode("utf-8", "replace").decode()


def _objects(document: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the error objects of an answer through nesting and text, with their member names in lower case."""
    left = [(document, 0)]
    seen = 0
    while left and seen < _MAX_OBJECTS:
        here, level = left.pop(0)
        if isinstance(here, str) and level < _TEXT_LEVELS and _opens(here):
            here, level = parse_json(here), level + 1
        if not isinstance(here, dict):
            continue
        seen += 1
        members = {str(name).lower(): value for name, value in here.items()}
        yield members
        left += [(members[name], level) for name in (*_ERRORS, "message", "innererror") if name in members]


def _opens(text: str) -> bool:
    return text.lstrip()[:1] == "{" and isinstance(parse_json(text), dict)


def _text(members: Mapping[str, Any], *names: str) -> str | None:
    return next((members[name] for name in names if isinstance(members.get(name), str) and members[name]), None)


def _code(members: Mapping[str, Any]) -> str | None:
    error = _text(members, "error")
    return _text(members, "code", "errorcode") or (error if error and _CODE.fullmatch(error) else None)


def _message(members: Mapping[str, Any]) -> str | None:
    """Return the words: ``message`` as text or as ``{"value"}``, OAuth's ``error_description``, ``error`` as text."""
    error = _text(members, "error")
    worded = error if error and not _CODE.fullmatch(error) else None
    return _text(members, "message", "error_description", "value") or worded


def _first_words(body: bytes) -> str:
    title = _TITLE.search(body)
    if title:
        return " ".join(html.unescape(title[1].decode("utf-8", "replace")).split())[:_LINE_LENGTH]
    text = body[: 16 * _LINE_LENGTH].decode("utf-8", "replace").lstrip()
    if text[:1] in ("<", "{", "[") or not text:  # markup, or a document that was cut off
        return ""
    line = text.splitlines()[0].strip()[:_LINE_LENGTH]
    return line if line.isprintable() and "\ufffd" not in line else ""


def _seconds(value: object, now: datetime) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        seconds = _span_or_date(str(value), now)
    return min(max(seconds, 0.0), MAX_RETRY_AFTER) if seconds == seconds else None  # noqa: PLR0124 - not NaN


def _span_or_date(text: str, now: datetime) -> float:
    span = _SPAN.fullmatch(text.strip())
    if span:
        return int(span[1]) * 3600.0 + int(span[2]) * 60 + int(span[3])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return float("nan")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - now).total_seconds()


#: Of an answer that says nothing.
NO_ERROR = ErrorBody(None, b"")

"""Times as senders write them, turned into RFC 3339: what ``timestamp(value)`` of a webhook's map does."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

#: Numbers from here on are milliseconds: in seconds this is the year 5138, in milliseconds 1973.
_FIRST_MILLISECONDS: Final = Decimal(100_000_000_000)
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Graph's DateTimeOffset has 7 fraction digits (docs/graph-facts.md#f19).
_MAX_FRACTION_DIGITS = 7
_JSON_DATE = re.compile(r"\\?/Date\((-?\d{1,15})(?:[+-]\d{4})?\)\\?/", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?", re.ASCII)
_ISO_8601 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2})?(?:[.,](\d{1,12}))?(Z|z|[+-]\d{2}(?::?\d{2})?)?", re.ASCII
)


def rfc_3339(value: str | float) -> str:
    """Return a sender's time as RFC 3339; one that is RFC 3339 already, character for character.

    Epoch seconds or milliseconds (by size, as a number or as digits), ``/Date(n)/``, ``yyyy-MM-dd HH:mm:ss.fffffff``
    and ISO 8601. A time without an offset is UTC; digits after the seventh are cut off. Raise ``ValueError`` for all
    other texts.
    """
    if not isinstance(value, str):
        return _of_epoch(str(value))
    text = value.strip()
    json_date = _JSON_DATE.fullmatch(text)
    if json_date is not None:
        return _of_milliseconds(Decimal(json_date[1]))
    return _of_epoch(text) if _NUMBER.fullmatch(text) else _of_iso_8601(text)


def _of_epoch(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not number.is_finite():
        raise ValueError(text)
    return _of_milliseconds(number if abs(number) >= _FIRST_MILLISECONDS else number * 1000)


def _of_milliseconds(milliseconds: Decimal) -> str:
    try:
        moment = _UNIX_EPOCH + timedelta(microseconds=int(milliseconds * 1000))
    except OverflowError:
        raise ValueError(milliseconds) from None
    fraction = f"{moment.microsecond:06}".rstrip("0")
    return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + (f".{fraction.ljust(3, '0')}" if fraction else "") + "Z"


def _of_iso_8601(text: str) -> str:
    match = _ISO_8601.fullmatch(text)
    if match is None:
        raise ValueError(text)
    date, minutes, seconds, fraction, offset = match.groups()
    digits = f".{fraction[:_MAX_FRACTION_DIGITS]}" if fraction else ""
    time = f"{date}T{minutes}{seconds or ':00'}{digits}{_offset(offset)}"
    return text if len(text) == len(time) and text[10] in "Tt" and offset and "," not in text else time


def _offset(offset: str | None) -> str:
    if offset is None or offset in ("Z", "z"):
        return "Z"
    hours, minutes = offset[:3], offset[3:].removeprefix(":") or "00"
    return f"{hours}:{minutes}"

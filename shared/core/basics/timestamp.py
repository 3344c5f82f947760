"""RFC 3339 date-times to 100 ns, and those of the relay to milliseconds."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

#: 100 ns, the resolution of Graph's DateTimeOffset; a Python datetime would drop the 7th digit
#: (docs/graph-facts.md#f19).
TICKS_PER_SECOND = 10_000_000
_DATE_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,7}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))", re.ASCII
)
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST_TICK = ((datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _FIRST) // timedelta(seconds=1) + 1) * TICKS_PER_SECOND
#: The widest offset, in seconds, that .NET's DateTimeOffset accepts; it is Graph's type.
MAX_REPORTED_OFFSET: Final = 14 * 3600
#: The widest offset of RFC 3339, in seconds: filters take any.
MAX_FILTER_OFFSET: Final = 24 * 3600 - 60


def ticks(text: str, max_offset: int = MAX_REPORTED_OFFSET) -> int | None:
    """Return the count of 100 ns since 0001-01-01T00:00:00Z of an RFC 3339 date-time with 0 to 7 fraction digits.

    None where the text is none, or its offset exceeds ``max_offset`` seconds.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    date, time, fraction, sign, hours, minutes = match.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{time}+00:00")
    except ValueError:
        return None
    offset = _offset(sign, hours, minutes, max_offset)
    if offset is None:
        return None
    seconds = (moment - _FIRST) // timedelta(seconds=1) - offset
    instant = seconds * TICKS_PER_SECOND + int((fraction or "").ljust(7, "0"))
    return instant if 0 <= instant < _LAST_TICK else None


def _offset(sign: str | None, hours: str | None, minutes: str | None, max_offset: int) -> int | None:
    if sign is None or hours is None or minutes is None:
        return 0
    seconds = int(hours) * 3600 + int(minutes) * 60
    if int(minutes) > 59 or seconds > max_offset:  # noqa: PLR2004 - minutes of an hour
        return None
    return -seconds if sign == "-" else seconds


def moment_of(text: str, max_offset: int = MAX_REPORTED_OFFSET) -> datetime | None:
    """Return an RFC 3339 date-time in UTC, cut off to microseconds; None where the text is none."""
    instant = ticks(text, max_offset)
    return None if instant is None else _FIRST + timedelta(microseconds=instant // 10)


def ticks_of(moment: datetime) -> int:
    """Return the same count for an aware datetime."""
    return (moment - _FIRST) // timedelta(microseconds=1) * 10


def format_ticks(instant: int) -> str:
    """Return a count of 100 ns as ``2026-11-23T20:30:00.1234567Z``."""
    seconds, fraction = divmod(instant, TICKS_PER_SECOND)
    moment = _FIRST + timedelta(seconds=seconds)
    return f"{moment.isoformat()[:19]}.{fraction:07}Z"


def format_milliseconds(moment: datetime) -> str:
    """Return ``2026-11-23T20:30:00.123Z``; further digits are cut off."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_milliseconds(text: str) -> datetime:
    """Return the moment of such a text. Raise ``ValueError`` where it is none."""
    return datetime.fromisoformat(text).astimezone(UTC)

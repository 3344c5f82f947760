"""An update's id: a UUIDv7 (RFC 9562) whose time is the acceptance time, so ids sort by acceptance."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

_RANDOM_BITS = 74
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MILLISECOND = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def new_update_id(now: datetime, random_bits: int) -> str:
    """Return the id of an update accepted now; 74 random bits are used."""
    milliseconds = max(0, (now - _EPOCH) // timedelta(milliseconds=1)) & ((1 << 48) - 1)
    bits = random_bits & ((1 << _RANDOM_BITS) - 1)
    return str(UUID(int=milliseconds << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | bits & ((1 << 62) - 1)))


def derived_update_id(inserted: datetime, seed: str) -> str:
    """Return the id of a foreign queue message: the same whenever and wherever it is derived."""
    return new_update_id(inserted, int.from_bytes(hashlib.sha256(seed.encode()).digest()))


def accepted_at(update_id: str) -> datetime:
    """Return the acceptance time that the id carries, in UTC, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=UUID(update_id).int >> 80)


def is_update_id(text: str) -> bool:
    """Return whether this is a UUIDv7 in its canonical, lower-case form, of a time that a calendar has."""
    return _FORM.fullmatch(text) is not None and UUID(text).int >> 80 <= _LAST_MILLISECOND

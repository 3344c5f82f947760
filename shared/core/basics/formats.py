"""The formats that our JSON Schemas name: what each accepts, as a pattern too, and the fault of a text that it refuses.

Generators and gateways do not know these formats. The schemas therefore have the pattern beside the format: it accepts
at least what the format accepts.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.core.basics.timestamp import MAX_FILTER_OFFSET, ticks

_DATE_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}"
_OFFSET = r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
_USER_STATUS_ID = re.compile(r"[A-Za-z0-9\-_.~@:]{1,256}")
_CONTROL, _CONTROL_OR_FORMAT = ("Cc",), ("Cc", "Cf")


@dataclass(frozen=True)
class Format:
    """A rule over text.

    ``found`` returns the end of the fault for one refused text: the characters to blame, escaped.
    """

    accepts: Callable[[str], bool]
    detail: str
    pattern: str
    found: Callable[[str], str] = lambda _: ""

    def fault(self, text: str) -> str:
        """Return the fault of a text that the format refuses."""
        return self.detail + self.found(text)


def formatted(name: str, **keywords: Any) -> dict[str, Any]:
    """Return the schema of a string in one of the formats, with its pattern."""
    return {"type": "string", "format": name, "pattern": FORMATS[name].pattern} | keywords


def _without(categories: tuple[str, ...]) -> Callable[[str], bool]:
    return lambda text: not any(unicodedata.category(character) in categories for character in text)


def _is_name(text: str) -> bool:
    return text == text.strip() and _without(_CONTROL_OR_FORMAT)(text)


def _characters(text: str) -> str:
    """Return where the first character is that a text must not have, and its escape."""
    for at, character in enumerate(text, 1):
        invisible = unicodedata.category(character) in _CONTROL_OR_FORMAT
        outside = character.isspace() and (not text[:at].strip() or not text[at - 1 :].strip())
        if invisible or outside:
            return f" (found {escaped(character)} as character {at})"
    return ""


def escaped(text: str) -> str:
    """Return the text with white space, control and format characters as JSON escapes, such as the one of U+200B."""
    return "".join(
        f"\\u{ord(character):04x}" if character.isspace() or not character.isprintable() else character
        for character in text
    )


_REPORTED = (
    "must be an RFC 3339 date-time with Z or an offset of at most 14:00 and up to 7 fraction digits, "
    "and exist in the calendar (no leap second)"
)
FORMATS: Final[Mapping[str, Format]] = {
    "no-control-characters": Format(
        _without(_CONTROL), "must not hold control characters", r"^[^\u0000-\u001f\u007f-\u009f]*$", _characters
    ),
    "directory-name": Format(
        _is_name,
        "must not begin or end with white space, nor hold control or format characters",
        r"^[^\s\u0000-\u001f\u007f-\u009f\u200b](?:[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f\u200b])?$",
        _characters,
    ),
    "user-status-id": Format(
        lambda text: _USER_STATUS_ID.fullmatch(text) is not None and text not in (".", ".."),
        "must be 1 to 256 of A-Z a-z 0-9 - _ . ~ @ :, and not . or ..",
        f"^{_USER_STATUS_ID.pattern}$",
    ),
    "date-time-100ns": Format(
        lambda text: ticks(text) is not None, _REPORTED, rf"^{_DATE_TIME}(?:\.[0-9]{{1,7}})?{_OFFSET}$"
    ),
    "date-time-any-offset": Format(
        lambda text: ticks(text, MAX_FILTER_OFFSET) is not None,
        "must be an RFC 3339 date-time with an offset or Z",
        rf"^{_DATE_TIME}(?:\.[0-9]{{1,7}})?{_OFFSET}$",
    ),
    "printable": Format(str.isprintable, "must be printable characters", r"^[^\u0000-\u001f\u007f-\u009f]*$"),
}

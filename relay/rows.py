"""A row becomes an update: validated by the app's own rules, with an idempotency key made of its content.

Pure. A row's number is the line of the file on which it begins, so that an editor finds it.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.basics.strict_json import InvalidMessage, read_json
from shared.core.intake.update import Update, parse_update

#: The scope of the keys of rows that name no source.
SOURCE = "relay-cli"
_REPORTED = "/userStatus/lastReportedDateTime"
#: 11/23/2026 20:30, 23.11.2026, 2026-11-23 20:30:00 and Excel's serial numbers.
_EXCEL_DATE = re.compile(
    r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}(\s.*)?|\d{4}[/.\-]\d{1,2}[/.\-]\d{1,2}(\s.*)?|\d{4,6}([.,]\d+)?"
)
_RFC_3339 = (
    "looks like an Excel date; accepted is RFC 3339 with an offset or Z, such as 2026-11-23T20:30:00Z "
    '(in Excel, of a time in UTC: =TEXT(A2,"yyyy-mm-dd")&"T"&TEXT(A2,"hh:mm:ss")&"Z")'
)
_LONGEST_SHOWN = 60


class UnreadableFile(Exception):
    """Nothing can be made of the file from this line on (None: at all)."""

    def __init__(self, detail: str, line: int | None = None) -> None:
        super().__init__(detail)
        self.detail, self.line = detail, line


@dataclass(frozen=True)
class RowFault:
    """What is wrong with one row; ``at`` is the column, or the JSON Pointer in JSON Lines."""

    at: str
    detail: str


@dataclass(frozen=True)
class Row:
    """A valid row; its update has a source and an idempotency key."""

    line: int
    update: Update


@dataclass(frozen=True)
class BadRow:
    """All that is wrong with a row."""

    line: int
    faults: tuple[RowFault, ...]


@dataclass(frozen=True)
class Common:
    """What rows have that do not say otherwise; ``run`` makes other keys of the same rows."""

    policy: str | None = None
    source: str = SOURCE
    run: str = ""


type Name = Callable[[str], str]


def row(line: int, message: dict[str, Any], common: Common, name: Name = str) -> Row | BadRow:
    """A row of this message; ``name`` says how a pointer is called in the file."""
    given = {"source": common.source} | message
    if common.policy is not None:
        given.setdefault("deviceCompliancePolicyId", common.policy)
    update = parse_update(given)
    if isinstance(update, InvalidMessage):
        faults = [RowFault(name(one.pointer), _detail(given, one.pointer, one.detail)) for one in update.faults]
        return BadRow(line, tuple(faults))
    if update.idempotency_key is None:
        update = update.having(idempotencyKey=key_of(update, common.run))
    return Row(line, update)


def key_of(update: Update, run: str = "") -> str:
    """The same for the same content, whichever file, place in it and order of members it comes in."""
    return "row-" + hashlib.sha256(f"{run}\n{update.fingerprint()}".encode()).hexdigest()


def json_rows(lines: Iterable[str], common: Common) -> Iterator[Row | BadRow]:
    """JSON Lines: one message a line; blank lines are none."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        garbled = not_utf8(line)
        parsed = read_json(line.strip())
        if garbled:
            yield BadRow(number, (RowFault("", garbled),))
        elif isinstance(parsed, InvalidMessage):
            yield BadRow(
                number, tuple(RowFault(one.pointer, one.detail + _hint(number, line)) for one in parsed.faults)
            )
        elif not isinstance(parsed.value, dict):
            yield BadRow(number, (RowFault("", "must be a JSON object" + _hint(number, line)),))
        else:
            yield row(number, parsed.value, common)


def not_utf8(text: str) -> str | None:
    """What is said of text that held bytes which are not UTF-8; they arrive as lone surrogates."""
    if text.isascii():
        return None
    bad = next((character for character in text if "\udc80" <= character <= "\udcff"), None)
    return bad and f"holds the byte 0x{ord(bad) - 0xDC00:02X}, which is not UTF-8: save the file as CSV UTF-8"


def shown(value: object) -> str:
    """A value in a sentence."""
    text = value if isinstance(value, str) else repr(value)
    return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")


def _detail(message: Mapping[str, Any], pointer: str, detail: str) -> str:
    value: Any = message
    for part in pointer.split("/")[1:]:
        value = value.get(part) if isinstance(value, dict) else None
    if value is None or isinstance(value, dict):
        return detail
    if pointer == _REPORTED and _EXCEL_DATE.fullmatch(str(value)):
        return f"{shown(value)} {_RFC_3339}"
    return detail if "is not a member" in detail else f"{detail}, not {shown(value)}"


def _hint(number: int, line: str) -> str:
    """A whole JSON document instead of JSON Lines fails on its first line."""
    if number == 1 and line.strip() in ("{", "["):
        return ": one message a line is wanted (jq -c . FILE, or jq -c '.[]' FILE for an array)"
    return ""

"""A row of a file: an update that the app's own rules accept, or its faults. Pure.

A row's number is the line of the file on which it begins, so that an editor finds it.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.basics.strict_json import InvalidMessage
from shared.core.intake.update import Update, parse_update

#: The source of rows that name none; idempotency keys are unique within a source.
DEFAULT_SOURCE = "relay-cli"
_REPORTED = "/userStatus/lastReportedDateTime"
#: Excel's serial numbers: days since 1900.
EXCEL_SERIAL = re.compile(r"\d{4,6}([.,]\d+)?")
#: 11/23/2026 20:30, 23.11.2026, 2026-11-23 20:30:00.
_EXCEL_DATE = re.compile(r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}(\s.*)?|\d{4}[/.\-]\d{1,2}[/.\-]\d{1,2}(\s.*)?")
_RFC_3339 = (
    "looks like an Excel date; accepted is RFC 3339 with an offset or Z, such as 2026-11-23T20:30:00Z "
    '(in Excel, of a time in UTC: =TEXT(A2,"yyyy-mm-dd")&"T"&TEXT(A2,"hh:mm:ss")&"Z")'
)
_MAX_SHOWN = 60


class UnreadableFile(Exception):
    """Report that a file cannot be read from ``line`` on (None: at all)."""

    def __init__(self, detail: str, line: int | None = None) -> None:
        super().__init__(detail)
        self.detail, self.line = detail, line


@dataclass(frozen=True)
class RowFault:
    """A fault of a row; ``at`` is the column, or the JSON Pointer in JSON Lines."""

    at: str
    detail: str


@dataclass(frozen=True)
class Row:
    """A valid row; its update has a source and an idempotency key."""

    line: int
    update: Update


@dataclass(frozen=True)
class InvalidRow:
    """All faults of a row."""

    line: int
    faults: tuple[RowFault, ...]


@dataclass(frozen=True)
class RowDefaults:
    """Values of rows that do not give their own; another ``run`` gives the same rows other idempotency keys."""

    policy: str | None = None
    source: str = DEFAULT_SOURCE
    run: str = ""
    priority: str | None = None


#: Returns what the file calls the member of a JSON Pointer.
type PlaceName = Callable[[str], str]


def parse_row(
    line: int, message: dict[str, Any], defaults: RowDefaults, place_name: PlaceName = str
) -> Row | InvalidRow:
    """Return the row of a message, or its faults."""
    given = {"source": defaults.source} | message
    if defaults.policy is not None:
        given.setdefault("deviceCompliancePolicyId", defaults.policy)
    if defaults.priority is not None:
        given.setdefault("priority", defaults.priority)
    update = parse_update(given)
    if isinstance(update, InvalidMessage):
        faults = [
            RowFault(place_name(fault.pointer), _detail(given, fault.pointer, fault.detail)) for fault in update.faults
        ]
        return InvalidRow(line, tuple(faults))
    if update.idempotency_key is None:
        update = update.having(idempotencyKey=content_key(update, defaults.run))
    return Row(line, update)


def content_key(update: Update, run: str = "") -> str:
    """Return an idempotency key of the content, independent of the file, the line and the order of members."""
    return "row-" + hashlib.sha256(f"{run}\n{update.fingerprint()}".encode()).hexdigest()


def encoding_fault(text: str) -> str | None:
    """Return the fault of a text whose bytes were not UTF-8: they are decoded as lone surrogates."""
    if text.isascii():
        return None
    bad = next((character for character in text if "\udc80" <= character <= "\udcff"), None)
    return bad and f"holds the byte 0x{ord(bad) - 0xDC00:02X}, which is not UTF-8: save the file as CSV UTF-8"


def quoted(value: object) -> str:
    """Return a value in quotes, shortened."""
    text = value if isinstance(value, str) else repr(value)
    return repr(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…")


def _detail(message: Mapping[str, Any], pointer: str, detail: str) -> str:
    value: Any = message
    for name in pointer.split("/")[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    if value is None or isinstance(value, dict):
        return detail
    if pointer == _REPORTED and (_EXCEL_DATE.fullmatch(str(value)) or EXCEL_SERIAL.fullmatch(str(value))):
        return f"{quoted(value)} {_RFC_3339}"
    if isinstance(value, str) and value.startswith("="):
        return f"{detail}, not {quoted(value)}, which is a spreadsheet's formula: give the value itself"
    return detail if "is not a member" in detail else f"{detail}, not {quoted(value)}"

"""JSON Lines: a message per line. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

from relay.rows.row import InvalidRow, Row, RowDefaults, RowFault, encoding_fault, parse_row
from shared.core.basics.strict_json import InvalidMessage, read_json

_MESSAGES = "give one message per line"
_GRAPH_PAGE = "jq -c '.value[] | {deviceComplianceUserStatusId: .id, userStatus: .}' FILE, and --policy"


def json_rows(lines: Iterable[str], defaults: RowDefaults) -> Iterator[Row | InvalidRow]:
    """Yield the row of each line that is not blank."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _row(number, line, defaults)


def _row(number: int, line: str, defaults: RowDefaults) -> Row | InvalidRow:
    garbled = encoding_fault(line)
    if garbled:
        return InvalidRow(number, (RowFault("", garbled),))
    parsed = read_json(line.strip())
    if isinstance(parsed, InvalidMessage):
        hint = _hint(number, line)
        return InvalidRow(number, tuple(RowFault(fault.pointer, fault.detail + hint) for fault in parsed.faults))
    fault = _shape_fault(parsed.value)
    return InvalidRow(number, (RowFault("", fault),)) if fault else parse_row(number, parsed.value, defaults)


def _shape_fault(value: Any) -> str | None:
    """Return why a value is no message but holds several, with the command that makes JSON Lines of it."""
    match value:
        case list():
            return f"is an array: {_MESSAGES} (jq -c '.[]' FILE)"
        case {"updates": list()}:
            return f"is the body of a batch: {_MESSAGES} (jq -c '.updates[]' FILE)"
        case {"@odata.context": _, "value": list()}:
            return f"is a page of Graph: {_MESSAGES} ({_GRAPH_PAGE})"
        case dict():
            return None
        case _:
            return "must be a JSON object"


def _hint(number: int, line: str) -> str:
    """Return what to do about one JSON document over several lines; it fails on its first line."""
    if number == 1 and line.strip() in ("{", "["):
        return f": {_MESSAGES} (jq -c . FILE, or jq -c '.[]' FILE for an array)"
    return ""

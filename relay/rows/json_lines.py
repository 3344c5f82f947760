"""JSON Lines: a message per line. Pure."""

from collections.abc import Iterable, Iterator

from relay.rows.row import InvalidRow, Row, RowDefaults, RowFault, encoding_fault, parse_row
from shared.core.basics.strict_json import InvalidMessage, read_json

_GRAPH_PAGE = (
    "jq -c '.value[] | {deviceComplianceUserStatusId: .id, userStatus: .}' FILE makes messages of it "
    "(add --policy for the policy)"
)


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
    if not isinstance(parsed.value, dict):
        return InvalidRow(number, (RowFault("", "must be a JSON object" + _hint(number, line)),))
    if isinstance(parsed.value.get("value"), list) and "@odata.context" in parsed.value:
        return InvalidRow(number, (RowFault("", f"is a page of Graph, not a message: {_GRAPH_PAGE}"),))
    return parse_row(number, parsed.value, defaults)


def _hint(number: int, line: str) -> str:
    """Return what to do about one JSON document over several lines; it fails on its first line."""
    if number == 1 and line.strip() in ("{", "["):
        return ": give one message per line (jq -c . FILE, or jq -c '.[]' FILE for an array)"
    return ""

"""A column map: which column of ours each column of an export is, and which value of ours each of its values is.

The file is a JSON object: ``{"UPN": "userPrincipalName", "Compliance": {"to": "status", "values": {"OK": "compliant"}},
"Seen": {"to": "lastReportedDateTime", "timestamp": true}, "Source": null}``. A column that is null is left out;
``timestamp`` turns a sender's time into RFC 3339, as the function of webhook maps does.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relay.errors import usage_error
from relay.rows.column_names import PATHS, known_name, suggestion
from relay.rows.row import EXCEL_SERIAL, quoted
from shared.core.basics.strict_json import InvalidMessage, read_json
from shared.core.intake.sender_time import rfc_3339

_HINT = 'such as {"UPN": "userPrincipalName", "State": {"to": "status", "values": {"OK": "compliant"}}}'


@dataclass(frozen=True)
class MappedColumn:
    """``name`` is one of our columns, None for a column that is left out."""

    name: str | None
    values: Mapping[str, str] = field(default_factory=dict)
    timestamp: bool = False

    def value(self, cell: str) -> str:
        """Return our value of a cell; a cell that the map does not know is passed on as it is."""
        text = self.values.get(cell.strip(), cell)
        if not self.timestamp or EXCEL_SERIAL.fullmatch(text.strip()):  # which would be a second of 1970
            return text
        try:
            return rfc_3339(text)
        except ValueError:
            return text


@dataclass(frozen=True)
class ColumnMap:
    """Mapped columns by their folded name in the file; ``names`` has them as the map spells them."""

    columns: Mapping[str, MappedColumn] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    def get(self, name: str) -> MappedColumn | None:
        """Return what the map says about a column of the file."""
        return self.columns.get(_folded(name))


def read_column_map(path: Path) -> ColumnMap:
    """Read a map from a file. Raise ``CommandError`` that names every fault."""
    try:
        parsed = read_json(path.read_bytes())
    except OSError as error:
        raise usage_error(f"{path} cannot be read: {error.strerror}") from None
    if isinstance(parsed, InvalidMessage):
        raise usage_error(f"{path}: {'; '.join(f'{fault.pointer} {fault.detail}'.strip() for fault in parsed.faults)}")
    if not isinstance(parsed.value, dict) or not parsed.value:
        raise usage_error(f"{path} is no object of columns", _HINT)
    faults = [fault for name, target in parsed.value.items() for fault in _faults(name, target)]
    times = Counter(map(_folded, parsed.value))
    faults += [f"column {quoted(name)} is there twice" for name in parsed.value if times[_folded(name)] > 1]
    if faults:
        raise usage_error(f"{path}: {'; '.join(faults)}", _HINT)
    columns = {_folded(name): _mapped(target) for name, target in parsed.value.items()}
    return ColumnMap(columns, tuple(parsed.value))


def _folded(name: str) -> str:
    return name.strip().casefold()


def _mapped(target: Any) -> MappedColumn:
    if isinstance(target, dict):
        return MappedColumn(known_name(target["to"]), target.get("values", {}), target.get("timestamp", False))
    return MappedColumn(target and known_name(target))


def _faults(name: str, target: Any) -> Iterator[str]:
    """Yield the faults of what the map says about one column."""
    if isinstance(target, dict):
        values = target.get("values", {})
        if target.keys() - {"to", "values", "timestamp"}:
            yield f"column {quoted(name)} has members other than to, values and timestamp"
        if not isinstance(target.get("timestamp", False), bool):
            yield f"column {quoted(name)}: timestamp must be true or false"
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            yield f"column {quoted(name)}: values must be an object of texts"
        target = target.get("to", "")
    if target is None:
        return
    if not isinstance(target, str):
        yield f"column {quoted(name)} must be given the name of one of our columns, or null"
    elif known_name(target) is None:
        near = suggestion(target)
        meant = f" (meant: {near}?)" if near else f": they are {', '.join(PATHS)}"
        yield f"column {quoted(name)}: {quoted(target)} is none of our columns{meant}"

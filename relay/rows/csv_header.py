"""A CSV header: the member of a message that each column gives, or all faults of the header. Pure."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from relay.rows.row import RowDefaults, RowFault, UnreadableFile, quoted
from shared.core.intake.update_schema import PROPERTIES

_PREFIX: Final = "userStatus."
_TOP_LEVEL: Final = (
    "deviceCompliancePolicyId",
    "deviceComplianceUserStatusId",
    "userPrincipalName",
    "source",
    "idempotencyKey",
)
#: Column name -> path of members. The bare userPrincipalName is the top-level member; the property has the prefix.
PATHS: Final[dict[str, tuple[str, ...]]] = (
    {name: ("userStatus", name) for name in PROPERTIES}
    | {_PREFIX + name: ("userStatus", name) for name in PROPERTIES}
    | {name: (name,) for name in _TOP_LEVEL}
)
_BY_FOLDED_NAME = {name.casefold(): name for name in PATHS}


@dataclass(frozen=True)
class Column:
    """A column; ``path`` is None for one that is ignored, ``name`` is empty where the header has an empty cell."""

    name: str
    path: tuple[str, ...] | None


@dataclass(frozen=True)
class Columns:
    """All columns, in the order of the file."""

    columns: tuple[Column, ...]

    def name_of(self, pointer: str) -> str:
        """Return the file's name of the column that gives the member of a JSON Pointer."""
        path = tuple(pointer.split("/")[1:])
        name = next((column.name for column in self.columns if column.path == path), None)
        return name or ".".join(path) or "row"


def read_header(header: Sequence[str], defaults: RowDefaults, line: int, *, ignore_unknown: bool) -> Columns:
    """Return the columns. Raise ``UnreadableFile`` that names every fault of the header."""
    columns = [_column(cell.strip()) for cell in header]
    faults = [] if ignore_unknown else list(_unknown(columns))
    faults += [*_repeated(columns), *_missing({column.path for column in columns}, defaults)]
    if faults:
        raise UnreadableFile("; ".join(f"{fault.at} {fault.detail}" for fault in faults), line)
    return Columns(tuple(columns))


def count_known(header: Iterable[str]) -> int:
    """Return how many cells are names of columns: the right delimiter gives the most."""
    return sum(cell.strip().casefold() in _BY_FOLDED_NAME for cell in header)


def _column(cell: str) -> Column:
    name = _BY_FOLDED_NAME.get(cell.casefold())
    return Column(cell, PATHS[name] if name else None)


def _unknown(columns: Sequence[Column]) -> Iterable[RowFault]:
    for column in columns:
        if column.path is None and column.name:
            close = difflib.get_close_matches(column.name.casefold(), _BY_FOLDED_NAME, 1)
            meant = f" (meant: {_BY_FOLDED_NAME[close[0]]}?)" if close else ""
            detail = f"is not known{meant}; --ignore-unknown leaves it out"
            yield RowFault(f"column {quoted(column.name)}", detail)


def _repeated(columns: Sequence[Column]) -> Iterable[RowFault]:
    seen: dict[tuple[str, ...], str] = {}
    for column in columns:
        if column.path is not None and column.path in seen:
            detail = f"gives the same as column {quoted(seen[column.path])}"
            yield RowFault(f"column {quoted(column.name)}", detail)
        elif column.path is not None:
            seen[column.path] = column.name


def _missing(paths: set[tuple[str, ...] | None], defaults: RowDefaults) -> Iterable[RowFault]:
    if ("deviceCompliancePolicyId",) not in paths and defaults.policy is None:
        yield RowFault("column deviceCompliancePolicyId", "is missing (--policy gives one for all rows)")
    if not paths & {("deviceComplianceUserStatusId",), ("userPrincipalName",)}:
        yield RowFault("column deviceComplianceUserStatusId", "is missing, or userPrincipalName instead")
    if not any(path is not None and path[0] == "userStatus" for path in paths):
        yield RowFault(f"columns {', '.join(PROPERTIES[:-1])}", "are missing: at least one is needed")

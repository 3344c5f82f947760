"""A CSV header: which member of a message each column gives; all its faults at once. Pure."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from relay.rows import Common, RowFault, UnreadableFile, shown
from shared.core.intake.update_schema import PROPERTIES

_PREFIX: Final = "userStatus."
_TOP: Final = (
    "deviceCompliancePolicyId",
    "deviceComplianceUserStatusId",
    "userPrincipalName",
    "source",
    "idempotencyKey",
)
#: Column name -> path of members; the bare userPrincipalName names the user, the property of that name has a prefix.
PATHS: Final[dict[str, tuple[str, ...]]] = (
    {name: ("userStatus", name) for name in PROPERTIES}
    | {_PREFIX + name: ("userStatus", name) for name in PROPERTIES}
    | {name: (name,) for name in _TOP}
)
_BY_FOLDED = {name.casefold(): name for name in PATHS}
DELIMITERS: Final = (",", ";", "\t")


@dataclass(frozen=True)
class Column:
    """``path`` is None for one that is ignored; ``name`` is empty where only a delimiter stood."""

    name: str
    path: tuple[str, ...] | None


@dataclass(frozen=True)
class Columns:
    """All columns, in order."""

    columns: tuple[Column, ...]

    def called(self, pointer: str) -> str:
        """The column that gives the member of this pointer, by its name in the file."""
        path = tuple(pointer.split("/")[1:])
        name = next((one.name for one in self.columns if one.path == path), None)
        return name or ".".join(path) or "row"


def columns(header: Sequence[str], common: Common, line: int, *, ignore_unknown: bool) -> Columns:
    """Raises ``UnreadableFile`` that names every fault of the header."""
    found = [_column(cell.strip()) for cell in header]
    faults = [] if ignore_unknown else list(_unknown(found))
    faults += [*_twice(found), *_missing({one.path for one in found}, common)]
    if faults:
        raise UnreadableFile("; ".join(f"{fault.at} {fault.detail}" for fault in faults), line)
    return Columns(tuple(found))


def known(header: Iterable[str]) -> int:
    """How many cells are names of columns: what a delimiter is told by."""
    return sum(cell.strip().casefold() in _BY_FOLDED for cell in header)


def _column(cell: str) -> Column:
    name = _BY_FOLDED.get(cell.casefold())
    return Column(cell, PATHS[name] if name else None)


def _unknown(found: Sequence[Column]) -> Iterable[RowFault]:
    for one in found:
        if one.path is None and one.name:
            close = difflib.get_close_matches(one.name.casefold(), _BY_FOLDED, 1)
            meant = f" (meant: {_BY_FOLDED[close[0]]}?)" if close else ""
            yield RowFault(f"column {shown(one.name)}", f"is not known{meant}; --ignore-unknown leaves it out")


def _twice(found: Sequence[Column]) -> Iterable[RowFault]:
    seen: dict[tuple[str, ...], str] = {}
    for one in found:
        if one.path is not None and one.path in seen:
            yield RowFault(f"column {shown(one.name)}", f"gives the same as column {shown(seen[one.path])}")
        elif one.path is not None:
            seen[one.path] = one.name


def _missing(paths: set[tuple[str, ...] | None], common: Common) -> Iterable[RowFault]:
    if ("deviceCompliancePolicyId",) not in paths and common.policy is None:
        yield RowFault("column deviceCompliancePolicyId", "is missing (--policy gives one for all rows)")
    if not paths & {("deviceComplianceUserStatusId",), ("userPrincipalName",)}:
        yield RowFault("column deviceComplianceUserStatusId", "is missing, or userPrincipalName instead")
    if not any(path is not None and path[0] == "userStatus" for path in paths):
        yield RowFault(f"columns {', '.join(PROPERTIES[:-1])}", "are missing: at least one is needed")

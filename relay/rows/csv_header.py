"""A CSV header: the member of a message that each column gives, or all faults of the header. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from relay.rows.column_map import ColumnMap, MappedColumn
from relay.rows.column_names import PATHS, known_name, suggestion
from relay.rows.options import ReadOptions
from relay.rows.row import RowDefaults, RowFault, UnreadableFile, quoted
from shared.core.intake.update_schema import PROPERTIES

type _Path = tuple[str, ...]
_POLICY: _Path = ("deviceCompliancePolicyId",)
_USER_STATUS: _Path = ("deviceComplianceUserStatusId",)
_USER_NAME: _Path = ("userPrincipalName",)


@dataclass(frozen=True)
class Column:
    """A column; ``path`` is None for one that is ignored, ``name`` is empty where the header has an empty cell.

    ``rule`` is what a column map says about it.
    """

    name: str
    path: _Path | None
    rule: MappedColumn | None = None


@dataclass(frozen=True)
class Columns:
    """All columns, in the order of the file."""

    columns: tuple[Column, ...]

    def name_of(self, pointer: str) -> str:
        """Return the file's name of the column that gives the member of a JSON Pointer."""
        path = tuple(pointer.split("/")[1:])
        name = next((column.name for column in self.columns if column.path == path), None)
        return name or ".".join(path) or "row"


def read_header(header: Sequence[str], line: int, options: ReadOptions) -> Columns:
    """Return the columns. Raise ``UnreadableFile`` that names every fault of the header."""
    mapped = {column.name for column in options.column_map.columns.values() if column.name}
    columns = [_column(cell.strip(), options.column_map, mapped) for cell in header]
    paths = {column.path for column in columns if column.path}
    missing = list(_missing(paths, options.defaults))
    ignore_unknown = options.ignore_unknown or bool(options.column_map.columns)
    faults = [
        *_not_in_file(columns, options.column_map),
        *_unknown(columns, paths, missing, ignore_unknown=ignore_unknown),
        *_repeated(columns),
        *(fault for _, fault in missing),
    ]
    if faults:
        text = "; ".join(f"{fault.at} {fault.detail}" for fault in faults)
        advice = "; rename columns in the file, or give their names in a --map" if "(meant: " in text else ""
        raise UnreadableFile(text + advice, line)
    return Columns(tuple(columns))


def count_known(header: Iterable[str]) -> int:
    """Return how many cells are names of columns: the right delimiter gives the most."""
    return sum(known_name(cell) is not None for cell in header)


def _column(cell: str, column_map: ColumnMap, mapped: set[str]) -> Column:
    """Return the column of a header's cell; one of our names yields to a mapped column for the same member."""
    rule = column_map.get(cell)
    if rule is not None:
        return Column(cell, PATHS[rule.name] if rule.name else None, rule)
    name = known_name(cell)
    given_by_map = name is not None and PATHS[name] in {PATHS[other] for other in mapped}
    return Column(cell, PATHS[name] if name and not given_by_map else None)


def _not_in_file(columns: Sequence[Column], column_map: ColumnMap) -> Iterator[RowFault]:
    names = {column.name.casefold() for column in columns}
    for name in column_map.names:
        if name.strip().casefold() not in names:
            yield RowFault(f"column {quoted(name)}", "is in the map (--map) and not in the file")


def _unknown(
    columns: Sequence[Column],
    paths: set[_Path],
    missing: Sequence[tuple[set[_Path], RowFault]],
    *,
    ignore_unknown: bool,
) -> Iterator[RowFault]:
    """Yield unknown columns. Never advise to ignore one that may be a missing column of another name."""
    needed = {path for alternatives, _ in missing for path in alternatives}
    for column in columns:
        if column.path is not None or not column.name or known_name(column.name):
            continue
        near = _suggestion(column.name, paths)
        if ignore_unknown and (near is None or PATHS[near] not in needed):
            continue
        meant = f" (meant: {near}?)" if near else ""
        may_ignore = not missing and (near is None or PATHS[near] in paths)
        advice = "; --ignore-unknown leaves it out" if may_ignore else ""
        yield RowFault(f"column {quoted(column.name)}", f"is not known{meant}{advice}")


def _suggestion(name: str, paths: set[_Path]) -> str | None:
    near = suggestion(name)
    if near == "userPrincipalName" and _USER_STATUS in paths:  # the user is known: only the property is left
        return "userStatus.userPrincipalName"
    return near


def _repeated(columns: Sequence[Column]) -> Iterator[RowFault]:
    seen: dict[_Path, str] = {}
    for column in columns:
        if column.path is not None and column.path in seen:
            detail = f"gives the same as column {quoted(seen[column.path])}"
            yield RowFault(f"column {quoted(column.name)}", detail)
        elif column.path is not None:
            seen[column.path] = column.name


def _missing(paths: set[_Path], defaults: RowDefaults) -> Iterator[tuple[set[_Path], RowFault]]:
    """Yield what is needed and missing: the paths, one of which is enough, and the fault."""
    if _POLICY not in paths and defaults.policy is None:
        yield {_POLICY}, RowFault("column deviceCompliancePolicyId", "is missing (--policy gives one for all rows)")
    if not paths & {_USER_STATUS, _USER_NAME}:
        fault = RowFault("column deviceComplianceUserStatusId", "is missing, or userPrincipalName instead")
        yield {_USER_STATUS, _USER_NAME}, fault
    properties: set[_Path] = {("userStatus", name) for name in PROPERTIES}
    if not paths & properties:
        fault = RowFault(f"columns {', '.join(PROPERTIES[:-1])}", "are missing: at least one is needed")
        yield properties, fault

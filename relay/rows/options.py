"""How a file is read."""

from dataclasses import dataclass, field
from typing import Literal

from relay.rows.column_map import ColumnMap
from relay.rows.row import RowDefaults

type Format = Literal["csv", "jsonl"]


@dataclass(frozen=True)
class ReadOptions:
    """How a file is read; without ``format`` its name or its first character decides."""

    format: Format | None = None
    defaults: RowDefaults = field(default_factory=RowDefaults)
    ignore_unknown: bool = False
    column_map: ColumnMap = field(default_factory=ColumnMap)

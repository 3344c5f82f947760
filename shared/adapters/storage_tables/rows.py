"""Reading rows that another version of this app may have written: during an upgrade two versions run side by side."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from shared.adapters.storage_tables.table import Row

log = logging.getLogger(__name__)

#: What reading a row raises that was written in a way which this version does not understand.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)


def readable[T](rows: Iterable[Row], read: Callable[[Row], T]) -> Iterator[T]:
    """Yield what the rows hold; log and skip a row that cannot be read, so that it never breaks a page."""
    for row in rows:
        try:
            value = read(row)
        except UNREADABLE as error:
            names = {"partition": row.get("PartitionKey"), "row": row.get("RowKey"), "reason": type(error).__name__}
            log.error("row not read", extra=names)  # noqa: TRY400 - a traceback would show what the row holds
        else:
            yield value


def known_members(record: type, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that are fields of the dataclass ``record``: a newer version may have written more."""
    return {field.name: members[field.name] for field in fields(record) if field.name in members}

"""Rows that are keyed newest first by the UUIDv7 in them: which of them belong to a span of time."""

from datetime import datetime
from typing import Any

from shared.adapters.storage_tables.outcome_row import bound


def between(after: datetime | None, before: datetime | None) -> tuple[list[str], dict[str, Any]]:
    """Return OData terms and their parameters for after <= id's time < before; None is no bound.

    The SDK finds a parameter only between spaces.
    """
    terms: list[str] = []
    parameters: dict[str, Any] = {}
    for moment, name, partitions, rows in ((after, "After", "lt", "le"), (before, "Before", "gt", "gt")):
        if moment is not None:
            terms.append(
                f"(PartitionKey {partitions} @{name}P or (PartitionKey eq @{name}P and RowKey {rows} @{name}R ))"
            )
            parameters[f"{name}P"], parameters[f"{name}R"] = bound(moment)
    return terms, parameters

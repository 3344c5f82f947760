"""The tables themselves, past the stores: rows as another version of this app wrote them."""

from dataclasses import dataclass
from typing import Any

from shared.adapters.storage_tables.table import Table
from shared.wiring.adapters import Ports


@dataclass(frozen=True)
class Rows:
    """Each table of one app by its name."""

    ports: Ports

    def table(self, port: str) -> Table:
        """Return the table behind a port (``outcomes``)."""
        table: Table = getattr(self.ports, port)._table
        return table

    @property
    def hours(self) -> Table:
        """The table of what is known of the hours of outcomes."""
        table: Table = self.ports.outcomes._hours._table  # type: ignore[attr-defined]
        return table

    def write(self, port: str, *rows: dict[str, Any]) -> None:
        """Put rows as they are."""
        for row in rows:
            self.table(port).put(row)

    def read(self, port: str, partition: str, row: str) -> dict[str, Any]:
        """Return one row."""
        found = self.table(port).get(partition, row)
        assert found is not None
        return dict(found[0])

    def change(self, port: str, partition: str, row: str, **columns: Any) -> None:
        """Write columns beside those that a row has."""
        self.write(port, self.read(port, partition, row) | columns)

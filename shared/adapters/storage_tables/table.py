"""One table, made at first use; azure-core's errors become ``Unavailable`` and ``Conflict`` here and nowhere else."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, TableTransactionError, UpdateMode

from shared.adapters.storage_fault import storage_fault
from shared.service.ports.storage import Conflict, Unavailable

type Row = Mapping[str, Any]
type Entity = dict[str, Any]

#: A string property holds 64 KiB of UTF-16 (docs/graph-facts.md#f44); a margin keeps surrogate pairs whole.
CHUNK = 32_000
_MISSING_TABLE = "TableNotFound"
#: An inserted row is not sent back to us.
_NO_ECHO = "return-no-content"
#: Another instance may be just making the table, which takes it a moment.
_TRIES = 8


class Table:
    """Rows by partition and row key, with etags."""

    def __init__(self, client: TableClient) -> None:
        self._client = client
        self._creating = threading.Lock()

    def get(self, partition: str, row: str) -> tuple[Row, str] | None:
        """Return a row and its etag; None where there is none."""
        try:
            entity = self.call(lambda: self._client.get_entity(partition, row))
        except ResourceNotFoundError:
            return None
        return entity, str(entity.metadata["etag"])

    def insert(self, row: Row) -> str | None:
        """Return the new row's etag; None when there is one already."""
        try:
            made = self.call(lambda: self._client.create_entity(dict(row), response_preference=_NO_ECHO))
        except ResourceExistsError:
            return None
        return str(made["etag"])

    def insert_all(self, rows: list[Entity]) -> bool:
        """Insert up to 100 rows of one partition, all or none; False when one is there already."""
        operations: list[Any] = [("create", row) for row in rows]
        try:
            self.call(lambda: self._client.submit_transaction(operations))
        except TableTransactionError:
            return False
        return True

    def put(self, row: Row) -> None:
        """Insert a row, or replace it whatever it held."""
        self.call(lambda: self._client.upsert_entity(dict(row), mode=UpdateMode.REPLACE))

    def replace(self, row: Row, etag: str, mode: UpdateMode = UpdateMode.REPLACE) -> str:
        """Return the new etag. Raise ``Conflict``."""
        try:
            return str(self.call(lambda: self._client.update_entity(dict(row), **_matching(etag, mode)))["etag"])
        except (ResourceModifiedError, ResourceNotFoundError) as error:
            raise Conflict from error

    def replace_all(self, rows: Sequence[tuple[Row, str]]) -> bool:
        """Replace up to 100 rows of one partition, each with its etag, all or none; False when one has changed."""
        operations: list[Any] = [("update", row, _matching(etag, UpdateMode.REPLACE)) for row, etag in rows]
        try:
            self.call(lambda: self._client.submit_transaction(operations))
        except TableTransactionError:
            return False
        return True

    def merge_all(self, partition: str, rows: Sequence[str], columns: Entity) -> bool:
        """Set columns of up to 100 rows of a partition, whatever else they hold; False when one is missing."""
        entities = [{"PartitionKey": partition, "RowKey": row} | columns for row in rows]
        operations: list[Any] = [("update", entity, {"mode": UpdateMode.MERGE}) for entity in entities]
        try:
            self.call(lambda: self._client.submit_transaction(operations))
        except (TableTransactionError, ResourceNotFoundError):
            return False
        return True

    def commit(
        self, row: Entity, etag: str | None, *, created: Sequence[Entity] = (), deleted: Sequence[str] = ()
    ) -> str:
        """Change a row (create it where there is no etag), create and delete others of its partition: all or nothing.

        Columns of the row that are not given stay, a newer version's too. Return the row's new etag. Up to 100 rows.
        Raise ``Conflict``, and ``KeyError`` when one to delete is gone.
        """
        if not created and not deleted:
            return self.replace(row, etag, UpdateMode.MERGE) if etag is not None else self._created(row)
        own: Any = ("create", row) if etag is None else ("update", row, _matching(etag, UpdateMode.MERGE))
        operations = [own, *(("create", entity) for entity in created)]
        operations += [("delete", {"PartitionKey": row["PartitionKey"], "RowKey": key}) for key in deleted]
        try:
            return str(self.call(lambda: self._client.submit_transaction(operations))[0]["etag"])
        except TableTransactionError as error:
            if error.status_code == HTTPStatus.NOT_FOUND:
                raise KeyError(str(row["RowKey"])) from error
            raise Conflict from error

    def _created(self, row: Entity) -> str:
        etag = self.insert(row)
        if etag is None:
            raise Conflict
        return etag

    def delete(self, partition: str, row: str) -> None:
        """Delete a row; there or not."""
        self.call(lambda: self._client.delete_entity(partition, row))

    def delete_all(self, partition: str, rows: list[str]) -> None:
        """Delete up to 100 rows of a partition, all there or not."""
        operations = [("delete", {"PartitionKey": partition, "RowKey": row}) for row in rows]
        try:
            self.call(lambda: self._client.submit_transaction(operations))
        except TableTransactionError:
            for row in rows:
                self.delete(partition, row)

    def query(self, text: str, parameters: Row, select: list[str] | None = None) -> Iterator[Row]:
        """Yield all rows that match, page by page."""
        continuation: Any = None
        while True:
            rows, continuation = self.page(text, parameters, 1000, continuation, select)
            yield from rows
            if continuation is None:
                return

    def page(
        self, text: str, parameters: Row, top: int, continuation: Any = None, select: list[str] | None = None
    ) -> tuple[list[Row], Any]:
        """Return up to ``top`` rows that match, and the continuation (None at the end)."""

        def read() -> tuple[list[Row], Any]:
            found = self._client.query_entities(text, parameters=dict(parameters), results_per_page=top, select=select)
            pages: Any = found.by_page(continuation)
            try:
                rows: list[Row] = list(next(pages))
            except StopIteration:
                return [], None
            return rows, pages.continuation_token or None

        return self.call(read)

    def call[T](self, call: Callable[[], T]) -> T:
        """Return what storage answers. Raise its expected errors as they are, every other as ``Unavailable``."""
        try:
            for _ in range(_TRIES):
                try:
                    return call()
                except (ResourceNotFoundError, TableTransactionError) as error:
                    if (
                        _MISSING_TABLE not in f"{error} {getattr(error, 'error_code', None)}"
                    ):  # create_entity does not decode it
                        raise
                    self._create()
            raise Unavailable("table: not there although just made")
        except (ResourceNotFoundError, ResourceExistsError, ResourceModifiedError, TableTransactionError):
            raise
        except (AzureError, ValueError) as error:  # ValueError: no token, or a wait that is too long
            raise storage_fault("table", error) from error

    def _create(self) -> None:
        # Threads that come together wait for the one that makes it.
        with self._creating, suppress(ResourceExistsError):
            self._client.create_table()


def _matching(etag: str, mode: UpdateMode) -> dict[str, Any]:
    return {"mode": mode, "etag": etag, "match_condition": MatchConditions.IfNotModified}


def chunks(name: str, value: Any) -> Entity:
    """Return a JSON value as the string properties ``name0``, ``name1``, ... that a row can hold."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return {f"{name}{number}": text[at : at + CHUNK] for number, at in enumerate(range(0, len(text), CHUNK))}


def joined(name: str, row: Row) -> Any:
    """Return the value that ``chunks`` took apart; None where the row has none."""
    text, number = "", 0
    while (part := row.get(f"{name}{number}")) is not None:
        text, number = text + part, number + 1
    return json.loads(text) if text else None

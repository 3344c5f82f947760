"""User statuses in memory."""

import threading
from collections.abc import Iterable, Sequence

from shared.core.delivery.user_status import Acceptance, Snapshot, UserStatusRow, graph_properties
from shared.service.ports.storage import (
    Conflict,
    InvalidContinuation,
    ScanPage,
    UserStatusEntry,
)


class MemoryUserStatuses:
    """One partition a user status."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[UserStatusRow, int]] = {}
        self.accepted: dict[str, dict[str, Acceptance]] = {}
        self._lock = threading.Lock()

    def register(self, key: str, acceptance: Acceptance) -> None:
        with self._lock:
            self.accepted.setdefault(key, {}).setdefault(acceptance.update_id, acceptance)

    def register_all(self, acceptances: Sequence[tuple[str, Acceptance]]) -> None:
        for key, acceptance in acceptances:
            self.register(key, acceptance)

    def read(self, key: str, limit: int | None = None) -> Snapshot:
        with self._lock:
            row, etag = self.rows.get(key, (None, None))
            accepted = tuple(acceptance for _, acceptance in sorted(self.accepted.get(key, {}).items()))
            some = accepted if limit is None else accepted[:limit]
            return Snapshot(row, None if etag is None else str(etag), some, whole=len(some) == len(accepted))

    def commit(
        self,
        key: str,
        row: UserStatusRow,
        etag: str | None,
        *,
        registered: Iterable[Acceptance] = (),
        settled: Iterable[str] = (),
    ) -> str:
        with self._lock:
            _, there = self.rows.get(key, (None, None))
            news = {acceptance.update_id: acceptance for acceptance in registered}
            if (None if there is None else str(there)) != etag or news.keys() & self.accepted.get(key, {}).keys():
                raise Conflict
            self.rows[key] = (row, (there or 0) + 1)
            self.accepted.setdefault(key, {}).update(news)
            for update_id in settled:
                self.accepted.get(key, {}).pop(update_id, None)
            return str(self.rows[key][1])

    def withdraw(self, key: str, update_id: str) -> None:
        with self._lock:
            self.accepted.get(key, {}).pop(update_id, None)

    def scan(self, top: int, continuation: str | None = None) -> ScanPage[UserStatusEntry]:
        if continuation is not None and not continuation.startswith("after-"):
            raise InvalidContinuation
        above = continuation.removeprefix("after-") if continuation else ""
        with self._lock:
            rows = {
                key: UserStatusEntry(key, row.user_status_id, graph_properties(row.confirmed))
                for key, (row, _) in self.rows.items()
            }
            for key, accepted in self.accepted.items():
                rows |= {
                    f"{key}-{name}": UserStatusEntry(key, None, acceptance.properties)
                    for name, acceptance in accepted.items()
                }
        names = sorted(name for name in rows if name > above)
        found = tuple(rows[name] for name in names[:top])
        return ScanPage(found, f"after-{names[top - 1]}" if len(names) > top else None)

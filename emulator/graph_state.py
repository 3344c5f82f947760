"""What the emulated Graph remembers: user statuses, every request, and the quota."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from emulator.graph_rules import Refusal

type Key = tuple[str, str]
type Record = dict[str, Any]
UNSET = {
    "userDisplayName": "",
    "devicesCount": 0,
    "status": "unknown",
    "lastReportedDateTime": "0001-01-01T00:00:00Z",
    "userPrincipalName": "",
}


class Postponed:
    """What happens later: writes that land after their answer, values that go back."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.TimerHandle, Callable[[], object]] = {}

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Do this after a time."""

        def due() -> None:
            del self._waiting[handle]
            action()

        handle = asyncio.get_running_loop().call_later(seconds, due)
        self._waiting[handle] = action

    def now(self) -> int:
        """Do at once all that waits, in the order of their times; return how many."""
        waiting = sorted(self._waiting.items(), key=lambda entry: entry[0].when())
        self._waiting.clear()
        for handle, action in waiting:
            handle.cancel()
            action()
        return len(waiting)


class GraphState:
    """User statuses by policy and id, every request in its order of arrival, and the quota."""

    def __init__(self) -> None:
        self.statuses: dict[Key, dict[str, Any]] = {}
        self.requests: list[Record] = []
        self.config: dict[str, Any] = {
            "quota": "100/20",
            "retryAfter": True,
            "latencyMilliseconds": 0,
            "strictIds": False,
            "pageSize": 100,
        }
        self.postponed = Postponed()
        self._writes: list[float] = []
        self._landing: dict[int, Key] = {}
        self._applied = 0
        self._newest: dict[Key, Record] = {}

    def check_quota(self, now: float) -> None:
        """Raise ``Refusal`` when this write is over the quota; refused ones count too (docs/graph-facts.md#f8)."""
        if not self.config["quota"]:
            return
        count, seconds = (float(part) for part in self.config["quota"].split("/"))
        self._writes = [at for at in self._writes if at > now - seconds]
        self._writes.append(now)
        over = len(self._writes) - int(count)
        if over > 0:
            wait = str(int(self._writes[over - 1] + seconds - now) + 1)
            after = wait if self.config["retryAfter"] else None
            raise Refusal(429, "TooManyRequests", "Please retry again later.", after)

    def arrive(self, record: Record, key: Key) -> None:
        """Remember a request; ``overlap`` says whether a write of the same user status may still be applied."""
        record |= {
            "number": len(self.requests) + 1,
            "start": time.time(),
            "end": None,
            "status": None,
            "fault": None,
            "body": None,
            "applied": None,
            "appliedOrder": None,
            "reverted": None,
            "overlap": record["operation"] == "write" and key in self._landing.values(),
        }
        self.requests.append(record)
        if record["operation"] == "write":
            self._landing[id(record)] = key

    def settle(self, record: Record) -> None:
        """Note that a write cannot be applied any more: it was, or it never will be."""
        self._landing.pop(id(record), None)

    def apply(self, key: Key, properties: Mapping[str, Any], record: Record) -> dict[str, Any]:
        """Write, and return the whole user status."""
        kept = self.statuses.setdefault(key, {"id": key[1]} | UNSET)
        kept.update(properties)
        self._applied += 1
        record |= {"applied": time.time(), "appliedOrder": self._applied}
        self._newest[key] = record
        return kept

    def remember(self, key: Key, record: Record) -> Callable[[Mapping[str, Any]], None]:
        """Return what puts the present user status back, changed, unless another write than this one came last."""
        before = dict(self.statuses[key]) if key in self.statuses else None

        def put_back(changes: Mapping[str, Any]) -> None:
            if self._newest.get(key) is not record:
                return
            record["reverted"] = time.time()
            if before is None and not changes:
                del self.statuses[key]
            else:
                self.statuses[key] = {"id": key[1]} | UNSET | (before or {}) | dict(changes)

        return put_back

    def seed(self, policy: str, status: dict[str, Any]) -> None:
        """Hold a user status that nobody wrote."""
        key = policy, status["id"]
        self.statuses[key] = {"id": status["id"]} | UNSET | status
        self._newest.pop(key, None)

    def clear_requests(self) -> None:
        """Forget all requests so far."""
        self.requests.clear()
        self._applied = 0

    def clear_statuses(self) -> None:
        """Hold no user status."""
        self.statuses.clear()
        self._newest.clear()

    def summary(self, window_seconds: float = 20) -> dict[str, Any]:
        """Return what matters of all writes.

        ``worstWindow`` is the most writes that arrived within the window, ``overlaps`` counts those that arrived while
        an earlier one of the same user status could still be applied, and ``outOfOrder`` those that were applied after
        one that had arrived later.
        """
        writes = [write for write in self.requests if write["operation"] == "write"]
        times = sorted(write["start"] for write in writes)
        return {
            "writes": len(writes),
            "byStatus": Counter(str(write["status"]) for write in writes),
            "worstWindow": fullest_window(times, window_seconds),
            "overlaps": sum(write["overlap"] for write in writes),
            "outOfOrder": _out_of_order(writes),
            "first": times[:1],
            "last": times[-1:],
        }


def fullest_window(times: Sequence[float], seconds: float) -> int:
    """Return the most of these times, in their order, that lie within any window of so many seconds."""
    worst, first = 0, 0
    for last, at in enumerate(times):
        while times[first] <= at - seconds:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


def _out_of_order(writes: Iterable[Record]) -> int:
    """Return how many writes were applied after one of the same user status that had arrived later."""
    latest: dict[Key, int] = {}
    count = 0
    for write in sorted((write for write in writes if write["applied"]), key=lambda write: write["appliedOrder"]):
        key = write["policyId"], write["userStatusId"]
        count += write["number"] < latest.get(key, 0)
        latest[key] = max(latest.get(key, 0), write["number"])
    return count

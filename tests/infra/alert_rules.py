"""The meaning of each query of infra/alerts, in Python, over the rows that an ingestion endpoint received."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

type Row = dict[str, Any]

#: The kind of an envelope, and the table of Application Insights that its rows are in.
_TABLES = {
    "RequestData": "requests",
    "RemoteDependencyData": "dependencies",
    "MessageData": "traces",
    "ExceptionData": "exceptions",
}


def _dimensions(envelope: Row) -> Row:
    return {"customDimensions": envelope["data"]["baseData"].get("properties") or {}}


def _metric(metric: Row) -> Row:
    return {
        "name": metric["name"],
        "value": metric["value"],
        "valueSum": metric["value"],
        "valueCount": metric.get("count") or 1,
    }


def rows(envelopes: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the rows by table, with the columns that the queries use."""
    found: dict[str, list[Row]] = {name: [] for name in (*_TABLES.values(), "customMetrics")}
    for envelope in envelopes:
        kind, base = envelope["data"]["baseType"], envelope["data"]["baseData"]
        if kind == "MetricData":
            found["customMetrics"] += [_metric(metric) | _dimensions(envelope) for metric in base["metrics"]]
        elif table := _TABLES.get(kind):
            found[table].append(base | _dimensions(envelope))
    return found


def _metrics(tables: dict[str, list[Row]], name: str) -> list[Row]:
    return [row for row in tables["customMetrics"] if row["name"] == name]


def _oldest_waiting(tables: dict[str, list[Row]]) -> float | None:
    return max((row["value"] for row in _metrics(tables, "relay.queue.age")), default=None)


def _failure_rate(tables: dict[str, list[Row]]) -> float | None:
    ended = _metrics(tables, "relay.updates")
    failed: float = sum(row["valueSum"] for row in ended if row["customDimensions"]["status"] == "failed")
    return 100 * failed / sum(row["valueSum"] for row in ended) if failed >= 5 else None


def _poison(tables: dict[str, list[Row]]) -> float:
    return sum(row["message"] in ("put back from poison", "poisoned") for row in tables["traces"])


def _brake(tables: dict[str, list[Row]]) -> float:
    return sum(row["message"] == "brake" for row in tables["traces"])


def _throttled(tables: dict[str, list[Row]]) -> float:
    calls = _metrics(tables, "relay.graph.duration")
    throttled = [row for row in calls if row["customDimensions"].get("http.response.status_code") == "429"]
    return float(sum(row["valueCount"] for row in throttled))


def _identity(tables: dict[str, list[Row]]) -> float:
    codes = ("identityUnavailable", "notAuthorized")
    waiting = [row for row in tables["traces"] if row["message"] == "waiting"]
    return sum(row["customDimensions"].get("code") in codes for row in waiting)


def _silent(tables: dict[str, list[Row]]) -> float:
    return len(_metrics(tables, "relay.queue.length"))


@dataclass(frozen=True)
class Rule:
    """A query's value, and the comparison that modules/alerts.bicep makes with it."""

    value: Callable[[dict[str, list[Row]]], float | None]
    threshold: float
    below: bool = False

    def fires(self, tables: dict[str, list[Row]]) -> bool:
        """Return whether the alert fires over these rows."""
        value = self.value(tables)
        if value is None:
            return False
        return value < self.threshold if self.below else value > self.threshold


#: `daily-cap` looks at a table that Azure itself writes.
RULES = {
    "oldest-waiting": Rule(_oldest_waiting, 900),
    "failure-rate": Rule(_failure_rate, 10),
    "poison": Rule(_poison, 0),
    "throttled": Rule(_throttled, 10),
    "identity": Rule(_identity, 0),
    "brake": Rule(_brake, 0),
    "silent": Rule(_silent, 1, below=True),
}

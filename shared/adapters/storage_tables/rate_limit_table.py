"""The one small row that all instances share: reserved slots, hold, outages and the route.

Two columns hold JSON. ``Pacing`` has the members that every version knows. ``Outages`` has what came later, so that an
older version, which fails on members that it does not know, can read the row during an upgrade.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from shared.adapters.storage_tables.table import Table
from shared.core.rate_limit import RateLimitState
from shared.core.rate_limit.lanes import Lanes
from shared.core.rate_limit.outage import Breaker
from shared.core.rate_limit.route import Route
from shared.service.ports.storage import Conflict

_KEY = {"PartitionKey": "pacing", "RowKey": "pacing"}
_COLUMNS = ("Pacing", "Outages")
_ETAG = re.compile(r"datetime'(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)'")


class RateLimitTable:
    """``RateLimitStore`` on a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self) -> tuple[RateLimitState, str | None]:
        """Return the row and its etag; an empty one without etag before the first write."""
        found = self._table.get(partition=_KEY["PartitionKey"], row=_KEY["RowKey"])
        if found is None:
            return RateLimitState(), None
        row, etag = found
        return from_columns({name: row[name] for name in _COLUMNS if name in row}), etag

    def write(self, state: RateLimitState, etag: str | None) -> datetime | None:
        """Replace the row; return when, by storage's clock. Raise ``Conflict`` when another instance was faster."""
        row = {**_KEY, **to_columns(state)}
        written = self._table.insert(row) if etag is None else self._table.replace(row, etag)
        if written is None:
            raise Conflict
        return _moment(written)


def _moment(etag: str) -> datetime | None:
    """Return the moment that Azure's etags of rows hold; None where an etag has another form."""
    found = _ETAG.search(unquote(etag))
    return datetime.fromisoformat(found[1]) if found else None


def to_columns(state: RateLimitState) -> dict[str, str]:
    """Return the row's columns."""
    unknown = state.unknown
    pacing = asdict(state.everyone) | {"stamps": _distances(state.stamps), "hold_until": state.hold_until}
    outages = {
        "policies": {policy_id: asdict(breaker) for policy_id, breaker in state.policies},
        "route": asdict(state.route),
        "lanes": asdict(state.lanes),
    }
    columns = {"Pacing": unknown.get("Pacing", {}) | pacing, "Outages": unknown.get("Outages", {}) | outages}
    return {name: json.dumps(members, separators=(",", ":")) for name, members in columns.items()}


def from_columns(columns: Mapping[str, str]) -> RateLimitState:
    """Return the state in a row's columns; members that this version does not know are kept in ``unknown``."""
    pacing, outages = ({**json.loads(columns.get(name, "{}"))} for name in _COLUMNS)
    stamps, hold_until = pacing.pop("stamps", []), pacing.pop("hold_until", 0)
    policies, route, lanes = (outages.pop(name, {}) for name in ("policies", "route", "lanes"))
    everyone = _known(Breaker, pacing)
    foreign = {name: value for name, value in pacing.items() if name not in asdict(everyone)}
    unknown = {name: members for name, members in zip(_COLUMNS, (foreign, outages), strict=True) if members}
    return RateLimitState(
        stamps=_stamps(stamps),
        hold_until=hold_until,
        everyone=everyone,
        policies=tuple((policy_id, _known(Breaker, members)) for policy_id, members in policies.items()),
        route=_known(Route, route),
        lanes=_known(Lanes, lanes),
        unknown=unknown,
    )


def _known[T: (Breaker, Route, Lanes)](kind: type[T], members: Mapping[str, Any]) -> T:
    """Return a value of the members that this version knows; JSON's lists become tuples."""
    names = {field.name for field in fields(kind)} & members.keys()
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value := members[name], list) else value for name in names
    }
    return kind(**known)


def _distances(stamps: tuple[int, ...]) -> list[int]:
    # Thousands of slots fit into one property as distances.
    return [stamp - before for before, stamp in zip((0, *stamps), stamps, strict=False)]


def _stamps(distances: list[int]) -> tuple[int, ...]:
    stamps, last = [], 0
    for distance in distances:
        last += distance
        stamps.append(last)
    return tuple(stamps)

"""A relay at work: statistics and the newest updates, again and again."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.live import Live

from relay.client import Relay
from relay.outside import Clock
from relay.rendering import Screen, cell, status_of, update_rows, user_of


def watch_relay(
    screen: Screen, relay: Relay, clock: Clock, query: Mapping[str, str], *, interval: float, rounds: int | None
) -> None:
    """A live table on a terminal; else a line for each change. Ends after ``rounds`` looks, or by Ctrl-C."""
    seen: dict[str, str] = {}
    live = screen.out.is_terminal and not screen.as_json
    with Live(console=screen.out, auto_refresh=False, screen=False) if live else _Quiet() as shown:
        look = 0
        while True:
            stats, updates = relay.get("/api/stats").body, relay.get("/api/updates", query).body["value"]
            if live:
                shown.update(Group(cell(_line(stats)), update_rows(updates)), refresh=True)
            else:
                seen = _changes(screen, stats, updates, seen)
            look += 1
            if look == rounds:
                return
            clock.sleep(interval)


class _Quiet:
    """In place of ``Live`` where nothing is live."""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return


def _changes(
    screen: Screen, stats: Mapping[str, Any], updates: list[Mapping[str, Any]], seen: Mapping[str, str]
) -> dict[str, str]:
    """Say what is not as it was; answers what is, so that memory is bounded by the list."""
    now = {"": _line(stats)}
    if now[""] != seen.get(""):
        screen.document({"stats": stats})
        screen.say(now[""])
    for update in reversed(updates):
        now[update["id"]] = f"{status_of(update)} {update.get('attemptCount')}"
        if now[update["id"]] != seen.get(update["id"]):
            screen.document({"update": update})
            code = (update.get("error") or {}).get("code") or ""
            screen.say(f"{update['lastActionDateTime']} {update['id']} {status_of(update)} {user_of(update)} {code}")
    return now


def _line(stats: Mapping[str, Any]) -> str:
    queue, quota = stats.get("queue") or {}, stats.get("quota") or {}
    counts = (stats.get("last24Hours") or {}).get("byStatus") or {}
    parts = [
        f"queue {queue.get('length')}",
        f"quota {quota.get('used')} of {quota.get('writes')} in {quota.get('seconds'):g} s",
        f"{stats.get('deliveriesPerMinute')} deliveries a minute",
        "24 h: " + ", ".join(f"{count} {name}" for name, count in counts.items()),
    ]
    return "; ".join(parts) + ("; holding: Graph asked to wait or is away" if quota.get("holding") else "")

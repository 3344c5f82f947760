"""``watch``: the statistics and the newest updates, again and again."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.live import Live

from relay.client import RelayClient
from relay.commands.options import FilterOptions, RelayOptions
from relay.output.screen import Screen
from relay.output.tables import cell, status_of, update_table, user_of
from relay.system import Clock, SystemClock
from shared.core.intake.limits import MAX_TOP

_MAX_RETRY_SECONDS = 300


def watch(
    filters: FilterOptions,
    relay: RelayOptions,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 2,
    top: Annotated[int, typer.Option(min=1, max=MAX_TOP, help="How many of the newest updates.")] = 15,
    rounds: Annotated[int | None, typer.Option(min=1, help="Stop after so many looks.")] = None,
) -> None:
    """Watch the queue, the quota and the newest updates until Ctrl-C; with --json a line for each change."""
    screen = relay.screen()
    query = {**filters.query(), "top": str(top)}
    client = relay.client(screen, seconds=_MAX_RETRY_SECONDS)
    _watch(screen, client, SystemClock(), query, interval=interval, rounds=rounds)


def _watch(
    screen: Screen, client: RelayClient, clock: Clock, query: Mapping[str, str], *, interval: float, rounds: int | None
) -> None:
    """Show a live table on a terminal, else a line for each change. Return after ``rounds`` looks (None: never)."""
    seen: dict[str, str] = {}
    live = screen.out.is_terminal and not screen.as_json
    with Live(console=screen.out, auto_refresh=False, screen=False) if live else _NotLive() as display:
        look = 0
        while True:
            stats, updates = client.get("/api/stats").body, client.get("/api/updates", query).body["value"]
            if live:
                display.update(Group(cell(_stats_line(stats)), update_table(updates)), refresh=True)
            else:
                seen = _show_changes(screen, stats, updates, seen)
            look += 1
            if look == rounds:
                return
            clock.sleep(interval)


class _NotLive:
    """A context in place of ``Live`` where the output is no terminal."""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return


def _show_changes(
    screen: Screen, stats: Mapping[str, Any], updates: list[Mapping[str, Any]], seen: Mapping[str, str]
) -> dict[str, str]:
    """Print what changed since ``seen``; return what is seen now, which is no longer than the list."""
    now = {"": _stats_line(stats)}
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


def _stats_line(stats: Mapping[str, Any]) -> str:
    queue, quota = stats.get("queue") or {}, stats.get("quota") or {}
    counts = (stats.get("last24Hours") or {}).get("byStatus") or {}
    parts = [
        f"queue {queue.get('length')}",
        f"quota {quota.get('used')} of {quota.get('writes')} in {quota.get('seconds'):g} s",
        f"{stats.get('deliveriesPerMinute')} deliveries a minute",
        "24 h: " + ", ".join(f"{count} {name}" for name, count in counts.items()),
    ]
    return "; ".join(parts) + ("; holding: Graph asked to wait or is away" if quota.get("holding") else "")

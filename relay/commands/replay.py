"""``replay``: put one update, or all that filters match, on the queue again."""

import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from relay.client import RelayClient
from relay.commands.options import FilterOptions, RelayOptions, update_path
from relay.errors import FAILED, usage_error
from relay.output.screen import Screen
from relay.output.tables import show_update


def replay(
    filters: FilterOptions,
    relay: RelayOptions,
    update_id: Annotated[str | None, typer.Argument(help="An update's id; or filters instead.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the updates that match.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Replay a failed or canceled update, or all that match filters; each is replayed at most once."""
    screen, query = relay.screen(), filters.query()
    if bool(update_id) == bool(query):
        raise usage_error("give either an id or filters", "such as: replay --status failed --dry-run")
    client = relay.client(screen)
    if update_id:
        # A replay whose answer is lost is not sent again: the second one would be refused.
        show_update(screen, client.post(update_path(update_id) + "/replay", idempotent=False).body)
    else:
        _replay_matching(screen, client, query, dry_run=dry_run, yes=yes)


def _replay_matching(
    screen: Screen, client: RelayClient, query: Mapping[str, str], *, dry_run: bool, yes: bool
) -> None:
    """Replay all that match, request by request. A request whose answer is lost is sent again: it replays the rest."""
    matched = _post(client, query, dry_run=True)["matched"]
    if dry_run or not matched:
        screen.document({"matched": matched, "replayed": 0})
        screen.say(f"{matched} updates match; nothing was replayed")
        return
    if not yes and not _confirmed(matched):
        screen.document({"matched": matched, "replayed": 0})
        raise typer.Exit(FAILED)
    replayed, remaining = 0, matched
    while remaining:
        result = _post(client, query, dry_run=False)
        replayed, remaining = replayed + result["replayed"], result["remaining"] if result["replayed"] else 0
        if remaining:
            screen.notice(f"replayed {replayed}, {remaining} to go")
    screen.document({"matched": matched, "replayed": replayed})
    screen.say(f"replayed {replayed} of {matched} updates; follow them: python -m relay watch")


def _post(client: RelayClient, query: Mapping[str, str], *, dry_run: bool) -> dict[str, int]:
    return client.post("/api/updates/replay", {**query, "dryRun": dry_run}, idempotent=True).body


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise usage_error(
            f"{count} updates would be replayed, and there is no terminal to ask on", "give --yes, or --dry-run"
        )
    return typer.confirm(f"Replay {count} updates?", err=True)

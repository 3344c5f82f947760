"""Replaying updates: one, or all that filters name, a thousand a call; asks before it does."""

import sys
from collections.abc import Mapping

import typer

from relay.client import Relay
from relay.failure import FAILED, wrong
from relay.rendering import Screen
from relay.showing import show_update


def replay_one(screen: Screen, relay: Relay, path: str) -> None:
    """Shows the new update. Not asked again when the answer is lost: the second would be refused."""
    show_update(screen, relay.post(path + "/replay", again=False).body)


def replay_matching(screen: Screen, relay: Relay, wanted: Mapping[str, str], *, dry_run: bool, yes: bool) -> None:
    """Until none is left; each update is replayed once at most, so a call whose answer is lost is made again."""
    matched = _call(relay, wanted, dry_run=True)["matched"]
    if dry_run or not matched:
        screen.document({"matched": matched, "replayed": 0})
        screen.say(f"{matched} updates match; nothing was replayed")
        return
    if not yes and not _agreed(matched):
        screen.document({"matched": matched, "replayed": 0})
        raise typer.Exit(FAILED)
    replayed, left = 0, matched
    while left:
        done = _call(relay, wanted, dry_run=False)
        replayed, left = replayed + done["replayed"], done["remaining"] if done["replayed"] else 0
        if left:
            screen.notice(f"replayed {replayed}, {left} to go")
    screen.document({"matched": matched, "replayed": replayed})
    screen.say(f"replayed {replayed} of {matched} updates; follow them: python -m relay watch")


def _call(relay: Relay, wanted: Mapping[str, str], *, dry_run: bool) -> dict[str, int]:
    return relay.post("/api/updates/replay", {**wanted, "dryRun": dry_run}, again=True).body


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise wrong(f"{count} updates would be replayed, and nobody can be asked", "give --yes, or --dry-run")
    return typer.confirm(f"Replay {count} updates?", err=True)

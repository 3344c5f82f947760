"""``resume``: end a pause, and send or cancel what it holds."""

import sys
from typing import Annotated

import typer

from relay.commands.options import RelayOptions
from relay.errors import usage_error
from relay.output.tables import show_pause
from shared.core.basics.update_id import is_update_id


def resume(
    relay: RelayOptions,
    pause_id: Annotated[str, typer.Argument(help="A pause's id, as `pauses` lists it.")],
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel what it holds, and send nothing of it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
) -> None:
    """End a pause: what it holds is sent in the order of acceptance, or canceled with --cancel."""
    screen, path = relay.screen(), _path(pause_id)
    client = relay.client(screen)
    pause = client.get(path).body
    count = f"{pause['heldCount']} held update" + ("" if pause["heldCount"] == 1 else "s")
    if not yes and not _confirmed(f"Cancel {count}?" if cancel else f"Send {count}?"):
        raise usage_error("nothing was changed", "answer y, or give --yes")
    if cancel:
        show_pause(screen, client.post(path + "/cancelUpdates", idempotent=True).body)
        return
    client.delete(path)
    screen.document(pause)
    screen.say(f"Resumed: {count} will be sent.")


def _confirmed(question: str) -> bool:
    """Ask on standard error, so that the output stays clean; without a terminal the answer is no."""
    return sys.stdin.isatty() and typer.confirm(question, err=True)


def _path(pause_id: str) -> str:
    text = pause_id.strip().lower()
    if not is_update_id(text):
        raise usage_error("this is no pause's id", "`pauses` lists the ids of all pauses")
    return f"/api/pauses/{text}"

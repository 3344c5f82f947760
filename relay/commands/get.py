"""``get``: one update."""

from typing import Annotated

import typer

from relay.commands.options import RelayOptions, UpdateId, update_path
from relay.output.tables import show_update


def get(
    relay: RelayOptions,
    update_id: UpdateId,
    wait: Annotated[int, typer.Option(min=0, max=30, help="Wait so many seconds for its end.")] = 0,
) -> None:
    """Show what became of an update."""
    screen = relay.screen()
    show_update(screen, relay.client(screen).get(update_path(update_id), wait=wait).body)

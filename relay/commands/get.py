"""``get``: one update."""

from typing import Annotated

import typer

from relay.commands.options import RelayOptions, UpdateId, update_path
from relay.output.tables import show_update


def get(
    relay: RelayOptions,
    update_id: UpdateId,
    wait: Annotated[int, typer.Option(min=0, max=30, help="Wait up to so many seconds until it is final.")] = 0,
) -> None:
    """Show an update, its status and its attempts."""
    screen = relay.screen()
    show_update(screen, relay.client(screen).get(update_path(update_id), wait=wait).body)

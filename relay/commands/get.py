"""``get``: one update."""

from typing import Annotated

import typer

from relay.commands import options
from relay.commands.options import Insecure, Json, Key, UpdateId, Url
from relay.output.screen import Screen
from relay.output.tables import show_update


def get(
    update_id: UpdateId,
    wait: Annotated[int, typer.Option(min=0, max=30, help="Wait so many seconds for its end.")] = 0,
    url: Url = None,
    key: Key = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> None:
    """Show what became of an update."""
    screen = Screen(as_json=as_json)
    client = options.client(screen, url, key, insecure=insecure)
    show_update(screen, client.get(options.update_path(update_id), wait=wait).body)

"""``cancel``: withdraw an update."""

from relay.commands import options
from relay.commands.options import Insecure, Json, Key, UpdateId, Url
from relay.output.screen import Screen
from relay.output.tables import show_update


def cancel(
    update_id: UpdateId, url: Url = None, key: Key = None, insecure: Insecure = False, as_json: Json = False
) -> None:
    """Take an update back that was not sent yet."""
    screen = Screen(as_json=as_json)
    client = options.client(screen, url, key, insecure=insecure)
    show_update(screen, client.post(options.update_path(update_id) + "/cancel", idempotent=True).body)

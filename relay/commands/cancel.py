"""``cancel``: withdraw an update."""

from relay.commands.options import RelayOptions, UpdateId, update_path
from relay.output.tables import show_update


def cancel(relay: RelayOptions, update_id: UpdateId) -> None:
    """Cancel an update that was not sent to Graph yet."""
    screen = relay.screen()
    show_update(screen, relay.client(screen).post(update_path(update_id) + "/cancel", idempotent=True).body)

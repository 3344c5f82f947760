"""``pauses``: what is paused, and how many updates each pause holds."""

from relay.commands.options import RelayOptions
from relay.output.tables import pause_table


def pauses(relay: RelayOptions) -> None:
    """List the pauses: who paused what, why, since when, and how many updates are held."""
    screen = relay.screen()
    body = relay.client(screen).get("/api/pauses").body
    screen.document(body)
    if relay.as_json:
        return
    if not body["value"]:
        screen.say("Nothing is paused.")
        return
    screen.out.print(pause_table(body["value"]))

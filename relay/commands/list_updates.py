"""``list``: updates that match filters."""

from typing import Annotated, Any

import typer

from relay.commands.options import FilterOptions, RelayOptions
from relay.output.tables import update_table
from shared.core.intake.limits import DEFAULT_TOP, MAX_TOP


def list_updates(
    filters: FilterOptions,
    relay: RelayOptions,
    top: Annotated[int, typer.Option(min=1, max=MAX_TOP, help="How many, or with --all a page's.")] = DEFAULT_TOP,
    everything: Annotated[bool, typer.Option("--all", help="All that match, page by page.")] = False,
) -> None:
    """List updates, newest first."""
    screen = relay.screen()
    query: dict[str, Any] = {**filters.query(), "top": top}
    pages = relay.client(screen).pages("/api/updates", query)
    if relay.as_json:
        screen.values(update for page in pages for update in page["value"])
    for page in pages:
        screen.out.print(update_table(page["value"]))
        if not everything:
            screen.notice("there are more: --all") if page.get("nextLink") else None
            break

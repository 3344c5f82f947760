"""``audit``: what people and systems did to the relay."""

from typing import Annotated, Any

import typer

from relay.commands.options import RelayOptions, filters
from relay.output.tables import audit_table
from shared.core.audit import AUDIT_FILTERS
from shared.core.intake.limits import DEFAULT_TOP, MAX_TOP


def audit(
    relay: RelayOptions,
    action: Annotated[
        str | None,
        typer.Option(
            help=f"{AUDIT_FILTERS['action']['description']} One of {', '.join(AUDIT_FILTERS['action']['enum'])}."
        ),
    ] = None,
    created_after: Annotated[str | None, typer.Option(help=AUDIT_FILTERS["createdAfter"]["description"])] = None,
    created_before: Annotated[str | None, typer.Option(help=AUDIT_FILTERS["createdBefore"]["description"])] = None,
    top: Annotated[int, typer.Option(min=1, max=MAX_TOP, help="How many, or with --all a page's.")] = DEFAULT_TOP,
    everything: Annotated[bool, typer.Option("--all", help="All that match, page by page.")] = False,
) -> None:
    """List what was done to the relay, newest first: who canceled, replayed, erased or probed, and what came of it."""
    screen = relay.screen()
    chosen = filters(action=action, created_after=created_after, created_before=created_before)
    query: dict[str, Any] = {**chosen, "top": top}
    pages = relay.client(screen).pages("/api/audit", query)
    if relay.as_json:
        screen.values(record for page in pages for record in page["value"])
    for page in pages:
        screen.out.print(audit_table(page["value"]))
        if not everything:
            screen.notice("there are more: --all") if page.get("nextLink") else None
            break

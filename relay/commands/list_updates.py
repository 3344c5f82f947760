"""``list``: updates that match filters."""

from typing import Annotated, Any

import typer

from relay.commands import options
from relay.commands.options import (
    CreatedAfter,
    CreatedBefore,
    IdempotencyKey,
    Insecure,
    Json,
    Key,
    Policy,
    Source,
    Status,
    StatusDetail,
    Url,
    UserStatusId,
)
from relay.output.screen import Screen
from relay.output.tables import update_table


def list_updates(
    status: Status = None,
    status_detail: StatusDetail = None,
    policy: Policy = None,
    user_status: UserStatusId = None,
    source: Source = None,
    idempotency_key: IdempotencyKey = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="How many, or with --all a page's.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="All that match, page by page.")] = False,
    url: Url = None,
    key: Key = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> None:
    """List updates, newest first."""
    screen = Screen(as_json=as_json)
    query: dict[str, Any] = options.filters(
        status=status,
        statusDetail=status_detail,
        deviceCompliancePolicyId=policy,
        deviceComplianceUserStatusId=user_status,
        source=source,
        idempotencyKey=idempotency_key,
        createdAfter=created_after,
        createdBefore=created_before,
    )
    pages = options.client(screen, url, key, insecure=insecure).pages("/api/updates", query | {"top": top})
    if as_json:
        screen.values(update for page in pages for update in page["value"])
    for page in pages:
        screen.out.print(update_table(page["value"]))
        if not everything:
            screen.notice("there are more: --all") if page.get("nextLink") else None
            break

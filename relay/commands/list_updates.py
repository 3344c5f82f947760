"""``list``: updates that match filters."""

from typing import Annotated, Any

import typer

from relay.commands import options
from relay.commands.options import (
    CreatedAfter,
    CreatedBefore,
    ErrorCode,
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
from shared.core.intake.limits import DEFAULT_TOP, MAX_TOP


def list_updates(
    status: Status = None,
    status_detail: StatusDetail = None,
    error_code: ErrorCode = None,
    policy: Policy = None,
    user_status: UserStatusId = None,
    source: Source = None,
    idempotency_key: IdempotencyKey = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
    top: Annotated[int, typer.Option(min=1, max=MAX_TOP, help="How many, or with --all a page's.")] = DEFAULT_TOP,
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
        status_detail=status_detail,
        error_code=error_code,
        policy=policy,
        user_status=user_status,
        source=source,
        idempotency_key=idempotency_key,
        created_after=created_after,
        created_before=created_before,
    )
    pages = options.client(screen, url, key, insecure=insecure).pages("/api/updates", query | {"top": top})
    if as_json:
        screen.values(update for page in pages for update in page["value"])
    for page in pages:
        screen.out.print(update_table(page["value"]))
        if not everything:
            screen.notice("there are more: --all") if page.get("nextLink") else None
            break

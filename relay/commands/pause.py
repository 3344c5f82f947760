"""``pause``: keep updates from being sent without losing them."""

from typing import Annotated, Any

import typer

from relay.commands.options import Policy, RelayOptions
from relay.output.tables import show_pause
from shared.core.pause import REQUEST_SCHEMA, SCOPE_SCHEMA

_MEMBERS, _SCOPE = REQUEST_SCHEMA["properties"], SCOPE_SCHEMA["properties"]


def pause(
    relay: RelayOptions,
    reason: Annotated[str, typer.Option(help=_MEMBERS["reason"]["description"])],
    policy: Policy = None,
    source: Annotated[str | None, typer.Option(help=_SCOPE["source"]["description"])] = None,
    status: Annotated[str | None, typer.Option(help=_SCOPE["status"]["description"])] = None,
    ends: Annotated[str | None, typer.Option(help=_MEMBERS["endsDateTime"]["description"])] = None,
) -> None:
    """Pause all updates, or those of a policy, a source or a status, until you resume."""
    screen = relay.screen()
    given = {"deviceCompliancePolicyId": policy, "source": source, "status": status}
    scope = {name: value for name, value in given.items() if value is not None}
    body: dict[str, Any] = {"reason": reason, "scope": scope} | ({} if ends is None else {"endsDateTime": ends})
    show_pause(screen, relay.client(screen).post("/api/pauses", body, idempotent=False).body)

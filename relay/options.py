"""Options that several commands have, and what is made of them."""

from pathlib import Path
from typing import Annotated

import typer

from relay.client import Relay
from relay.connection import DEFAULT_URL, Connection, connection
from relay.outside import SystemClock, environment, jitter
from relay.patience import Patience
from relay.rendering import Screen

_PANEL = "Which relay"
Url = Annotated[
    str | None,
    typer.Option(help=f"The relay's address (RELAY_URL, or in .env; default {DEFAULT_URL}).", rich_help_panel=_PANEL),
]
Key = Annotated[
    str | None,
    typer.Option(help="Its function key; better in RELAY_KEY or .env, where nobody sees it.", rich_help_panel=_PANEL),
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Allow http to other machines than this one.", rich_help_panel=_PANEL)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
RetrySeconds = Annotated[
    float,
    typer.Option(min=0, max=86400, help="Give up when nothing has gone well for so long.", rich_help_panel=_PANEL),
]
Policy = Annotated[str | None, typer.Option(help="deviceCompliancePolicyId.")]
Source = Annotated[str | None, typer.Option(help="source.")]
Status = Annotated[str | None, typer.Option(help="notStarted, running, succeeded, failed or canceled.")]
StatusDetail = Annotated[str | None, typer.Option(help="queued, waiting, delivered or superseded.")]
UserStatusId = Annotated[str | None, typer.Option("--user-status", help="deviceComplianceUserStatusId.")]
IdempotencyKey = Annotated[str | None, typer.Option(help="idempotencyKey.")]
CreatedAfter = Annotated[str | None, typer.Option(help="Accepted at this time or later, such as 2026-11-23T20:30:00Z.")]
CreatedBefore = Annotated[str | None, typer.Option(help="Accepted before this time.")]


def connected(url: str | None, key: str | None, *, insecure: bool) -> Connection:
    """Where the relay is. Raises ``Failure``."""
    return connection(url, key, environment(), Path.cwd(), insecure=insecure)


def patience(screen: Screen, seconds: float) -> Patience:
    """Tries again for so many seconds, and says so."""
    return Patience(seconds, SystemClock(), jitter, screen.retrying)


def relay(screen: Screen, url: str | None, key: str | None, *, insecure: bool, seconds: float = 3) -> Relay:
    """The relay that the options name."""
    return Relay(connected(url, key, insecure=insecure), patience(screen, seconds))


def filters(**given: str | None) -> dict[str, str]:
    """The list's filters that were given, by the API's names."""
    return {name: text for name, text in given.items() if text is not None}

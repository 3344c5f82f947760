"""Options that several commands have, and what the commands make of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from relay.client import RelayClient
from relay.config import DEFAULT_URL, Config, read_config
from relay.errors import usage_error
from relay.output.screen import Screen
from relay.retry import RetryBackoff
from relay.system import SystemClock, environment, jitter
from shared.core.basics.update_id import is_update_id
from shared.core.delivery.outcome_filter import FILTERS

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
UpdateId = Annotated[str, typer.Argument(help="An update's id.")]
#: The option of each filter, and the API's name of it.
FILTER_OPTIONS: Final[Mapping[str, str]] = {
    "status": "status",
    "status_detail": "statusDetail",
    "error_code": "errorCode",
    "policy": "deviceCompliancePolicyId",
    "user_status": "deviceComplianceUserStatusId",
    "source": "source",
    "idempotency_key": "idempotencyKey",
    "created_after": "createdAfter",
    "created_before": "createdBefore",
}
_ERROR_CODE = "The code of the update's error, such as graphRejected."


def _help(name: str) -> str:
    """Return what the API says about a filter, with the values that it accepts."""
    schema = FILTERS.get(name, {})
    values = f" One of {', '.join(schema['enum'])}." if "enum" in schema else ""
    return f"{schema.get('description', _ERROR_CODE)}{values}"


Policy = Annotated[str | None, typer.Option(help="deviceCompliancePolicyId. " + _help("deviceCompliancePolicyId"))]
Source = Annotated[str | None, typer.Option(help=_help("source"))]
Status = Annotated[str | None, typer.Option(help=_help("status"))]
StatusDetail = Annotated[str | None, typer.Option(help=_help("statusDetail"))]
ErrorCode = Annotated[str | None, typer.Option(help=_help("errorCode"))]
UserStatusId = Annotated[
    str | None,
    typer.Option("--user-status", help="deviceComplianceUserStatusId. " + _help("deviceComplianceUserStatusId")),
]
IdempotencyKey = Annotated[str | None, typer.Option(help=_help("idempotencyKey"))]
CreatedAfter = Annotated[str | None, typer.Option(help=_help("createdAfter") + " Such as 2026-11-23T20:30:00Z.")]
CreatedBefore = Annotated[str | None, typer.Option(help=_help("createdBefore"))]


def configured(url: str | None, key: str | None, *, insecure: bool) -> Config:
    """Return the address and the key of the relay. Raise ``CommandError``."""
    return read_config(url, key, environment(), Path.cwd(), insecure=insecure)


def backoff(screen: Screen, seconds: float) -> RetryBackoff:
    """Return a backoff that gives up after so many seconds, and prints each retry."""
    return RetryBackoff(seconds, SystemClock(), jitter, screen.retrying)


def client(screen: Screen, url: str | None, key: str | None, *, insecure: bool, seconds: float = 3) -> RelayClient:
    """Return the client of the relay that the options name. Raise ``CommandError``."""
    return RelayClient(configured(url, key, insecure=insecure), backoff(screen, seconds))


def filters(**given: str | None) -> dict[str, str]:
    """Return the filters that were given, by the API's names; ``given`` has the options by their own."""
    return {FILTER_OPTIONS[option]: text for option, text in given.items() if text is not None}


def update_path(update_id: str) -> str:
    """Return the path of an update in the API. Raise ``CommandError`` for a text that is no id."""
    if not is_update_id(update_id.strip().lower()):
        raise usage_error("this is no update's id", "an id looks like 01932c5e-8f3a-7cc1-b2a4-6f1d2e3c4b5a")
    return f"/api/updates/{update_id.strip().lower()}"

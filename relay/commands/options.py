"""Options that several commands have, and what the commands make of them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Final

import typer

from relay.client import RelayClient
from relay.config import DEFAULT_URL, read_config
from relay.errors import usage_error
from relay.output.screen import Screen
from relay.retry import RetryBackoff
from relay.system import SystemClock, environment, jitter
from shared.core.basics.update_id import is_update_id
from shared.core.delivery.outcome_filter import FILTERS

_PANEL = "Which relay"
#: Options of filters whose names differ from the API's by more than the case.
_FILTER_NAMES: Final[Mapping[str, str]] = {
    "status_detail": "statusDetail",
    "error_code": "errorCode",
    "policy": "deviceCompliancePolicyId",
    "user_status": "deviceComplianceUserStatusId",
    "idempotency_key": "idempotencyKey",
    "created_after": "createdAfter",
    "created_before": "createdBefore",
}
UpdateId = Annotated[str, typer.Argument(help="An update's id.")]


def _help(name: str) -> str:
    """Return what the API says about a filter, with the values that it accepts."""
    schema = FILTERS[name]
    values = f" One of {', '.join(schema['enum'])}." if "enum" in schema else ""
    return f"{schema['description']}{values}"


Policy = Annotated[str | None, typer.Option(help="deviceCompliancePolicyId. " + _help("deviceCompliancePolicyId"))]
UserStatusId = Annotated[
    str | None,
    typer.Option("--user-status", help="deviceComplianceUserStatusId. " + _help("deviceComplianceUserStatusId")),
]


@dataclass(frozen=True)
class RelayOptions:
    """Which relay a command asks, and how it prints."""

    url: Annotated[
        str | None,
        typer.Option(
            help=f"The relay's address (RELAY_URL, or in .env; default {DEFAULT_URL}).", rich_help_panel=_PANEL
        ),
    ] = None
    key: Annotated[
        str | None,
        typer.Option(
            help="Its function key; better in RELAY_KEY or .env, where nobody sees it.", rich_help_panel=_PANEL
        ),
    ] = None
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow http to other machines than this one.", rich_help_panel=_PANEL)
    ] = False
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False

    def screen(self) -> Screen:
        """Return the output of the command."""
        return Screen(as_json=self.as_json)

    def client(self, screen: Screen, *, seconds: float = 3) -> RelayClient:
        """Return a client that retries for so many seconds. Raise ``CommandError``."""
        return self.client_with(backoff(screen, seconds))

    def client_with(self, retries: RetryBackoff) -> RelayClient:
        """Return a client with a backoff of the caller's. Raise ``CommandError``."""
        config = read_config(self.url, self.key, environment(), Path.cwd(), insecure=self.insecure)
        return RelayClient(config, retries)


@dataclass(frozen=True)
class FilterOptions:
    """The filters of a list of updates."""

    status: Annotated[str | None, typer.Option(help=_help("status"))] = None
    status_detail: Annotated[str | None, typer.Option(help=_help("statusDetail"))] = None
    error_code: Annotated[str | None, typer.Option(help=_help("errorCode"))] = None
    priority: Annotated[str | None, typer.Option(help=_help("priority"))] = None
    policy: Policy = None
    user_status: UserStatusId = None
    source: Annotated[str | None, typer.Option(help=_help("source"))] = None
    idempotency_key: Annotated[str | None, typer.Option(help=_help("idempotencyKey"))] = None
    created_after: Annotated[
        str | None, typer.Option(help=_help("createdAfter") + " Such as 2026-11-23T20:30:00Z.")
    ] = None
    created_before: Annotated[str | None, typer.Option(help=_help("createdBefore"))] = None

    def query(self) -> dict[str, str]:
        """Return the filters that were given, by the API's names."""
        return filters(**{field.name: getattr(self, field.name) for field in fields(self)})


def filters(**options: str | None) -> dict[str, str]:
    """Return the filters that were given, by the API's names."""
    return {_FILTER_NAMES.get(name, name): text for name, text in options.items() if text is not None}


def backoff(screen: Screen, seconds: float) -> RetryBackoff:
    """Return a backoff that gives up after so many seconds, and prints each retry."""
    return RetryBackoff(seconds, SystemClock(), jitter, screen.retrying)


def update_path(update_id: str) -> str:
    """Return the path of an update in the API. Raise ``CommandError`` for a text that is no id."""
    if not is_update_id(update_id.strip().lower()):
        raise usage_error("this is no update's id", "an id looks like 01932c5e-8f3a-7cc1-b2a4-6f1d2e3c4b5a")
    return f"/api/updates/{update_id.strip().lower()}"

"""The app's settings, from a mapping: all faults in one message that never shows a secret."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.core.delivery.notice_destination import Destination, QueueDestination
from shared.core.intake.webhook_source import WebhookSource
from shared.core.pause import BrakeLimit
from shared.settings.storage import STORAGE, Storage, read_queue_storage, read_storage
from shared.settings.values import (
    CLOUDS,
    GUID,
    Authentication,
    WriteQuota,
    change_brake,
    cloud,
    duration,
    matching,
    notices,
    number,
    one_of,
    sources,
    switch,
    url,
    write_quota,
)

#: An update's outcome outlasts its deadline by this at least: else it could be purged before it is final.
_BEYOND_DEADLINE = timedelta(days=1)
_QUEUE = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,46}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")
_INSIGHTS = "APPLICATIONINSIGHTS_CONNECTION_STRING"
_SECRET = frozenset({STORAGE, "WEBHOOK_SOURCES", "NOTICES", _INSIGHTS})


class InvalidSettings(ValueError):
    """Every bad setting, its value unless secret, and what is accepted."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("bad settings: " + "; ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Settings:
    """All settings, checked."""

    storage: Storage
    queue: str
    table_prefix: str
    graph_root: str
    graph_audience: str
    graph_api_version: str
    client_id: str | None
    write_quota: WriteQuota
    graph_timeout_seconds: float
    delivery_deadline: timedelta
    retry_base_seconds: float
    retry_max_seconds: float
    outcome_retention: timedelta
    webhook_sources: Mapping[str, WebhookSource]
    notices: Mapping[str, Destination]
    #: By the ``connection`` of a destination that is a queue.
    notice_storages: Mapping[str, Storage]
    public_base_url: str | None
    authentication: Authentication
    #: Whether App Service authentication is on: only then are its headers to be trusted.
    platform_authentication: bool
    audit_retention: timedelta
    change_brake: Mapping[str, BrakeLimit]
    #: How long after its delivery an update is verified; None = never.
    verify_after: timedelta | None
    telemetry: str | None
    telemetry_sign_in: str | None

    @property
    def bulk_queue(self) -> str:
        """The queue of the bulk lane."""
        return f"{self.queue}-bulk"

    @property
    def poison_queue(self) -> str:
        """Where the host moves what failed too often (docs/graph-facts.md#f33)."""
        return f"{self.queue}-poison"

    @property
    def bulk_poison_queue(self) -> str:
        """The same for the bulk lane."""
        return f"{self.bulk_queue}-poison"

    @property
    def notices_queue(self) -> str:
        """The outbox of outcome notices."""
        return f"{self.queue}-notices"

    @property
    def notices_poison_queue(self) -> str:
        """Where the host moves notices that failed too often (docs/graph-facts.md#f33)."""
        return f"{self.notices_queue}-poison"

    @property
    def http_auth_level(self) -> str:
        """What the host asks of a call, by the name of its ``AuthLevel``: a function key or nothing."""
        return "ANONYMOUS" if self.authentication is Authentication.ENTRA else "FUNCTION"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises ``InvalidSettings``."""
        given = {name: text.strip() for name, text in environ.items() if text.strip()}
        faults: list[str] = []

        def read(name: str, default: str | None, reader: Callable[[str], Any], accepted: str) -> Any:
            text = given.get(name, default)
            if text is None:
                return None
            try:
                return reader(text)
            except json.JSONDecodeError as error:
                faults.append(f"{name} = (not shown): accepted is {accepted} ({error})")
            except ValueError as error:
                shown = "(not shown)" if name in _SECRET else repr(text[:80])
                why = f" ({error})" if name in _SECRET and str(error) else ""
                faults.append(f"{name} = {shown}: accepted is {accepted}{why}")
            return None

        read_all = {field: read(*row) for field, row in _SETTINGS.items()}
        storage = read_storage(given, faults)
        notice_storages = _notice_storages(read_all["notices"] or {}, given, faults)
        faults += _contradictions(read_all)
        if faults:
            raise InvalidSettings(faults)
        graph_cloud = read_all.pop("cloud")
        root = read_all.pop("graph_base_url") or graph_cloud
        read_all.pop("worker_telemetry")
        return cls(
            storage=storage,
            notice_storages=notice_storages,
            graph_root=root,
            graph_audience=f"{graph_cloud}/.default",
            **read_all,
        )


def _notice_storages(
    destinations: Mapping[str, Destination], given: Mapping[str, str], faults: list[str]
) -> dict[str, Storage]:
    names = {to.connection for to in destinations.values() if isinstance(to, QueueDestination)}
    return {name: read_queue_storage(given, faults, name) for name in sorted(names - {STORAGE})} | (
        {STORAGE: read_queue_storage(given, [], STORAGE)} if STORAGE in names else {}
    )


def _contradictions(read_all: Mapping[str, Any]) -> Iterator[str]:
    """Yield a fault for settings that are good one by one, but not together; None is a setting that is bad already."""
    base, longest = read_all["retry_base_seconds"], read_all["retry_max_seconds"]
    if base is not None and longest is not None and base > longest:
        yield f"RETRY_BASE_SECONDS = {base:g}: accepted is at most RETRY_MAX_SECONDS ({longest:g})"
    if read_all["authentication"] is Authentication.ENTRA and not read_all["platform_authentication"]:
        yield (
            "AUTHENTICATION = 'entra': accepted only where App Service authentication is on, which sets "
            "WEBSITE_AUTH_ENABLED to true; without it anybody could forge the caller's headers"
        )
    deadline, retention = read_all["delivery_deadline"], read_all["outcome_retention"]
    if deadline is not None and retention is not None and retention < deadline + _BEYOND_DEADLINE:
        days, hours = retention / timedelta(days=1), deadline / timedelta(hours=1)
        yield (
            f"OUTCOME_RETENTION_DAYS = {days:g}: accepted is at least a day more than DELIVERY_DEADLINE_HOURS"
            f" ({hours:g})"
        )


_SETTINGS: dict[str, tuple[str, str | None, Callable[[str], Any], str]] = {
    "queue": (
        "UPDATES_QUEUE",
        "compliance-updates",
        matching(_QUEUE),
        "3 to 48 of a-z 0-9 -, no - first, last or twice in a row",
    ),
    "table_prefix": (
        "UPDATES_TABLE_PREFIX",
        "compliance",
        matching(_PREFIX),
        "1 to 40 letters and digits, a letter first",
    ),
    "cloud": ("GRAPH_CLOUD", "global", cloud, f"one of {', '.join(CLOUDS)}"),
    "graph_base_url": (
        "GRAPH_BASE_URL",
        None,
        lambda text: url(text, plain_anywhere=False),
        "an https URL, or http on loopback",
    ),
    "graph_api_version": ("GRAPH_API_VERSION", "beta", one_of("beta", "v1.0"), "beta or v1.0"),
    "client_id": ("AZURE_CLIENT_ID", None, matching(GUID), "the GUID of a user-assigned managed identity"),
    "write_quota": ("GRAPH_WRITE_QUOTA", "100/20", write_quota, "writes/seconds, 1-5000/1-3600, such as 100/20"),
    "graph_timeout_seconds": ("GRAPH_TIMEOUT_SECONDS", "30", number(1, 230), "seconds from 1 to 230"),
    "delivery_deadline": ("DELIVERY_DEADLINE_HOURS", "24", duration("hours", 0.001, 8760), "hours up to 8760"),
    "retry_base_seconds": ("RETRY_BASE_SECONDS", "2", number(0.1, 3600), "seconds from 0.1 to 3600"),
    "retry_max_seconds": ("RETRY_MAX_SECONDS", "900", number(0.1, 86400), "seconds from 0.1 to 86400"),
    "outcome_retention": ("OUTCOME_RETENTION_DAYS", "30", duration("days", 0.01, 3650), "days up to 3650"),
    "webhook_sources": (
        "WEBHOOK_SOURCES",
        "{}",
        sources,
        'a JSON object: source name -> {"verify": {...}, "map": {...}}',
    ),
    "notices": (
        "NOTICES",
        "{}",
        notices,
        'a JSON object: source name or "*" -> {"type": "webhook", "queue" or "eventGrid", ...}',
    ),
    "public_base_url": (
        "PUBLIC_BASE_URL",
        None,
        lambda text: url(text, plain_anywhere=True),
        "an absolute http(s) URL without query",
    ),
    "authentication": ("AUTHENTICATION", "functionKeys", Authentication, "functionKeys or entra"),
    "platform_authentication": ("WEBSITE_AUTH_ENABLED", "false", switch, "true or false"),
    "audit_retention": ("AUDIT_RETENTION_DAYS", "365", duration("days", 0.01, 36500), "days up to 36500"),
    "change_brake": ("CHANGE_BRAKE", "", change_brake, "status=1-5000/1-86400 (writes/seconds), several by commas"),
    "verify_after": (
        "VERIFY_AFTER_SECONDS",
        None,
        duration("seconds", 1, 86400),
        "seconds from 1 to 86400; unset = never",
    ),
    "telemetry": (
        _INSIGHTS,
        None,
        matching(re.compile(rf"(?i:(?:.*;)?InstrumentationKey={GUID.pattern}(?:;.*)?)")),
        "an Application Insights connection string",
    ),
    "telemetry_sign_in": (
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        None,
        matching(re.compile(rf"(?i:Authorization=AAD(?:;ClientId={GUID.pattern})?;?)")),
        "Authorization=AAD, or that and ;ClientId=GUID",
    ),
    "worker_telemetry": (
        "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
        "false",
        one_of("false", "False", "0"),
        "false: the app does it, without the personal data that the worker would send",
    ),
}

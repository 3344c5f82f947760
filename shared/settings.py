"""The app's settings, from a mapping: all faults in one message that never shows a secret (contract section 1)."""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from shared.core.webhook_source import WebhookSource, webhook_sources

_CLOUDS = {  # facts, section 4
    "global": "https://graph.microsoft.com",
    "usgov": "https://graph.microsoft.us",
    "usgovdod": "https://dod-graph.microsoft.us",
    "china": "https://microsoftgraph.chinacloudapi.cn",
}
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_QUEUE = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,54}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")
_STORAGE = "UPDATES_STORAGE"
_INSIGHTS = "APPLICATIONINSIGHTS_CONNECTION_STRING"
_SECRET = frozenset({_STORAGE, "WEBHOOK_SOURCES", _INSIGHTS})


class InvalidSettings(ValueError):
    """Every bad setting, its value unless secret, and what is accepted."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("bad settings: " + "; ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Storage:
    """A connection string, or both service addresses and how to sign in to them."""

    connection_string: str | None = None
    queue_service_uri: str | None = None
    table_service_uri: str | None = None
    credential: str | None = None
    client_id: str | None = None


@dataclass(frozen=True)
class WriteQuota:
    """``count`` writes in any ``seconds`` (F4)."""

    count: int
    seconds: float


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
    public_base_url: str | None
    telemetry: str | None
    telemetry_sign_in: str | None

    @property
    def poison_queue(self) -> str:
        """Where the host moves what failed too often (F33)."""
        return f"{self.queue}-poison"

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
        storage = _storage(given, faults)
        base, longest = read_all["retry_base_seconds"], read_all["retry_max_seconds"]
        if base is not None and longest is not None and base > longest:
            faults.append(f"RETRY_BASE_SECONDS = {base:g}: accepted is at most RETRY_MAX_SECONDS ({longest:g})")
        if faults:
            raise InvalidSettings(faults)
        cloud = read_all.pop("cloud")
        root = read_all.pop("graph_base_url") or cloud
        read_all.pop("worker_telemetry")
        return cls(storage=storage, graph_root=root, graph_audience=f"{cloud}/.default", **read_all)


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError
        return text

    return read


def _one_of(*accepted: str) -> Callable[[str], str]:
    return _matching(re.compile("|".join(map(re.escape, accepted))))


def _number(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        number = float(text)
        if not least <= number <= most:
            raise ValueError
        return number

    return read


def _duration(unit: str, least: float, most: float) -> Callable[[str], timedelta]:
    number = _number(least, most)
    return lambda text: timedelta(**{unit: number(text)})


def _cloud(text: str) -> str:
    if text not in _CLOUDS:
        raise ValueError
    return _CLOUDS[text]


def _quota(text: str) -> WriteQuota:
    count, slash, seconds = text.partition("/")
    if not slash or not count.isascii() or not count.isdigit() or not 1 <= int(count[:9]) <= 5000:  # noqa: PLR2004
        raise ValueError
    return WriteQuota(int(count), _number(1, 3600)(seconds))


def _url(text: str, *, plain_anywhere: bool) -> str:
    url = urlsplit(text)
    host = url.hostname or ""
    bad = url.query or url.fragment or url.username or url.password or not host
    plain = url.scheme == "http" and (plain_anywhere or _loopback(host))
    if bad or not (url.scheme == "https" or plain):
        raise ValueError
    return text.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _webhook_sources(text: str) -> dict[str, WebhookSource]:
    return webhook_sources(json.loads(text))


def _storage(given: Mapping[str, str], faults: list[str]) -> Storage:
    """The exact name beats the prefix form, as in the Functions host (F37)."""
    if _STORAGE in given:
        if not _is_connection_string(given[_STORAGE]):
            faults.append(f"{_STORAGE} = (not shown): accepted is a connection string or UseDevelopmentStorage=true")
        return Storage(connection_string=given[_STORAGE])
    queue = given.get(f"{_STORAGE}__queueServiceUri") or given.get(f"{_STORAGE}__serviceUri")
    table = given.get(f"{_STORAGE}__tableServiceUri")
    if not queue and not table:
        faults.append(
            f"{_STORAGE} is missing: accepted is a connection string, UseDevelopmentStorage=true, or "
            f"{_STORAGE}__queueServiceUri with {_STORAGE}__tableServiceUri"
        )
    for name, text in (("queueServiceUri", queue), ("tableServiceUri", table)):
        if (queue or table) and not _is_service(text):
            faults.append(
                f"{_STORAGE}__{name} = {(text or '')[:80]!r}: accepted is an https address (http on loopback)"
            )
    credential = given.get(f"{_STORAGE}__credential")
    if credential not in (None, "managedidentity"):
        faults.append(f"{_STORAGE}__credential = {credential[:80]!r}: accepted is managedidentity")
    client = given.get(f"{_STORAGE}__clientId")
    if client is not None and not _GUID.fullmatch(client):
        faults.append(f"{_STORAGE}__clientId = {client[:80]!r}: accepted is a GUID")
    return Storage(None, queue, table, credential, client)


def _is_service(text: str | None) -> bool:
    try:
        return text is not None and bool(_url(text, plain_anywhere=False))
    except ValueError:
        return False


def _is_connection_string(text: str) -> bool:
    pairs = [part.partition("=") for part in text.strip(";").split(";")]
    values = {name.strip().lower(): value for name, _, value in pairs}
    if values.get("usedevelopmentstorage", "").lower() == "true":
        return True
    whole = all(equals and value for _, equals, value in pairs)
    key = "accountkey" in values or "sharedaccesssignature" in values
    place = "accountname" in values or {"queueendpoint", "tableendpoint"} <= values.keys()
    return whole and key and place


_SETTINGS: dict[str, tuple[str, str | None, Callable[[str], Any], str]] = {
    "queue": ("UPDATES_QUEUE", "compliance-updates", _matching(_QUEUE),
              "3 to 56 of a-z 0-9 -, no - first, last or twice in a row"),
    "table_prefix": ("UPDATES_TABLE_PREFIX", "compliance", _matching(_PREFIX),
                     "1 to 40 letters and digits, a letter first"),
    "cloud": ("GRAPH_CLOUD", "global", _cloud, f"one of {', '.join(_CLOUDS)}"),
    "graph_base_url": ("GRAPH_BASE_URL", None, lambda text: _url(text, plain_anywhere=False),
                       "an https URL, or http on loopback"),
    "graph_api_version": ("GRAPH_API_VERSION", "beta", _one_of("beta", "v1.0"), "beta or v1.0"),
    "client_id": ("AZURE_CLIENT_ID", None, _matching(_GUID), "the GUID of a user-assigned managed identity"),
    "write_quota": ("GRAPH_WRITE_QUOTA", "100/20", _quota, "writes/seconds, 1-5000/1-3600, such as 100/20"),
    "graph_timeout_seconds": ("GRAPH_TIMEOUT_SECONDS", "30", _number(1, 230), "seconds from 1 to 230"),
    "delivery_deadline": ("DELIVERY_DEADLINE_HOURS", "24", _duration("hours", 0.001, 8760), "hours up to 8760"),
    "retry_base_seconds": ("RETRY_BASE_SECONDS", "2", _number(0.1, 3600), "seconds from 0.1 to 3600"),
    "retry_max_seconds": ("RETRY_MAX_SECONDS", "900", _number(0.1, 86400), "seconds from 0.1 to 86400"),
    "outcome_retention": ("OUTCOME_RETENTION_DAYS", "30", _duration("days", 0.01, 3650), "days up to 3650"),
    "webhook_sources": ("WEBHOOK_SOURCES", "{}", _webhook_sources,
                        'a JSON object: source name -> {"verify": {...}, "map": {...}}'),
    "public_base_url": ("PUBLIC_BASE_URL", None, lambda text: _url(text, plain_anywhere=True),
                        "an absolute http(s) URL without query"),
    "telemetry": (_INSIGHTS, None, _matching(re.compile(rf"(?i:(?:.*;)?InstrumentationKey={_GUID.pattern}(?:;.*)?)")),
                  "an Application Insights connection string"),
    "telemetry_sign_in": ("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", None,
                          _matching(re.compile(rf"(?i:Authorization=AAD(?:;ClientId={_GUID.pattern})?;?)")),
                          "Authorization=AAD, or that and ;ClientId=GUID"),
    "worker_telemetry": ("PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY", "false", _one_of("false", "False", "0"),
                         "false: the app does it, without the personal data that the worker would send"),
}  # fmt: skip

"""Readers of setting values: text becomes a value, or ``ValueError`` is raised."""

import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from urllib.parse import urlsplit

from shared.core.basics import guid
from shared.core.intake.webhook_source import WebhookSource, webhook_sources

#: Graph's root by cloud (docs/graph-facts.md#clouds).
CLOUDS = {
    "global": "https://graph.microsoft.com",
    "usgov": "https://graph.microsoft.us",
    "usgovdod": "https://dod-graph.microsoft.us",
    "china": "https://microsoftgraph.chinacloudapi.cn",
}
GUID = re.compile(guid.GUID)


@dataclass(frozen=True)
class WriteQuota:
    """``count`` writes in any ``seconds`` (docs/graph-facts.md#f4)."""

    count: int
    seconds: float


class Authentication(Enum):
    """Who answers for the callers of the HTTP API; the value is the setting's word."""

    #: The Functions host: a call needs a function key.
    FUNCTION_KEYS = "functionKeys"
    #: App Service authentication and the app: a call needs a principal with an app role.
    ENTRA = "entra"


def matching(pattern: re.Pattern[str]) -> Callable[[str], str]:
    """Read text that fits a pattern as a whole."""

    def read(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError
        return text

    return read


def one_of(*accepted: str) -> Callable[[str], str]:
    """Read one of these texts."""
    return matching(re.compile("|".join(map(re.escape, accepted))))


def number(least: float, most: float) -> Callable[[str], float]:
    """Read a number between two bounds, both allowed."""

    def read(text: str) -> float:
        number = float(text)
        if not least <= number <= most:
            raise ValueError
        return number

    return read


def duration(unit: str, least: float, most: float) -> Callable[[str], timedelta]:
    """Read a number of seconds, hours or days."""
    count = number(least, most)
    return lambda text: timedelta(**{unit: count(text)})


def switch(text: str) -> bool:
    """Read a switch of the platform, which writes ``True`` or ``1`` where it is on."""
    return text.lower() in {"true", "1"}


def cloud(text: str) -> str:
    """Return the Graph root of a cloud's name."""
    if text not in CLOUDS:
        raise ValueError
    return CLOUDS[text]


def write_quota(text: str) -> WriteQuota:
    """Read ``writes/seconds``."""
    count, slash, seconds = text.partition("/")
    if not slash or not count.isascii() or not count.isdigit() or not 1 <= int(count[:9]) <= 5000:  # noqa: PLR2004
        raise ValueError
    return WriteQuota(int(count), number(1, 3600)(seconds))


def url(text: str, *, plain_anywhere: bool) -> str:
    """Return an absolute URL without a slash at its end; plain http only on loopback, unless ``plain_anywhere``.

    It goes into headers as it is, so it is ASCII without white space or control characters.
    """
    if not text.isascii() or any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError
    url = urlsplit(text)
    host = url.hostname or ""
    bad = url.query or url.fragment or url.username or url.password or not host
    plain = url.scheme == "http" and (plain_anywhere or _is_loopback(host))
    if bad or not (url.scheme == "https" or plain):
        raise ValueError
    return text.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def sources(text: str) -> dict[str, WebhookSource]:
    """Read the webhook sources."""
    return webhook_sources(json.loads(text))

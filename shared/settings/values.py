"""Readers of setting values: text becomes a value, or ``ValueError`` is raised."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from shared.core.basics import guid
from shared.core.basics.web_address import web_address
from shared.core.delivery.notice_destination import Destination, notice_destinations
from shared.core.intake.update_schema import COMPLIANCE_STATUSES
from shared.core.intake.webhook_source import WebhookSource, webhook_sources
from shared.core.pause import BrakeLimit

#: Graph's root by cloud (docs/graph-facts.md#clouds).
CLOUDS = {
    "global": "https://graph.microsoft.com",
    "usgov": "https://graph.microsoft.us",
    "usgovdod": "https://dod-graph.microsoft.us",
    "china": "https://microsoftgraph.chinacloudapi.cn",
}
GUID = re.compile(guid.GUID)
#: The brake keeps a stamp of each write that it counts, in one row of a table.
MAX_BRAKE_COUNT = 5000
_COUNT = re.compile(r"[1-9][0-9]{0,3}")


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


def change_brake(text: str) -> dict[str, BrakeLimit]:
    """Read ``status=writes/seconds``, several separated by commas, each status once."""
    limits: dict[str, BrakeLimit] = {}
    for part in filter(None, text.split(",")):
        status, _, limit = part.strip().partition("=")
        count, slash, seconds = limit.partition("/")
        if status not in COMPLIANCE_STATUSES or status in limits or not slash:
            raise ValueError
        if not _COUNT.fullmatch(count) or int(count) > MAX_BRAKE_COUNT:
            raise ValueError
        limits[status] = BrakeLimit(int(count), duration("seconds", 1, 86400)(seconds))
    return limits


def url(text: str, *, plain_anywhere: bool) -> str:
    """Return an absolute URL without a query, and without a slash at its end."""
    return web_address(text, plain_anywhere=plain_anywhere).rstrip("/")


def sources(text: str) -> dict[str, WebhookSource]:
    """Read the webhook sources."""
    return webhook_sources(json.loads(text))


def notices(text: str) -> dict[str, Destination]:
    """Read where outcome notices go."""
    return notice_destinations(json.loads(text))

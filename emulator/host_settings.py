"""What the host reads: its choices, ``host.json``, ``local.settings.json``, and ``%SETTING%`` in names."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MAX_BATCH = 32
_NAME = re.compile(r"%([^%]+)%")


#: Of the real host (docs/graph-facts.md#f87 and #f88).
LOCK_SECONDS = 600
STOP_SECONDS = (30.0, 10.0)


class LoadError(Exception):
    """The app could not be loaded; the text says why."""


@dataclass(frozen=True)
class HostChoices:
    """What the real host fixes and tests may shorten: a message's lease, and how long a stop waits."""

    #: Where timers remember their last run.
    folder: Path
    lock_seconds: int = LOCK_SECONDS
    #: On SIGTERM requests in flight have the first, then queue and timer functions the second.
    stop_seconds: tuple[float, float] = STOP_SECONDS


@dataclass(frozen=True)
class QueueOptions:
    """``extensions.queues`` of host.json, with the host's defaults (docs/graph-facts.md#f30)."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    max_polling_seconds: float = 60
    visibility_seconds: float = 0
    encoded: bool = True


@dataclass(frozen=True)
class HostOptions:
    """What of host.json this host follows."""

    route_prefix: str
    queues: QueueOptions
    telemetry: bool


def read_host_json(app: Path) -> HostOptions:
    """Return what the app's host.json says. Raises ``LoadError`` where the host would refuse it."""
    path = app / "host.json"
    try:
        whole: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    except ValueError as error:
        raise LoadError(f"host.json is not JSON: {error}") from error
    extensions = whole.get("extensions", {})
    queues: dict[str, Any] = extensions.get("queues", {})
    batch = queues.get("batchSize", 16)
    if not 1 <= batch <= _MAX_BATCH:
        raise LoadError(f"host.json: batchSize must be 1 to {_MAX_BATCH}, not {batch}")
    return HostOptions(
        route_prefix=extensions.get("http", {}).get("routePrefix", "api").strip("/"),
        queues=QueueOptions(
            batch_size=batch,
            new_batch_threshold=queues.get("newBatchThreshold", batch // 2),
            max_dequeue_count=queues.get("maxDequeueCount", 5),
            max_polling_seconds=_seconds(queues.get("maxPollingInterval", "00:01:00")),
            visibility_seconds=_seconds(queues.get("visibilityTimeout", "00:00:00")),
            encoded=queues.get("messageEncoding", "base64").lower() != "none",
        ),
        telemetry=str(whole.get("telemetryMode", "")).lower() == "opentelemetry",
    )


def read_local_settings(app: Path) -> None:
    """Put ``Values`` of local.settings.json into the environment, where they are not set yet."""
    path = app / "local.settings.json"
    if path.exists():
        for name, value in json.loads(path.read_text()).get("Values", {}).items():
            os.environ.setdefault(name, str(value))


def resolved(text: str) -> str:
    """Return a binding's name with its ``%SETTING%``s filled in."""
    return _NAME.sub(lambda match: os.environ[match[1]], text)


def _seconds(span: str) -> float:
    hours, minutes, seconds = span.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)

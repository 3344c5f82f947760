"""Application Insights through Azure Monitor's OpenTelemetry distribution, set up once a process.

Spans, metrics and the log lines of ``shared`` go out in batches on threads of their own, and what is left when the
process ends in order. What cannot be sent is kept and sent later, or lost: deliveries do not notice.
"""

import logging
import os  # for two variables of OpenTelemetry's own, which its distribution reads from there and nowhere else
import re
from collections.abc import Callable
from typing import Any

from azure.identity import ManagedIdentityCredential
from azure.monitor.opentelemetry import configure_azure_monitor
from opentelemetry.metrics import get_meter_provider
from opentelemetry.trace import get_tracer_provider

from shared.adapters.telemetry import OpenTelemetry
from shared.service.ports.telemetry import NoTelemetry, Telemetry

log = logging.getLogger(__name__)

#: All that the distribution would instrument by itself: their spans would hold URLs with the ids of user statuses, and
#: tell of every call a second time.
_INSTRUMENTATIONS = (
    "azure_sdk",
    "django",
    "fastapi",
    "flask",
    "httpx",
    "httpx2",
    "psycopg2",
    "requests",
    "urllib",
    "urllib3",
)
_CLIENT_ID = re.compile(r"(?i:;ClientId=)([0-9a-fA-F-]{36})")


def azure_monitor(
    connection_string: str, *, sign_in: str | None, client_id: str | None, queue: str, graph_root: str
) -> Telemetry:
    """``sign_in`` is the host's ``Authorization=AAD[;ClientId=...]``: then by managed identity, else by the key."""
    # Else the distribution asks a virtual machine's metadata endpoint, for seconds, where there is none.
    os.environ.setdefault("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "azure_functions")
    try:
        configure_azure_monitor(
            connection_string=connection_string,
            logger_name="shared",
            instrumentation_options={name: {"enabled": False} for name in _INSTRUMENTATIONS},
            enable_live_metrics=False,
            enable_performance_counters=False,
            **_sampling(),
            **credential_of(sign_in, client_id),
        )
    except Exception as error:  # noqa: BLE001 - the boundary: who watches must not stop what is watched
        log.warning("telemetry could not be set up", extra={"reason": type(error).__name__})
        return NoTelemetry()
    return OpenTelemetry(get_tracer_provider(), get_meter_provider(), queue=queue, graph_root=graph_root)


def _sampling() -> dict[str, Any]:
    """Everything, unless ``OTEL_TRACES_SAMPLER`` says otherwise; the distribution's own default is 5 spans a second."""
    return {} if "OTEL_TRACES_SAMPLER" in os.environ else {"sampling_ratio": 1.0}


def credential_of(
    sign_in: str | None, client_id: str | None, credential: Callable[..., Any] = ManagedIdentityCredential
) -> dict[str, Any]:
    """The identity that the setting names, else the app's; without a setting the connection string's key will do."""
    if sign_in is None:
        return {}
    named = _CLIENT_ID.search(sign_in)
    return {"credential": credential(client_id=named[1] if named else client_id)}

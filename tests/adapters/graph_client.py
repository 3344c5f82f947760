"""The Graph adapter on real sockets."""

from datetime import UTC, datetime
from typing import Any

from shared.adapters.graph import GraphClient
from shared.core.delivery.graph_reply import GraphReply
from tests.adapters.sockets import Play, serving
from tests.builders import EXAMPLE, POLICY, USER

GUID = "11111111-2222-4333-8444-555555555555"


def graph(root: str, seconds: float = 20, **options: Any) -> GraphClient:
    """Return an adapter of that root."""
    return GraphClient(
        root=root,
        api_version="beta",
        timeout_seconds=seconds,
        pool_size=4,
        user_agent="ComplianceStatusRelay/1.0",
        clock=lambda: datetime.now(UTC),
        new_guid=lambda: GUID,
        **options,
    )


def reply(play: Play, seconds: float = 20, **properties: Any) -> GraphReply:
    """Return what a server's answer is read as."""
    with serving(play) as server:
        return graph(server.url, seconds).patch_user_status(POLICY, USER, properties or EXAMPLE, token="t").reply

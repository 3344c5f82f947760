"""A scripted Graph."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.core.delivery.graph_reply import GraphReply
from shared.service.ports.graph import GraphCall
from tests.fakes.runtime import SteppedClock


@dataclass
class Patch:
    policy_id: str
    user_status_id: str
    properties: dict[str, Any]
    token: str
    at: datetime


class ScriptedGraph:
    """Answers with the scripted replies, then with success; keeps what it took."""

    def __init__(self, clock: SteppedClock, *replies: GraphReply) -> None:
        self.clock = clock
        self.replies = list(replies)
        self.calls: list[Patch] = []
        self.state: dict[tuple[str, str], dict[str, Any]] = {}
        self.refuse: Any = None
        self.parse_reply = GraphReply(200)
        self.users: dict[str, list[tuple[str, str]]] = {}
        self.list_replies: list[GraphReply] = []
        self.lists: list[tuple[str, str | None, str]] = []
        self.page_size = 2
        self.reads: list[tuple[str, str]] = []
        self.user_status_reply: GraphReply | None = None

    def patch_user_status(
        self, policy_id: str, user_status_id: str, properties: Mapping[str, Any], *, token: str
    ) -> GraphCall:
        now = self.clock.now()
        self.calls.append(Patch(policy_id, user_status_id, dict(properties), token, now))
        if self.refuse is not None and self.refuse(properties):
            return GraphCall(GraphReply(400, code="BadRequest", message="refused"), now, 7)
        reply = self.replies.pop(0) if self.replies else GraphReply(200)
        if reply.status_code is not None and reply.status_code < 300:
            kept = self.state.setdefault((policy_id, user_status_id), {})
            kept.update(properties)
            reply = replace(reply, result={"id": user_status_id} | kept)
        return GraphCall(reply, now, 7)

    def read_policies(self, *, token: str) -> GraphCall:
        return GraphCall(self.parse_reply, self.clock.now(), 7)

    def list_user_statuses(self, policy_id: str, link: str | None = None, *, token: str) -> GraphCall:
        self.lists.append((policy_id, link, token))
        if self.list_replies:
            return GraphCall(self.list_replies.pop(0), self.clock.now(), 7)
        at = int(link.removeprefix("from-")) if link else 0
        users = self.users.get(policy_id, [])
        value = [{"id": one, "userPrincipalName": name} for one, name in users[at : at + self.page_size]]
        end = at + self.page_size
        more = {"@odata.nextLink": f"from-{end}"} if end < len(users) else {}
        return GraphCall(GraphReply(200, result={"value": value} | more), self.clock.now(), 7)

    def read_user_status(self, policy_id: str, user_status_id: str, *, token: str) -> GraphCall:
        self.reads.append((policy_id, user_status_id))
        if self.user_status_reply is not None:
            return GraphCall(self.user_status_reply, self.clock.now(), 7)
        kept = self.state.get((policy_id, user_status_id))
        reply = (
            GraphReply(404, code="ResourceNotFound")
            if kept is None
            else GraphReply(200, result={"id": user_status_id} | kept)
        )
        return GraphCall(reply, self.clock.now(), 7)

"""A scripted Graph."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
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


@dataclass(frozen=True)
class LateLanding:
    """A reply that says nothing about the write, which is applied that many seconds after it."""

    reply: GraphReply
    seconds: float


class ScriptedGraph:
    """Answers with the scripted replies, then with success; keeps what it took."""

    def __init__(self, clock: SteppedClock, *replies: GraphReply) -> None:
        self.clock = clock
        self.replies: list[GraphReply | LateLanding] = list(replies)
        self.calls: list[Patch] = []
        self._state: dict[tuple[str, str], dict[str, Any]] = {}
        self._landing: list[tuple[datetime, tuple[str, str], dict[str, Any]]] = []
        self.call_seconds = 0.0
        self.refuse: Any = None
        self.parse_reply = GraphReply(200)
        self.users: dict[str, list[tuple[str, str]]] = {}
        self.list_replies: list[GraphReply] = []
        self.lists: list[tuple[str, str | None, str]] = []
        self.page_size = 2
        self.select_reply: GraphReply | None = None
        self.reads: list[tuple[str, str]] = []
        self.user_status_reply: GraphReply | None = None

    @property
    def state(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What Graph holds now, late landings that are due included."""
        due = sorted((landing for landing in self._landing if landing[0] <= self.clock.now()), key=lambda it: it[0])
        self._landing = [landing for landing in self._landing if landing not in due]
        for _, key, properties in due:
            self.apply(key, properties)
        return self._state

    def apply(self, key: tuple[str, str], properties: dict[str, Any]) -> None:
        """Write properties of a user status."""
        self._state.setdefault(key, {}).update(properties)

    def patch_user_status(
        self, policy_id: str, user_status_id: str, properties: Mapping[str, Any], *, token: str
    ) -> GraphCall:
        now = self.clock.now()
        self.calls.append(Patch(policy_id, user_status_id, dict(properties), token, now))
        self.clock.step(seconds=self.call_seconds)
        if self.refuse is not None and self.refuse(properties):
            return GraphCall(GraphReply(400, code="BadRequest", message="refused"), now, 7)
        reply = self.replies.pop(0) if self.replies else GraphReply(200)
        if isinstance(reply, LateLanding):
            when = self.clock.now() + timedelta(seconds=reply.seconds)
            self._landing.append((when, (policy_id, user_status_id), dict(properties)))
            reply = reply.reply
        if reply.status_code is not None and reply.status_code < 300:
            kept = self.state  # what is due lands first
            self.apply((policy_id, user_status_id), dict(properties))
            reply = replace(reply, result={"id": user_status_id} | kept[policy_id, user_status_id])
        return GraphCall(reply, now, 7)

    def read_policies(self, *, token: str) -> GraphCall:
        return GraphCall(self.parse_reply, self.clock.now(), 7)

    def list_user_statuses(
        self, policy_id: str, link: str | None = None, *, select: bool = True, token: str
    ) -> GraphCall:
        self.lists.append((policy_id, link, token))
        if select and self.select_reply is not None:
            return GraphCall(self.select_reply, self.clock.now(), 7)
        if self.list_replies:
            return GraphCall(self.list_replies.pop(0), self.clock.now(), 7)
        at = int(link.removeprefix("from-")) if link else 0
        users = self.users.get(policy_id, [])
        page = users[at : at + self.page_size]
        value = [self._entry(policy_id, user, name, select=select) for user, name in page]
        end = at + self.page_size
        more = {"@odata.nextLink": f"from-{end}"} if end < len(users) else {}
        return GraphCall(GraphReply(200, result={"value": value} | more), self.clock.now(), 7)

    def _entry(self, policy_id: str, user: str, name: str, *, select: bool) -> dict[str, Any]:
        """Return a user status as a list shows it."""
        held = {} if select else self.state.get((policy_id, user), {})
        return {"id": user, "userPrincipalName": name, **held}

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

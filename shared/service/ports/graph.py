"""Microsoft Graph and the identity that calls it, as the use cases need them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.core.delivery.graph_reply import GraphReply


class IdentityUnavailable(Exception):
    """No token could be had; the text says why and holds no secret."""


@dataclass(frozen=True)
class GraphCall:
    """One Graph call: when it began, how long it took, what came of it."""

    reply: GraphReply
    started: datetime
    duration_milliseconds: int


class Graph(Protocol):
    """Microsoft Graph; every failure is a value in the answer's reply."""

    def patch_user_status(
        self, policy_id: str, user_status_id: str, properties: Mapping[str, str | int], *, token: str
    ) -> GraphCall: ...
    def read_policies(self, *, token: str) -> GraphCall:
        """One cheap read: whether Graph answers, and takes this app's word."""
        ...

    def list_user_statuses(
        self, policy_id: str, link: str | None = None, *, select: bool = True, token: str
    ) -> GraphCall:
        """Read a page of a policy's user statuses; ``link`` is the page before's own.

        ``select`` asks for ids and principal names alone.
        """
        ...

    def read_user_status(self, policy_id: str, user_status_id: str, *, token: str) -> GraphCall:
        """One user status as Graph has it."""
        ...


class Identity(Protocol):
    """The app's managed identity. Raises ``IdentityUnavailable``."""

    def token(self) -> str: ...
    def fresh_token(self, rejected: str) -> str: ...

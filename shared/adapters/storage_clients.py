"""Clients of Azure Storage from a connection string or, identity-based, from service addresses.

Retries are short, since the queue itself is the patient one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from azure.core.credentials import AccessToken, TokenCredential
from azure.data.tables import TableClient
from azure.identity import DefaultAzureCredential
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from shared.adapters.http_session import new_session
from shared.adapters.sdk_transport import PromptTransport
from shared.adapters.shared_credential import ManagedIdentitySource, SharedCredential, Source
from shared.adapters.total_limit import LimitedAdapter, TotalLimit

_DEVELOPMENT = "UseDevelopmentStorage=true"
_POLICY: dict[str, Any] = {
    "connection_timeout": 3,
    "read_timeout": 10,
    "retry_total": 2,
    "retry_connect": 2,
    "retry_read": 1,
}
_TABLE_POLICY: dict[str, Any] = {**_POLICY, "retry_backoff_factor": 0.4}
_QUEUE_POLICY: dict[str, Any] = {**_POLICY, "initial_backoff": 0.4, "increment_base": 1, "random_jitter_range": 0.4}
_SCOPE = "https://storage.azure.com/.default"
#: A caller of the API is answered within ten seconds, whatever the identity endpoint does; its answer still comes.
_PATIENCE_SECONDS = 8.0


@dataclass(frozen=True)
class StorageClients:
    """Where storage is: a connection string, or both addresses and how to sign in.

    ``credential`` = ``managedidentity`` names the app's identity (``client_id`` a user-assigned one), as the Functions
    host has it; without it the SDK's default chain signs in, which on a developer's machine is the developer.
    """

    connection_string: str | None
    queue_service_uri: str | None
    table_service_uri: str | None
    credential: str | None
    client_id: str | None
    connections: int
    clock: Callable[[], datetime]

    def queue(self, name: str) -> QueueClient:
        """Return a client of one queue, whose messages are base64."""
        options = {
            **_QUEUE_POLICY,
            "transport": self._queue_transport,
            "message_encode_policy": TextBase64EncodePolicy(),
        }
        if self.connection_string is not None:
            return QueueClient.from_connection_string(self.connection_string, name, **options)
        return QueueClient(str(self.queue_service_uri), name, credential=self._sign_in, **options)

    def table(self, name: str) -> TableClient:
        """Return a client of one table."""
        options = {**_TABLE_POLICY, "transport": self._table_transport}
        if self.connection_string is not None:
            return TableClient.from_connection_string(self.connection_string, name, **options)
        return TableClient(str(self.table_service_uri), name, credential=self._sign_in, **options)

    # Each client is made directly: one that a service client makes would not sleep through this transport.

    @cached_property
    def _queue_transport(self) -> PromptTransport:
        return self._transport("Queue", self.queue_service_uri)

    @cached_property
    def _table_transport(self) -> PromptTransport:
        return self._transport("Table", self.table_service_uri)

    def _transport(self, service: str, uri: str | None) -> PromptTransport:
        url = uri or _endpoint(self.connection_string or "", service)
        return PromptTransport(new_session(url, LimitedAdapter(self.connections)))

    @cached_property
    def _sign_in(self) -> SharedCredential:
        managed = self.credential == "managedidentity"

        def source() -> Source:
            return ManagedIdentitySource(self.client_id) if managed else _DefaultSource(self.client_id)

        return SharedCredential(_SCOPE, source, clock=self.clock, patience_seconds=_PATIENCE_SECONDS)


class _DefaultSource:
    """The SDK's default chain, for a developer's machine."""

    def __init__(self, client_id: str | None) -> None:
        self._credential: TokenCredential = DefaultAzureCredential(managed_identity_client_id=client_id)

    def get(self, scope: str, claims: str | None) -> AccessToken:
        """Return the first token of the chain."""
        return self._credential.get_token(scope, claims=claims)

    def why(self, _error: Exception, _limit: TotalLimit) -> str:
        """Return what to do: the chain's own words are a page long."""
        return "no credential of this machine gives a token: sign in with 'az login'"


def _endpoint(connection_string: str, service: str) -> str:
    """Return the service's address where the connection string names it, else any of the public cloud."""
    if _DEVELOPMENT.lower() in connection_string.lower():
        return "http://127.0.0.1"
    named = re.search(rf"(?i)\b{service}Endpoint=([^;]+)", connection_string)
    return named[1] if named else f"https://{service.lower()}.core.windows.net"

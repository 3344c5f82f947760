"""Clients of Azure Storage from a connection string or, identity-based, from service addresses.

One ``requests`` session serves them all; retries are short, since the queue itself is the patient one.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.data.tables import TableClient, TableServiceClient
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.queue import QueueClient, QueueServiceClient, TextBase64EncodePolicy
from requests.adapters import HTTPAdapter

_DEVELOPMENT = "UseDevelopmentStorage=true"
_POLICY: dict[str, Any] = {
    "connection_timeout": 5,
    "read_timeout": 10,
    "retry_total": 2,
    "retry_connect": 2,
    "retry_read": 1,
}
_TABLE_POLICY: dict[str, Any] = {**_POLICY, "retry_backoff_factor": 0.4}
_QUEUE_POLICY: dict[str, Any] = {**_POLICY, "initial_backoff": 1, "increment_base": 2}


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

    def queue(self, name: str) -> QueueClient:
        """A client of one queue, whose messages are base64."""
        return self._queues.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())

    def table(self, name: str) -> TableClient:
        """A client of one table."""
        return self._tables.get_table_client(name)

    @cached_property
    def _queues(self) -> QueueServiceClient:
        options = {**_QUEUE_POLICY, "transport": self._transport}
        if self.connection_string is not None:
            return QueueServiceClient.from_connection_string(self.connection_string, **options)
        return QueueServiceClient(str(self.queue_service_uri), credential=self._sign_in, **options)

    @cached_property
    def _tables(self) -> TableServiceClient:
        options = {**_TABLE_POLICY, "transport": self._transport}
        if self.connection_string is not None:
            return TableServiceClient.from_connection_string(self.connection_string, **options)
        return TableServiceClient(str(self.table_service_uri), credential=self._sign_in, **options)

    @cached_property
    def _transport(self) -> RequestsTransport:
        session = requests.Session()
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=self.connections)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return RequestsTransport(session=session, session_owner=False)

    @cached_property
    def _sign_in(self) -> ManagedIdentityCredential | DefaultAzureCredential:
        if self.credential == "managedidentity":
            return ManagedIdentityCredential(client_id=self.client_id)
        return DefaultAzureCredential(managed_identity_client_id=self.client_id)

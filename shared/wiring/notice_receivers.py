"""The receivers of outcome notices, one for each destination of ``NOTICES``."""

from collections.abc import Callable, Mapping
from datetime import datetime

from shared.adapters.identity import ManagedIdentity
from shared.adapters.notice_receivers import (
    EventGridReceiver,
    HttpPost,
    QueueReceiver,
    WebhookReceiver,
    event_grid_query,
)
from shared.adapters.storage_clients import StorageClients
from shared.adapters.storage_queue import StorageQueue
from shared.core.delivery.notice_destination import (
    Destination,
    EventGridDestination,
    QueueDestination,
    WebhookDestination,
)
from shared.service.ports.notices import NoticeReceiver
from shared.settings import Settings

#: Notices that one instance sends at a time, on threads of their own: slow receivers keep no thread from deliveries.
NOTICES_AT_ONCE = 8


def notice_receivers(settings: Settings, now: Callable[[], datetime], user_agent: str) -> Mapping[str, NoticeReceiver]:
    """Return a receiver by source, ``*`` for any."""

    def receiver(to: Destination) -> NoticeReceiver:
        match to:
            case WebhookDestination(url, secrets):
                return WebhookReceiver(_post(url, user_agent), secrets, now)
            case QueueDestination(connection, queue):
                return QueueReceiver(StorageQueue(_clients(settings, connection, now).queue(queue)))
            case EventGridDestination(endpoint, audience):
                identity = ManagedIdentity(scope=f"{audience}/.default", client_id=settings.client_id, clock=now)
                return EventGridReceiver(_post(endpoint, user_agent), identity, event_grid_query(endpoint))

    return {source: receiver(to) for source, to in settings.notices.items()}


def _post(url: str, user_agent: str) -> HttpPost:
    return HttpPost(url, user_agent=user_agent, pool_size=NOTICES_AT_ONCE)


def _clients(settings: Settings, connection: str, now: Callable[[], datetime]) -> StorageClients:
    storage = settings.notice_storages[connection]
    return StorageClients(
        connection_string=storage.connection_string,
        queue_service_uri=storage.queue_service_uri,
        table_service_uri=None,
        credential=storage.credential,
        client_id=storage.client_id,
        connections=NOTICES_AT_ONCE,
        clock=now,
    )

"""Queue messages as the host hands them over, turned into what the use cases take."""

from datetime import UTC, datetime

import azure.functions as func  # noqa: TID251 - the queue's face speaks the host's types

from shared.core.trace import read_traceparent
from shared.service.deliver import Delivery

_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)


def delivery(message: func.QueueMessage, invocation: str | None = None) -> Delivery:
    """Body as bytes, ids and counts; a host that leaves one out gives the first delivery of an old message.

    ``invocation`` is the ``traceparent`` of the host's span.
    """
    return Delivery(
        body=message.get_body(),
        message_id=message.id or "",
        inserted=_aware(message.insertion_time),
        dequeue_count=message.dequeue_count or 1,
        invocation=read_traceparent(invocation),
    )


def _aware(moment: datetime | None) -> datetime:
    if moment is None:
        return _UNKNOWN
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

"""The two lanes' queues: an update travels on the queue of its priority, whoever puts it there."""

from dataclasses import dataclass
from datetime import timedelta

from shared.core.intake.envelope import Envelope
from shared.service.ports.storage import QueueHead, UpdateQueue

_AT_ONCE = timedelta(0)


@dataclass(frozen=True)
class Queues:
    """Both queues. Every method raises ``Unavailable`` as the queue does."""

    normal: UpdateQueue
    bulk: UpdateQueue

    def put(self, envelope: Envelope, delay: timedelta = _AT_ONCE) -> None:
        """Put an update's message on the queue of its lane, visible after ``delay``."""
        queue = self.bulk if envelope.update.bulk else self.normal
        queue.put(envelope.to_json(), max(_AT_ONCE, delay))

    def head(self) -> QueueHead:
        """Return the length of both together, and when the first visible message of either was put there."""
        heads = self.normal.head(), self.bulk.head()
        inserted = [head.inserted for head in heads if head.inserted is not None]
        return QueueHead(sum(head.length for head in heads), min(inserted, default=None))

    def touch(self) -> None:
        """Write to both what nobody reads: whether they can be written."""
        self.normal.touch()
        self.bulk.touch()

"""The two lanes' queues: an update travels on the queue of its priority, whoever puts it there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.core.intake.bundle import bundle_text
from shared.core.intake.envelope import Envelope
from shared.core.intake.update_schema import BULK, NORMAL
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

    def put_together(self, envelopes: Sequence[Envelope]) -> None:
        """Put updates of one lane on its queue as one message; together they fit in one."""
        queue = self.bulk if envelopes[0].update.bulk else self.normal
        queue.put(bundle_text(envelopes))

    def head(self) -> QueueHead:
        """Return the length of both together, and when the first visible message of either was put there."""
        return both(self.heads())

    def heads(self) -> Mapping[str, QueueHead]:
        """Return the head of each queue by its priority."""
        return {NORMAL: self.normal.head(), BULK: self.bulk.head()}

    def touch(self) -> None:
        """Write to both what nobody reads: whether they can be written."""
        self.normal.touch()
        self.bulk.touch()


def both(heads: Mapping[str, QueueHead]) -> QueueHead:
    """Return the heads of several queues as one of all their messages."""
    inserted = [head.inserted for head in heads.values() if head.inserted is not None]
    return QueueHead(sum(head.length for head in heads.values()), min(inserted, default=None))

"""What the queue promises, whoever keeps it."""

from datetime import timedelta

from shared.core.basics.version import Version
from shared.wiring.adapters import Ports
from tests.builders import an_id

KEY = "a" * 40
VERSION = Version(638_000_000_000_000_000, an_id())


def test_a_message_keeps_its_text_and_counts_in_the_head(ports: Ports) -> None:
    """Length counts hidden messages too; the head is the first visible one."""
    assert ports.queue.head().length == 0
    ports.queue.put('{"a": "é\u2028"}')
    ports.queue.put("{}", timedelta(hours=1))

    head = ports.queue.head()

    assert head.length == 2
    assert head.inserted is not None


def test_a_queue_that_can_be_written_holds_no_message_for_it(ports: Ports) -> None:
    """Readiness asks often."""
    ports.queue.touch()
    ports.queue.touch()
    assert ports.queue.head().length == 0

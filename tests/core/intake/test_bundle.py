"""Bundles as text: as many updates as fit, in order, and each readable whatever the others are."""

import base64
import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.core.intake.bundle import MAX_BUNDLE_BYTES, Bundle, bundle_text, packed, read_bundle
from shared.core.intake.envelope import Envelope, Received, Unreadable
from tests.builders import NOW, an_envelope


def opened(text: str | bytes) -> Bundle | None:
    """Read a bundle."""
    return read_bundle(text if isinstance(text, bytes) else text.encode(), message_id="m", inserted=NOW)


def named(n: int, length: int) -> Envelope:
    """A bulk update whose name is so long, in two bytes a character."""
    return an_envelope(n=n, priority="bulk", userStatus={"userDisplayName": "é" * length, "status": "error"})


@given(st.lists(st.integers(0, 256), max_size=300))
def test_what_is_packed_is_read_again_in_order(lengths: list[int]) -> None:
    """And fits in a queue message, as base64 too."""
    envelopes = [named(n, length) for n, length in enumerate(lengths)]
    texts = [bundle_text(message) for message in packed(envelopes)]
    read = []
    for text in texts:
        assert len(text.encode()) <= MAX_BUNDLE_BYTES
        bundle = opened(base64.b64encode(text.encode()))
        read += [item.envelope for item in bundle.items if isinstance(item, Received)] if bundle else [json.loads(text)]
    assert [item["id"] if isinstance(item, dict) else item.id for item in read] == [item.id for item in envelopes]


def test_an_update_that_nearly_fills_a_message_is_alone() -> None:
    """Beside a small one there is no room."""
    large = replace(an_envelope(n=1, priority="bulk"), unknown={"later": "x" * (47 * 1024)})
    messages = list(packed([an_envelope(n=0), large, an_envelope(n=2)]))
    assert [len(message) for message in messages] == [1, 1, 1]
    assert bundle_text(messages[1]) == large.to_json()


def test_an_item_that_cannot_be_read_does_not_touch_the_others() -> None:
    """Garbage, an item of a newer version, and a message that someone put there by hand."""
    first, newer = an_envelope(n=1, priority="bulk"), json.loads(an_envelope(n=2, priority="bulk").to_json())
    newer |= {"later": 1}
    items = [json.loads(first.to_json()), 7, {"relay": 9}, newer, first.update.message]
    bundle = opened(json.dumps({"relay": 1, "bundle": items, "later": 2}))
    assert bundle is not None
    assert [type(item) for item in bundle.items] == [Received, Unreadable, Unreadable, Received, Received]
    assert bundle.items[0] == Received(first)
    assert len({item.envelope.id if isinstance(item, Received) else item.id for item in bundle.items}) == 5
    last = bundle.items[4]
    assert isinstance(last, Received)
    assert last.foreign


def test_other_messages_are_no_bundles() -> None:
    """Not even one that speaks of a bundle."""
    for text in (an_envelope().to_json(), '{"bundle": []}', '{"relay": 1, "bundle": 1}', "nonsense", '"bundle"'):
        assert opened(text) is None

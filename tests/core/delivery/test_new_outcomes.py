"""The first outcome of an update, and of a message that cannot be read."""

from dataclasses import replace

from shared.core.basics.strict_json import Fault
from shared.core.delivery.outcome import Outcome, State, error_object, queued, unreadable
from shared.core.intake.envelope import Unreadable
from tests.builders import NOW, an_envelope, an_id


def test_a_queued_outcome_keeps_all_of_its_envelope() -> None:
    """A later turn, a replay and a trace go on from it."""
    envelope = replace(
        an_envelope(attempt=3),
        submitted_by="hr",
        replay_of=an_id(n=7),
        version=replace(an_envelope().ordering, id=an_id(n=7)),
        poisoned=2,
        traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01",
    )
    assert queued(envelope, NOW) == Outcome(
        id=envelope.id,
        state=State.QUEUED,
        last_action=NOW,
        update=envelope.update,
        attempt=3,
        submitted_by="hr",
        replay_of=envelope.replay_of,
        version=envelope.version,
        poisoned=2,
        traceparent=envelope.traceparent,
    )


def test_an_unreadable_message_fails_at_once_with_its_text_and_its_faults() -> None:
    """Its sender sees what to mend; the raw text stays with its encoding."""
    message = Unreadable(
        id=an_id(), faults=(Fault("/userStatus", "is required"),), raw_message="/w==", raw_message_encoding="base64"
    )
    assert unreadable(message, NOW) == Outcome(
        id=an_id(),
        state=State.FAILED,
        last_action=NOW,
        error={
            "code": "invalidMessage",
            "message": "The message is not a valid update message.",
            "errors": [{"pointer": "/userStatus", "detail": "is required"}],
        },
        raw_message="/w==",
        raw_message_encoding="base64",
    )


def test_an_error_without_faults_has_no_list_of_them() -> None:
    """Its code and message alone."""
    assert error_object("poisoned", "No turn ended.") == {"code": "poisoned", "message": "No turn ended."}

"""What an accepted update means for its user status: which one it is, and what it brings."""

from shared.core.envelope import Envelope
from shared.core.update import user_status_key
from shared.core.user_status import Acceptance, UserStatusRow


def key_of(envelope: Envelope) -> str:
    """The partition of its user status."""
    update = envelope.update
    return user_status_key(update.device_compliance_policy_id, str(update.device_compliance_user_status_id))


def row_of(envelope: Envelope) -> UserStatusRow:
    """The row of a user status at its first turn."""
    update = envelope.update
    return UserStatusRow(update.device_compliance_policy_id, str(update.device_compliance_user_status_id))


def acceptance_of(envelope: Envelope) -> Acceptance:
    """The values it brings, with their version."""
    return Acceptance(envelope.id, envelope.ordering, envelope.update.properties())

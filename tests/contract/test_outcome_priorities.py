"""Lists of one lane, whoever keeps the outcomes."""

from shared.adapters.storage_tables.outcome_row import keys
from shared.core.delivery.outcome import queued, unreadable
from shared.core.intake.envelope import Unreadable
from shared.service.ports.storage import OutcomeFilter
from shared.wiring.adapters import Ports
from tests.builders import NOW, an_envelope, an_id
from tests.contract.rows import Rows


def test_lists_filter_by_priority(ports: Ports) -> None:
    """A message that cannot be read is normal."""
    envelopes = {lane: an_envelope(n=n, priority=lane) for n, lane in enumerate(("normal", "bulk"))}
    for envelope in envelopes.values():
        ports.outcomes.insert(queued(envelope, NOW))
    ports.outcomes.insert(unreadable(Unreadable(an_id(n=2), (), "x", None), NOW))
    wanted = {"normal": {envelopes["normal"].id, an_id(n=2)}, "bulk": {envelopes["bulk"].id}}
    for priority, ids in wanted.items():
        page = ports.outcomes.list(OutcomeFilter(priority=priority), 10)
        assert {outcome.id for outcome in page.outcomes} == ids


def test_a_row_of_the_version_before_is_normal(azurite_ports: Ports) -> None:
    """It has no column for it."""
    rows, envelope = Rows(azurite_ports), an_envelope()
    rows.ports.outcomes.insert(queued(envelope, NOW))
    row = rows.read("outcomes", *keys(envelope.id))
    del row["Priority"]
    rows.write("outcomes", row)
    for priority, count in (("normal", 1), ("bulk", 0)):
        assert len(rows.ports.outcomes.list(OutcomeFilter(priority=priority), 10).outcomes) == count

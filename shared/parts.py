"""What several use cases of one relay share."""

from dataclasses import dataclass

from shared.core.pacing import Quota
from shared.outside import Ports
from shared.service.accept import Accept
from shared.service.end import End
from shared.service.gate import Gate
from shared.service.lease import Leases
from shared.service.records import Records
from shared.service.sending import Write
from shared.service.tally import Tally
from shared.settings import Settings
from shared.web.callers import Callers
from shared.web.waiting import Waiting


@dataclass(frozen=True)
class Parts:
    """One of each a process."""

    outside: Ports
    tally: Tally
    records: Records
    leases: Leases
    gate: Gate
    end: End
    write: Write
    accept: Accept
    waiting: Waiting
    callers: Callers


def quota_of(settings: Settings) -> Quota:
    """The write quota, in milliseconds."""
    return Quota(settings.write_quota.count, int(settings.write_quota.seconds * 1000))

"""What runs on a timer, or on an operator's request, wired: an instance that only delivers never loads it."""

from dataclasses import dataclass

from shared.parts import Parts, quota_of
from shared.service.doctor import Doctor
from shared.service.erase import Erase
from shared.service.observe import Observe
from shared.service.poison import Poison
from shared.service.purge import Purge
from shared.service.reconcile import Reconcile
from shared.settings import Settings
from shared.web.doctor import DoctorPage
from shared.web.erasures import Erasures
from shared.web.openapi import OpenApi
from shared.web.pages import Pages
from shared.web.stats import Stats
from shared.web.user_statuses import UserStatuses


@dataclass(frozen=True)
class Operations:
    """The rest of the app."""

    poison: Poison
    reconcile: Reconcile
    observe: Observe
    purge: Purge
    erase: Erase
    erasures: Erasures
    user_statuses: UserStatuses
    stats: Stats
    doctor: DoctorPage
    openapi: OpenApi
    pages: Pages


def operations(settings: Settings, parts: Parts) -> Operations:
    """All of it, over the parts that it shares with deliveries."""
    outside, clock, quota = parts.outside, parts.outside.clock, quota_of(settings)
    erase = _erase(settings, parts)
    return Operations(
        poison=Poison(outside.queue, parts.records, parts.end, clock),
        reconcile=Reconcile(outside.queue, outside.outcomes, parts.records, clock, settings.delivery_deadline),
        observe=Observe(outside.queue, outside.pacing, quota, clock, outside.telemetry),
        purge=Purge(
            outside.outcomes, outside.keys, outside.activity, outside.erasures, clock, settings.outcome_retention
        ),
        erase=erase,
        erasures=Erasures(erase, parts.callers),
        user_statuses=UserStatuses(outside.user_statuses),
        stats=Stats(parts.tally, outside.queue, outside.pacing, quota, clock),
        doctor=DoctorPage(_doctor(settings, parts), parts.waiting, clock),
        openapi=OpenApi(parts.callers),
        pages=Pages(),
    )  # fmt: skip


def _doctor(settings: Settings, parts: Parts) -> Doctor:
    outside = parts.outside
    return Doctor(
        outside.queue, outside.activity, outside.identity, outside.graph, outside.user_statuses, parts.leases,
        parts.gate, parts.write, outside.clock, settings.graph_audience.removesuffix("/.default"),
    )  # fmt: skip


def _erase(settings: Settings, parts: Parts) -> Erase:
    outside = parts.outside
    return Erase(
        outside.erasures, outside.outcomes, outside.user_statuses, outside.queue, outside.clock, outside.chance,
        settings.outcome_retention,
    )  # fmt: skip

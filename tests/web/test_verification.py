"""The doctor's word on verification, and the setting."""

from datetime import timedelta
from typing import Any

import pytest

from shared.core.delivery.verification import VerificationState
from shared.service.ports.storage import Unavailable
from shared.settings import InvalidSettings
from tests.service.maintenance.verified import verifying
from tests.test_settings import settings
from tests.web.caller import BASE, ask
from tests.web.test_operations import a_schema
from tests.world import World

CONFIRMED, OVERWRITTEN, UNKNOWN = VerificationState


def finding(world: World) -> dict[str, Any] | None:
    """Return what the doctor finds about verification; None where it does not look."""
    _, body = ask(world.relay.doctor.get_doctor, url=f"{BASE}/api/doctor")
    assert a_schema("Doctor").is_valid(body)
    found = [check for check in body["checks"] if check["name"] == "verification"]
    return found[0] if found else None


def counted(confirmed: int, overwritten: int, unknown: int, world: World) -> dict[str, Any]:
    """Return the finding after these verdicts."""
    for state, count in {CONFIRMED: confirmed, OVERWRITTEN: overwritten, UNKNOWN: unknown}.items():
        for _ in range(count):
            world.relay.counters.verified(state)
    found = finding(world)
    assert found is not None
    return found


def test_what_intune_recalculated_is_said_with_the_next_step() -> None:
    """In the words of an operator."""
    found = counted(28, 12, 3, verifying())
    assert found["status"] == "failing"
    assert found["detail"] == "Intune recalculated 12 of 40 values within 1 minute."
    assert "Intune admin center" in found["nextStep"]


@pytest.mark.parametrize(("counts", "status"), [((4, 0, 2), "ok"), ((0, 0, 0), "ok"), ((0, 0, 2), "unknown")])
def test_nothing_overwritten_is_well_unless_nothing_could_be_read(counts: tuple[int, int, int], status: str) -> None:
    """A list that cannot be read says nothing about the values."""
    found = counted(*counts, verifying())
    assert found["status"] == status
    assert (found["nextStep"] is None) == (status == "ok")


def test_counts_that_cannot_be_read_are_unknown() -> None:
    """Storage is to blame."""
    world = verifying()

    def down(*_: Any) -> None:
        raise Unavailable("table")

    world.counters.read = down  # type: ignore[assignment, method-assign]
    assert counted(0, 0, 0, world)["status"] == "unknown"


def test_without_the_setting_the_doctor_does_not_look(world: World) -> None:
    """There is nothing to count."""
    assert finding(world) is None


def test_the_setting_is_seconds_up_to_a_day() -> None:
    """Unset is never."""
    assert settings().verify_after is None
    assert settings(VERIFY_AFTER_SECONDS="900").verify_after == timedelta(minutes=15)
    for text in ("0", "-1", "x", "nan", "86401"):
        with pytest.raises(InvalidSettings, match=r"VERIFY_AFTER_SECONDS = .*unset = never"):
            settings(VERIFY_AFTER_SECONDS=text)

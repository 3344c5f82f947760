"""Files of users, and reports."""

import csv
from pathlib import Path

from tests.builders import POLICY
from tests.world import World

HEADER = "deviceCompliancePolicyId,deviceComplianceUserStatusId,status,devicesCount\n"


def write_users(folder: Path, count: int, more: str = "") -> Path:
    """Write a CSV of so many users."""
    path = folder / "users.csv"
    path.write_text(HEADER + "".join(f"{POLICY},user-{n},compliant,{n}\n" for n in range(count)) + more)
    return path


def count_updates(world: World) -> int:
    """Return how many updates the relay has."""
    return len(world.outcomes.rows)


def read_report(path: Path) -> list[dict[str, str]]:
    """Return the rows of a report."""
    return list(csv.DictReader(path.read_text().splitlines()))

"""What tests of verification do to a relay that verifies after a minute."""

from typing import Any

from shared.settings import Settings
from tests.builders import POLICY
from tests.world import World


def verifying() -> World:
    """Return a relay that verifies after a minute."""
    return World(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true", "VERIFY_AFTER_SECONDS": "60"}))


def delivered(world: World, *users: str, policy: str = POLICY, **properties: Any) -> list[str]:
    """Deliver an update of each user, whom the policy's list holds from then on; their ids."""
    known = world.graph.users.setdefault(policy, [])
    known += [(user, f"{user}@contoso.example") for user in users if user not in dict(known)]
    status = properties or {"status": "compliant", "devicesCount": 3}
    ids = [
        world.accept(deviceCompliancePolicyId=policy, deviceComplianceUserStatusId=user, userStatus=status)
        for user in users
    ]
    world.run()
    return ids


def reverted(world: World, user: str, **shown: Any) -> None:
    """Let Graph show other values."""
    world.graph.apply((POLICY, user), shown or {"status": "nonCompliant"})


def states(world: World, ids: list[str]) -> list[str | None]:
    """Return the verdicts as callers see them."""
    found = [world.resource(update_id)["verification"] for update_id in ids]
    return [verification and verification["state"] for verification in found]


def swept(world: World, **wait: float) -> int:
    """Sweep after a while."""
    world.clock.step(**(wait or {"seconds": 61}))
    return world.relay.verify()

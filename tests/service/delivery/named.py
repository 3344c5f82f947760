"""Updates that name their user by principal name."""

from typing import Any

from tests.builders import POLICY, USER
from tests.world import World

NAME = "A.User@contoso.example"
OTHER_POLICY = "4f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11"


def with_users(world: World) -> World:
    """Give the world a policy of five users, three pages long."""
    world.graph.users[POLICY] = [(f"u{n}", f"user{n}@contoso.example") for n in range(4)] + [(USER, NAME.lower())]
    return world


def named(name: str = NAME, **changes: Any) -> dict[str, Any]:
    """A message that names its user."""
    return {"deviceComplianceUserStatusId": None, "userPrincipalName": name} | changes


def code(world: World, update_id: str) -> str:
    """The error's code."""
    return str(world.resource(update_id)["error"]["code"])

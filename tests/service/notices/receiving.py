"""A world whose sources have destinations."""

import json

from shared.settings import Settings
from tests.world import World

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"  # pragma: allowlist secret
WEBHOOK = {"type": "webhook", "url": "https://receiver.example/hook", "secrets": [SECRET]}
EVERY_SOURCE = json.dumps({"*": WEBHOOK})


def noticing(notices: str = EVERY_SOURCE) -> World:
    """Return a world with this setting."""
    return World(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true", "NOTICES": notices}))


def ids(world: World, receiver: str = "*") -> list[str]:
    """Return the ids of the events that a receiver took, sorted."""
    return sorted(str(event["id"]) for event in world.receivers[receiver].events)

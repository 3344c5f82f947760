"""Fixtures named as nouns, and how many examples a property is tried with (``HYPOTHESIS_PROFILE``)."""

import os

import pytest
from hypothesis import HealthCheck, settings

from shared.settings import Settings
from tests.world import World

settings.register_profile("full", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("full"), max_examples=20)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "full"))


@pytest.fixture
def environ() -> dict[str, str]:
    """The least that the app needs."""
    return {"UPDATES_STORAGE": "UseDevelopmentStorage=true"}


@pytest.fixture
def world() -> World:
    """The wired app among fakes."""
    return World(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"}))

"""Fixtures named as nouns."""

import pytest
from hypothesis import HealthCheck, settings

from shared.settings import Settings
from tests.world import World

settings.register_profile("relay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("relay")


@pytest.fixture
def environ() -> dict[str, str]:
    """The least that the app needs."""
    return {"UPDATES_STORAGE": "UseDevelopmentStorage=true"}


@pytest.fixture
def world() -> World:
    """The wired app among twins."""
    return World(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"}))

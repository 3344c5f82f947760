"""The wired app, watched."""

from collections.abc import Iterator

import pytest

from shared.settings import Settings
from tests.watched import Watched, watched


@pytest.fixture
def seen() -> Iterator[Watched]:
    """The wired app, watched."""
    with watched(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"})) as parts:
        yield parts

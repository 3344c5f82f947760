"""The app's own triggers over the fakes: an app that the emulator's host runs without storage and Graph."""

import importlib.util
from pathlib import Path

from tests.world import World

_PATH = Path(__file__).parent.parent.parent.parent / "function_app.py"
_SPEC = importlib.util.spec_from_file_location("app_triggers", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
triggers = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(triggers)
triggers.relay = World(triggers.settings).relay
app = triggers.app

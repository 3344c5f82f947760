"""What ``function_app`` binds, as the host sees it."""

from tests.web.routes import bindings


def test_every_queue_trigger_is_binary() -> None:
    """Else members of a JSON message overwrite the trigger's metadata (docs/graph-facts.md#f90)."""
    types = {name: binding.get("dataType") for name, binding in bindings() if binding["type"] == "queueTrigger"}
    assert len(types) >= 2
    assert set(types.values()) == {"BINARY"}

"""JSON Lines: a message per line."""

import json

import pytest

from tests.builders import a_message
from tests.relay.rows.reading import faults


def test_json_lines_are_messages() -> None:
    """A blank line is none; each fault has its line and pointer."""
    good = json.dumps(a_message())
    content = f'\n{good}\n\n{{"a": 1, "a": 2}}\n[]\n{{nonsense\n{json.dumps(a_message(userStatus={"status": "x"}))}\n'
    assert [line for line, _, _ in faults(content)] == [4, 5, 6, 7]
    assert faults(content)[-1][1] == "/userStatus/status"


@pytest.mark.parametrize(
    "document",
    [
        json.dumps(a_message(), indent=2),
        json.dumps([a_message()], indent=2),
        json.dumps([a_message()]),
        json.dumps({"updates": [a_message()]}),
    ],
)
def test_a_json_document_instead_of_json_lines_has_a_hint(document: str) -> None:
    """The hint names the jq command that makes JSON Lines of it."""
    assert "jq -c" in faults(document)[0][2]

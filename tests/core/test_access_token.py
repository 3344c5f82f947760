"""What a token says of itself, whatever it is."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.tokens import GRAPH_AUDIENCE, WRITE_ROLE, issue
from shared.core.basics.access_token import GRAPH_APPLICATION_ID, Claims, read_claims


def jwt(payload: bytes) -> str:
    """A token around it."""
    return f"e30.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.x"


def test_a_tokens_audience_and_roles_are_read() -> None:
    """The signature is nobody's business here."""
    token = issue(GRAPH_AUDIENCE, [WRITE_ROLE, "x"], now=0, lifetime=1)
    assert read_claims(token) == Claims(GRAPH_AUDIENCE, frozenset({WRITE_ROLE, "x"}))


@pytest.mark.parametrize(
    ("audience", "fits"),
    [
        (GRAPH_AUDIENCE, True),
        (GRAPH_AUDIENCE + "/", True),
        (GRAPH_APPLICATION_ID, True),
        (GRAPH_APPLICATION_ID.upper(), True),
        ("https://graph.microsoft.us", False),
        ("", False),
    ],
)
def test_the_audience_is_the_clouds_root_or_graphs_id(audience: str, fits: bool) -> None:
    """As Entra issues them."""
    assert Claims(audience, frozenset()).is_for(GRAPH_AUDIENCE) is fits


@pytest.mark.parametrize("roles", [None, "x", 7, {"a": 1}, [1, None]])
def test_roles_that_are_none_count_as_none(roles: Any) -> None:
    """A token without application permissions has no such claim."""
    assert read_claims(jwt(json.dumps({"aud": "a", "roles": roles}).encode())) == Claims("a", frozenset())


@given(st.text(max_size=60) | st.binary(max_size=60).map(jwt))
def test_garbage_is_no_token(text: str) -> None:
    """And raises nothing."""
    assert read_claims(text) is None or isinstance(read_claims(text), Claims)

"""Idempotency keys in the header and in the body."""

import pytest

from tests.builders import a_message
from tests.web.caller import post, problem
from tests.world import World


@pytest.mark.parametrize("key", ["abc", '"abc"', ' "abc" '])
def test_a_repeated_key_gives_the_first_update_again(world: World, key: str) -> None:
    """Quoted or bare, header or body."""
    first, first_body = post(world, a_message(idempotencyKey="abc"))
    second, second_body = post(world, a_message(), Idempotency_Key=key)

    assert (first.status_code, second.status_code) == (202, 202)
    assert first_body["id"] == second_body["id"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert len(world.queue.messages) == 1
    world.run()
    assert post(world, a_message(), Idempotency_Key=key)[0].status_code == 200


def test_a_quoted_key_may_hold_quotes(world: World) -> None:
    """RFC 8941's two escapes."""
    _, body = post(world, a_message(), Idempotency_Key=r'"a\"b\\c"')
    assert body["idempotencyKey"] == r'a"b\c'


def test_a_requests_key_comes_before_an_events_identity(world: World) -> None:
    """The caller's own name for it."""
    event = {"specversion": "1.0", "id": "1", "source": "/hr", "type": "t", "data": a_message()}
    response, body = post(world, event, Idempotency_Key="mine")
    assert (response.status_code, body["idempotencyKey"]) == (202, "mine")


def test_a_key_is_scoped_by_source_and_guards_its_payload(world: World) -> None:
    """Another source is another key; another payload is 422."""
    first_body = post(world, a_message(source="hr"), Idempotency_Key="k")[1]
    second_body = post(world, a_message(source="mdm"), Idempotency_Key="k")[1]
    tampered, problem = post(world, a_message(source="hr", userStatus={"devicesCount": 1}), Idempotency_Key="k")

    assert first_body["id"] != second_body["id"]
    assert tampered.status_code == 422
    assert problem["type"].endswith("idempotencyKeyConflict")
    assert problem["errors"]


@pytest.mark.parametrize("key", ["a,b", "a, b", '"a", "b"', '"a","b"'])
def test_two_keys_are_refused(world: World, key: str) -> None:
    """The host joins two headers by a comma; in quotes a comma is part of the key."""
    assert problem(post(world, a_message(), Idempotency_Key=key)[0]) == (400, "invalidIdempotencyKey")
    assert post(world, a_message(), Idempotency_Key='"a,b"')[1]["idempotencyKey"] == "a,b"


@pytest.mark.parametrize("key", ["", '""', "a\u0007b", "k" * 256, '"a"b"', '"abc', '"x";p=1', '"', r'"\a"'])
def test_a_bad_key_is_refused(world: World, key: str) -> None:
    """400."""
    assert post(world, a_message(), Idempotency_Key=key)[0].status_code == 400
    assert post(world, a_message(idempotencyKey="other"), Idempotency_Key="k")[0].status_code == 400

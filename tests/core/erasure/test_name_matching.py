"""A person's name in text: found in every form, and never inside a neighbour's."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.erasure.name_matching import mentions, mentions_anywhere

#: What directories allow in a principal name, and more; nothing that another text of an outcome holds.
parts = st.text(st.sampled_from("abzABZ019._-'!#^~éÉßñ漢"), min_size=1, max_size=12)
people = st.builds(lambda local, host: f"Q{local}q@W{host}w.example", parts, parts)
wrappings: st.SearchStrategy[Callable[[str], str]] = st.sampled_from(
    [
        str,
        lambda text: json.dumps(text)[1:-1],
        lambda text: quote(text, safe=""),
        lambda text: base64.b64encode(json.dumps({"u": text, "a": 1}).encode()).decode(),
        lambda text: base64.urlsafe_b64encode(text.encode("utf-16")).decode(),
        lambda text: f"User '{text}' was not found.",
        lambda text: f"mailto:{text}, <{text}>;",
    ]
)
dresses = wrappings | st.sampled_from(
    [str.upper, str.lower, lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text)]
)


CLOSE = ["o'{}", "o+{}", "o#{}", "{}-x", "{}/0", "0/{}", "'{}", "{}'s", "{}.x", "x.{}", "{}@x", "!{}", "{}~"]


@given(people, dresses, wrappings)
def test_a_name_is_found_in_every_dress(name: str, dress: Callable[[str], str], over: Callable[[str], str]) -> None:
    """Case, JSON, URL, base64, UTF-16, and one over the other."""
    assert mentions_anywhere(name, dress(name))
    assert mentions_anywhere(name, f'{{"message": "{over(dress(name))}"}}')


@pytest.mark.parametrize("close", CLOSE)
@pytest.mark.parametrize("text", ["{}", "User '{}' was not found.", "users: {}, and others", '{{"u": "{}"}}', "{}."])
def test_a_neighbour_in_free_text_is_not_taken_for_the_person(close: str, text: str) -> None:
    """The person is found in the same text."""
    name = "brien@contoso.com"
    assert not mentions_anywhere(name, text.format(close.format(name)))
    assert mentions_anywhere(name, text.format(name))


@given(people, st.sampled_from(["x.{}", "x-{}", "x_{}", "x{}", "{}.au", "{}x", "{}é", "ß{}"]))
def test_a_neighbours_name_is_not_theirs(name: str, neighbour: str) -> None:
    """Erasing is for good."""
    assert not mentions(name, neighbour.format(name))


@given(st.text(max_size=200), people)
@settings(max_examples=300)
def test_no_text_is_too_odd_to_be_read(text: str, name: str) -> None:
    """Whatever a queue can hold: reading never raises, nor finds what is not there."""
    assert not mentions_anywhere(name, text)
    assert mentions_anywhere(name, f"{text} {name} {text}")


@pytest.mark.parametrize("run", ["A" * 17, "_" * 21, "/" * 30 + "==", "=" * 40, "%" * 40, "\\u" * 20, "\\ud800" * 9])
def test_garbage_that_looks_encoded_is_only_garbage(run: str) -> None:
    """Base64 of no length that base64 has, escapes of half a character."""
    assert not mentions_anywhere("ada@contoso.com", run)

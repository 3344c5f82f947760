"""Which user status a principal name means."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.user_directory import (
    LOOKING,
    MAX_IDLE_PAGES,
    MAX_PAGES,
    Directory,
    Found,
    ListPage,
    ListReading,
    NotListed,
    NotUnique,
    may_refuse_select,
    next_look,
    read_list_page,
)
from tests.builders import NOW

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


def entry(id_: Any, name: Any) -> dict[str, Any]:
    """As Graph lists it."""
    return {"id": id_, "userPrincipalName": name}


def page(*entries: Any, **more: Any) -> ListPage:
    """A page that can be read."""
    read = read_list_page({"value": list(entries)} | more)
    assert read is not None
    return read


def directory_of(pages: Iterable[ListPage]) -> Directory:
    """Return what a list of these pages says."""
    reading = ListReading()
    for page_ in pages:
        assert reading.add(page_) is None
    return reading.directory()


def test_a_name_is_found_in_either_case_on_any_page() -> None:
    """As Entra compares it."""
    directory = directory_of([page(entry("1", "A@X.example")), page(entry("2", "b@x.example"))])
    assert directory.find("a@x.EXAMPLE") == Found("1")
    assert directory.find("B@x.example") == Found("2")


def test_none_or_several_are_told_apart() -> None:
    """By code; the message names ids, a few of them."""
    directory = directory_of([page(*(entry(f"id{n}", "a@x.example") for n in range(9)))])
    none, several = directory.find("b@x.example"), directory.find("a@x.example")
    assert none == NotListed(9)
    assert "Graph listed 9 user statuses" in none.message
    assert isinstance(several, NotUnique)
    assert several.code == "userStatusAmbiguous"
    assert several.message.startswith("9 user statuses")
    assert "id0, id1, id2, id3, id4, ..." in several.message


@pytest.mark.parametrize(
    "useless",
    [
        None,
        1,
        "x",
        [],
        {},
        entry("1", None),
        entry("1", ""),
        entry(None, "a"),
        entry("a/b", "a"),
        entry("..", "a"),
        entry("", "a"),
        entry("x" * 257, "a"),
    ],
)
def test_an_entry_that_names_nobody_is_passed_over(useless: Any) -> None:
    """An id that could leave its place in the address, too."""
    assert page(useless, entry("2", "b")).entries == (("b", "2"),)


@pytest.mark.parametrize("document", [None, {}, {"value": None}, {"value": {}}, {"value": [], "@odata.nextLink": 1}])
def test_what_is_no_list_is_not_read(document: Any) -> None:
    """Rather than as an empty one."""
    assert read_list_page(document) is None


def test_the_next_page_is_named() -> None:
    """None on the last."""
    assert page(**{"@odata.nextLink": "https://x"}).next_link == "https://x"
    assert page().next_link is None


def test_a_list_that_is_too_large_says_so_for_good() -> None:
    """A newer one would not know better."""
    choice = Directory(too_large=True).find("a")
    assert isinstance(choice, NotUnique)
    assert not choice.passing


@given(st.dictionaries(st.sampled_from(["value", "@odata.nextLink"]), JSONS) | st.none())
def test_no_document_makes_it_raise(document: Any) -> None:
    """Whatever Graph answers."""
    read = read_list_page(document)
    assert read is None or all(name and id_ for name, id_ in read.entries)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["A@x", "a@X", "b@x"])), max_size=8))
def test_order_and_repetition_decide_nothing(pairs: list[tuple[str, str]]) -> None:
    """A list that shifts while it is read says the same."""
    once = directory_of([page(*(entry(*pair) for pair in pairs))])
    again = directory_of([page(entry(*pair)) for pair in [*pairs, *pairs]])
    assert once.ids == again.ids


def linked(n: int, link: str | None = "x") -> ListPage:
    """Return a page with one entry of its own that leads to another one."""
    return ListPage(((f"n{n}@x", f"id{n}"),), link, 1)


def test_a_next_page_that_was_seen_before_is_a_failed_read() -> None:
    """One update cost 1,030 reads."""
    reading = ListReading()
    assert [reading.add(linked(n, link)) for n, link in enumerate("abc")] == [None] * 3
    assert reading.add(linked(4, "a")) == "its pages lead in a circle"
    own = ListReading()
    assert own.add(linked(1, "a")) is None
    assert own.add(linked(1, "a")) is not None


def test_pages_that_add_nothing_are_a_failed_read() -> None:
    """Under whatever addresses; a few empty ones may come."""
    reading = ListReading()
    assert reading.add(linked(0, "0")) is None
    assert [reading.add(linked(0, str(n))) for n in range(1, MAX_IDLE_PAGES)] == [None] * (MAX_IDLE_PAGES - 1)
    assert reading.add(linked(0, "last")) == f"{MAX_IDLE_PAGES} pages in a row hold nothing new"


def test_no_more_than_a_thousand_pages_are_read() -> None:
    """A list of a page each user is too large."""
    reading = ListReading()
    for n in range(MAX_PAGES):
        assert not reading.is_over
        assert reading.add(linked(n, str(n))) is None
    assert reading.is_over
    assert isinstance(reading.directory().find("n1@x"), NotUnique)


def test_a_name_is_looked_for_again_ever_more_rarely_for_ten_minutes() -> None:
    """A few looks in all."""
    looks, when = 0, NOW
    while (after := next_look(NOW, when)) is not None:
        assert after > when
        looks, when = looks + 1, after
    assert when == NOW + LOOKING
    assert 3 <= looks <= 8


@pytest.mark.parametrize(("status", "expected"), [(400, True), (500, True), (501, True), (403, False), (503, False)])
def test_who_may_refuse_a_selection(status: int, expected: bool) -> None:
    """They are asked once without it."""
    assert may_refuse_select(GraphReply(status)) is expected

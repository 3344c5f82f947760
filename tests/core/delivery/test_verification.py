"""What a list shows of an update: never a verdict that the list, or a newer update, does not allow."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.basics.version import Version
from shared.core.delivery.user_status import UserStatusRow, Value
from shared.core.delivery.verification import StatusReading, VerificationState, verdict
from shared.core.intake.update import user_status_key
from tests.builders import EXAMPLE, NOW, POLICY, USER, an_id

MINE, NEWER = an_id(), an_id(n=1)
CONFIRMED, OVERWRITTEN, UNKNOWN = VerificationState
PROPERTIES = {"status": "compliant", "devicesCount": 3, "userDisplayName": "Ada"}


def row(by: dict[str, str] | None = None, uncertain: frozenset[str] = frozenset(), **values: Any) -> UserStatusRow:
    """Return a row with these confirmed values; ``by`` names the updates of those that are not mine."""
    writers = by or {}
    confirmed = {
        name: Value(value, Version(1, writers.get(name, MINE)), writers.get(name, MINE))
        for name, value in (values or PROPERTIES).items()
    }
    return UserStatusRow(POLICY, USER, confirmed, uncertain=uncertain)


def test_what_graph_still_shows_is_confirmed() -> None:
    """The documented example, too."""
    assert verdict(MINE, row(), [PROPERTIES]) is CONFIRMED
    assert verdict(MINE, row(**EXAMPLE), [EXAMPLE]) is CONFIRMED


def test_another_value_of_any_property_is_overwritten() -> None:
    """One is enough; null is another value."""
    for name in PROPERTIES:
        assert verdict(MINE, row(), [PROPERTIES | {name: "other"}]) is OVERWRITTEN
        assert verdict(MINE, row(), [PROPERTIES | {name: None}]) is OVERWRITTEN


def test_a_user_status_that_is_not_listed_is_unknown() -> None:
    """So is one whose row is gone."""
    assert verdict(MINE, row(), []) is UNKNOWN
    assert verdict(MINE, None, [PROPERTIES]) is UNKNOWN


@pytest.mark.parametrize(
    ("name", "written", "shown"),
    [
        ("lastReportedDateTime", "2017-01-01T00:00:17.7769392-08:00", "2017-01-01T08:00:17.7769392Z"),
        ("lastReportedDateTime", "2017-01-01T00:00:17.7769392Z", "2017-01-01T00:00:17Z"),
        ("userPrincipalName", "Ada@Contoso.example", "ada@contoso.example"),
    ],
)
def test_the_same_value_in_other_words_is_confirmed(name: str, written: str, shown: str) -> None:
    """Times in UTC or rounded, names in another case."""
    assert verdict(MINE, row(**{name: written}), [{name: shown}]) is CONFIRMED
    assert verdict(MINE, row(**{name: written}), [{name: "2018-01-01T00:00:00Z"}]) is OVERWRITTEN


@given(
    st.fixed_dictionaries({name: st.sampled_from([value, "other"]) for name, value in PROPERTIES.items()}),
    st.sets(st.sampled_from(list(PROPERTIES))),
    st.sets(st.sampled_from(list(PROPERTIES))),
)
def test_only_values_that_this_update_wrote_last_count(
    shown: dict[str, Any], of_newer: set[str], uncertain: set[str]
) -> None:
    """A newer update's value, or one that a write under way may have changed, is never taken for Intune's."""
    known = row(dict.fromkeys(of_newer, NEWER), frozenset(uncertain))
    found = verdict(MINE, known, [shown])
    own = PROPERTIES.keys() - of_newer
    replaced = {name for name in own - uncertain if shown[name] != PROPERTIES[name]}
    assert (found is OVERWRITTEN) == bool(replaced)
    if not replaced:
        assert found is (None if own & uncertain else CONFIRMED)


def test_erased_values_and_properties_that_are_not_shown_prove_nothing() -> None:
    """There is no value to compare."""
    assert verdict(MINE, row(status=None), [{"status": "compliant"}]) is CONFIRMED
    assert verdict(MINE, row(), [{"id": USER}]) is CONFIRMED


def test_an_entry_that_comes_twice_is_overwritten_where_none_is_ours() -> None:
    """A list may shift while it is read."""
    other = PROPERTIES | {"status": "error"}
    assert verdict(MINE, row(), [other, PROPERTIES]) is CONFIRMED
    assert verdict(MINE, row(), [other, other]) is OVERWRITTEN


def reading() -> StatusReading:
    """Return a reading for the example's user."""
    return StatusReading(POLICY, [user_status_key(POLICY, USER)], [MINE], NOW)


def test_a_reading_keeps_what_is_asked_for_and_knows_its_end() -> None:
    """In any case of the id; what is no entry is passed over."""
    pages = reading()
    assert pages.add({"value": [{"id": "x"}, 3, {"id": 4}, {}], "@odata.nextLink": "2"}, NOW) is None
    assert not pages.is_over
    assert pages.add({"value": [{"id": USER.upper(), "status": "error"}]}, NOW) is None
    assert pages.is_whole
    assert [entry["status"] for entry in pages.shown(user_status_key(POLICY, USER))] == ["error"]


@pytest.mark.parametrize("document", [None, {}, {"value": 3}, {"value": [], "@odata.nextLink": 3}])
def test_what_is_no_list_cannot_be_read(document: Any) -> None:
    """The reading is not whole."""
    pages = reading()
    assert pages.add(document, NOW) is not None
    assert not pages.is_whole


def test_a_list_that_leads_in_a_circle_cannot_be_read() -> None:
    """And nothing is judged by it."""
    pages = reading()
    assert pages.add({"value": [{"id": "x"}], "@odata.nextLink": "2"}, NOW) is None
    assert pages.add({"value": [{"id": "y"}], "@odata.nextLink": "2"}, NOW) == "its pages lead in a circle"
    assert not pages.is_whole

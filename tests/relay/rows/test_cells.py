"""Cells: what is trimmed and what is passed on as it is; long cells and stray quotes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import POLICY
from tests.relay.rows.reading import HEADER, faults, updates

NAMES = "deviceCompliancePolicyId,deviceComplianceUserStatusId,userDisplayName,userStatus.userPrincipalName\n"


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20))
def test_a_name_is_passed_on_as_it_is(name: str) -> None:
    """Spaces are part of a field (RFC 4180, section 2.4)."""
    quoted = name.replace('"', '""')
    (message,) = updates(f'{NAMES}{POLICY},u,"{quoted}","{quoted}"\n')
    assert message["userStatus"] == {"userDisplayName": name, "userPrincipalName": name}


def test_ids_statuses_numbers_and_dates_are_trimmed() -> None:
    """No-break spaces, as web pages have them, too."""
    (message,) = updates(
        f"{HEADER},source,idempotencyKey\n {POLICY}\u00a0, u ,\u00a0compliant , 7 , 2026-11-23T20:30:00Z , hr , k \n"
    )
    assert message == {
        "deviceCompliancePolicyId": POLICY,
        "deviceComplianceUserStatusId": "u",
        "userStatus": {"status": "compliant", "devicesCount": 7, "lastReportedDateTime": "2026-11-23T20:30:00Z"},
        "source": "hr",
        "idempotencyKey": "k",
    }


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_long_cell_is_named_as_too_long(quote: str) -> None:
    """It is no open quote, and the other rows are read."""
    long = quote + "x" * 140_000 + quote
    ((line, at, detail),) = faults(f"{NAMES}{POLICY},u,{long},\n{POLICY},u,A User,\n")
    assert (line, at) == (2, "userDisplayName")
    assert "140000 characters" in detail
    assert "too long" in detail


def test_a_long_cell_of_an_ignored_column_is_ignored() -> None:
    """Nothing of it is sent."""
    content = f"{HEADER},notes\n{POLICY},u,compliant,1,,{'x' * 140_000}\n"
    assert len(updates(content, ignore_unknown=True)) == 1


@pytest.mark.parametrize("cell", ['A "B" C', ' "A"', 'A"', '5" disk'])
def test_a_quote_in_an_unquoted_cell_is_refused_with_its_line(cell: str) -> None:
    """RFC 4180, section 2.5: such a cell must be in quotes, or the sender meant something else."""
    ((line, at, detail),) = faults(f"{NAMES}{POLICY},u,A,\n{POLICY},u,{cell},\n{POLICY},u,B,\n")
    assert (line, at) == (3, "row")
    assert "quote" in detail


def test_quotes_where_they_belong_are_read() -> None:
    """A quoted cell may hold quotes, delimiters and line breaks of other columns."""
    header = NAMES.strip() + ",notes\n"
    (message,) = updates(f'{header}"{POLICY}","u","A ""B"", C","","one\n""two"""\n', ignore_unknown=True)
    assert message["userStatus"] == {"userDisplayName": 'A "B", C'}

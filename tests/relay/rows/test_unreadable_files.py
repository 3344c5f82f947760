"""Files that cannot be read: one clear reason."""

import pytest

from relay.rows.row import UnreadableFile
from tests.builders import POLICY
from tests.relay.rows.reading import HEADER, read


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        ("\n\r\n", "empty"),
        ("\ufeff", "empty"),
        ("status\ncompliant\n", "deviceCompliancePolicyId is missing"),
        ("status\ncompliant\n", "deviceComplianceUserStatusId is missing"),
        (f"deviceCompliancePolicyId,deviceComplianceUserStatusId\n{POLICY},u\n", "at least one is needed"),
        (f"{HEADER},statuss\n", "'statuss' is not known (meant: status?)"),
        (f"{HEADER},userStatus.status\n", "gives the same as column 'status'"),
        (f'{HEADER}\n{POLICY},u,"compliant,1,\n', "never closed"),
        (f'{HEADER}\n{POLICY},"u"x,compliant,1,\n', "expected after"),
        (b"PK\x03\x04 and so on", "Excel workbook"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"d\xe9vice,status\nx,y\n", "0xE9"),
        ("x" * (1024 * 1024 + 1), "longer than"),
    ],
)
def test_an_unreadable_file_has_a_reason(content: bytes | str, reason: str) -> None:
    """One clear reason, or all reasons of a header."""
    with pytest.raises(UnreadableFile) as refused:
        read(content)
    assert reason in refused.value.detail


def test_an_unclosed_quote_has_the_line_that_opens_it() -> None:
    """The end of the file would help nobody."""
    with pytest.raises(UnreadableFile) as refused:
        read(f'{HEADER}\n{POLICY},u,compliant,1,\n{POLICY},"v,compliant,1,\n' + f"{POLICY},w,compliant,1,\n" * 9)
    assert refused.value.line == 3

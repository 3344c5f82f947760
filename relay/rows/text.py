"""The text of a file or a stream: lines of bounded length in UTF-8, or in UTF-16 with a byte order mark."""

import io
from collections.abc import Iterator
from itertools import count

from relay.rows.row import UnreadableFile

#: A message has at most 48 KiB; a longer line than this is no row.
_MAX_LINE_LENGTH = 1024 * 1024
_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or zip file: save it as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save it as CSV UTF-8",
    b"\xff\xfe\x00\x00": "UTF-32 text: save it as CSV UTF-8",
    b"\x00\x00\xfe\xff": "UTF-32 text: save it as CSV UTF-8",
    b"\x1f\x8b": "compressed: gunzip -c FILE | python -m relay submit -",
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def text_lines(stream: io.BufferedReader) -> Iterator[str]:
    """Yield lines; bytes that are not UTF-8 become lone surrogates. Raise ``UnreadableFile`` for what is no text."""
    start = stream.peek(4)[:4]
    for magic, description in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise UnreadableFile(f"this is {description}")
    if start.startswith(_UTF_16):
        text = io.TextIOWrapper(stream, "utf-16", newline="")
    else:
        text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from map(_checked, count(1), iter(lambda: text.readline(_MAX_LINE_LENGTH + 1), ""))
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"holds bytes that are not UTF-16 ({error.reason}): save it as CSV UTF-8") from None
    finally:
        if not stream.closed:
            text.detach()  # the caller closes the stream that it opened


def _checked(number: int, line: str) -> str:
    if len(line) > _MAX_LINE_LENGTH:
        raise UnreadableFile(f"longer than {_MAX_LINE_LENGTH} characters: no row is", number)
    if "\0" in line:
        raise UnreadableFile("holds a NUL: UTF-16 without a byte order mark? Save it as CSV UTF-8", number)
    return line

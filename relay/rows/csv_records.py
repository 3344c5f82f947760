"""The records of a CSV text (RFC 4180), each with the line on which it begins. Pure."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from relay.rows.row import UnreadableFile

#: Characters of one cell. A record that reaches it over several lines has an open quote.
_MAX_CELL_LENGTH = 1024 * 1024
# The limit is one for the whole process; the default of 131,072 would end the file at a long cell.
csv.field_size_limit(_MAX_CELL_LENGTH)
#: The fault of a quote in a cell that does not begin with one.
QUOTE_FAULT = (
    "has a quote inside a cell that is not in quotes: put the whole cell in quotes, and double the quote "
    "(a space before a quote is part of the cell)"
)
_ERRORS = {
    "unexpected end of data": "a quote is opened in this row and never closed",
    f"field larger than field limit ({_MAX_CELL_LENGTH})": (
        f"a quote is opened in this row and not closed within {_MAX_CELL_LENGTH} characters"
    ),
}


@dataclass(frozen=True)
class Record:
    """Cells, and the text that they were read from."""

    line: int
    cells: Sequence[str]
    text: str
    has_stray_quote: bool


class CountedLines:
    """Lines; ``number`` is how many were read."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines, self.number = iter(lines), 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        return line


class _KeptLines:
    """Lines; ``take`` returns those that were read since it was called last."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._read: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._read.append(line)
        return line

    def take(self) -> str:
        text = "".join(self._read)
        self._read.clear()
        return text


def read_records(lines: Iterable[str], delimiter: str, *, lines_before: int) -> Iterator[Record]:
    """Yield the records; ``lines_before`` were read already. Raise ``UnreadableFile`` at a quote that does not fit."""
    kept = _KeptLines(lines)
    reader = csv.reader(kept, delimiter=delimiter, strict=True)
    while True:
        line = lines_before + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFile(_reason(str(error)), line) from None
        text = kept.take()
        stray = '"' in text and _well_quoted(delimiter).fullmatch(text.rstrip("\r\n")) is None
        yield Record(line, cells, text, stray)


def _reason(error: str) -> str:
    if "expected after" in error:
        return f"{error}: double each quote inside a quoted cell"
    return _ERRORS.get(error, error)


@cache
def _well_quoted(delimiter: str) -> re.Pattern[str]:
    """Return the pattern of a record whose quotes enclose whole cells."""
    at = re.escape(delimiter)
    cell = rf'(?:"[^"]*+(?:""[^"]*+)*+"|[^"{at}\r\n]*+)'
    return re.compile(f"{cell}(?:{at}{cell})*+")

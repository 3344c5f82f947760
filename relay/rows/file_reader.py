"""A file or standard input as rows: its encoding, its format, lines of bounded length. Memory does not grow with it."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Literal

from relay.rows.csv_reader import csv_rows
from relay.rows.json_lines import json_rows
from relay.rows.row import InvalidRow, Row, RowDefaults, UnreadableFile

type Format = Literal["csv", "jsonl"]
#: A message has at most 48 KiB; a longer line than this is no row.
_MAX_LINE_LENGTH = 1024 * 1024
_MAX_EMPTY_LINES = 1000
_BY_SUFFIX: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}
_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or zip file: save it as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save it as CSV UTF-8",
    b"\xff\xfe": "UTF-16 text: save it as CSV UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as CSV UTF-8",
    b"\x1f\x8b": "compressed: gunzip -c FILE | python -m relay submit -",
}


@dataclass(frozen=True)
class ReadOptions:
    """How a file is read; without ``format`` its name or its first character decides."""

    format: Format | None = None
    defaults: RowDefaults = field(default_factory=RowDefaults)
    ignore_unknown: bool = False


def read_rows(stream: io.BufferedReader, path: Path | None, options: ReadOptions) -> Iterator[Row | InvalidRow]:
    """Yield all rows of a file. Raise ``UnreadableFile``."""
    lines = text_lines(stream)
    skipped: list[str] = []
    first = next((line for line in lines if _has_text(line, skipped)), None)
    if first is None:
        raise UnreadableFile("the file is empty")
    whole = chain(skipped, [first], lines)
    by_name = _BY_SUFFIX.get(path.suffix.lower()) if path else None
    if (options.format or by_name or ("jsonl" if first.lstrip().startswith(("{", "[")) else "csv")) == "jsonl":
        return json_rows(whole, options.defaults)
    return csv_rows(whole, options.defaults, ignore_unknown=options.ignore_unknown)


def _has_text(line: str, skipped: list[str]) -> bool:
    """Return whether a line is not blank; keep blank ones in ``skipped``, as they count for line numbers."""
    if line.strip():
        return True
    if len(skipped) < _MAX_EMPTY_LINES:
        skipped.append(line)
        return False
    raise UnreadableFile("the file begins with a thousand empty lines")


def text_lines(stream: io.BufferedReader) -> Iterator[str]:
    """Yield lines of UTF-8, with or without a byte order mark; other bytes become lone surrogates."""
    start = stream.peek(4)[:4]
    for magic, description in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise UnreadableFile(f"this is {description}")
    text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from map(_checked, count(1), iter(lambda: text.readline(_MAX_LINE_LENGTH + 1), ""))
    finally:
        if not stream.closed:
            text.detach()  # the caller closes the stream that it opened


def _checked(number: int, line: str) -> str:
    if len(line) > _MAX_LINE_LENGTH:
        raise UnreadableFile(f"longer than {_MAX_LINE_LENGTH} characters: no row is", number)
    if "\0" in line:
        raise UnreadableFile("holds a NUL: not UTF-8 text (UTF-16?)", number)
    return line

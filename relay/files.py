"""From a file or standard input to rows: bounded lines of text, and what the file is; memory does not grow with it."""

import io
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import Literal

from relay.csv_rows import csv_rows
from relay.rows import BadRow, Common, Row, UnreadableFile, json_rows

type Format = Literal["csv", "jsonl"]
#: A message has at most 48 KiB; a longer line than this is no row.
LONGEST_LINE = 1024 * 1024
_BY_SUFFIX: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}
_OTHERS = {
    b"PK\x03\x04": "an Excel workbook or zip file: save it as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save it as CSV UTF-8",
    b"\xff\xfe": "UTF-16 text: save it as CSV UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as CSV UTF-8",
    b"\x1f\x8b": "compressed: gunzip -c FILE | python -m relay submit -",
}


def read_rows(
    stream: io.BufferedReader, path: Path | None, wanted: Format | None, common: Common, *, ignore_unknown: bool
) -> Iterator[Row | BadRow]:
    """All rows of a file; its format is what is wanted, else what its name or its first character says."""
    lines = text_lines(stream)
    skipped: list[str] = []
    first = next((line for line in lines if _kept(line, skipped)), None)
    if first is None:
        raise UnreadableFile("the file is empty")
    whole = chain(skipped, [first], lines)
    by_name = _BY_SUFFIX.get(path.suffix.lower()) if path else None
    if (wanted or by_name or ("jsonl" if first.lstrip().startswith(("{", "[")) else "csv")) == "jsonl":
        return json_rows(whole, common)
    return csv_rows(whole, common, ignore_unknown=ignore_unknown)


def _kept(line: str, skipped: list[str]) -> bool:
    """Blank lines before the first count as lines; a file of nothing else is empty."""
    if line.strip():
        return True
    if len(skipped) < 1000:  # noqa: PLR2004 - a bound for memory
        skipped.append(line)
        return False
    raise UnreadableFile("the file begins with a thousand empty lines")


def text_lines(stream: io.BufferedReader) -> Iterator[str]:
    """UTF-8 with or without byte order mark; bytes that are none become lone surrogates, which rows then refuse."""
    start = stream.peek(4)[:4]
    for magic, what in _OTHERS.items():
        if start.startswith(magic):
            raise UnreadableFile(f"this is {what}")
    text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from map(_bounded, count(1), iter(lambda: text.readline(LONGEST_LINE + 1), ""))
    finally:
        if not stream.closed:
            text.detach()  # it is closed by whoever opened it


def _bounded(number: int, line: str) -> str:
    if len(line) > LONGEST_LINE:
        raise UnreadableFile(f"longer than {LONGEST_LINE} characters: no row is", number)
    if "\0" in line:
        raise UnreadableFile("holds a NUL: not UTF-8 text (UTF-16?)", number)
    return line

"""A file or standard input as rows of its format. Memory does not grow with the file."""

import io
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from relay.rows.csv_reader import csv_rows
from relay.rows.json_lines import json_rows
from relay.rows.options import Format, ReadOptions
from relay.rows.row import InvalidRow, Row, UnreadableFile
from relay.rows.text import text_lines

_MAX_EMPTY_LINES = 1000
_BY_SUFFIX: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}


def read_rows(stream: io.BufferedReader, path: Path | None, options: ReadOptions) -> Iterator[Row | InvalidRow]:
    """Yield all rows of a file. Raise ``UnreadableFile``."""
    lines = text_lines(stream)
    skipped: list[str] = []
    first = next((line for line in lines if _has_text(line, skipped)), None)
    if first is None:
        raise UnreadableFile("the file is empty")
    whole = chain(skipped, [first], lines)
    by_name = _BY_SUFFIX.get(path.suffix.lower()) if path else None
    if (options.format or by_name or _format_of(first)) == "csv":
        return csv_rows(whole, options)
    if options.column_map.columns:
        raise UnreadableFile("this is JSON Lines, which has no columns: --map is for CSV")
    return json_rows(whole, options.defaults)


def _format_of(first: str) -> Format:
    return "jsonl" if first.lstrip().startswith(("{", "[")) else "csv"


def _has_text(line: str, skipped: list[str]) -> bool:
    """Return whether a line is not blank; keep blank ones in ``skipped``, as they count for line numbers."""
    if line.strip():
        return True
    if len(skipped) < _MAX_EMPTY_LINES:
        skipped.append(line)
        return False
    raise UnreadableFile("the file begins with a thousand empty lines")

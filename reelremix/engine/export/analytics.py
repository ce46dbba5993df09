"""Tables of results that platforms export: YouTube Studio's and TikTok's, as CSV.

A table is read a row at a time, whatever its encoding, separator and way of writing numbers; what
cannot be read is counted, never guessed. Which clip a row is about belongs to `stages.match`.

YouTube Studio: Analytics > Advanced mode > Export, the file `Table data.csv`. TikTok Studio:
Analytics > Content > Download data, the file `Content.csv`.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from reelremix.errors import ConfigError

COLUMNS: dict[str, tuple[str, ...]] = {
    "title": ("video title", "title", "video", "caption", "video caption", "description"),
    "link": ("video link", "link", "url", "video url", "permalink"),
    "content": ("content", "video id", "post id", "id"),
    "views": ("views", "total views", "video views", "view count", "plays"),
    "viewed_percent": (
        "average percentage viewed (%)", "average percentage viewed", "average view percentage",
        "average view percentage (%)", "avg percentage viewed (%)",
    ),
    "watched_full_percent": (
        "watched full video (%)", "watched full video", "full video watched rate",
        "completion rate", "completion rate (%)",
    ),
    "watched_s": (
        "average view duration", "average watch time", "average watch time (s)",
        "average watch time (seconds)", "avg watch time", "avg view duration",
    ),
    "watch_hours": ("watch time (hours)",),
}  # fmt: skip
"""What is understood, and the names it goes by in any letter case; the first found counts."""
NAMES = ("title", "link", "content")
RESULTS = ("views", "viewed_percent", "watched_full_percent", "watched_s", "watch_hours")
SEPARATORS = ",;\t"
MOST_LINES = 20
"""Of one row: a quote left open longer is a slip, not a title of many lines."""
MOST_DIGITS = 20
"""A longer number counts nothing that there is."""
HEADER_WITHIN = 20
"""Lines before which the names of the columns must come."""
SAMPLE_BYTES = 65_536
FEW_NULS = 16
"""Slips in a text; with more than these and one in a hundred, it is none."""
TOTALS = ("total", "totals", "gesamt", "insgesamt", "totale", "totaal", "合計", "итого", "összesen")
"""What YouTube Studio calls the row that sums up all others."""
_LONGEST_LINE = 100_000
_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive or a workbook", "unpack it, or save the sheet as CSV"),
    (b"%PDF", "a PDF", "download the table as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old workbook", "save the sheet as CSV"),
    (b"\x1f\x8b", "a gzip archive", "unpack it with `gunzip`"),
    (b"SQLite format 3", "a database", "download the table as CSV"),
)
_UNDERSTOOD = (
    "a name (Video title, Video link, Content) and a result (Views, Total views, Average percentage"
    " viewed (%), Average view duration, Average watch time, Watched full video (%)) are needed"
)


@dataclass(frozen=True, slots=True)
class AnalyticsRow:
    """What a platform says of one video."""

    line: int
    title: str
    names: tuple[str, ...]
    """Everything that may name it: title, link, id."""
    views: float | None
    viewed: float | None
    """Share of the video that is watched on average; above 1 where people watch again."""
    watched_s: float | None
    watched_full: float | None
    """Share of viewers who watch to the end."""


@dataclass
class AnalyticsTable:
    """A table that is open: its columns, its rows, and what was left out of them so far."""

    platform: str
    encoding: str
    used: tuple[str, ...]
    ignored: tuple[str, ...]
    _columns: dict[str, int]
    _lines: _Lines
    _separator: str
    totals: int = field(default=0, init=False)
    damaged: int = field(default=0, init=False)
    """Rows that could not be read, or that name nothing or say nothing."""

    def __iter__(self) -> Iterator[AnalyticsRow]:
        """The rows, once."""
        for line, cells in _records(self._lines, self._separator):
            if cells is not None and not any(cell.strip() for cell in cells):
                continue
            row = None if cells is None else self._row(line, cells)
            if row is not None:
                yield row
            elif cells is not None and self._is_total(cells):
                self.totals += 1
            else:
                self.damaged += 1

    def _cell(self, cells: Sequence[str], name: str) -> str:
        column = self._columns.get(name)
        return "" if column is None or column >= len(cells) else cells[column].strip()

    def _row(self, line: int, cells: Sequence[str]) -> AnalyticsRow | None:
        title = self._cell(cells, "title")
        if self._is_total(cells):
            return None
        names = tuple(text for name in NAMES if (text := self._cell(cells, name)))
        views = count_of(self._cell(cells, "views"))
        watched_s = seconds_of(self._cell(cells, "watched_s"))
        hours = decimal_of(self._cell(cells, "watch_hours"))
        if watched_s is None and hours is not None and views:
            watched_s = 3600 * hours / views
        results = (
            share_of(self._cell(cells, "viewed_percent"), self._in_percent("viewed_percent")),
            watched_s,
            share_of(
                self._cell(cells, "watched_full_percent"), self._in_percent("watched_full_percent")
            ),
        )
        if not names or (views is None and all(result is None for result in results)):
            return None
        return AnalyticsRow(line, title or names[0], names, views, *results)

    def _in_percent(self, name: str) -> bool:
        """Whether the column's own name says so."""
        return any(text.endswith("(%)") for text in self.used if _is(text, name))

    def _is_total(self, cells: Sequence[str]) -> bool:
        """A sum says so in the first column and has no title."""
        named = [cell for name in NAMES if (cell := self._cell(cells, name))]
        return len(named) == 1 and _plain(named[0]) in TOTALS


@contextmanager
def open_analytics(path: Path) -> Iterator[AnalyticsTable]:
    """The table in a file.

    Raises:
        ConfigError: it cannot be read, is no table, or has no columns that are understood.
    """
    try:
        encoding = _encoding(path)
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            yield _table(path, file, encoding)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"{path} cannot be read: {reason}", hint="check the path") from exc


def count_of(text: str) -> float | None:
    """A whole number as people write it: `1,234`, `1.234`, `1 234`, `1.2K`; None without one."""
    bare, scale = _scaled(text)
    if scale == 1.0 and re.fullmatch(r"\d{1,3}([.,'’]\d{3})+", bare):
        return float(re.sub(r"\D", "", bare))
    value = decimal_of(bare)
    return None if value is None else scale * value


def _scaled(text: str) -> tuple[str, float]:
    """The number without spaces and `K`, `M` or `B`, and what those stand for."""
    bare = re.sub(r"\s", "", text)
    scale = {"k": 1e3, "m": 1e6, "b": 1e9}.get(bare[-1:].lower(), 1.0)
    return (bare if scale == 1.0 else bare[:-1]), scale


def decimal_of(text: str) -> float | None:
    """A number with a point or a comma before its fraction; None without one."""
    text = re.sub(r"[\s'’]", "", text)
    if not re.fullmatch(r"\d[\d.,]*", text) or len(text) > MOST_DIGITS:
        return None
    point = max(text.rfind("."), text.rfind(","))
    if point < 0:
        return float(text)
    whole = re.sub(r"\D", "", text[:point])
    if text.count(text[point]) > 1:  # a mark that comes twice separates thousands
        return float(re.sub(r"\D", "", text))
    return float(f"{whole or 0}.{text[point + 1 :] or 0}")


def share_of(text: str, in_percent: bool) -> float | None:
    """A share from a percentage; from 0 to 1 as it is where nothing says percent."""
    bare = text.replace("%", "").replace("٪", "")
    value = decimal_of(bare)
    if value is None:
        return None
    return value / 100 if in_percent or bare != text or value > 1 else value


def seconds_of(text: str) -> float | None:
    """A length from `0:00:41`, `41.2` or `41.2 s`; None without one."""
    text = re.sub(r"\s*(s|sec|secs|seconds)\.?$", "", text.strip(), flags=re.IGNORECASE)
    parts = text.split(":")
    numbers = [decimal_of(part) for part in parts]
    if len(parts) > 3 or any(number is None for number in numbers):
        return None
    total = 0.0
    for number in numbers:
        total = total * 60 + (number or 0.0)
    return total


class _Lines:
    """The lines of a file, which can be given back; at most `MOST_LINES` for one row."""

    def __init__(self, file: TextIO, waiting: Sequence[str], before: int) -> None:
        """Go on with lines that were read already, after so many others."""
        self._file = file
        self._waiting = deque(waiting)
        self._row: list[str] = []
        self._before = before

    @property
    def line(self) -> int:
        """Number of the row's first line, from 1."""
        return self._before + 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self._row) >= MOST_LINES:
            raise StopIteration
        line = self._waiting.popleft() if self._waiting else self._file.readline(_LONGEST_LINE)
        if not line:
            raise StopIteration
        self._row.append(line)
        return line.replace("\0", "")

    def begin_row(self) -> bool:
        """Leave the row behind; returns whether there may be another."""
        self._before += len(self._row)
        self._row = []
        if self._waiting:
            return True
        line = self._file.readline(_LONGEST_LINE)
        if line:
            self._waiting.append(line)
        return bool(line)

    def keep_first_line(self) -> None:
        """Give back all of the row but its first line."""
        self._waiting.extendleft(reversed(self._row[1:]))
        self._row = self._row[:1]


def _records(lines: _Lines, separator: str) -> Iterator[tuple[int, list[str] | None]]:
    """Rows with their line; None for one that cannot be read."""
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
    while lines.begin_row():
        number = lines.line
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lines.keep_first_line()
            yield number, None
        else:
            yield number, cells


def _table(path: Path, file: TextIO, encoding: str) -> AnalyticsTable:
    head = [line for _ in range(HEADER_WITHIN) if (line := file.readline(_LONGEST_LINE))]
    if not any(line.strip() for line in head):
        raise ConfigError(f"{path} is empty", hint="export the table again")
    best = max(
        ((_header(line, s), -number, s) for number, line in enumerate(head) for s in SEPARATORS),
        key=lambda found: (len(found[0]), found[1]),
    )
    columns, number, separator = best[0], -best[1], best[2]
    if not any(n in columns for n in NAMES) or not any(r in columns for r in RESULTS):
        raise _no_columns(path, head)
    cells = [cell.strip() for cell in _split(head[number], separator)]
    lines = _Lines(file, head[number + 1 :], number + 1)
    used = tuple(cells[column] for column in sorted(columns.values()))
    ignored = tuple(c for n, c in enumerate(cells) if n not in columns.values() and c)
    names = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}
    return AnalyticsTable(
        _platform(cells), names.get(encoding, encoding.upper()), used, ignored, columns, lines,
        separator,
    )  # fmt: skip


def _header(line: str, separator: str) -> dict[str, int]:
    """Which column holds what, if the line names columns."""
    cells = [_plain(cell) for cell in _split(line, separator)]
    found: dict[str, int] = {}
    for name, known in COLUMNS.items():
        place = next((cells.index(text) for text in known if text in cells), None)
        if place is not None:
            found[name] = place
    return found


def _split(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line.replace("\0", "")], delimiter=separator), [])
    except csv.Error:
        return []


def _plain(cell: str) -> str:
    """A column's name as it is compared: YouTube hides soft hyphens in some."""
    text = unicodedata.normalize("NFKC", cell).replace("\u00ad", "").replace("\ufeff", "")
    return " ".join(text.casefold().split())


def _is(text: str, name: str) -> bool:
    return _plain(text) in COLUMNS[name]


def _platform(cells: Sequence[str]) -> str:
    plain = {_plain(cell) for cell in cells}
    if plain & {"video link", "watched full video", "watched full video (%)", "total views"}:
        return "tiktok"
    if plain & {"video publish time", "watch time (hours)", "average percentage viewed (%)"}:
        return "youtube"
    return "other"


def _no_columns(path: Path, head: Sequence[str]) -> ConfigError:
    line = next(line for line in head if line.strip())
    cells = max((_split(line, separator) for separator in SEPARATORS), key=len)
    found = ", ".join(repr(cell.strip()[:40]) for cell in cells[:12] if cell.strip())
    return ConfigError(
        f"{path} has no columns that are understood; it has: {found or 'none'}", hint=_UNDERSTOOD
    )


def _encoding(path: Path) -> str:
    """Unicode by its mark, else UTF-8 where the whole file is, else Windows-1252."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
        for signature, kind, advice in _SIGNATURES:
            if sample.startswith(signature):
                raise ConfigError(f"{path} is {kind}, not a table as text", hint=advice)
        if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if guess := _utf16_without_mark(sample):
            return guess
        if sample.count(0) > FEW_NULS + len(sample) / 100:
            raise ConfigError(
                f"{path} is not text: it is full of NUL bytes", hint="download the table as CSV"
            )
        file.seek(0)
        return "utf-8-sig" if _is_utf8(file) else "cp1252"


def _utf16_without_mark(sample: bytes) -> str | None:
    """UTF-16 of mostly Latin letters: every other byte is zero."""
    half = max(1, len(sample) // 2)
    if sample[1::2].count(0) > 0.6 * half and sample[0::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if sample[0::2].count(0) > 0.6 * half and sample[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _is_utf8(file: io.BufferedReader) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(1_000_000):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True

"""Everything on stdout: results as tables for people, as JSON for programs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from reelremix.config import expanded
from reelremix.errors import ConfigError, OutputExists

if TYPE_CHECKING:
    from rich.text import Text

_ORDERS = {
    code: chr(code).encode("unicode_escape").decode()
    for code in (*range(0x20), *range(0x7F, 0xA0))
    if chr(code) not in "\n\t"
}
_REORDERING = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Characters by which a name can turn around what is shown behind it."""
_BREAKS = {
    code: chr(code).encode("unicode_escape").decode()
    for code in (0x9, 0xA, 0x2028, 0x2029, *_REORDERING)
}
PLAIN_COLUMNS = 160
"""Width of a table that goes to a file or a program."""


def show_json(value: Any) -> None:
    """One JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False))


def harmless(text: str) -> str:
    """Text without what a terminal takes for orders; lines stay lines."""
    return text.translate(_ORDERS)


def on_one_line(text: str) -> str:
    """Text without orders, and without what would break or turn around a line: a name, a cell."""
    return text.translate(_ORDERS | _BREAKS)


def show_text(text: str) -> None:
    """Text as it is, but for what a terminal takes for orders."""
    sys.stdout.write(harmless(text if text.endswith("\n") else text + "\n"))


def show_table(
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[str]],
    marked: Sequence[Collection[str]] = (),
) -> None:
    """A table; each column is (heading, `left` or `right` or `wrap`).

    `marked` are for each row the words that stand out on a terminal.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for at, (heading, style) in enumerate(columns):
        table.add_column(
            heading,
            justify="right" if style == "right" else "left",
            no_wrap=style != "wrap",
            overflow="fold" if style == "wrap" else "ellipsis",
            min_width=_widest(rows, at) if style == "right" else None,
        )
    for row, words in zip_longest(rows, marked, fillvalue=()):
        table.add_row(*(_styled(cell, words) for cell in row))
    Console(file=sys.stdout, width=width_columns()).print(table)


def _styled(cell: str, words: Collection[str]) -> Text:
    from rich.text import Text

    text = Text(on_one_line(cell))
    if words:
        listed = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
        text.highlight_regex(rf"(?<!\w)(?:{listed})(?!\w)", "bold")
    return text


def _widest(rows: Sequence[Sequence[str]], at: int) -> int:
    """Numbers are never cut."""
    return max((len(row[at]) for row in rows), default=0)


def width_columns() -> int:
    """How wide a table may be."""
    from rich.console import Console

    return Console(file=sys.stdout).width if sys.stdout.isatty() else PLAIN_COLUMNS


def can_show(text: str) -> bool:
    """Whether standard output has these letters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def clock(seconds: float) -> str:
    """Seconds as people read them: 7:05.2 or 1:02:03.0."""
    tenths = round(seconds * 10)
    hours, minutes, rest = tenths // 36000, tenths // 600 % 60, tenths % 600 / 10
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def percent(value: float | None) -> str:
    """A score for people."""
    return "unknown" if value is None else f"{value:.0f}"


def deliver(text: str, out: str | None, *, overwrite: bool, option: str = "--out") -> None:
    """Text to the file that an option names, or to standard output without one.

    Raises:
        ConfigError: it is a folder.
        OutputExists: the file is there and may not be replaced.
    """
    if out is None:
        show_text(text)
        return
    from reelremix.engine.store.files import write_atomically

    check_target(out, overwrite=overwrite, option=option)
    content = text if text.endswith("\n") else text + "\n"
    write_atomically(expanded(out, option), content.encode(errors="backslashreplace"))


def check_target(out: str | None, *, overwrite: bool, option: str = "--out") -> None:
    """Whether a result may go there; best asked before an hour of work.

    Raises:
        ConfigError: it is a folder.
        OutputExists: the file is there and may not be replaced.
    """
    if out is None:
        return
    target = expanded(out, option)
    if target.is_dir():
        raise ConfigError(f"{target} is a folder", hint=f"`{option}` takes the name of a file")
    if target.exists() and not overwrite:
        raise OutputExists(f"{target} exists", hint="`--overwrite` replaces it")

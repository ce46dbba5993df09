"""What a preset's keys mean, read from the dataclasses that hold them, and a commented file of it.

The docs' table and what `preset new` writes come from here, so that neither can drift.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any

from reelremix.engine.captions.bookends import BOOKENDS, BookendTable
from reelremix.engine.captions.brand import (
    TITLE_KEYS,
    Logo,
    ProgressBar,
    TitleCard,
    allowed_in_table,
)
from reelremix.engine.captions.style import CaptionStyle, bounds_of


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a preset."""

    table: str
    """Empty for the keys of the captions themselves."""
    name: str
    default: Any
    meaning: str
    allowed: str
    """Bounds or words; empty where the kind says enough."""


def keys() -> tuple[Key, ...]:
    """Every key, in the order of the reference."""
    style = list(_keys_of(CaptionStyle, ""))
    title = TitleCard()
    shown = [
        Key("title", k.name, getattr(title.style, k.name), k.meaning, k.allowed)
        for k in style
        if k.name in TITLE_KEYS
    ]
    seconds = next(k for k in _keys_of(TitleCard, "title") if k.name == "seconds")
    return (
        *style,
        seconds,
        *shown,
        *_keys_of(ProgressBar, "progress"),
        *_keys_of(Logo, "logo"),
        *(key for name in BOOKENDS for key in _keys_of(BookendTable, name)),
    )


def _keys_of(kind: type, table: str) -> Iterator[Key]:
    meanings = _meanings(kind)
    for field in fields(kind):
        if field.default is not MISSING:
            whole = f"{table}.{field.name}" if table else field.name
            meaning, allowed = (
                meanings.get(field.name, ""),
                allowed_in_table(whole) or bounds_of(whole),
            )
            yield Key(table, field.name, field.default, meaning, allowed)


def _meanings(kind: type) -> dict[str, str]:
    """The string under each field of a dataclass."""
    tree = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for before, after in zip(tree.body, tree.body[1:], strict=False):
        if (
            isinstance(before, ast.AnnAssign)
            and isinstance(before.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            found[before.target.id] = " ".join(str(after.value.value).split())
    return found


def as_toml(value: Any) -> str:
    """A value as it stands in a preset."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(as_toml(part) for part in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def commented_copy(text: str, origin: str) -> str:
    """A preset's text followed by every key it does not set, commented out with its meaning."""
    head, _, tables = text.partition("\n[")
    set_already = {line.partition("=")[0].strip() for line in head.splitlines() if "=" in line}
    lines = [f"# Made from `{origin}`. Lines with # in front are what holds without them.", ""]
    lines += [head.rstrip(), ""]
    for key in keys():
        if not key.table and key.name not in set_already:
            allowed = f" ({key.allowed})" if key.allowed else ""
            lines += [f"# {key.meaning}{allowed}", f"#{key.name} = {as_toml(key.default)}"]
    if tables:
        lines += ["", "[" + tables.rstrip()]
    for table in ("title", "progress", "logo", *BOOKENDS):
        if f"[{table}]" not in text:
            lines += ["", *_commented_table(table)]
    if "[brand" not in text:
        lines += ["", '# Names for colours and fonts, used above as "$name".', "#[brand.colours]"]
        lines += ['#primary = "#7C3AED"', "#[brand.fonts]", '#heading = "MyFont.ttf"']
    return "\n".join(lines) + "\n"


def _commented_table(table: str) -> Iterator[str]:
    yield f"#[{table}]"
    for key in keys():
        if key.table == table:
            allowed = f" ({key.allowed})" if key.allowed else ""
            yield f"## {key.meaning}{allowed}"
            yield f"#{key.name} = {as_toml(key.default)}"


def reference_table() -> str:
    """Every key as Markdown."""
    rows = ["| key | default | allowed | meaning |", "|---|---|---|---|"]
    for key in keys():
        name = f"{key.table}.{key.name}" if key.table else key.name
        default = as_toml(key.default)
        rows.append(f"| `{name}` | `{default}` | {key.allowed} | {key.meaning} |")
    return "\n".join(rows) + "\n"

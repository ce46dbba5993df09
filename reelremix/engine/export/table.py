"""A table of the clips for spreadsheets and programs: CSV and JSON with the same facts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reelremix.engine.domain.candidate import Axis
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.timecode import timecode_of
from reelremix.engine.export.exporters import FOLDER, PROTOCOL, Document, Material, Recording
from reelremix.engine.export.sequence import ClipSequence
from reelremix.engine.export.xmltext import plain_line

VERSION = 1
FORMULA = ("=", "+", "-", "@")
"""How a cell begins that a spreadsheet would calculate."""


@dataclass(frozen=True, slots=True)
class Table:
    """Writes one file."""

    kind: str
    protocol: int = PROTOCOL
    recording: Recording = Recording.HELPS
    gathers: bool = True
    folder: str = FOLDER

    @property
    def suffix(self) -> str:
        """Of the file."""
        return f".{self.kind}"

    def notes(self, material: Material) -> Iterator[str]:
        """Timecodes that could not be told."""
        if material.clips and not material.sequences:
            yield "the recording was not found, so there are no timecodes; `--source FILE` names it"

    def documents(self, material: Material, gathered: str | None) -> Iterator[Document]:
        """The table."""
        rows = list(_rows(material))
        name = gathered or f"{material.name}-clips{self.suffix}"
        yield Document(name, (_as_csv(rows) if self.kind == "csv" else _as_json(rows, material)))


CSV, JSON = Table("csv"), Table("json")


def _rows(material: Material) -> Iterator[dict[str, Any]]:
    sequences: dict[str, ClipSequence] = {s.clip.id: s for s in material.sequences}
    for clip, entry in zip(material.clips, material.entries, strict=True):
        yield _row(clip, entry, sequences.get(clip.id))


def _row(clip: Clip, entry: Mapping[str, Any], sequence: ClipSequence | None) -> dict[str, Any]:
    files = entry.get("files") or {}
    return {
        "rank": clip.rank,
        "id": clip.id,
        "title": clip.title,
        "status": entry.get("status"),
        "start_s": clip.ranges[0].start_s,
        "end_s": clip.ranges[-1].end_s,
        "duration_s": clip.duration_s,
        **_timecodes(sequence),
        "cuts": [[kept.start_s, kept.end_s] for kept in clip.ranges],
        "score": clip.score.total if clip.score is not None else None,
        "axes": {a.value: clip.score.axes.get(a) if clip.score else None for a in Axis},
        "reasons": [
            {"axis": r.axis.value, "text": r.text, "quote": r.quote, "start_s": r.range.start_s}
            for r in (clip.score.reasons if clip.score is not None else ())
        ],
        "text": clip.text,
        "description": clip.description,
        "hashtags": list(clip.hashtags),
        "file": files.get("video"),
    }


def _timecodes(sequence: ClipSequence | None) -> dict[str, str | None]:
    if sequence is None:
        return {"start_timecode": None, "end_timecode": None}
    media, kept = sequence.media, sequence.kept
    frames = {"start_timecode": kept[0][1], "end_timecode": kept[-1][2]}
    return {
        name: timecode_of(media.start + frame, media.rate, drop=media.drop)
        for name, frame in frames.items()
    }


def _as_json(rows: list[dict[str, Any]], material: Material) -> bytes:
    source = material.manifest["source"]
    about = {"name": source["name"], "id": source["id"]}
    whole = {"version": VERSION, "source": about, "clips": rows}
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode()


def _as_csv(rows: list[dict[str, Any]]) -> bytes:
    """UTF-8 with a mark at its beginning, without which spreadsheets take it for something else."""
    lines = [_flat(row) for row in rows]
    names = list(lines[0]) if lines else list(_flat(_EMPTY))
    out = io.StringIO()
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode("utf-8-sig")


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    cuts = "; ".join(f"{start:.3f}-{end:.3f}" for start, end in row["cuts"])
    reasons = "; ".join(f"{r['axis']}: {r['text']} “{r['quote']}”" for r in row["reasons"])
    flat = {
        **{name: row[name] for name in row if name not in ("axes", "cuts", "reasons", "hashtags")},
        "cuts": cuts,
        **{axis.value: row["axes"].get(axis.value) for axis in Axis},
        "reasons": reasons,
        "hashtags": " ".join(row["hashtags"]),
    }
    return {name: _cell(value) for name, value in flat.items()}


def _cell(value: Any) -> Any:
    """The value; text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if not isinstance(value, str):
        return value
    text = plain_line(value)
    return f"'{text}" if text.startswith(FORMULA) else text


_EMPTY: dict[str, Any] = {
    "rank": None, "id": "", "title": "", "status": None, "start_s": 0, "end_s": 0, "duration_s": 0,
    "start_timecode": None, "end_timecode": None, "cuts": [], "score": None, "axes": {},
    "reasons": [], "text": "", "description": "", "hashtags": [], "file": None,
}  # fmt: skip

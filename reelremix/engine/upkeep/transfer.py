"""A library as one document, to be read on another machine: everything a person made.

JSON lines, the first of which says what the document is. Sources, transcripts and clips are in it,
decisions, corrections, edits and what was rendered; not the recordings and films themselves, nor
what can be computed again. Reading it merges: what is here already is left as it is, so that
reading it twice is the same as once.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reelremix import __version__
from reelremix.engine import codec
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import STATUSES, Catalogue, Decision
from reelremix.engine.domain.edit import Changed, Correction, Edit, ManifestPlace, RenderRecord
from reelremix.engine.domain.rows import Order
from reelremix.engine.domain.source import Source
from reelremix.engine.domain.track import Track
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.store.files import replacing
from reelremix.engine.upkeep.listing import moment
from reelremix.errors import ConfigError

KIND, VERSION = "reelremix library", 1
RESET = "reset"
PAGE = 500
MOST_LETTERS = 256 << 20
"""In a line; what is longer is no transcript."""


@dataclass
class Merged:
    """What came of reading a document."""

    added: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    """What was here already."""
    superseded: int = 0
    """Decisions on clips that something later was decided about here."""
    conflicts: list[str] = field(default_factory=list)
    """Manifests that were changed in one way there and in another here, and corrections of the same
    words; those here stay."""
    unread: Counter[str] = field(default_factory=Counter)
    """What another version wrote, by its type."""

    def to_plain(self) -> dict[str, Any]:
        """As published."""
        return {
            "version": VERSION,
            "added": dict(sorted(self.added.items())),
            "known": dict(sorted(self.known.items())),
            "superseded": self.superseded,
            "conflicts": self.conflicts,
            "unread": dict(sorted(self.unread.items())),
        }


def export_library(catalogue: Catalogue, target: Path) -> dict[str, int]:
    """Write a library as one document, complete or not at all; returns how much of each there is.

    Raises ConfigError where it cannot be written.
    """
    counts: Counter[str] = Counter()
    with replacing(target) as part, part.open("w", encoding="utf-8", newline="\n") as out:
        for line in _lines(catalogue):
            counts[line["type"]] += 1
            out.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    del counts["library"]
    return dict(counts)


def _lines(catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    yield {
        "type": "library",
        "kind": KIND,
        "version": VERSION,
        "written_by": f"reelremix {__version__}",
        "at": moment(time.time()),
    }
    for source_id in _source_ids(catalogue):
        yield from _of_source(catalogue, source_id)
    for place in reversed(catalogue.manifests()):
        yield from _of_manifest(catalogue, place)
    for decision in catalogue.decisions():
        yield {"type": "decision", "value": codec.to_plain(decision)}


def _source_ids(catalogue: Catalogue) -> Iterator[str]:
    offset = 0
    while rows := catalogue.source_rows("", PAGE, offset, Order.NAME):
        yield from (row.id for row in rows)
        offset += PAGE


def _of_source(catalogue: Catalogue, id: str) -> Iterator[dict[str, Any]]:
    source, transcript = catalogue.source(id), catalogue.heard_transcript(id)
    if source is not None:
        yield {"type": "source", "value": codec.to_plain(source)}
    if transcript is not None:
        yield {"type": "transcript", "source": id, "value": codec.to_plain(transcript)}
    for correction in catalogue.corrections(id):
        yield {"type": "correction", "source": id, "value": codec.to_plain(correction)}
    for clip in catalogue.clips(id):
        yield {"type": "clip", "source": id, "value": codec.to_plain(clip)}


def _of_manifest(catalogue: Catalogue, place: ManifestPlace) -> Iterator[dict[str, Any]]:
    yield {"type": "manifest", "value": codec.to_plain(place)}
    for edit in catalogue.edits(place.id):
        yield {"type": "edit", "manifest": place.id, "value": _edit_to_plain(edit)}
    for record in catalogue.renders(place.id):
        yield {"type": "render", "value": codec.to_plain(record)}


def _edit_to_plain(edit: Edit) -> dict[str, Any]:
    return {
        "number": edit.number,
        "at": edit.at,
        "operation": codec.operation_to_plain(edit.operation),
        "changed": codec.to_plain(dict(edit.changed)),
        "faces": codec.to_plain(dict(edit.faces)),
    }


def _edit_from_plain(plain: dict[str, Any]) -> Edit:
    changed = {
        clip: None if own is None else Changed(own["values"], tuple(own["gone"]))
        for clip, own in plain["changed"].items()
    }
    operation = codec.operation_from_plain(plain["operation"])
    faces = codec.from_plain(plain.get("faces", {}), dict[str, tuple[Track, ...]])
    return Edit(int(plain["number"]), float(plain["at"]), operation, changed, faces)


_ABOUT = {
    "transcript": "source",
    "correction": "source",
    "clip": "source",
    "edit": "manifest",
}
"""What lines say, besides their value, of whom they are."""
_READERS: dict[str, Callable[[Any], Any]] = {
    "source": lambda plain: codec.from_plain(plain, Source),
    "transcript": lambda plain: codec.from_plain(plain, Transcript),
    "correction": lambda plain: codec.from_plain(plain, Correction),
    "clip": lambda plain: codec.from_plain(plain, Clip),
    "manifest": lambda plain: codec.from_plain(plain, ManifestPlace),
    "edit": _edit_from_plain,
    "render": lambda plain: codec.from_plain(plain, RenderRecord),
    "decision": lambda plain: codec.from_plain(plain, Decision),
}
"""What each kind of line is read as."""


def import_library(catalogue: Catalogue, file: Path, *, dry_run: bool = False) -> Merged:
    """Add what a document has and this library has not.

    Raises ConfigError: the file cannot be read, is no such document, or is of a newer version; what
    comes after a damaged line is not read.
    """
    merging = _Merging(catalogue, dry_run=dry_run)
    try:
        with closing(file.open(encoding="utf-8")) as lines:
            _check_head(_parsed(lines.readline(MOST_LETTERS), file, 1), file)
            number = 1
            while line := lines.readline(MOST_LETTERS):
                number += 1
                merging.take(_parsed(line, file, number))
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(
            f"cannot read {file}: {exc}", hint="`reelremix library export FILE` writes one"
        ) from exc
    return merging.merged


def _parsed(line: str, file: Path, number: int) -> dict[str, Any]:
    try:
        plain = json.loads(line)
    except ValueError as exc:
        plain = None
        if number > 1:
            raise ConfigError(
                f"{file} is damaged in line {number}: {exc}",
                hint="what stands before it was read; export the library again for the rest",
            ) from exc
    if "\\ud" in line.lower() and not _is_text(plain):
        plain = None
    return plain if isinstance(plain, dict) else {}


def _is_text(plain: Any) -> bool:
    """Whether all letters are whole, so that they can be written down."""
    try:
        json.dumps(plain, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_head(head: dict[str, Any], file: Path) -> None:
    if head.get("kind") != KIND:
        raise ConfigError(
            f"{file} is not an exported library", hint="`reelremix library export FILE` writes one"
        )
    if head.get("version") != VERSION:
        raise ConfigError(
            f"{file} was written by a newer ReelRemix ({head.get('written_by')})",
            hint="upgrade with `pip install -U reelremix`",
        )


class _Merging:
    """One document being read into one library."""

    def __init__(self, catalogue: Catalogue, *, dry_run: bool) -> None:
        self.merged = Merged()
        self._catalogue = catalogue
        self._dry_run = dry_run
        decisions = catalogue.decisions()
        self._seen = {_key(own) for own in decisions}
        self._decided_at = {own.clip_id: own.at for own in decisions if own.kind in STATUSES}
        self._manifests = {place.id for place in catalogue.manifests()}
        self._at_odds: set[str] = set()
        self._corrected: dict[str, Sequence[Correction]] = {}
        """By source, as it was before anything was added."""
        self._theirs: dict[str, list[Correction]] = {}
        """By source, as far as the document was read: one that goes on from those here is added."""
        self._edits: dict[str, dict[int, Edit]] = {}
        self._renders: dict[str, dict[str, float]] = {}
        """By manifest: when each clip's film was made."""

    def take(self, line: dict[str, Any]) -> None:
        """Add what a line has, unless it is here."""
        kind = str(line.get("type"))
        try:
            value = _READERS[kind](line["value"])
            about = str(line[_ABOUT[kind]]) if kind in _ABOUT else ""
            about.encode()  # what is no text is no id
        except (KeyError, TypeError, ValueError, AttributeError):  # as another version writes it
            self.merged.unread[kind] += 1
            return
        is_new = self._merge(value, about)
        (self.merged.added if is_new else self.merged.known)[kind] += 1

    def _merge(self, value: Any, about: str) -> bool:
        """Add something, if it is new; `about` is the id of its source or manifest."""
        catalogue = self._catalogue
        match value:
            case Source():
                is_new = catalogue.source(value.id) is None
                return is_new and self._do(lambda: catalogue.save_source(value))
            case Transcript():
                is_new = catalogue.transcript_digest(about) is None
                return is_new and self._do(lambda: catalogue.save_transcript(about, value))
            case Clip():
                is_new = catalogue.clip(value.id) is None
                return is_new and self._do(lambda: catalogue.save_clips(about, [value]))
            case ManifestPlace():
                is_new = value.id not in self._manifests
                return is_new and self._do(lambda: catalogue.remember_manifest(value))
            case Correction():
                return self._correction(value, about)
            case Edit():
                return self._edit(value, about)
            case RenderRecord():
                return self._render(value)
            case Decision():
                return self._decision(value)
            case _:
                raise AssertionError(f"{value!r} is not merged")

    def _do(self, write: Callable[[], None]) -> bool:
        if not self._dry_run:
            write()
        return True

    def _correction(self, correction: Correction, source_id: str) -> bool:
        if source_id not in self._corrected:
            self._corrected[source_id] = self._catalogue.corrections(source_id)
        here = [own for own in self._corrected[source_id] if _overlaps(own, correction)]
        there = self._theirs.setdefault(source_id, [])
        there.append(correction)
        if correction not in here and all(own in there for own in here):
            return self._do(lambda: self._catalogue.correct(source_id, correction))
        if correction not in here:
            at_s = correction.range.start_s
            self.merged.conflicts.append(f"correction of {source_id[:12]} at {at_s:.2f} s")
        return False

    def _edit(self, edit: Edit, manifest: str) -> bool:
        if manifest not in self._edits:
            known = self._catalogue.edits(manifest)
            self._edits[manifest] = {own.number: own for own in known}
        here = self._edits[manifest]
        if edit.number > max(here, default=0) and manifest not in self._at_odds:
            here[edit.number] = edit
            return self._do(lambda: self._catalogue.append_edits(manifest, [edit]))
        if here.get(edit.number) != edit and manifest not in self._at_odds:
            self._at_odds.add(manifest)
            self.merged.conflicts.append(manifest)
        return False

    def _render(self, record: RenderRecord) -> bool:
        if record.manifest_id not in self._renders:
            known = self._catalogue.renders(record.manifest_id)
            self._renders[record.manifest_id] = {own.clip_id: own.at for own in known}
        here = self._renders[record.manifest_id]
        if here.get(record.clip_id, float("-inf")) >= record.at:
            return False
        here[record.clip_id] = record.at
        return self._do(lambda: self._catalogue.save_render(record))

    def _decision(self, decision: Decision) -> bool:
        if _key(decision) in self._seen:
            return False
        if decision.kind == RESET or self._is_superseded(decision):
            self.merged.superseded += 1
            return False
        self._seen.add(_key(decision))
        return self._do(lambda: self._catalogue.record(decision))

    def _is_superseded(self, decision: Decision) -> bool:
        """Whether something later was decided here: what is recorded last is what counts."""
        at = self._decided_at.get(decision.clip_id, float("-inf"))
        return decision.kind in STATUSES and at > decision.at


def _key(decision: Decision) -> str:
    return json.dumps(codec.to_plain(decision), sort_keys=True)


def _overlaps(one: Correction, other: Correction) -> bool:
    return one.range.start < other.range.end and other.range.start < one.range.end


def counted(counts: Iterable[tuple[str, int]]) -> str:
    """`3 clips, 1 source`: how much there is of each."""
    return ", ".join(f"{n} {kind}{'s' if n != 1 else ''}" for kind, n in counts if n)

"""What a person changes about clips: small operations, recorded one after the other.

An `Edit` is an operation with what came of it, so that what was done can be undone exactly, and
read by a version that would do it otherwise. How operations are carried out is `engine.editing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, ClassVar

from reelremix.engine.domain.choice import LayoutChoice
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Track


class Status(StrEnum):
    """What a person decided about a clip."""

    KEPT = "kept"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Decide:
    """Keep a clip, drop it, or leave that open again."""

    op: ClassVar[str] = "decide"
    clip: str
    status: Status | None


@dataclass(frozen=True, slots=True)
class Retitle:
    """Give a clip another title, description or hashtags; None leaves each as it is."""

    op: ClassVar[str] = "retitle"
    clip: str
    title: str | None = None
    description: str | None = None
    hashtags: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Trim:
    """Move where a clip begins or ends, inwards or outwards."""

    op: ClassVar[str] = "trim"
    clip: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class CutOut:
    """Leave out a stretch inside a clip."""

    op: ClassVar[str] = "cut"
    clip: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class PutBack:
    """Keep again what was left out of a clip between two moments."""

    op: ClassVar[str] = "put_back"
    clip: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Split:
    """Make two clips of one."""

    op: ClassVar[str] = "split"
    clip: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Merge:
    """Take another clip of the same recording into one; the other is gone."""

    op: ClassVar[str] = "merge"
    clip: str
    other: str


@dataclass(frozen=True, slots=True)
class Create:
    """Make a new clip of a stretch, in the manner of the others."""

    op: ClassVar[str] = "create"
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Reframe:
    """Ask for another layout."""

    op: ClassVar[str] = "layout"
    clip: str
    layout: LayoutChoice


@dataclass(frozen=True, slots=True)
class Follow:
    """Show whoever's face is at a point of the picture while a stretch is heard."""

    op: ClassVar[str] = "follow"
    clip: str
    start_s: float
    end_s: float
    at_s: float
    x: float
    """In upright pixels of the source, as is `y`."""
    y: float


@dataclass(frozen=True, slots=True)
class Recaption:
    """Set the captions in another preset, or take them away with `none`."""

    op: ClassVar[str] = "captions"
    clip: str
    preset: str


@dataclass(frozen=True, slots=True)
class Correct:
    """Write what was said in a stretch otherwise; no text takes its words out of the captions."""

    op: ClassVar[str] = "correct"
    clip: str
    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class ByHand:
    """Take over what somebody changed in the manifest with an editor."""

    op: ClassVar[str] = "by_hand"


@dataclass(frozen=True, slots=True)
class Settle:
    """Frame or set clips anew; undone together with what was done to each of them last."""

    op: ClassVar[str] = "settle"


@dataclass(frozen=True, slots=True)
class Begin:
    """How the clips were before anything was changed."""

    op: ClassVar[str] = "begin"


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back the last operation that was not taken back."""

    op: ClassVar[str] = "undo"


@dataclass(frozen=True, slots=True)
class Redo:
    """Do again what was taken back last."""

    op: ClassVar[str] = "redo"


Change = (
    Decide | Retitle | Trim | CutOut | PutBack | Split | Merge | Create | Reframe | Follow
    | Recaption | Correct
)  # fmt: skip
"""What a person can ask for."""
Operation = Change | ByHand | Settle | Begin | Undo | Redo
OPERATIONS: dict[str, type[Operation]] = {
    kind.op: kind
    for kind in (
        Decide, Retitle, Trim, CutOut, PutBack, Split, Merge, Create, Reframe, Follow, Recaption,
        Correct, ByHand, Settle, Begin, Undo, Redo,
    )
}  # fmt: skip

Entry = dict[str, Any]
"""A clip as it is published in a manifest."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What of an entry is another value now, and which keys it does not have any more."""

    values: Entry
    gone: tuple[str, ...] = ()

    def applied(self, entry: Entry) -> Entry:
        """The entry with the change."""
        return {k: v for k, v in (entry | self.values).items() if k not in self.gone}


@dataclass(frozen=True, slots=True)
class Edit:
    """An operation on the clips of one manifest, and what came of it."""

    number: int
    """Counted from 1 within the manifest."""
    at: float
    """Seconds since the epoch, UTC."""
    operation: Operation
    changed: Mapping[str, Changed | None] = field(default_factory=dict)
    """By clip id; None for a clip that is gone."""
    faces: Mapping[str, Sequence[Track]] = field(default_factory=dict)
    """Who is seen in clips that were framed anew, by clip."""


@dataclass(frozen=True, slots=True)
class Step:
    """An operation that counts, and what settled the clips that it changed."""

    edits: tuple[Edit, ...]

    @property
    def edit(self) -> Edit:
        """The operation itself."""
        return self.edits[0]


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts of a log: the steps that were taken, and those that were taken back."""

    done: tuple[Step, ...]
    undone: tuple[Step, ...]
    """The one that was taken back last comes last."""


def standing_of(log: Iterable[Edit]) -> Standing:
    """What counts of a log, which begins with `Begin`; that one is never taken back."""
    done: list[Step] = []
    undone: list[Step] = []
    for edit in log:
        match edit.operation:
            case Undo():
                undone.append(done.pop())
            case Redo():
                done.append(undone.pop())
            case Settle():
                _settle(done, edit)
            case _:
                done.append(Step((edit,)))
                undone.clear()
    return Standing(tuple(done), tuple(undone))


def _settle(done: list[Step], edit: Edit) -> None:
    """Add what settles each clip to the step that changed it last."""
    for clip, changed in edit.changed.items():
        changing = (n for n, step in enumerate(done) if any(clip in e.changed for e in step.edits))
        at = max(changing, default=len(done) - 1)
        own = replace(edit, changed={clip: changed})
        done[at] = Step((*done[at].edits, own))


def entries_after(steps: Iterable[Step]) -> dict[str, Entry]:
    """The clips of a manifest after some steps, by id."""
    entries: dict[str, Entry] = {}
    for edit in (edit for step in steps for edit in step.edits):
        for clip, changed in edit.changed.items():
            if changed is None:
                entries.pop(clip, None)
            else:
                entries[clip] = changed.applied(entries.get(clip, {}))
    return entries


def changes_between(
    before: Mapping[str, Entry], now: Mapping[str, Entry]
) -> dict[str, Changed | None]:
    """What an edit records that leads from some clips to others."""
    found: dict[str, Changed | None] = {clip: None for clip in before.keys() - now.keys()}
    for clip, entry in now.items():
        old = before.get(clip, {})
        values = {k: v for k, v in entry.items() if k not in old or old[k] != v}
        gone = tuple(sorted(old.keys() - entry.keys()))
        if values or gone or clip not in before:
            found[clip] = Changed(values, gone)
    return found


@dataclass(frozen=True, slots=True)
class ManifestPlace:
    """A manifest that the library knows, and where it was last."""

    id: str
    source_id: str
    path: str


@dataclass(frozen=True, slots=True)
class RenderRecord:
    """A film that was made of a clip of a manifest."""

    manifest_id: str
    clip_id: str
    video: str
    """Relative to the manifest's folder."""
    sha256: str
    drawn: str
    """Digest of everything the film shows and plays."""
    is_ok: bool
    at: float
    """Seconds since the epoch, UTC."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What is said in a stretch of a recording, whatever a recogniser heard there."""

    range: TimeRange
    words: tuple[str, ...]
    """They share the stretch by their letters; none where nothing is to be read."""

"""The clips of one manifest while somebody changes them.

Every change is appended to the library's log before anything else happens, so that a session that
is killed has lost nothing; `clips.json` follows. Where both have changed since they agreed, what
was changed in the file by hand becomes one more edit.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from reelremix.engine import codec
from reelremix.engine.adapting import DROPPED, KEPT, REOPENED, place_of
from reelremix.engine.domain.clip import Clip, ClipEntry
from reelremix.engine.domain.context import Decision, RunContext
from reelremix.engine.domain.corrections import corrected, correction_of
from reelremix.engine.domain.edit import (
    Begin,
    ByHand,
    Change,
    Changed,
    Correct,
    Correction,
    Edit,
    Entry,
    ManifestPlace,
    Operation,
    Redo,
    Settle,
    Standing,
    Step,
    Undo,
    changes_between,
    entries_after,
    standing_of,
)
from reelremix.engine.domain.events import Warned
from reelremix.engine.domain.track import Track
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.edit_log import EditLog
from reelremix.engine.editing import Editor
from reelremix.engine.export.clip_entry import OPTIONAL
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.decided import decided_part, manifest_with, plain_decisions
from reelremix.engine.export.manifest import manifest_at, read_manifest, to_bytes
from reelremix.engine.export.tracks import renumbered_from, track_to_dict, tracks_from_dict
from reelremix.engine.material import Frames, material_of
from reelremix.engine.pipeline import alone_at
from reelremix.engine.stages.cuts import Spoken
from reelremix.engine.store.files import write_atomically
from reelremix.errors import ConfigError, EditConflict

T = TypeVar("T")
BEGIN, BY_HAND, SETTLE, UNDO, REDO = Begin(), ByHand(), Settle(), Undo(), Redo()
THEIRS = "take it back there, or with `reelremix clip edit MANIFEST --undo 1`"
LOST = (
    "the library has lost a part of what was done to {}: the clips are as the file has them, and"
    " nothing before can be undone"
)
KEPT_ALL_THE_SAME = "what was changed is kept in the library, and written as soon as that can be"
LOOK = "look at it, and try again"
MOST_TRIES = 5
"""Times that a change is tried again after somebody else's."""
STATUS_KINDS = {None: REOPENED, "kept": KEPT, "dropped": DROPPED}


@dataclass(frozen=True, slots=True)
class Happened:
    """What an operation led to."""

    operation: Operation
    """What was done, or undone."""
    clips: tuple[str, ...]
    """Ids of the clips that are otherwise now, those that are gone included."""


class Review:
    """Reads, changes and writes the clips of one manifest; safe to use from several threads."""

    def __init__(self, path: Path, ctx: RunContext, *, adopting: ByHand | Settle = BY_HAND) -> None:
        """Open a manifest.

        Args:
            path: of it, or of its folder.
            ctx: the run's surroundings.
            adopting: what to take changes of the file for that are not in the log.

        Raises:
            ConfigError: it cannot be read, or a clip in it cannot be used.
        """
        self.path = manifest_at(path)
        self._ctx = ctx
        self._adopting = adopting
        self._lock = threading.RLock()
        self._content = read_manifest(self.path)
        self._editor: Editor | None = None
        self._parsed: dict[str, tuple[Entry, Clip]] = {}
        self._seen: dict[str, Entry] | None = None
        if "id" not in self._content:
            self._name_manifest()
        self._remember_place()
        self.id = str(self._content["id"])
        self._frames = Frames(self.source, ctx)
        self._log = EditLog(self.id, ctx.catalogue)
        if not self._log.is_whole:
            self._begin_anew()
        self._entries = self._as_logged()
        # Whoever opens a manifest is told at once what is wrong with it.
        tracks_from_dict(self._content, self.path)
        for entry in self._entries.values():
            self._clip(entry)
        self._adopt(self._content)

    def close(self) -> None:
        """Let go of the recording."""
        self._frames.close()

    @property
    def source(self) -> Mapping[str, Any]:
        """The manifest's source, as published."""
        source: Mapping[str, Any] = self._content["source"]
        return source

    @property
    def content(self) -> Mapping[str, Any]:
        """The manifest as it was last read or written."""
        return self._content

    @property
    def clips(self) -> tuple[Clip, ...]:
        """All clips, by rank."""
        with self._lock:
            found = [self._clip(entry) for entry in self._entries.values()]
        return tuple(sorted(found, key=lambda clip: (clip.rank, clip.id)))

    @property
    def standing(self) -> Standing:
        """What was done, and what can be done again."""
        with self._lock:
            return self._log.standing

    @property
    def undoable(self) -> Step | None:
        """What `undo` would take back; None where there is nothing, or somebody else did it."""
        with self._lock:
            return self._own(self._log.standing.done[1:])

    @property
    def redoable(self) -> Step | None:
        """What `redo` would do again; None where there is nothing, or somebody else did it."""
        with self._lock:
            return self._own(self._log.standing.undone)

    def _own(self, steps: Sequence[Step]) -> Step | None:
        """The last of some steps, unless it is somebody else's."""
        return steps[-1] if steps and not self._log.is_theirs(steps[-1]) else None

    def clip(self, id: str) -> Clip:
        """A clip. Raises ConfigError where it is gone."""
        with self._lock:
            if id not in self._entries:
                raise ConfigError(f"there is no clip {id} any more")
            return self._clip(self._entries[id])

    def do(self, change: Change) -> Happened:
        """Carry out a change and keep it.

        Raises:
            ConfigError: it cannot be done, or would change nothing.
            EditConflict: somebody else changed the same clip meanwhile; nothing was done.
        """
        return self.together(lambda: self._append(change, self._changed_by(change)))

    def undo(self) -> Happened:
        """Take back the last operation.

        Raises:
            ConfigError: there is none.
            EditConflict: it was done by somebody else since these clips were opened.
        """
        return self.together(lambda: self._turn(UNDO))

    def redo(self) -> Happened:
        """Do again what was taken back last. Raises what `undo` raises."""
        return self.together(lambda: self._turn(REDO))

    def together(self, work: Callable[[], T]) -> T:
        """Carry out operations that are kept all at once, with what follows, or not at all.

        Args:
            work: calls `do`, `undo` and `redo`; again from the beginning where somebody else
                changed other clips meanwhile.

        Raises:
            EditConflict: somebody else changed one of the clips meanwhile.
            Exception: what `work` raises. Nothing was done then.
        """
        with self._lock:
            if self._log.is_open:
                return work()
            for _ in range(MOST_TRIES):
                before, done = self._entries, self._log.standing.done
                batch: list[Edit] = []
                try:
                    with self._log.batch(partial(self._keep, before, done)) as batch:
                        result = work()
                except EditConflict as exc:
                    ours = changes_between(before, self._entries)
                    self._entries, self._editor = before, None
                    self._give_way(ours, batch, exc)
                except BaseException:
                    self._entries = before
                    if batch:
                        self._editor = None  # it may know of corrections that were not made
                    raise
                else:
                    return result
            raise EditConflict("these clips are being changed all the time", hint="try again")

    def _keep(
        self, before: Mapping[str, Entry], done: Sequence[Step], batch: Sequence[Edit]
    ) -> None:
        """Write a batch and what follows from it, all at once."""
        with self._ctx.catalogue.at_once():
            self._ctx.catalogue.append_edits(self.id, batch)
            self._follow(before, done)
        if any(edit.faces for edit in batch):
            self._editor = None

    def _give_way(self, ours: Iterable[str], batch: Sequence[Edit], exc: EditConflict) -> None:
        """Take over what somebody else did; raises EditConflict where ours cannot follow it."""
        known = self._log.number
        theirs = self.refresh()
        if self._log.number == known:
            raise exc  # nobody else is to blame
        for id in sorted(theirs.intersection(ours)):
            raise EditConflict(
                f"clip {self._named(id)} was changed meanwhile by somebody else", hint=LOOK
            ) from exc
        if any(isinstance(edit.operation, Undo | Redo) for edit in batch):
            raise EditConflict("somebody else did something meanwhile", hint=LOOK) from exc

    def settle(
        self, clips: Sequence[Clip], faces: Mapping[str, Sequence[Track]]
    ) -> Happened | None:
        """Keep clips that were framed anew, unless somebody changed them otherwise meanwhile.

        Args:
            clips: as they are framed now.
            faces: who is seen in them, by clip.
        """
        with self._lock:
            self.refresh()
            return self.together(lambda: self._settled(clips, faces))

    def _settled(
        self, clips: Sequence[Clip], faces: Mapping[str, Sequence[Track]]
    ) -> Happened | None:
        if self._log.is_empty:
            return None
        first = 1 + max((track.id for track in self.tracks), default=-1)
        fresh, seen = {}, {}
        for clip in clips:
            if clip.id not in self._entries or not _is_as_was(clip, self.clip(clip.id)):
                continue
            named, own = renumbered_from(clip, faces.get(clip.id, ()), first)
            first += len(own)
            fresh[clip.id], seen[clip.id] = plain_decisions(named), own
        now = _with_unknown(self._entries, {**self._entries, **fresh})
        changed = changes_between(self._entries, now)
        if not changed:
            return None
        return self._append(SETTLE, changed, {id: own for id, own in seen.items() if id in changed})

    def refresh(self) -> set[str]:
        """Take over what others did; returns the ids of the clips they changed."""
        with self._lock:
            before = self._entries
            if self._log.take_news():
                self._entries = self._as_logged()
                self._editor = None
            return set(changes_between(before, self._entries))

    def sync(self) -> set[str]:
        """Bring the manifest in step with the log, keeping what was changed in it by hand.

        Returns the ids of the clips that somebody else, or somebody by hand, changed.

        Raises:
            ConfigError: the manifest is gone, was damaged by hand, or cannot be written.
        """
        with self._lock, alone_at(self.path, self._ctx):
            content, before = self._read_again(), self._entries
            self.refresh()
            self._adopt(content)
            if self._log.is_empty:
                return set()
            updated = manifest_with(content, self._entries, self._history(), self._log.number)
            if unlisted := self._unlisted(content):
                listed = content.get("tracks", ())
                updated["tracks"] = [*listed, *(track_to_dict(track) for track in unlisted)]
            if updated != content:
                try:
                    self._write(updated)
                except ConfigError as exc:
                    raise ConfigError(exc.message, hint=KEPT_ALL_THE_SAME) from exc
            self._content = updated
            self._seen = {entry["id"]: decided_part(entry) for entry in updated["clips"]}
            return set(changes_between(before, self._entries))

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Who is seen, those included that the manifest does not list yet."""
        with self._lock:
            listed = tracks_from_dict(self._content, self.path)
            return (*listed, *self._unlisted(self._content))

    def _unlisted(self, content: Mapping[str, Any]) -> list[Track]:
        """Who was seen in clips that were framed anew, and a manifest does not list yet."""
        listed = {entry["id"] for entry in content.get("tracks", ())}
        seen = (own for edit in self._log.edits for own in edit.faces.values())
        return [track for own in seen for track in own if track.id not in listed]

    def spoken(self) -> Spoken:
        """The words of the recording, to cut between."""
        with self._lock:
            return self._edits().material.spoken

    def transcript(self) -> Transcript:
        """What is said in the recording, as far as that is known."""
        with self._lock:
            return self._edits().material.transcript

    def _changed_by(self, change: Change) -> dict[str, Changed | None]:
        """What a change makes of the entries."""
        clips = {id: self._clip(entry) for id, entry in self._entries.items()}
        now = dict(self._entries)
        for id, clip in self._edits().changed(change, clips).items():
            if clip is None:
                del now[id]
            else:
                now[id] = plain_decisions(clip)
        return changes_between(self._entries, _with_unknown(self._entries, now))

    def _append(
        self,
        operation: Operation,
        changed: Mapping[str, Changed | None],
        faces: Mapping[str, Sequence[Track]] | None = None,
    ) -> Happened:
        """Add an edit to what is being done."""
        above, done = int(self._content.get("edited_to", 0)), self._log.standing.done
        if self._log.is_empty:
            self._log.append(BEGIN, changes_between({}, self._entries), above=above)
        self._log.append(operation, changed, above=above, faces=faces)
        self._entries = self._as_logged()
        self._heed(done)
        return Happened(operation, tuple(sorted(changed)))

    def _turn(self, turn: Undo | Redo) -> Happened:
        """Undo the last step, or redo it."""
        standing, before = self._log.standing, self._entries
        steps = standing.done[1:] if isinstance(turn, Undo) else standing.undone
        if not steps:
            raise ConfigError(f"there is nothing to {'undo' if turn == UNDO else 'do again'}")
        step = steps[-1]
        if self._log.is_theirs(step):
            raise EditConflict("that was done by somebody else meanwhile", hint=THEIRS)
        self._log.append(turn, {}, above=0)
        self._entries = self._as_logged()
        self._heed(standing.done)
        changed = changes_between(before, self._entries)
        return Happened(step.edit.operation, tuple(sorted(changed)))

    def _follow(self, before: Mapping[str, Entry], done: Sequence[Step]) -> None:
        """Tell the rest of the library what became of the clips."""
        catalogue, source_id = self._ctx.catalogue, str(self.source["id"])
        changed = changes_between(before, self._entries)
        kept = [self._clip(self._entries[id]) for id in changed if id in self._entries]
        catalogue.save_clips(source_id, kept)
        catalogue.remove_clips([id for id in changed if id not in self._entries])
        for clip in kept:
            was = before[clip.id].get("status") if clip.id in before else clip.status
            if was != clip.status:
                entry = ClipEntry(clip.id, source_id, clip.title, clip.slug, clip.ranges)
                kind = STATUS_KINDS[clip.status]
                at = round(time.time(), 3)
                catalogue.record(Decision(clip.id, kind, place_of(entry), at))
        self._follow_corrections(_correcting(done), _correcting(self._log.standing.done))

    def _follow_corrections(
        self, before: Mapping[int, Correct], now: Mapping[int, Correct]
    ) -> None:
        """What is read in a clip is what the recording says, for search and for other runs too."""
        catalogue, source_id = self._ctx.catalogue, str(self.source["id"])
        gone, new = _differing(before, now)
        for correction in reversed(gone):
            catalogue.uncorrect(source_id, correction)
        for correction in new:
            catalogue.correct(source_id, correction)

    def _heed(self, done: Sequence[Step]) -> None:
        """Let the operations that come next know of corrections since some steps."""
        gone, new = _differing(_correcting(done), _correcting(self._log.standing.done))
        if gone:
            self._editor = None
        elif new and self._editor is not None:
            self._editor = Editor(self._editor.material.corrected(new), self._ctx)

    def _said(self) -> Transcript | None:
        """The transcript with corrections, those included that are being made."""
        catalogue, source_id = self._ctx.catalogue, str(self.source["id"])
        heard = catalogue.heard_transcript(source_id)
        if heard is None:
            return None
        kept = _correcting(standing_of(self._log.kept).done)
        gone, new = _differing(kept, _correcting(self._log.standing.done))
        corrections = [*catalogue.corrections(source_id)]
        for correction in gone:
            if correction in corrections:
                corrections.remove(correction)
        return corrected(heard, [*corrections, *new])

    def _as_logged(self) -> dict[str, Entry]:
        if self._log.is_empty:
            return {entry["id"]: decided_part(entry) for entry in self._content["clips"]}
        return entries_after(self._log.standing.done)

    def _adopt(self, content: Mapping[str, Any]) -> None:
        """Take over what was changed in the manifest by hand since it was last written."""
        found = {entry["id"]: decided_part(entry) for entry in content["clips"]}
        if self._log.is_empty or found == self._seen:
            return  # nothing was changed in it since it was looked at last
        self.together(lambda: self._adopted(content, found))
        self._seen = found

    def _adopted(self, content: Mapping[str, Any], found: Mapping[str, Entry]) -> None:
        edits = self._log.edits
        # A file that is older than the log is as it was when that began.
        number = max(int(content.get("edited_to", 0)), edits[0].number)
        agreed = entries_after(standing_of(e for e in edits if e.number <= number).done)
        changed = changes_between(agreed, found)
        by_hand = {
            # a clip that is gone meanwhile is taken over whole
            id: own if own is None or id in self._entries else Changed(found[id])
            for id, own in changed.items()
            if self._differs(id, own)
        }
        if by_hand:
            clips_from_dict(content, self.path)  # nothing is adopted that cannot be used
            self._append(self._adopting, by_hand)

    def _differs(self, id: str, changed: Changed | None) -> bool:
        entry = self._entries.get(id)
        if changed is None or entry is None:
            return (changed is None) != (entry is None)
        return changed.applied(entry) != entry

    def _clip(self, entry: Entry) -> Clip:
        """An entry as a clip; each is read once."""
        known = self._parsed.get(entry["id"])
        if known is None or known[0] != entry:
            content = {**self._content, "clips": [entry]}
            known = self._parsed[entry["id"]] = entry, clips_from_dict(content, self.path)[0]
        return known[1]

    def _history(self) -> dict[str, list[dict[str, Any]]]:
        """What was done to each clip and counts, as a manifest lists it."""
        begun = self._log.edits[0].at
        history: dict[str, list[dict[str, Any]]] = {
            entry["id"]: [e for e in _listed_edits(entry) if e.get("at", begun) < begun]
            for entry in self._content["clips"]
        }
        for step in self.standing.done[1:]:
            told = {"at": step.edit.at, **codec.operation_to_plain(step.edit.operation)}
            for id in step.edit.changed:
                history.setdefault(id, []).append(told)
        return history

    def _named(self, id: str) -> str:
        entry = self._entries.get(id)
        return f"{entry['rank']} ({entry['title']})" if entry else id

    def _edits(self) -> Editor:
        if self._editor is None:
            clips = [self._clip(entry) for entry in self._entries.values()]
            material = material_of(
                self._content, self.path, self._said(), clips, self.tracks, self._frames
            )
            self._editor = Editor(material, self._ctx)
        return self._editor

    def _name_manifest(self) -> None:
        """Give the manifest a name of its own; what is in it now is its beginning."""
        with alone_at(self.path, self._ctx):
            content = read_manifest(self.path)
            if content.get("id") == self._content.get("id"):  # nobody was quicker
                content |= {"id": uuid.uuid4().hex, "edited_to": 0}
                self._write(content)
            self._content = content

    def _begin_anew(self) -> None:
        """Begin another log where the library has lost a part of this one."""
        self._name_manifest()
        self._remember_place()
        self.id = str(self._content["id"])
        self._log = EditLog(self.id, self._ctx.catalogue)
        self._ctx.reporter.emit(Warned(LOST.format(self.path), None))

    def _read_again(self) -> dict[str, Any]:
        """The manifest as it is now. Raises ConfigError where it is gone, or is another one."""
        try:
            content = read_manifest(self.path)
        except ConfigError as exc:
            raise ConfigError(exc.message, hint=KEPT_ALL_THE_SAME) from exc
        if content.get("id") != self.id:
            raise ConfigError(
                f"{self.path} was replaced by other clips while it was open",
                hint="open it again to go on with those; what was changed before is kept in the"
                " library",
            )
        return content

    def _write(self, content: Mapping[str, Any]) -> None:
        """Write the manifest; where its name is a link, what that leads to."""
        write_atomically(self.path.resolve(), to_bytes(content))

    def _remember_place(self) -> None:
        """Tell the library where the manifest is; a copy of one that is still there is another."""
        here = str(self.path.resolve())
        places = self._ctx.catalogue.manifests(str(self.source["id"]))
        known = {place.id: place.path for place in places}
        other = known.get(str(self._content["id"]), here)
        if other != here and _is_named(Path(other), str(self._content["id"])):
            self._name_manifest()
        place = ManifestPlace(str(self._content["id"]), str(self.source["id"]), here)
        self._ctx.catalogue.remember_manifest(place)


def in_step(path: Path, ctx: RunContext, *, adopting: ByHand | Settle = BY_HAND) -> None:
    """Bring a manifest and what the library knows of its edits in step; nothing without edits.

    Raises ConfigError.
    """
    id = read_manifest(path).get("id")
    if id is not None and ctx.catalogue.edits(str(id)):
        with closing(Review(path, ctx, adopting=adopting)) as review:
            review.sync()


def _listed_edits(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a manifest says was done to a clip; nothing of what somebody else wrote there."""
    edits = entry.get("edits")
    found = edits if isinstance(edits, list) else []
    return [e for e in found if isinstance(e, dict) and isinstance(e.get("at", 0.0), int | float)]


def _differing(
    before: Mapping[int, Correct], now: Mapping[int, Correct]
) -> tuple[list[Correction], list[Correction]]:
    """The corrections that count no more, and those that count now."""
    gone = [correction_of(before[number]) for number in before if number not in now]
    return gone, [correction_of(now[number]) for number in now if number not in before]


def _correcting(steps: Iterable[Step]) -> dict[int, Correct]:
    """The corrections among some steps, by the number of their edits."""
    edits = (step.edit for step in steps)
    return {e.number: e.operation for e in edits if isinstance(e.operation, Correct)}


def _is_as_was(framed: Clip, now: Clip) -> bool:
    """Whether what was framed is what is there now, but for how it is framed."""
    return (framed.ranges, framed.framing.wanted, framed.framing.pins, framed.output) == (
        now.ranges,
        now.framing.wanted,
        now.framing.pins,
        now.output,
    )


def _is_named(path: Path, id: str) -> bool:
    """Whether a manifest of that name is there."""
    try:
        return bool(read_manifest(path).get("id") == id)
    except ConfigError:
        return False


def _with_unknown(before: Mapping[str, Entry], now: Mapping[str, Entry]) -> dict[str, Entry]:
    """Entries with what stood in them that nothing here knows."""
    return {
        id: {k: v for k, v in before.get(id, {}).items() if k not in OPTIONAL} | entry
        for id, entry in now.items()
    }

"""The clips of one manifest while somebody changes them.

Every change is appended to the library's log before anything else happens, so that a session that
is killed has lost nothing; `clips.json` follows. Where both have changed since they agreed, what
was changed in the file by hand becomes one more edit.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelremix.engine import codec
from reelremix.engine.adapting import DROPPED, KEPT, REOPENED, place_of
from reelremix.engine.domain.clip import Clip, ClipEntry
from reelremix.engine.domain.context import Decision, RunContext
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
from reelremix.engine.domain.kept import is_heard
from reelremix.engine.domain.mix import Censor
from reelremix.engine.domain.source import VideoFormat
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Track
from reelremix.engine.domain.transcript import Segment, Transcript
from reelremix.engine.editing import Editor, Material
from reelremix.engine.export.clip_entry import OPTIONAL
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.decided import decided_part, manifest_with, plain_decisions
from reelremix.engine.export.manifest import manifest_at, read_manifest, to_bytes
from reelremix.engine.export.tracks import tracks_from_dict, tracks_with
from reelremix.engine.pipeline import alone_at, audio_of, reopened
from reelremix.engine.stages.censor import WordList, word_list
from reelremix.engine.stages.corrections import corrected
from reelremix.engine.stages.cuts import Spoken
from reelremix.engine.store.files import write_atomically
from reelremix.errors import ConfigError, EditConflict, SourceError

BY_HAND, SETTLE = ByHand(), Settle()
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
        self._log: list[Edit] = []
        self._content = read_manifest(self.path)
        self.tracks = tracks_from_dict(self._content, self.path)
        self._editor: Editor | None = None
        self._parsed: dict[str, tuple[Entry, Clip]] = {}
        self._faces: dict[str, Sequence[Track]] = {}
        self._seen: dict[str, Entry] | None = None
        self._stack = ExitStack()
        self._snapper: Callable[[Timestamp], Timestamp] | None = None
        if "id" not in self._content:
            self._name_manifest()
        self._remember_place()
        self.id = str(self._content["id"])
        self._log = list(ctx.catalogue.edits(self.id))
        self._entries = self._as_logged()
        for entry in self._entries.values():
            self._clip(entry)  # whoever opens a manifest is told at once what is wrong with it
        self._adopt(self._content)

    def close(self) -> None:
        """Let go of the recording."""
        with self._lock:
            self._stack.close()
            self._snapper = None

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
        return standing_of(self._log)

    @property
    def can_undo(self) -> bool:
        """Whether anything was done that counts."""
        return len(self.standing.done) > 1

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
        with self._lock:
            for _ in range(MOST_TRIES):
                before = dict(self._entries)
                now = self._after(change)
                try:
                    return self._append(change, changes_between(before, now))
                except EditConflict as exc:
                    theirs = self.refresh()
                    ours = changes_between(before, now)
                    if touched := theirs & ours.keys():
                        raise EditConflict(
                            f"clip {self._named(sorted(touched)[0])} was changed meanwhile by"
                            " somebody else",
                            hint="look at it, and try again",
                        ) from exc
            raise EditConflict("these clips are being changed all the time", hint="try again")

    def undo(self) -> Happened:
        """Take back the last operation. Raises ConfigError where there is none."""
        with self._lock:
            self.refresh()
            done = self.standing.done
            if len(done) < 2:
                raise ConfigError("there is nothing to undo")
            return self._turn(Undo(), done[-1], entries_after(done[:-1]))

    def redo(self) -> Happened:
        """Do again what was taken back last. Raises ConfigError where there is nothing."""
        with self._lock:
            self.refresh()
            standing = self.standing
            if not standing.undone:
                raise ConfigError("there is nothing to do again")
            step = standing.undone[-1]
            return self._turn(Redo(), step, entries_after((*standing.done, step)))

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
            fresh = {
                clip.id: plain_decisions(clip)
                for clip in clips
                if clip.id in self._entries and _is_as_was(clip, self.clip(clip.id))
            }
            now = _with_unknown(self._entries, {**self._entries, **fresh})
            changed = changes_between(self._entries, now)
            if not changed or not self._log:
                return None
            own = {id: faces[id] for id in fresh if id in faces}
            self._faces |= own
            self.tracks = (*self.tracks, *(track for seen in own.values() for track in seen))
            self._editor = None
            return self._append(SETTLE, changed)

    def refresh(self) -> set[str]:
        """Take over what others did; returns the ids of the clips they changed."""
        with self._lock:
            news = list(self._ctx.catalogue.edits(self.id, self._number))
            if not news:
                return set()
            before = self._entries
            self._log += news
            self._entries = self._as_logged()
            return set(changes_between(before, self._entries))

    def sync(self) -> None:
        """Bring the manifest in step with the log, keeping what was changed in it by hand.

        Raises:
            ConfigError: the manifest is gone, was damaged by hand, or cannot be written.
        """
        with self._lock, alone_at(self.path, self._ctx):
            content = read_manifest(self.path)
            self.refresh()
            self._adopt(content)
            if not self._log:
                return
            updated = manifest_with(content, self._entries, self._history(), self._number)
            if self._faces:
                updated["tracks"] = tracks_with(updated, self._faces)
            if updated != content:
                write_atomically(self.path, to_bytes(updated))
            self._content, self._faces = updated, {}

    def spoken(self) -> Spoken:
        """The words of the recording, to cut between."""
        return self._edits().material.spoken

    def transcript(self) -> Transcript:
        """What is said in the recording, as far as that is known."""
        return self._edits().material.transcript

    @property
    def _number(self) -> int:
        return self._log[-1].number if self._log else 0

    def _after(self, change: Change) -> dict[str, Entry]:
        """The entries as a change leaves them."""
        clips = {id: self._clip(entry) for id, entry in self._entries.items()}
        now = dict(self._entries)
        for id, clip in self._edits().changed(change, clips).items():
            if clip is None:
                del now[id]
            else:
                now[id] = plain_decisions(clip)
        return _with_unknown(self._entries, now)

    def _append(self, operation: Operation, changed: Mapping[str, Changed | None]) -> Happened:
        """Write an edit down, and what follows from it."""
        if not self._log:
            begun = changes_between({}, self._entries)
            self._write(Begin(), begun)
        before = dict(self._entries)
        self._write(operation, changed)
        self._entries = self._as_logged()
        self._follow(operation, before)
        return Happened(operation, tuple(sorted(changed)))

    def _write(self, operation: Operation, changed: Mapping[str, Changed | None]) -> None:
        last = max(self._number, int(self._content.get("edited_to", 0)))
        edit = Edit(last + 1, round(time.time(), 3), operation, changed)
        self._ctx.catalogue.append_edit(self.id, edit)
        self._log.append(edit)

    def _turn(self, operation: Undo | Redo, step: Step, now: dict[str, Entry]) -> Happened:
        """Undo or redo a step."""
        before = dict(self._entries)
        self._write(operation, {})
        self._entries = now
        self._follow(step.edit.operation, before)
        return Happened(step.edit.operation, tuple(sorted(changes_between(before, now))))

    def _follow(self, operation: Operation, before: Mapping[str, Entry]) -> None:
        """Tell the rest of the library what became of the clips."""
        catalogue, source_id = self._ctx.catalogue, str(self.source["id"])
        changed = changes_between(before, self._entries)
        kept = [self._clip(self._entries[id]) for id in changed if id in self._entries]
        catalogue.save_clips(source_id, kept)
        catalogue.remove_clips([id for id in changed if id not in self._entries])
        for clip in kept:
            if before.get(clip.id, {}).get("status") != clip.status:
                entry = ClipEntry(clip.id, source_id, clip.title, clip.slug, clip.ranges)
                kind = STATUS_KINDS[clip.status]
                at = round(time.time(), 3)
                catalogue.record(Decision(clip.id, kind, place_of(entry), at))
        if isinstance(operation, Correct):
            self._follow_correction(operation)

    def _follow_correction(self, operation: Correct) -> None:
        """What is read in a clip is what the recording says, for search and for other clips too."""
        if operation.clip not in self._entries:
            return
        catalogue, source_id = self._ctx.catalogue, str(self.source["id"])
        span = TimeRange.from_seconds(operation.start_s, operation.end_s)
        clip = self._clip(self._entries[operation.clip])
        words = tuple(w.text for w in clip.words if is_heard(w.range, span))
        correction = Correction(span, words)
        catalogue.correct(source_id, correction)
        transcript = catalogue.transcript(source_id)
        if transcript is not None:
            catalogue.save_transcript(source_id, corrected(transcript, [correction]))
        self._editor = None

    def _as_logged(self) -> dict[str, Entry]:
        if not self._log:
            return {entry["id"]: decided_part(entry) for entry in self._content["clips"]}
        return entries_after(self.standing.done)

    def _adopt(self, content: Mapping[str, Any]) -> None:
        """Take over what was changed in the manifest by hand since it was last written."""
        if not self._log:
            return
        found = {entry["id"]: decided_part(entry) for entry in content["clips"]}
        if found == self._seen:
            return  # nothing was changed in it since it was looked at last
        self._seen = found
        # A file that is older than the log is as it was when that began.
        number = max(int(content.get("edited_to", 0)), self._log[0].number)
        agreed = entries_after(standing_of(e for e in self._log if e.number <= number).done)
        changed = changes_between(agreed, found)
        by_hand = {id: own for id, own in changed.items() if self._differs(id, own)}
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
        begun = self._log[0].at
        history: dict[str, list[dict[str, Any]]] = {
            entry["id"]: [e for e in entry.get("edits", ()) if e.get("at", begun) < begun]
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
            self._editor = Editor(self._material(), self._ctx)
        return self._editor

    def _material(self) -> Material:
        options = self._content.get("options", {})
        source_id = str(self.source["id"])
        transcript = self._ctx.catalogue.transcript(source_id) or self._said_in_clips()
        mode = Censor(options.get("censor", Censor.OFF))
        own = options.get("censor_words")
        path = Path(own) if own else None
        hides = mode is not Censor.OFF
        return Material(
            source_id=source_id,
            transcript=transcript,
            spoken=Spoken(
                transcript.timed_words,
                self._snap,
                Timestamp.from_seconds(float(self.source["duration_s"])),
                1 / Fraction(self.source["frame_rate"]),
            ),
            picture=self._picture(),
            tracks=self.tracks,
            censor=mode,
            censor_words=word_list(transcript.language, path) if hides else WordList(),
            manifest=self.path,
        )

    def _said_in_clips(self) -> Transcript:
        """What is known of a recording that the library knows nothing of."""
        words = {w.range: w for entry in self._entries.values() for w in self._clip(entry).words}
        ordered = sorted(words.values(), key=lambda word: word.range.start)
        language = (self._content.get("transcript") or {}).get("language")
        segments = tuple(Segment(w.range, w.text, (w,), w.speaker) for w in ordered)
        return Transcript(language, None, segments)

    def _picture(self) -> VideoFormat:
        width, height = int(self.source["width_px"]), int(self.source["height_px"])
        rate = Fraction(self.source["frame_rate"])
        return VideoFormat(width, height, rate, False, 0, False, "yuv420p", width, height)

    def _snap(self, moment: Timestamp) -> Timestamp:
        """The frame boundary nearest to a moment: the recording's own, while it is within reach."""
        with self._lock:  # the reader is one, and whoever points may do so from any thread
            if self._snapper is None:
                self._snapper = self._stack.enter_context(snapping(self.source, self._ctx))
            return self._snapper(moment)

    def _name_manifest(self) -> None:
        """Give the manifest a name of its own; what is in it now is its beginning."""
        with alone_at(self.path, self._ctx):
            content = read_manifest(self.path)
            self._content = {**content, "id": uuid.uuid4().hex, "edited_to": 0}
            write_atomically(self.path, to_bytes(self._content))

    def _remember_place(self) -> None:
        """Tell the library where the manifest is; a copy of one that is still there is another."""
        here = str(self.path.resolve())
        known = {place.id: place.path for place in self._ctx.catalogue.manifests()}
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
        review = Review(path, ctx, adopting=adopting)
        try:
            review.sync()
        finally:
            review.close()


@contextmanager
def snapping(
    source: Mapping[str, Any], ctx: RunContext
) -> Iterator[Callable[[Timestamp], Timestamp]]:
    """The frame boundaries of a manifest's recording; of its nominal rate where it is gone."""
    from reelremix.engine.media.decode import FrameReader  # deferred: FFmpeg, 100 ms

    with ExitStack() as stack:
        try:
            subject = stack.enter_context(reopened(str(source["id"]), audio_of(source), ctx))
            reader = stack.enter_context(FrameReader(subject.path, subject.presentation))
        except SourceError as exc:
            ctx.reporter.emit(
                Warned(f"cuts are set by the frame rate alone: {exc.message}", exc.hint)
            )
            rate = Fraction(source["frame_rate"])
            yield lambda moment: Timestamp(round(moment.exact * rate), 1 / rate)
            return
        yield reader.snap


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

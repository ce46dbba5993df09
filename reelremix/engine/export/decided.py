"""A manifest that follows what was decided about its clips, and what was rendered of them.

An entry has two parts: what somebody can decide, and what is told of it. Each is kept when the
other is written anew; keys that nothing here knows are kept in any case.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reelremix.engine.domain.clip import Clip, Rendered
from reelremix.engine.domain.track import Track
from reelremix.engine.export.clip_entry import clip_to_dict
from reelremix.engine.export.manifest import to_bytes
from reelremix.engine.export.tracks import tracks_with

Entry = Mapping[str, Any]
"""Of `clips` in a manifest."""
RECORDED = ("files", "verdict", "shows", "edits")
"""What is told of a clip, and is not a decision about it."""
WRITTEN = ("files", "audio", "verdict", "shows", "text", "duration_s")
"""What a render says about a clip, or follows from the rest, as opposed to what was decided."""
UNTOLD: Mapping[str, Any] = {
    "files": {"video": None, "thumbnail": None, "subtitles": None},
    "shows": None,
    "verdict": None,
}
"""What there is to tell of a clip that was never rendered."""
DECIDED = (
    "ranges", "title", "description", "hashtags", "output", "layout", "captions", "words",
    "tightened", "censored",
)  # fmt: skip


def decisions_of(entry: Mapping[str, Any] | None) -> dict[str, Any]:
    """What somebody decided about a clip, in an entry of a manifest; empty without one."""
    return {name: entry.get(name) for name in DECIDED} if entry is not None else {}


def decided_part(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry without what is told of it: everything that can be decided about a clip."""
    decided = {k: v for k, v in entry.items() if k not in RECORDED}
    if isinstance(sound := entry.get("audio"), dict):
        decided["audio"] = {k: v for k, v in sound.items() if k != "gain_db"}
    return decided


def plain_decisions(clip: Clip) -> dict[str, Any]:
    """The same of a clip, as it is read back from a file."""
    decided: dict[str, Any] = json.loads(json.dumps(decided_part(clip_to_dict(clip))))
    return decided


def manifest_with(
    content: Mapping[str, Any],
    entries: Mapping[str, Mapping[str, Any]],
    history: Mapping[str, Sequence[Mapping[str, Any]]],
    number: int,
) -> dict[str, Any]:
    """A manifest with what was decided about its clips; what is told of them is kept.

    Args:
        content: the manifest.
        entries: what is decided, by clip; clips that are not in it are taken out.
        history: the edits of each clip.
        number: of the last edit that is in the entries.
    """
    told = {str(entry["id"]): entry for entry in content["clips"]}
    clips = []
    for id, decided in entries.items():
        before = told.get(id) or UNTOLD
        sound = {"gain_db": (before.get("audio") or {}).get("gain_db"), **decided["audio"]}
        kept = {k: v for k, v in before.items() if k in RECORDED}
        edits = [dict(edit) for edit in history.get(id, ())]
        clips.append({**decided, **kept, "audio": sound, "edits": edits})
    clips.sort(key=lambda entry: (entry["rank"], entry["id"]))
    return {**content, "edited_to": number, "clips": clips}


@dataclass(frozen=True, slots=True)
class Renewed:
    """Clips of a manifest that were to be rendered anew."""

    before: Sequence[Clip]
    """As they were read."""
    now: Sequence[Clip]
    """The same ones as they were to be rendered."""
    rendered: Mapping[str, Rendered]
    """Records of those that were, by id."""
    faces: Mapping[str, Sequence[Track]] = field(default_factory=dict)
    """Who is seen in clips that were framed anew, by id; they replace their tracks."""


def updated_manifest(
    content: Mapping[str, Any], renewed: Renewed, since: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A manifest with some clips rendered anew; everything else, known or not, is kept.

    Args:
        content: the manifest as it is now.
        renewed: the clips.
        since: the manifest as it was when the clips were read, unless it is the same. What somebody
            decided otherwise meanwhile stays; of such a clip only its files are told.
    """
    stale = _decided_since(since, content) if since is not None else set()
    pairs = {old.id: (old, new) for old, new in zip(renewed.before, renewed.now, strict=True)}
    entries = []
    for entry in content["clips"]:
        if (record := renewed.rendered.get(entry["id"])) is not None:
            old, new = pairs[entry["id"]]
            now = clip_to_dict(new, record)
            is_stale = entry["id"] in stale
            entry = _recorded(entry, now) if is_stale else _renewed(entry, clip_to_dict(old), now)
        entries.append(entry)
    updated = {**content, "clips": entries}
    settled = renewed.rendered.keys() - stale
    reframed = {clip_id: own for clip_id, own in renewed.faces.items() if clip_id in settled}
    if reframed:
        updated["tracks"] = tracks_with(content, reframed)
    plain: dict[str, Any] = json.loads(to_bytes(updated))
    return plain


def _recorded(entry: Entry, now: Entry) -> dict[str, Any]:
    """An entry that tells of its film, and has everything else as it was."""
    return {**entry, **{k: v for k, v in now.items() if k in RECORDED}}


def _renewed(entry: Entry, before: Entry, now: Entry) -> dict[str, Any]:
    """An entry with what is otherwise now than it was when it was read."""
    kept = {k: v for k, v in entry.items() if k not in before.keys() - now.keys()}
    fresh = {k: v for k, v in now.items() if k in WRITTEN or k not in before or v != before[k]}
    return kept | fresh


def _decided_since(since: Mapping[str, Any], content: Mapping[str, Any]) -> set[str]:
    """The clips that were decided otherwise between two readings of a manifest."""
    was = {entry["id"]: decided_part(entry) for entry in since["clips"]}
    return {e["id"] for e in content["clips"] if was.get(e["id"]) != decided_part(e)}

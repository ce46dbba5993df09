"""`clips.json`, version 1: the published form of clips, written and read here alone.

Times are seconds on the source's clock with up to six decimals. Readers ignore unknown keys; a
changed meaning raises the version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any, TypeGuard

from reelremix.engine.domain.bookends import Bookend, Fit
from reelremix.engine.domain.brand import Asset, Brand
from reelremix.engine.domain.candidate import Axis, Candidate, Kind, Reason, Rejection, Score
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.choice import one_of
from reelremix.engine.domain.clip import Clip, OutputFormat, Rendered, Verdict
from reelremix.engine.domain.edit import Status
from reelremix.engine.domain.judgement import Judgement
from reelremix.engine.domain.layout import (
    Framing,
    Keyframe,
    Layout,
    LayoutChoice,
    LayoutKind,
    LayoutPiece,
    Pin,
    Region,
    Speaking,
    Zoom,
)
from reelremix.engine.domain.match import Match
from reelremix.engine.domain.mix import Censor, Censored, Fades, Mix, Music
from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.request import SUBTITLE_KINDS
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.tightening import Removal, Tighten, Tightened
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.timeline import Timeline
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.domain.transcript import Transcript, Word
from reelremix.engine.export.clip_checks import checked
from reelremix.engine.export.names import slug
from reelremix.errors import ConfigError

VERSION = 1
FILE_NAME = "clips.json"
SHEET_NAME = "index.html"
NAME_ONE = "name the clips.json that `reelremix clip` wrote"
UNDO = "undo the last change to the manifest, or make it anew with `reelremix clip`"
LONGEST_BOOKEND_S = 60.0
"""An intro or outro that is to be shown for longer is a mistake."""


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long a stage took in this run."""

    name: str
    wall_s: float
    cached: bool


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run cost."""

    wall_s: float
    stages: tuple[StageTime, ...]
    peak_rss_mb: float | None
    device: str
    network: tuple[str, ...]
    ranker: str | None = None
    """What ordered the moments: `shipped`, `personal` with a fingerprint, `signals` where meanings
    are not known; None where the ranges were given."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about one source's clips."""

    id: str
    """What its edits are known by, wherever it is."""
    options: Mapping[str, Any]
    presentation: Presentation
    transcript: Transcript | None
    run: RunRecord
    clips: tuple[Clip, ...]
    rendered: Mapping[str, Rendered] = field(default_factory=dict)
    """By clip id; absent for clips that are only planned or failed."""
    tracks: tuple[Track, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    notice: str | None = None
    """Why there are no clips, or fewer than asked."""
    timeline: Timeline | None = None
    """None where nobody judged the source."""
    source_path: str | None = None
    """Set only on request; otherwise the source is its name alone."""
    edited_to: int = 0
    """The number of the last edit that the clips show; 0 where nobody changed any."""
    edits: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """What was done to each clip and counts, as it is published."""


def manifest_to_dict(manifest: Manifest) -> dict[str, Any]:
    """The published form."""
    return {
        "version": VERSION,
        "id": manifest.id,
        "edited_to": manifest.edited_to,
        "options": dict(manifest.options),
        "source": _source(manifest),
        "transcript": _transcript(manifest.transcript),
        "run": {
            "wall_s": manifest.run.wall_s,
            "stages": [
                {"name": s.name, "wall_s": s.wall_s, "cached": s.cached}
                for s in manifest.run.stages
            ],
            "peak_rss_mb": manifest.run.peak_rss_mb,
            "device": manifest.run.device,
            "network": list(manifest.run.network),
            "ranker": manifest.run.ranker,
        },
        "notice": manifest.notice,
        "tracks": [_track(track) for track in manifest.tracks],
        "clips": [
            {
                **clip_to_dict(clip, manifest.rendered.get(clip.id)),
                "edits": list(manifest.edits.get(clip.id, ())),
            }
            for clip in manifest.clips
        ],
        "rejected": [rejection_to_dict(r) for r in manifest.rejected],
        "timeline": timeline_to_dict(manifest.timeline),
    }


def with_statuses(clips: Sequence[Clip], content: Mapping[str, Any]) -> tuple[Clip, ...]:
    """The clips with what was decided about them in an earlier manifest."""
    known = {entry["id"]: _read_status(entry.get("status")) for entry in content["clips"]}
    return tuple(replace(clip, status=known.get(clip.id)) for clip in clips)


def continued(manifest: Manifest, content: Mapping[str, Any]) -> Manifest:
    """The manifest as the next form of an earlier one, which knows of its edits."""
    if "id" not in content:
        return manifest
    edits = {entry["id"]: entry.get("edits", ()) for entry in content["clips"]}
    number = int(content.get("edited_to", 0))
    return replace(manifest, id=str(content["id"]), edited_to=number, edits=edits)


def manifest_to_bytes(manifest: Manifest) -> bytes:
    """The published form as a UTF-8 JSON document."""
    return to_bytes(manifest_to_dict(manifest))


def updated_manifest(
    content: Mapping[str, Any],
    before: Sequence[Clip],
    now: Sequence[Clip],
    rendered: Mapping[str, Rendered],
    faces: Mapping[str, Sequence[Track]] | None = None,
    since: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A manifest with some clips rendered anew; everything else, known or not, is kept.

    Args:
        content: the manifest as it is now.
        before: the clips as they were read from it.
        now: the same ones as they were rendered.
        rendered: records of those that were, by id.
        faces: who is seen in clips that were framed anew, by id; they replace their tracks.
        since: the manifest as it was when the clips were read, unless it is the same. What somebody
            decided otherwise meanwhile stays; of such a clip only its files are told.
    """
    stale = _decided_since(since, content) if since is not None else set()
    fresh: dict[str, dict[str, Any]] = {}
    gone: dict[str, Set[str]] = {}
    for old, new in zip(before, now, strict=True):
        if new.id in rendered:
            was, is_now = clip_to_dict(old), clip_to_dict(new, rendered[new.id])
            written = WRITTEN if new.id not in stale else RECORDED
            gone[new.id] = set() if new.id in stale else was.keys() - is_now.keys()
            fresh[new.id] = {
                k: v
                for k, v in is_now.items()
                if k in written or (new.id not in stale and (k not in was or v != was[k]))
            }
    entries = [
        {k: v for k, v in entry.items() if k not in gone.get(entry["id"], ())}
        | fresh.get(entry["id"], {})
        for entry in content["clips"]
    ]
    updated = {**content, "clips": entries}
    settled = rendered.keys() - stale
    reframed = {clip_id: own for clip_id, own in (faces or {}).items() if clip_id in settled}
    if reframed:
        updated["tracks"] = tracks_with(content, reframed)
    plain: dict[str, Any] = json.loads(to_bytes(updated))
    return plain


def _decided_since(since: Mapping[str, Any], content: Mapping[str, Any]) -> set[str]:
    """The clips that were decided otherwise between two readings of a manifest."""
    was = {entry["id"]: decided_part(entry) for entry in since["clips"]}
    return {e["id"] for e in content["clips"] if was.get(e["id"]) != decided_part(e)}


def to_bytes(content: Mapping[str, Any]) -> bytes:
    """A manifest as it is written."""
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def tracks_with(
    content: Mapping[str, Any], faces: Mapping[str, Sequence[Track]]
) -> list[Mapping[str, Any]]:
    """The tracks of a manifest, those of some clips replaced.

    A track is a clip's if it names it, or is seen only in it and no other clip names it.
    """
    anew = [entry for entry in content["clips"] if entry["id"] in faces]
    spans = [(entry["ranges"][0][0], entry["ranges"][-1][1]) for entry in anew]
    others = (entry for entry in content["clips"] if entry["id"] not in faces)
    kept = {track for entry in others for track in _named_tracks(entry)}
    gone = {track for entry in anew for track in _named_tracks(entry)}
    stay = [
        track
        for track in content.get("tracks", ())
        if track["id"] in kept
        or not (track["id"] in gone or any(_is_seen_only_in(span, track) for span in spans))
    ]
    return [*stay, *(_track(track) for own in faces.values() for track in own)]


def _named_tracks(entry: Mapping[str, Any]) -> set[int]:
    """The tracks that a clip of a manifest follows or hears."""
    regions = (region for piece in entry["layout"] for region in piece["regions"])
    named = {part.get("track") for part in (*regions, *entry.get("speaking", ()))}
    return named - {None}


def _is_seen_only_in(span: tuple[float, float], track: Mapping[str, Any]) -> bool:
    return bool(span[0] <= track["boxes"][0][0] and track["boxes"][-1][0] <= span[1])


def read_manifest(path: Path) -> dict[str, Any]:
    """Load and check a manifest.

    Raises:
        ConfigError: missing, not a manifest, or of a newer version.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as exc:
        raise ConfigError(
            f"{path} cannot be read: {(exc.strerror or str(exc)).lower()}", hint=NAME_ONE
        ) from exc
    except json.JSONDecodeError as exc:
        raise ConfigError(
            f"{path} is not a manifest: line {exc.lineno}: {exc.msg}", hint=NAME_ONE
        ) from exc
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"{path} is not a manifest: it holds no JSON", hint=NAME_ONE) from exc
    if not isinstance(content, dict) or not _has_its_parts(content):
        raise ConfigError(
            f"{path} is not a manifest: it lacks version, source or clips",
            hint=NAME_ONE,
        )
    if content["version"] != VERSION:
        raise ConfigError(
            f"{path} has version {content['version']}; this ReelRemix reads version {VERSION}",
            hint="upgrade with `pip install -U reelremix`",
        )
    return content


def _has_its_parts(content: Mapping[str, Any]) -> bool:
    source, clips = content.get("source"), content.get("clips")
    return (
        "version" in content
        and isinstance(content.get("options", {}), dict)
        and isinstance(source, dict)
        and {"id", "name"} <= source.keys()
        and isinstance(clips, list)
        and all(isinstance(clip, dict) and "id" in clip for clip in clips)
    )


def clips_from_dict(content: Mapping[str, Any], path: Path) -> tuple[Clip, ...]:
    """The clips of a loaded manifest. Raises ConfigError naming the clip that cannot be used."""
    clips = []
    for entry in content["clips"]:
        try:
            clip = _read_clip(entry, content.get("options", {}))
            clips.append(checked(clip, content["source"]))
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as exc:
            raise ConfigError(
                f"{path}: clip {entry['id']!r} cannot be used: {_told(exc)}", hint=UNDO
            ) from exc
    _check_apart(clips, path)
    return tuple(clips)


def _check_apart(clips: Sequence[Clip], path: Path) -> None:
    """Raise ConfigError for clips that would be taken for one another or write the same files."""
    known: dict[object, Clip] = {}
    for clip in clips:
        for key in (clip.id, (clip.rank, clip.slug)):
            if (other := known.setdefault(key, clip)) is not clip:
                what = "id" if other.id == clip.id else "rank and slug, so the same file"
                raise ConfigError(
                    f"{path}: clips {other.id!r} and {clip.id!r} have the same {what}",
                    hint="give a clip that was copied an id and a rank of its own",
                )


def _told(exc: Exception) -> str:
    """What is wrong with an entry, in words."""
    if isinstance(exc, KeyError):
        return f"it lacks {exc.args[0]!r}"
    return str(exc) if isinstance(exc, ValueError) else f"a value is of the wrong kind ({exc})"


def tracks_from_dict(content: Mapping[str, Any], path: Path) -> tuple[Track, ...]:
    """The tracks of a loaded manifest; which shot each belongs to is not kept there."""
    try:
        return tuple(_read_track(entry) for entry in content.get("tracks", ()))
    except (LookupError, TypeError, ValueError, ArithmeticError) as exc:
        raise ConfigError(f"{path}: a track cannot be used: {exc}") from exc


def _read_track(entry: Mapping[str, Any]) -> Track:
    sightings = tuple(
        Sighting(Timestamp.from_seconds(at), Box(x, y, w, h), 1.0)
        for at, x, y, w, h in entry["boxes"]
    )
    if not sightings:
        raise ValueError(f"track {entry['id']} has no boxes")
    if any(later.at < earlier.at for earlier, later in pairwise(sightings)):
        raise ValueError(f"the boxes of track {entry['id']} are not in order")
    return Track(int(entry["id"]), 0, sightings, entry.get("speaker"))


def listed_files(content: Mapping[str, Any]) -> set[str]:
    """Every file name a manifest lists, itself and the contact sheet included."""
    names: set[str] = {FILE_NAME, SHEET_NAME}
    for clip in content.get("clips", ()):
        files = clip.get("files")
        if isinstance(files, dict):
            sidecars = files.get("sidecars")
            listed = [*files.values(), *(sidecars if isinstance(sidecars, list) else ())]
            names |= {str(name) for name in listed if is_plain_name(name)}
    return names


def score_to_dict(score: Score | None) -> dict[str, Any]:
    """Total, all six axes and the evidence."""
    axes = score.axes if score else {}
    return {
        "total": score.total if score else None,
        "axes": {axis.value: axes.get(axis) for axis in Axis},
        "reasons": [_reason(r) for r in score.reasons] if score else [],
        "kinds": [_kind(k) for k in score.kinds] if score else [],
    }


def ranking_to_dict(
    candidates: Sequence[Candidate],
    rejected: Sequence[Rejection],
    notice: str | None,
    timeline: Timeline | None = None,
    judgements: Sequence[Judgement | None] = (),
) -> dict[str, Any]:
    """The published form of a ranking: `reelremix score --json`, version 1.

    `judgements` go with the candidates, as far as there are any.
    """
    return {
        "version": VERSION,
        "candidates": [
            {
                "rank": number,
                **_range(candidate.range),
                "score": candidate.score.total if candidate.score else None,
                **{k: v for k, v in score_to_dict(candidate.score).items() if k != "total"},
                "text": candidate.text,
                **matched(candidate.match),
                **_judged(judgement),
            }
            for number, (candidate, judgement) in enumerate(
                zip_longest(candidates, judgements), start=1
            )
        ],
        "rejected": [rejection_to_dict(r) for r in rejected],
        "notice": notice,
        "timeline": timeline_to_dict(timeline),
    }


def timeline_to_dict(timeline: Timeline | None) -> dict[str, Any] | None:
    """The source at a glance."""
    if timeline is None:
        return None
    return {
        "step_s": timeline.step_s,
        "score": list(timeline.score),
        "topics": [{**_range(t.range), "words": list(t.words)} for t in timeline.topics],
        "events": [
            {"kind": e.kind, **_range(e.range), "probability": e.probability}
            for e in timeline.events
        ],
    }


def rejection_to_dict(rejection: Rejection) -> dict[str, Any]:
    """One entry of `rejected`."""
    return {
        "start_s": rejection.range.start_s,
        "end_s": rejection.range.end_s,
        "score": rejection.score,
        "reason": rejection.reason,
    }


def is_plain_name(name: object) -> TypeGuard[str]:
    """Whether a name read from a file names something in its own folder and nothing else."""
    return (
        isinstance(name, str)
        and name not in ("", ".", "..")
        and not any(c in name for c in "/\\:\0")
    )


def _source(manifest: Manifest) -> dict[str, Any]:
    p = manifest.presentation
    picture = p.video.video if p.video is not None else None
    return {
        "name": manifest.source_path or p.source.name,
        "id": p.source.id,
        "duration_s": p.duration.seconds,
        "width_px": picture.width_px if picture else None,
        "height_px": picture.height_px if picture else None,
        "frame_rate": _rate(picture.frame_rate) if picture else None,
        "audio_stream": p.audio.index if p.audio else None,
    }


def _transcript(transcript: Transcript | None) -> dict[str, Any] | None:
    if transcript is None:
        return None
    return {
        "language": transcript.language,
        "language_probability": transcript.language_probability,
        "words": len(transcript.timed_words),
        "model": transcript.model,
    }


def _track(track: Track) -> dict[str, Any]:
    boxes = [
        [s.at.seconds, *(round(v, 1) for v in (s.box.x, s.box.y, s.box.width, s.box.height))]
        for s in track.sightings
    ]
    return {"id": track.id, "speaker": track.speaker, "boxes": boxes}


WRITTEN = ("files", "audio", "verdict", "shows", "text", "duration_s")
"""What a render says about a clip, or follows from the rest, as opposed to what was decided."""
UNTOLD: Mapping[str, Any] = {
    "files": {"video": None, "thumbnail": None, "subtitles": None},
    "shows": None,
    "verdict": None,
}
"""What there is to tell of a clip that was never rendered."""
RECORDED = ("files", "verdict", "shows", "edits")
"""What is told of a clip, and is not a decision about it."""
DECIDED = (
    "ranges", "title", "description", "hashtags", "output", "layout", "captions", "words",
    "tightened", "censored",
)  # fmt: skip
DRAWN = ("ranges", "output", "layout", "captions", "brand", "still_s")


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


def drawn_of(clip: Clip) -> dict[str, Any]:
    """Everything about a clip that its film shows, the same before and after a round trip."""
    entry = clip_to_dict(_with_tracks(clip, lambda _: None))  # numbers are not shown
    words = [[w["text"], w["start_s"], w["end_s"]] for w in entry["words"]]
    titled = {"title": clip.title} if clip.brand is not None and clip.brand.title else {}
    sound = {"mix": _mix(clip.mix), "censored": entry.get("censored")}
    return {name: entry[name] for name in DRAWN} | {"words": words} | titled | sound


def drawn_digest(clip: Clip) -> str:
    """Sixteen hexadecimal digits that are the same for clips whose films are the same."""
    drawn = json.dumps(drawn_of(clip), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(drawn.encode()).hexdigest()[:16]


OPTIONAL = ("match", "judge", "occupied", "tightened", "censored")
"""Keys of an entry that are there only where there is something to say."""


def clip_to_dict(clip: Clip, rendered: Rendered | None = None) -> dict[str, Any]:
    """One entry of `clips`."""
    return {
        "id": clip.id,
        "rank": clip.rank,
        "files": {
            "video": rendered.video if rendered else None,
            "thumbnail": rendered.thumbnail if rendered else None,
            "subtitles": rendered.subtitles if rendered else None,
            **_sidecars(rendered),
        },
        "slug": clip.slug,
        "status": clip.status,
        "title": clip.title,
        "description": clip.description,
        "hashtags": list(clip.hashtags),
        "text": clip.text,
        "score": score_to_dict(clip.score),
        **matched(clip.match),
        **_judged(clip.judge),
        "duration_s": clip.duration_s,
        "ranges": [[r.start_s, r.end_s] for r in clip.ranges],
        "output": {
            "width_px": clip.output.width_px,
            "height_px": clip.output.height_px,
            "frame_rate": _rate(clip.output.frame_rate),
            "encoder": clip.output.encoder,
            "encoder_preset": clip.output.encoder_preset,
            "crf": clip.output.crf,
        },
        "layout": [_piece(piece) for piece in clip.layout.pieces],
        "framing": _framing(clip.framing),
        **_occupied(clip.layout.occupied),
        "still_s": None if clip.still is None else clip.still.seconds,
        "speaking": [
            {**_range(s.range), "track": s.track, "speaker": s.speaker, "confidence": s.confidence}
            for s in clip.layout.speaking
        ],
        "captions": _captions(clip.captions),
        "brand": _brand(clip.brand),
        "subtitles": list(clip.subtitles),
        "words": [
            {"text": w.text, **_range(w.range), "probability": w.probability, "speaker": w.speaker}
            for w in clip.words
        ],
        **_tightened(clip.tightened),
        **_censored(clip.censored),
        "audio": {"gain_db": rendered.gain_db if rendered else None, **_mix(clip.mix)},
        "verdict": _verdict(rendered.verdict if rendered else None),
        "shows": drawn_digest(clip) if rendered else None,
    }


def _judged(judgement: Judgement | None) -> dict[str, Any]:
    """The key `judge` with what a judge said; nothing without one."""
    if judgement is None:
        return {}
    return {
        "judge": {
            "model": judgement.model,
            "wins": judgement.wins,
            "losses": judgement.losses,
            "hook": judgement.hook,
            "notes": list(judgement.notes),
        }
    }


def matched(match: Match | None) -> dict[str, Any]:
    """The key `match` with what speaks for a stretch; nothing where nothing was asked for."""
    if match is None:
        return {}
    return {
        "match": {
            "score": match.score,
            "quote": match.quote,
            **_range(match.range),
            "words": list(match.words),
        }
    }


def _framing(framing: Framing) -> dict[str, Any]:
    pins = [{**_range(p.range), "at_s": p.at.seconds, "x": p.x, "y": p.y} for p in framing.pins]
    return {
        "wanted": framing.wanted,
        "made": framing.made,
        "zoom": framing.zoom,
        "repaired": framing.repaired,
        **({"pins": pins} if pins else {}),
    }


def _occupied(occupied: Sequence[Occupied]) -> dict[str, Any]:
    """The key `occupied`: where the source has text of its own; nothing without."""
    boxes = [
        {**_range(t.range), "box": [t.box.x, t.box.y, t.box.width, t.box.height]} for t in occupied
    ]
    return {"occupied": boxes} if boxes else {}


def _tightened(tightened: Tightened | None) -> dict[str, Any]:
    """The key `tightened` with every cut; nothing where none was asked for."""
    if tightened is None:
        return {}
    removed = [
        {**_range(cut.range), "reason": cut.reason, "text": cut.text} for cut in tightened.removed
    ]
    level, removed_s = tightened.level.value, tightened.removed_s
    return {"tightened": {"level": level, "removed": removed, "removed_s": removed_s}}


def _censored(censored: Sequence[Censored]) -> dict[str, Any]:
    """The key `censored`; nothing where every word may be heard."""
    entries = [{**_range(entry.range), "mode": entry.mode.value} for entry in censored]
    return {"censored": entries} if entries else {}


def _mix(mix: Mix) -> dict[str, Any]:
    music = mix.music
    return {
        "denoise": mix.denoise,
        "voice_level": mix.voice_level,
        "music": music and {"name": music.name, "sha256": music.sha256, "level_db": music.level_db},
        "fades": {"in_s": mix.fades.in_s, "out_s": mix.fades.out_s},
    }


def _piece(piece: LayoutPiece) -> dict[str, Any]:
    regions = [
        {"track": r.track, "output": list(r.output), "path": [_keyframe(k) for k in r.path]}
        for r in piece.regions
    ]
    inset = {"inset": True} if piece.inset else {}
    return {**_range(piece.range), "kind": piece.kind.value, "regions": regions, **inset}


def _keyframe(keyframe: Keyframe) -> list[float]:
    box = keyframe.box
    return [keyframe.at.seconds, *(round(v, 3) for v in (box.x, box.y, box.width, box.height))]


def _captions(captions: Captions | None) -> dict[str, Any] | None:
    if captions is None:
        return None
    return {
        "preset": captions.preset,
        "style": dict(captions.style),
        "cues": [_cue(cue) for cue in captions.cues],
    }


def _sidecars(rendered: Rendered | None) -> dict[str, list[str]]:
    """All files with what is said, where there are more than the one in `subtitles`."""
    several = rendered is not None and len(rendered.sidecars) > 1
    return {"sidecars": list(rendered.sidecars)} if rendered is not None and several else {}


def _brand(brand: Brand | None) -> dict[str, Any] | None:
    """A brand kit: its files by name and digest, never by their place on this machine."""
    if brand is None:
        return None
    tables = {"title": brand.title, "progress": brand.progress, "logo": brand.logo}
    assets = [{"file": asset.file, "sha256": asset.sha256} for asset in brand.assets]
    shown: dict[str, Any] = {n: dict(table) for n, table in tables.items() if table is not None}
    ends = {"intro": brand.intro, "outro": brand.outro}
    shown |= {name: _bookend(end) for name, end in ends.items() if end is not None}
    return {"preset": brand.preset, **shown, "assets": assets}


def _read_brand(entry: Mapping[str, Any] | None) -> Brand | None:
    if entry is None:
        return None
    assets = tuple(Asset(str(a["file"]), str(a["sha256"])) for a in entry.get("assets", ()))
    tables = {n: dict(entry[n]) for n in ("title", "progress", "logo") if entry.get(n) is not None}
    intro, outro = (_read_bookend(entry.get(name), assets) for name in ("intro", "outro"))
    preset = str(entry.get("preset", ""))
    return Brand(preset, assets=assets, intro=intro, outro=outro, **tables)


def _bookend(end: Bookend) -> dict[str, Any]:
    return {"file": end.file, "length_s": end.length_s, "fit": end.fit.value}


def _read_bookend(entry: Mapping[str, Any] | None, assets: Sequence[Asset]) -> Bookend | None:
    if entry is None:
        return None
    end = Bookend(
        str(entry["file"]), round(float(entry["length_s"]), 6), one_of(Fit, entry["fit"], "fit")
    )
    if not 0 < end.length_s <= LONGEST_BOOKEND_S:
        raise ValueError(f"{end.file} is to be shown for {end.length_s} s")
    if end.file not in {asset.file for asset in assets}:
        raise ValueError(f"{end.file} is not among the files of its brand kit")
    return end


def _cue(cue: Cue) -> dict[str, Any]:
    """A cue; what it does not have is left out."""
    entry = {**_range(cue.range), "lines": [list(line) for line in cue.lines], "box": list(cue.box)}
    if cue.text:
        entry["text"] = cue.text
    if cue.keywords:
        entry["keywords"] = list(cue.keywords)
    if cue.voice is not None:
        entry["voice"] = cue.voice
    return entry | ({"emoji": cue.emoji} if cue.emoji else {})


def _verdict(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {
        "ok": verdict.ok,
        "loudness_lufs": verdict.loudness_lufs,
        "true_peak_dbtp": verdict.true_peak_dbtp,
        "speaker_in_frame": verdict.shown.speaker_in_frame,
        "reversals_per_min": verdict.shown.reversals_per_min,
        "captions_over_faces": verdict.shown.captions_over_faces,
        "first_word_heard": verdict.first_word_heard,
        "last_word_heard": verdict.last_word_heard,
        "notes": list(verdict.notes),
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "axis": reason.axis.value,
        "text": reason.text,
        "quote": reason.quote,
        **_range(reason.range),
    }


def _kind(kind: Kind) -> dict[str, Any]:
    return {"kind": kind.name, "text": kind.text, "quote": kind.quote, **_range(kind.range)}


def _range(span: TimeRange) -> dict[str, float]:
    return {"start_s": span.start_s, "end_s": span.end_s}


def _rate(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"


def _read_clip(entry: Mapping[str, Any], options: Mapping[str, Any]) -> Clip:
    return Clip(
        id=str(entry["id"]),
        rank=int(entry["rank"]),
        ranges=tuple(TimeRange.from_seconds(start, end) for start, end in entry["ranges"]),
        text=str(entry.get("text", "")),
        words=tuple(_read_word(word) for word in entry.get("words", ())),
        title=str(entry.get("title", "")),
        description=str(entry.get("description", "")),
        hashtags=tuple(entry.get("hashtags", ())),
        slug=slug(str(entry.get("slug") or "clip")),
        score=_read_score(entry.get("score")),
        output=_read_output({**options, **entry["output"]}),
        layout=Layout(
            tuple(_read_piece(piece) for piece in entry["layout"]),
            tuple(
                Speaking(
                    _read_range(s),
                    _read_track_id(s.get("track")),
                    s.get("speaker"),
                    float(s["confidence"]),
                )
                for s in entry.get("speaking", ())
            ),
            tuple(
                Occupied(_read_range(taken), Box(*map(float, taken["box"])))
                for taken in entry.get("occupied", ())
            ),
        ),
        framing=_read_framing(entry.get("framing", {})),
        still=_read_moment(entry.get("still_s")),
        captions=_read_captions(entry.get("captions")),
        judge=_read_judged(entry.get("judge")),
        match=_read_match(entry.get("match")),
        brand=_read_brand(entry.get("brand")),
        subtitles=_read_subtitles(entry.get("subtitles", ["srt"])),
        tightened=_read_tightened(entry.get("tightened")),
        censored=tuple(
            Censored(_read_range(c), one_of(Censor, c["mode"], "censored.mode"))
            for c in entry.get("censored", ())
        ),
        mix=_read_mix(entry.get("audio") or {}),
        status=_read_status(entry.get("status")),
    )


def _read_status(value: object) -> Status | None:
    return None if value is None else one_of(Status, value, "status")


def _read_track_id(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError(f"{value!r} is not the number of a track")


def _read_subtitles(kinds: object) -> tuple[str, ...]:
    if not isinstance(kinds, list):
        raise ValueError(f"its subtitles are no list of kinds: {kinds!r}")
    unknown = [kind for kind in kinds if kind not in SUBTITLE_KINDS]
    if unknown:
        known = ", ".join(SUBTITLE_KINDS)
        raise ValueError(f"no subtitles can be written as {unknown[0]!r}; there are {known}")
    return tuple(kinds)


def _read_tightened(entry: Mapping[str, Any] | None) -> Tightened | None:
    if entry is None:
        return None
    cuts = (
        Removal(_read_range(c), str(c["reason"]), str(c.get("text", ""))) for c in entry["removed"]
    )
    return Tightened(one_of(Tighten, entry["level"], "tightened.level"), tuple(cuts))


def _read_mix(entry: Mapping[str, Any]) -> Mix:
    music, fades = entry.get("music"), entry.get("fades") or {}
    return Mix(
        bool(entry.get("denoise", False)),
        bool(entry.get("voice_level", False)),
        music and Music(str(music["name"]), str(music["sha256"]), float(music["level_db"])),
        Fades(_length_s(fades.get("in_s", 0)), _length_s(fades.get("out_s", 0))),
    )


def _length_s(value: float) -> float:
    """A length of time. Raises ValueError for what is none."""
    if not 0 <= float(value) <= 3600:
        raise ValueError(f"a fade lasts {value} s")
    return float(value)


def _read_judged(entry: Mapping[str, Any] | None) -> Judgement | None:
    if entry is None:
        return None
    record = int(entry["wins"]), int(entry["losses"])
    hook, notes = entry.get("hook"), tuple(str(note) for note in entry.get("notes", ()))
    return Judgement(str(entry["model"]), *record, None if hook is None else str(hook), notes)


def _read_match(entry: Mapping[str, Any] | None) -> Match | None:
    if entry is None:
        return None
    words = tuple(str(word) for word in entry.get("words", ()))
    return Match(float(entry["score"]), str(entry["quote"]), _read_range(entry), words)


def _read_moment(seconds: float | None) -> Timestamp | None:
    return None if seconds is None else Timestamp.from_seconds(seconds)


def _read_framing(entry: Mapping[str, Any]) -> Framing:
    made = entry.get("made", LayoutChoice.AUTO)
    made = None if made is None else one_of(LayoutChoice, made, "framing.made")
    repaired = entry.get("repaired")
    return Framing(
        one_of(LayoutChoice, entry.get("wanted", made or LayoutChoice.AUTO), "framing.wanted"),
        made,
        one_of(Zoom, entry.get("zoom", Zoom.CUTS), "framing.zoom"),
        None if repaired is None else str(repaired),
        tuple(
            Pin(_read_range(p), Timestamp.from_seconds(p["at_s"]), float(p["x"]), float(p["y"]))
            for p in entry.get("pins", ())
        ),
    )


def _read_output(entry: Mapping[str, Any]) -> OutputFormat:
    size = int(entry["width_px"]), int(entry["height_px"])
    output = OutputFormat(*size, Fraction(entry["frame_rate"]))
    return replace(
        output,
        encoder=str(entry.get("encoder", output.encoder)),
        encoder_preset=str(entry.get("encoder_preset", output.encoder_preset)),
        crf=int(entry.get("crf", output.crf)),
    )


def _read_word(word: Mapping[str, Any]) -> Word:
    return Word(str(word["text"]), _read_range(word), word.get("probability"), word.get("speaker"))


def _read_range(entry: Mapping[str, Any]) -> TimeRange:
    return TimeRange.from_seconds(entry["start_s"], entry["end_s"])


def _read_score(entry: Mapping[str, Any] | None) -> Score | None:
    if entry is None:
        return None
    axes = {axis: entry["axes"].get(axis.value) for axis in Axis}
    reasons = tuple(
        Reason(Axis(r["axis"]), r["text"], r["quote"], _read_range(r)) for r in entry["reasons"]
    )
    kinds = tuple(
        Kind(k["kind"], k["text"], k["quote"], _read_range(k)) for k in entry.get("kinds", ())
    )
    return Score(entry["total"], axes, reasons, float(entry["total"] or 0.0), None, kinds)


def _read_piece(entry: Mapping[str, Any]) -> LayoutPiece:
    regions = tuple(
        Region(
            _four(region["output"]),
            tuple(
                Keyframe(Timestamp.from_seconds(at), Box(x, y, w, h))
                for at, x, y, w, h in region["path"]
            ),
            _read_track_id(region.get("track")),
        )
        for region in entry["regions"]
    )
    if not regions or any(not r.path for r in regions):
        raise ValueError("a layout piece has no region or a region has no path")
    kind, inset = one_of(LayoutKind, entry["kind"], "layout.kind"), bool(entry.get("inset", False))
    return LayoutPiece(_read_range(entry), kind, regions, inset)


def _read_captions(entry: Mapping[str, Any] | None) -> Captions | None:
    if entry is None:
        return None
    cues = tuple(_read_cue(cue) for cue in entry["cues"])
    return Captions(str(entry["preset"]), dict(entry.get("style", {})), cues)


def _read_cue(entry: Mapping[str, Any]) -> Cue:
    voice = entry.get("voice")
    return Cue(
        _read_range(entry),
        tuple(tuple(_whole(index) for index in line) for line in entry["lines"]),
        _four(entry["box"]),
        tuple(_whole(index) for index in entry.get("keywords", ())),
        None if voice is None else int(voice),
        str(entry.get("emoji", "")),
        str(entry.get("text", "")),
    )


def _whole(value: object) -> int:
    """The index of a word. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is not the number of a word")


def _four(values: Sequence[int]) -> tuple[int, int, int, int]:
    a, b, c, d = (int(v) for v in values)
    return a, b, c, d


def renumbered(clip: Clip, tracks: Sequence[Track], first: int) -> tuple[Clip, tuple[Track, ...]]:
    """Shift a clip's track ids so that they are unique within a manifest."""
    numbered = _with_tracks(clip, lambda track: track + first)
    return numbered, tuple(replace(t, id=t.id + first) for t in tracks)


def _with_tracks(clip: Clip, named: Callable[[int], int | None]) -> Clip:
    """The clip with its tracks named otherwise."""

    def name(track: int | None) -> int | None:
        return None if track is None else named(track)

    pieces = tuple(
        replace(piece, regions=tuple(replace(r, track=name(r.track)) for r in piece.regions))
        for piece in clip.layout.pieces
    )
    speaking = tuple(replace(s, track=name(s.track)) for s in clip.layout.speaking)
    return replace(clip, layout=replace(clip.layout, pieces=pieces, speaking=speaking))

"""`clips.json`, version 1: the document as a whole, written and read.

Times are seconds on the source's clock with up to six decimals. Readers ignore unknown keys; a
changed meaning raises the version. Its clips are written in `clip_entry` and read in
`clip_reading`; `decided` brings a document that is there up to date.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from reelremix.engine.domain.candidate import Rejection
from reelremix.engine.domain.clip import Clip, Rendered
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.timeline import Timeline
from reelremix.engine.domain.track import Track
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.export.bounded import bounded
from reelremix.engine.export.clip_entry import clip_to_dict
from reelremix.engine.export.clip_reading import read_status
from reelremix.engine.export.names import is_plain_name
from reelremix.engine.export.ranking import rejection_to_dict, timeline_to_dict
from reelremix.engine.export.times import rate_to_text
from reelremix.engine.export.tracks import track_to_dict
from reelremix.errors import ConfigError

VERSION = 1
FILE_NAME = "clips.json"
SHEET_NAME = "index.html"
NAME_ONE = "name the clips.json that `reelremix clip` wrote"


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
class TranscriptRecord:
    """What a manifest says of a transcript."""

    language: str | None
    language_probability: float | None
    words: int
    model: str | None

    @classmethod
    def of(cls, transcript: Transcript) -> TranscriptRecord:
        """The same of a whole one."""
        words = len(transcript.timed_words)
        return cls(transcript.language, transcript.language_probability, words, transcript.model)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about one source's clips."""

    id: str
    """What its edits are known by, wherever it is."""
    options: Mapping[str, Any]
    presentation: Presentation
    spoken: TranscriptRecord | None
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
        "transcript": asdict(manifest.spoken) if manifest.spoken is not None else None,
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
        "tracks": [track_to_dict(track) for track in manifest.tracks],
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


def manifest_to_bytes(manifest: Manifest) -> bytes:
    """The published form as a UTF-8 JSON document."""
    return to_bytes(manifest_to_dict(manifest))


def to_bytes(content: Mapping[str, Any]) -> bytes:
    """A manifest as it is written."""
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def manifest_at(path: Path) -> Path:
    """The manifest that a path is of, or that is in the folder it is of."""
    return path / FILE_NAME if path.is_dir() else path


MOST_BYTES = 512 << 20
"""A manifest with a hundred clips of a day has a tenth of that."""
LAST_EDIT = 2**53
"""No number of an edit is as high."""


def read_manifest(path: Path) -> dict[str, Any]:
    """Load and check a manifest.

    Raises:
        ConfigError: missing, not a manifest, or of a newer version.
    """
    try:
        with path.open("rb") as file:
            text = bounded(file, MOST_BYTES)
        if text is None:
            raise ConfigError(f"{path} is not a manifest: it is too large", hint=NAME_ONE)
        content = json.loads(text)
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
    edited_to = content.get("edited_to", 0)
    if type(edited_to) is not int or not 0 <= edited_to < LAST_EDIT:
        raise ConfigError(
            f"{path} cannot be used: its edited_to is no number of an edit (got {edited_to!r})",
            hint="ReelRemix writes it there; put back what it was, or 0",
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


def with_statuses(clips: Sequence[Clip], content: Mapping[str, Any]) -> tuple[Clip, ...]:
    """The clips with what was decided about them in an earlier manifest."""
    known = {entry["id"]: read_status(entry.get("status")) for entry in content["clips"]}
    return tuple(replace(clip, status=known.get(clip.id)) for clip in clips)


def continued(manifest: Manifest, content: Mapping[str, Any]) -> Manifest:
    """The manifest as the next form of an earlier one, which knows of its edits."""
    if "id" not in content:
        return manifest
    edits = {entry["id"]: entry.get("edits", ()) for entry in content["clips"]}
    number = int(content.get("edited_to", 0))
    return replace(manifest, id=str(content["id"]), edited_to=number, edits=edits)


def _source(manifest: Manifest) -> dict[str, Any]:
    p = manifest.presentation
    picture = p.video.video if p.video is not None else None
    return {
        "name": manifest.source_path or p.source.name,
        "id": p.source.id,
        "duration_s": p.duration.seconds,
        "width_px": picture.width_px if picture else None,
        "height_px": picture.height_px if picture else None,
        "frame_rate": rate_to_text(picture.frame_rate) if picture else None,
        "audio_stream": p.audio.index if p.audio else None,
    }

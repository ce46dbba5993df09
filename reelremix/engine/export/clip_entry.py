"""One entry of `clips` in a manifest, written; it is read in `clip_reading`.

What a film shows follows from its entry, so that is here too: clips with the same digest have the
same film.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from reelremix.engine.domain.bookends import Bookend
from reelremix.engine.domain.brand import Brand
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.clip import Clip, Rendered, Verdict
from reelremix.engine.domain.layout import Framing, Keyframe, LayoutPiece
from reelremix.engine.domain.mix import Censored, Mix
from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.tightening import Tightened
from reelremix.engine.export.ranking import judged, matched, score_to_dict
from reelremix.engine.export.times import range_to_dict, rate_to_text
from reelremix.engine.export.tracks import with_tracks_named

OPTIONAL = ("match", "judge", "occupied", "tightened", "censored")
"""Keys of an entry that are there only where there is something to say."""
DRAWN = ("ranges", "output", "layout", "captions", "brand", "still_s")


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
        **judged(clip.judge),
        "duration_s": clip.duration_s,
        "ranges": [[r.start_s, r.end_s] for r in clip.ranges],
        "output": {
            "width_px": clip.output.width_px,
            "height_px": clip.output.height_px,
            "frame_rate": rate_to_text(clip.output.frame_rate),
            "encoder": clip.output.encoder,
            "encoder_preset": clip.output.encoder_preset,
            "crf": clip.output.crf,
        },
        "layout": [_piece(piece) for piece in clip.layout.pieces],
        "framing": _framing(clip.framing),
        **_occupied(clip.layout.occupied),
        "still_s": None if clip.still is None else clip.still.seconds,
        "speaking": [
            {
                **range_to_dict(s.range),
                "track": s.track,
                "speaker": s.speaker,
                "confidence": s.confidence,
            }
            for s in clip.layout.speaking
        ],
        "captions": _captions(clip.captions),
        "brand": _brand(clip.brand),
        "subtitles": list(clip.subtitles),
        "words": [
            {
                "text": w.text,
                **range_to_dict(w.range),
                "probability": w.probability,
                "speaker": w.speaker,
            }
            for w in clip.words
        ],
        **_tightened(clip.tightened),
        **_censored(clip.censored),
        "audio": {"gain_db": rendered.gain_db if rendered else None, **_mix(clip.mix)},
        "verdict": _verdict(rendered.verdict if rendered else None),
        "shows": drawn_digest(clip) if rendered else None,
    }


def drawn_of(clip: Clip) -> dict[str, Any]:
    """Everything about a clip that its film shows, the same before and after a round trip."""
    entry = clip_to_dict(with_tracks_named(clip, lambda _: None))  # numbers are not shown
    words = [[w["text"], w["start_s"], w["end_s"]] for w in entry["words"]]
    titled = {"title": clip.title} if clip.brand is not None and clip.brand.title else {}
    sound = {"mix": _mix(clip.mix), "censored": entry.get("censored")}
    return {name: entry[name] for name in DRAWN} | {"words": words} | titled | sound


def drawn_digest(clip: Clip) -> str:
    """Sixteen hexadecimal digits that are the same for clips whose films are the same."""
    drawn = json.dumps(drawn_of(clip), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(drawn.encode()).hexdigest()[:16]


def _sidecars(rendered: Rendered | None) -> dict[str, list[str]]:
    """All files with what is said, where there are more than the one in `subtitles`."""
    several = rendered is not None and len(rendered.sidecars) > 1
    return {"sidecars": list(rendered.sidecars)} if rendered is not None and several else {}


def _piece(piece: LayoutPiece) -> dict[str, Any]:
    regions = [
        {"track": r.track, "output": list(r.output), "path": [_keyframe(k) for k in r.path]}
        for r in piece.regions
    ]
    inset = {"inset": True} if piece.inset else {}
    return {**range_to_dict(piece.range), "kind": piece.kind.value, "regions": regions, **inset}


def _keyframe(keyframe: Keyframe) -> list[float]:
    box = keyframe.box
    return [
        keyframe.at.seconds,
        *(round(float(v), 3) for v in (box.x, box.y, box.width, box.height)),
    ]


def _framing(framing: Framing) -> dict[str, Any]:
    pins = [
        {**range_to_dict(p.range), "at_s": p.at.seconds, "x": p.x, "y": p.y} for p in framing.pins
    ]
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
        {**range_to_dict(t.range), "box": [t.box.x, t.box.y, t.box.width, t.box.height]}
        for t in occupied
    ]
    return {"occupied": boxes} if boxes else {}


def _captions(captions: Captions | None) -> dict[str, Any] | None:
    if captions is None:
        return None
    return {
        "preset": captions.preset,
        "style": dict(captions.style),
        "cues": [_cue(cue) for cue in captions.cues],
    }


def _cue(cue: Cue) -> dict[str, Any]:
    """A cue; what it does not have is left out."""
    entry = {
        **range_to_dict(cue.range),
        "lines": [list(line) for line in cue.lines],
        "box": list(cue.box),
    }
    if cue.text:
        entry["text"] = cue.text
    if cue.keywords:
        entry["keywords"] = list(cue.keywords)
    if cue.voice is not None:
        entry["voice"] = cue.voice
    return entry | ({"emoji": cue.emoji} if cue.emoji else {})


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


def _bookend(end: Bookend) -> dict[str, Any]:
    return {"file": end.file, "length_s": end.length_s, "fit": end.fit.value}


def _tightened(tightened: Tightened | None) -> dict[str, Any]:
    """The key `tightened` with every cut; nothing where none was asked for."""
    if tightened is None:
        return {}
    removed = [
        {**range_to_dict(cut.range), "reason": cut.reason, "text": cut.text}
        for cut in tightened.removed
    ]
    level, removed_s = tightened.level.value, tightened.removed_s
    return {"tightened": {"level": level, "removed": removed, "removed_s": removed_s}}


def _censored(censored: Sequence[Censored]) -> dict[str, Any]:
    """The key `censored`; nothing where every word may be heard."""
    entries = [{**range_to_dict(entry.range), "mode": entry.mode.value} for entry in censored]
    return {"censored": entries} if entries else {}


def _mix(mix: Mix) -> dict[str, Any]:
    music = mix.music
    return {
        "denoise": mix.denoise,
        "voice_level": mix.voice_level,
        "music": music and {"name": music.name, "sha256": music.sha256, "level_db": music.level_db},
        "fades": {"in_s": mix.fades.in_s, "out_s": mix.fades.out_s},
    }


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

"""The clips of a manifest, read; `clip_entry` writes them.

Anybody may have edited the file: whatever cannot be used is told with the clip it is in. Whether a
clip that was read can be rendered is for `clip_checks` to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelremix.engine.domain.bookends import Bookend, Fit
from reelremix.engine.domain.brand import Asset, Brand
from reelremix.engine.domain.candidate import Axis, Kind, Reason, Score
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.choice import Censor, LayoutChoice, Tighten, Zoom, one_of
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.edit import Status
from reelremix.engine.domain.judgement import Judgement
from reelremix.engine.domain.layout import (
    Framing,
    Keyframe,
    Layout,
    LayoutKind,
    LayoutPiece,
    Pin,
    Region,
    Speaking,
)
from reelremix.engine.domain.match import Match
from reelremix.engine.domain.mix import Censored, Fades, Mix, Music
from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.request import SUBTITLE_KINDS
from reelremix.engine.domain.tightening import Removal, Tightened
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.domain.transcript import Word
from reelremix.engine.export.clip_checks import checked
from reelremix.engine.export.names import slug
from reelremix.engine.export.times import range_from_dict
from reelremix.engine.export.tracks import track_number
from reelremix.errors import ConfigError

UNDO = "undo the last change to the manifest, or make it anew with `reelremix clip`"
LONGEST_BOOKEND_S = 60.0
"""An intro or outro that is to be shown for longer is a mistake."""


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
        layout=_read_layout(entry),
        framing=_read_framing(entry.get("framing", {})),
        still=_read_moment(entry.get("still_s")),
        captions=_read_captions(entry.get("captions")),
        judge=_read_judged(entry.get("judge")),
        match=_read_match(entry.get("match")),
        brand=_read_brand(entry.get("brand")),
        subtitles=_read_subtitles(entry.get("subtitles", ["srt"])),
        tightened=_read_tightened(entry.get("tightened")),
        censored=tuple(
            Censored(range_from_dict(c), one_of(Censor, c["mode"], "censored.mode"))
            for c in entry.get("censored", ())
        ),
        mix=_read_mix(entry.get("audio") or {}),
        status=read_status(entry.get("status")),
    )


def read_status(value: object) -> Status | None:
    """What was decided, if anything. Raises ValueError for what is no decision."""
    return None if value is None else one_of(Status, value, "status")


def _read_subtitles(kinds: object) -> tuple[str, ...]:
    if not isinstance(kinds, list):
        raise ValueError(f"its subtitles are no list of kinds: {kinds!r}")
    unknown = [kind for kind in kinds if kind not in SUBTITLE_KINDS]
    if unknown:
        known = ", ".join(SUBTITLE_KINDS)
        raise ValueError(f"no subtitles can be written as {unknown[0]!r}; there are {known}")
    return tuple(kinds)


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
    return Word(
        str(word["text"]), range_from_dict(word), word.get("probability"), word.get("speaker")
    )


def _read_moment(seconds: float | None) -> Timestamp | None:
    return None if seconds is None else Timestamp.from_seconds(seconds)


def _read_score(entry: Mapping[str, Any] | None) -> Score | None:
    if entry is None:
        return None
    axes = {axis: entry["axes"].get(axis.value) for axis in Axis}
    reasons = tuple(
        Reason(Axis(r["axis"]), r["text"], r["quote"], range_from_dict(r)) for r in entry["reasons"]
    )
    kinds = tuple(
        Kind(k["kind"], k["text"], k["quote"], range_from_dict(k)) for k in entry.get("kinds", ())
    )
    return Score(entry["total"], axes, reasons, float(entry["total"] or 0.0), None, kinds)


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
    return Match(float(entry["score"]), str(entry["quote"]), range_from_dict(entry), words)


def _read_layout(entry: Mapping[str, Any]) -> Layout:
    return Layout(
        tuple(_read_piece(piece) for piece in entry["layout"]),
        tuple(
            Speaking(
                range_from_dict(s),
                track_number(s.get("track")),
                s.get("speaker"),
                float(s["confidence"]),
            )
            for s in entry.get("speaking", ())
        ),
        tuple(
            Occupied(range_from_dict(taken), Box(*map(float, taken["box"])))
            for taken in entry.get("occupied", ())
        ),
    )


def _read_piece(entry: Mapping[str, Any]) -> LayoutPiece:
    regions = tuple(
        Region(
            _four(region["output"]),
            tuple(
                Keyframe(Timestamp.from_seconds(at), Box(x, y, w, h))
                for at, x, y, w, h in region["path"]
            ),
            track_number(region.get("track")),
        )
        for region in entry["regions"]
    )
    if not regions or any(not r.path for r in regions):
        raise ValueError("a layout piece has no region or a region has no path")
    kind, inset = one_of(LayoutKind, entry["kind"], "layout.kind"), bool(entry.get("inset", False))
    return LayoutPiece(range_from_dict(entry), kind, regions, inset)


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
            Pin(range_from_dict(p), Timestamp.from_seconds(p["at_s"]), float(p["x"]), float(p["y"]))
            for p in entry.get("pins", ())
        ),
    )


def _read_captions(entry: Mapping[str, Any] | None) -> Captions | None:
    if entry is None:
        return None
    cues = tuple(_read_cue(cue) for cue in entry["cues"])
    return Captions(str(entry["preset"]), dict(entry.get("style", {})), cues)


def _read_cue(entry: Mapping[str, Any]) -> Cue:
    voice = entry.get("voice")
    return Cue(
        range_from_dict(entry),
        tuple(tuple(_whole(index) for index in line) for line in entry["lines"]),
        _four(entry["box"]),
        tuple(_whole(index) for index in entry.get("keywords", ())),
        None if voice is None else int(voice),
        str(entry.get("emoji", "")),
        str(entry.get("text", "")),
    )


def _read_brand(entry: Mapping[str, Any] | None) -> Brand | None:
    if entry is None:
        return None
    assets = tuple(Asset(str(a["file"]), str(a["sha256"])) for a in entry.get("assets", ()))
    tables = {n: dict(entry[n]) for n in ("title", "progress", "logo") if entry.get(n) is not None}
    intro, outro = (_read_bookend(entry.get(name), assets) for name in ("intro", "outro"))
    preset = str(entry.get("preset", ""))
    return Brand(preset, assets=assets, intro=intro, outro=outro, **tables)


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


def _read_tightened(entry: Mapping[str, Any] | None) -> Tightened | None:
    if entry is None:
        return None
    cuts = (
        Removal(range_from_dict(c), str(c["reason"]), str(c.get("text", "")))
        for c in entry["removed"]
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


def _whole(value: object) -> int:
    """The index of a word. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is not the number of a word")


def _four(values: Sequence[int]) -> tuple[int, int, int, int]:
    a, b, c, d = (int(v) for v in values)
    return a, b, c, d

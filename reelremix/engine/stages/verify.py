"""Opening a rendered file again and saying what is really in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

from reelremix.engine.domain.clip import Clip, Shown, Verdict
from reelremix.engine.domain.kept import heard_words, on_film
from reelremix.engine.domain.source import Presentation, StreamKind
from reelremix.engine.domain.time import ZERO, TimeRange, Timestamp
from reelremix.engine.media.audio import PROGRAMME, LoudnessMeter, Samples, read_pcm
from reelremix.engine.media.decode import FrameReader, planes
from reelremix.engine.media.probe import choose_streams, probe
from reelremix.engine.stages.selfcheck import faults
from reelremix.engine.stages.watched import BLACK_LUMA
from reelremix.errors import SourceError

LOUDNESS_TOLERANCE_DB = 1.0
PEAK_LIMIT_DBTP = -1.0
DURATION_TOLERANCE_S = Fraction(1, 10)
LOOKED_AT = 6
"""Keyframes decoded to tell whether there is a picture."""
AUDIBLE_DBFS = -55.0
LEVEL_RATE_HZ = 50
LEVEL_SAMPLES = PROGRAMME.rate_hz // LEVEL_RATE_HZ
STEADY_WORD_S = 0.12
"""Shorter words are too short to say whether they are audible."""


def verify(video: Path, clip: Clip, *, expects_audio: bool, seen: Sequence[str] = ()) -> Verdict:
    """Check a finished file against its clip; never raises for what it finds.

    What the plan shows is not known here: `with_shown` adds it.

    Args:
        video: the file.
        clip: what it should show.
        expects_audio: whether the recording has sound.
        seen: what was wrong with the pictures as they were written.
    """
    try:
        written = choose_streams(probe(video, clip.id))
    except SourceError as exc:
        note = f"cannot be reopened: {exc.message}"
        return Verdict(False, None, None, notes=(note,), is_unreadable=True)
    notes = [*_stream_notes(written, clip, expects_audio=expects_audio)]
    notes += seen or _picture_notes(video, written, clip)
    lufs = peak = None
    if written.audio is not None:
        lufs, peak, sound_notes = _listen(video, written, clip)
        notes += sound_notes
    return Verdict(not notes, lufs, peak, notes=tuple(notes))


def with_shown(verdict: Verdict, shown: Shown) -> Verdict:
    """The verdict on a file together with what its plan was found to show."""
    notes = (*verdict.notes, *faults(shown))
    return replace(verdict, ok=not notes, shown=shown, notes=notes)


def _stream_notes(written: Presentation, clip: Clip, *, expects_audio: bool) -> Iterator[str]:
    if written.video is None:
        yield "has no picture"
        return
    size = (written.picture.width_px, written.picture.height_px)
    if size != (clip.output.width_px, clip.output.height_px):
        yield f"is {size[0]}x{size[1]} instead of {clip.output.width_px}x{clip.output.height_px}"
    if expects_audio and not written.source.of_kind(StreamKind.AUDIO):
        yield "has no sound"
    tolerance = DURATION_TOLERANCE_S + 1 / clip.output.frame_rate
    for stream in written.source.streams:
        if stream.duration is None or stream.start is None:
            continue
        end = stream.start + stream.duration - written.origin
        if abs(end.exact - Fraction(clip.film_duration_s)) > tolerance:
            kind = "picture" if stream.kind is StreamKind.VIDEO else "sound"
            yield f"its {kind} ends at {end.seconds:.2f} s instead of {clip.film_duration_s:.2f} s"


def _picture_notes(video: Path, written: Presentation, clip: Clip) -> Iterator[str]:
    if written.video is None:
        return
    with FrameReader(video, written) as reader:
        shown = TimeRange(Timestamp.from_seconds(clip.film.clip_begins), written.duration)
        lumas = [
            float(planes(picture.frame)[0][::8, ::8].mean())
            for picture in islice(reader.frames(shown, keyframes_only=True), LOOKED_AT)
        ]
    if not lumas:
        yield "no picture can be decoded"
    elif max(lumas) < BLACK_LUMA:
        yield f"is black for its first {len(lumas)} keyframes"


def _listen(
    video: Path, written: Presentation, clip: Clip
) -> tuple[float | None, float | None, list[str]]:
    meter = LoudnessMeter(true_peak=True)
    levels: list[float] = []
    rest = np.zeros(0, np.float32)
    for samples in read_pcm(video, written, TimeRange(ZERO, written.duration), PROGRAMME):
        meter.add(samples)
        rest = np.concatenate([rest, samples.mean(axis=0)])
        whole = len(rest) - len(rest) % LEVEL_SAMPLES
        levels += _levels(rest[:whole])
        rest = rest[whole:]
    heard = meter.result()
    notes = []
    if heard.integrated_lufs is None:
        notes.append("is silent")
    elif heard.integrated_lufs > -14 + LOUDNESS_TOLERANCE_DB:
        notes.append(f"is too loud: {heard.integrated_lufs:.1f} LUFS")
    elif heard.integrated_lufs < -14 - LOUDNESS_TOLERANCE_DB:
        notes.append(f"is too quiet: {heard.integrated_lufs:.1f} LUFS")
    if heard.true_peak_dbtp is not None and heard.true_peak_dbtp > PEAK_LIMIT_DBTP + 0.05:
        notes.append(f"peaks at {heard.true_peak_dbtp:.1f} dBTP")
    notes += _missing_words(clip, levels)
    return _rounded(heard.integrated_lufs), _rounded(heard.true_peak_dbtp), notes


def _levels(mono: Samples) -> list[float]:
    """Mean squares, `LEVEL_RATE_HZ` of them a second."""
    return [float(level) for level in np.square(mono).reshape(-1, LEVEL_SAMPLES).mean(axis=1)]


def _missing_words(clip: Clip, levels: list[float]) -> Iterator[str]:
    """The first and the last word, if they cannot be heard where they should be."""
    words = heard_words(clip.words, clip.ranges)
    if not words or not levels:
        return
    for name, word in (("first", words[0]), ("last", words[-1])):
        pieces = on_film(word.range, clip.ranges)
        if not pieces or pieces[0][1] - pieces[0][0] < STEADY_WORD_S:
            continue
        begins, ends = (int((clip.film.clip_begins + at) * LEVEL_RATE_HZ) for at in pieces[0])
        heard = levels[begins : max(ends, 1)]
        if heard and 10 * np.log10(max(heard) + 1e-12) < AUDIBLE_DBFS:
            yield f"its {name} word, “{word.text}”, cannot be heard"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)

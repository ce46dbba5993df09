"""Transcripts as files: version-1 JSON, SubRip, WebVTT and plain text.

Reading accepts what other programs write, as far as it can be understood; writing gives the
published form, and the unknown keys that were read. What a transcript is lives in
`domain.transcript`.
"""

from __future__ import annotations

import html
import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeGuard, get_args

from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, SoundEvent, Transcript, Word
from reelremix.engine.export.bounded import bounded
from reelremix.engine.export.times import range_to_dict
from reelremix.engine.export.transcript_cues import format_srt, format_vtt
from reelremix.errors import SourceError, UnreadableMedia

TranscriptFormat = Literal["json", "srt", "vtt", "txt"]
FORMATS: tuple[TranscriptFormat, ...] = get_args(TranscriptFormat)
VERSION = 1

_READABLE = "a transcript is version-1 JSON, .srt or .vtt; `reelremix transcribe FILE` makes one"
_CUE_TIME = re.compile(
    r"^\s*(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})\s*-->\s*(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
)
_TAG = re.compile(r"</?[a-zA-Z][^>]*>|<\d[\d:.]*>|\{\\[^}]*\}")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
_LONGEST_S = 1e7
"""Anything later, about four months in, is a damaged number."""
_MOST_BYTES = 256 << 20
"""A day of speech with the times of all its words has a quarter of that."""
_DEEPEST = 50
"""Levels of nesting in a value that is only carried along."""
_DOCUMENT_KEYS = frozenset(
    {"version", "language", "language_probability", "model", "segments", "events"}
)
_SEGMENT_KEYS = frozenset({"start_s", "end_s", "speaker", "text", "words"})
_WORD_KEYS = frozenset({"text", "word", "start_s", "end_s", "probability", "speaker"})
_EVENT_KEYS = frozenset({"kind", "start_s", "end_s", "probability"})


class _Malformed(Exception):
    """What is wrong inside the file; becomes a SourceError that names the file."""


def read_transcript(path: Path) -> Transcript:
    """The transcript in a .json (version 1), .srt or .vtt file.

    Segments are sorted by time and empty ones dropped; keys that version 1 does not name are kept
    as `extra`. Raises UnreadableMedia when the file cannot be read and SourceError when its content
    is not a transcript.
    """
    text = _read_text(path)
    try:
        if path.suffix.lower() == ".json" or text.lstrip()[:1] == "{":
            return _document(_parse_json(text))
        return _subtitle(text)
    except _Malformed as error:
        raise SourceError(
            f"{path.name} is not a usable transcript: {error}", hint=_READABLE
        ) from error


def _document(document: Any) -> Transcript:
    if not isinstance(document, Mapping):
        raise _Malformed("the JSON is not an object")
    version = document.get("version", VERSION)
    if version != VERSION:
        raise _Malformed(f"it has version {version!r}, and only version {VERSION} is understood")
    listed = _list(document.get("segments"), 'it has no list "segments"')
    heard = _list(document.get("events") or (), '"events" is not a list')
    segments = [_segment(s, f"segment {i}") for i, s in enumerate(listed, 1)]
    events = [_event(e, f"event {i}") for i, e in enumerate(heard, 1)]
    return Transcript(
        language=_optional_text(document, "language"),
        language_probability=_optional_number(document, "language_probability"),
        segments=_in_order(segments),
        events=tuple(sorted(events, key=lambda e: (e.range.start_s, e.range.end_s))),
        model=_optional_text(document, "model"),
        extra=_extra(document, _DOCUMENT_KEYS),
    )


def transcript_to_dict(transcript: Transcript) -> dict[str, Any]:
    """The version-1 document with the unknown keys it came with; seconds to the microsecond."""
    return {
        "version": VERSION,
        "language": transcript.language,
        "language_probability": transcript.language_probability,
        "model": transcript.model,
        "segments": [_segment_to_dict(s) for s in transcript.segments],
        "events": [
            {
                "kind": e.kind,
                **range_to_dict(e.range),
                "probability": e.probability,
                **(e.extra or {}),
            }
            for e in transcript.events
        ],
        **(transcript.extra or {}),
    }


def format_transcript(transcript: Transcript, form: TranscriptFormat) -> str:
    """The transcript as the text of a file, ending in a newline unless empty."""
    if form == "json":
        return json.dumps(transcript_to_dict(transcript), ensure_ascii=False, indent=1) + "\n"
    if form == "srt":
        return format_srt(transcript)
    if form == "vtt":
        return format_vtt(transcript)
    return "".join(f"{_one_line(s.text)}\n" for s in transcript.segments if s.text.strip())


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = bounded(file, _MOST_BYTES)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"cannot read the transcript {path.name}: {reason}"
        raise UnreadableMedia(message, hint="check the path and its permissions") from error
    if content is None:
        size = f"more than {_MOST_BYTES >> 20} MiB"
        raise UnreadableMedia(f"{path.name} is no transcript: it has {size}", hint=_READABLE)
    if not content.strip():
        raise UnreadableMedia(f"{path.name} is empty", hint=_READABLE)
    return _decode(content).replace("\r\n", "\n").replace("\r", "\n")


def _decode(content: bytes) -> str:
    """UTF-8 or UTF-16 by its mark, else UTF-8, else the Windows code page old editors write."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _Malformed(f"line {error.lineno}: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise _Malformed("its JSON is nested too deep or holds a number too long") from error


def _segment(value: Any, where: str) -> Segment:
    fields = _object(value, where)
    speaker = _optional_text(fields, "speaker")
    words = _words(_list(fields.get("words") or (), f'"words" of {where} is not a list'), where)
    text = fields.get("text")
    if not isinstance(text, str | None):
        raise _Malformed(f"the text of {where} is not text")
    if text is None or not _clean(text):
        text = join_words(w.text for w in words)
    if "start_s" not in fields and words:
        bounds = TimeRange(words[0].range.start, max(w.range.end for w in words))
    else:
        bounds = _range(fields, where)
    return Segment(bounds, _clean(text), words, speaker, _extra(fields, _SEGMENT_KEYS))


def _words(values: Sequence[Any], where: str) -> tuple[Word, ...]:
    words = [_word(v, f"word {i} of {where}") for i, v in enumerate(values, 1)]
    kept = [w for w in words if w is not None]
    return tuple(sorted(kept, key=lambda w: (w.range.start_s, w.range.end_s)))


def _word(value: Any, where: str) -> Word | None:
    """The word; None when it says nothing or has no time of its own."""
    fields = _object(value, where)
    text = fields.get("text", fields.get("word"))
    if not isinstance(text, str) or not _clean(text) or fields.get("start_s") is None:
        return None
    return Word(
        _clean(text),
        _range(fields, where),
        _optional_number(fields, "probability"),
        _optional_text(fields, "speaker"),
        _extra(fields, _WORD_KEYS),
    )


def _event(value: Any, where: str) -> SoundEvent:
    fields = _object(value, where)
    kind = _optional_text(fields, "kind") or "sound"
    return SoundEvent(
        kind,
        _range(fields, where),
        _optional_number(fields, "probability"),
        _extra(fields, _EVENT_KEYS),
    )


def _extra(fields: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any] | None:
    """What is there beyond the known keys; None when nothing is."""
    unknown = {key: value for key, value in fields.items() if key not in known}
    kept: dict[str, Any] = _kept(unknown)
    return kept or None


def _kept(value: Any, room: int = _DEEPEST) -> Any:
    """JSON as it came, without what no file can hold: lone surrogates and infinite numbers."""
    if not room:
        raise _Malformed("its JSON is nested too deep")
    if isinstance(value, Mapping):
        return {_kept(key): _kept(item, room - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_kept(item, room - 1) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _list(value: Any, otherwise: str) -> Sequence[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _Malformed(otherwise)
    return value


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _Malformed(f"{where} is not an object")
    return value


def _range(fields: Mapping[str, Any], where: str) -> TimeRange:
    """Start to end; an end before its start becomes the start."""
    start_s = _seconds(fields, "start_s", where)
    end_s = _seconds(fields, "end_s", where)
    return TimeRange.from_seconds(start_s, max(start_s, end_s))


def _seconds(fields: Mapping[str, Any], key: str, where: str) -> float:
    value = fields.get(key)
    if not _is_number(value):
        raise _Malformed(f'{where} has no number "{key}"')
    if not -_LONGEST_S < value < _LONGEST_S:
        raise _Malformed(f'"{key}" of {where} is not a time: {value}')
    return max(0.0, float(value))


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _optional_number(fields: Mapping[str, Any], key: str) -> float | None:
    value = fields.get(key)
    return float(value) if _is_number(value) else None


def _optional_text(fields: Mapping[str, Any], key: str) -> str | None:
    value = fields.get(key)
    return _clean(value) or None if isinstance(value, str) else None


_TURNED = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Characters that turn the direction of whatever follows, on a screen as in a file."""


def _clean(text: str) -> str:
    """One line without control characters or lone surrogates, which no file can hold."""
    printable = "".join(c if unicodedata.category(c) != "Cc" else " " for c in text)
    printable = printable.translate(_TURNED)
    return " ".join(printable.encode("utf-8", "replace").decode("utf-8").split())


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _in_order(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """By time, those without text dropped."""
    kept = [s for s in segments if s.text]
    return tuple(sorted(kept, key=lambda s: (s.range.start_s, s.range.end_s)))


def _segment_to_dict(segment: Segment) -> dict[str, Any]:
    return {
        **range_to_dict(segment.range),
        "speaker": segment.speaker,
        "text": segment.text,
        "words": [
            {
                "text": w.text,
                **range_to_dict(w.range),
                "probability": w.probability,
                "speaker": w.speaker,
                **(w.extra or {}),
            }
            for w in segment.words
        ],
        **(segment.extra or {}),
    }


def _subtitle(text: str) -> Transcript:
    """A transcript from SubRip or WebVTT; both are blocks under a line with an arrow."""
    segments = _in_order(list(_cues(text.split("\n"))))
    if not segments and not text.startswith("WEBVTT"):  # which may well hold no cue
        raise _Malformed("it holds neither JSON nor any cue such as 00:01,000 --> 00:02,500")
    return Transcript(None, None, _without_repeats(segments))


def _cues(lines: Sequence[str]) -> Iterator[Segment]:
    at = 0
    while at < len(lines):
        times = _CUE_TIME.match(lines[at])
        at += 1
        if times is None:
            continue
        body: list[str] = []
        while at < len(lines) and lines[at].strip() and not _CUE_TIME.match(lines[at]):
            body.append(lines[at])
            at += 1
        if at < len(lines) and _CUE_TIME.match(lines[at]) and body and body[-1].strip().isdigit():
            body.pop()
        yield _cue(times, "\n".join(body))


def _cue(times: re.Match[str], body: str) -> Segment:
    parts = times.groups()
    start_s, end_s = _clock(parts[:4]), _clock(parts[4:])
    voice = _VOICE.search(body)
    speaker = _clean(html.unescape(voice[1])) or None if voice else None
    text = _clean(html.unescape(_TAG.sub("", body)))
    return Segment(TimeRange.from_seconds(start_s, max(start_s, end_s)), text, (), speaker)


def _clock(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = parts
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole + int((fraction or "0").ljust(3, "0")) / 1000


def _without_repeats(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Rolling captions show lines twice: cues end where the next begins, repeats are dropped."""
    kept: list[Segment] = []
    for segment in segments:
        if kept and segment.speaker == kept[-1].speaker:
            before = kept[-1]
            overlaps = segment.range.start <= before.range.end
            text = _beyond(before.text, segment.text) if overlaps else segment.text
            if not text:
                kept[-1] = replace(before, range=_joined(before.range, segment.range))
                continue
            if before.range.start < segment.range.start < before.range.end:
                kept[-1] = replace(before, range=TimeRange(before.range.start, segment.range.start))
            segment = replace(segment, text=text)
        kept.append(segment)
    return tuple(kept)


def _beyond(shown: str, text: str) -> str:
    """What `text` adds when it begins with the last words of `shown`, three or more of them."""
    old, new = shown.split(), text.split()
    for size in range(min(len(old), len(new)), 2, -1):
        if old[-size:] == new[:size]:
            return " ".join(new[size:])
    return "" if old == new else text


def _joined(a: TimeRange, b: TimeRange) -> TimeRange:
    return TimeRange(a.start, max(a.end, b.end))

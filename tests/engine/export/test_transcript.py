"""Reading what others write, writing the published form."""

from __future__ import annotations

import json
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.codec import from_bytes, to_bytes
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, SoundEvent, Transcript, Word
from reelremix.engine.export.transcript import (
    format_transcript,
    read_transcript,
    transcript_to_dict,
)
from reelremix.engine.export.transcript_cues import LINE_CHARACTERS, subtitle_cues
from reelremix.errors import SourceError, UnreadableMedia

span = TimeRange.from_seconds


def words(text: str, start_s: float = 0.0, step_s: float = 0.4) -> tuple[Word, ...]:
    return tuple(
        Word(w, span(start_s + i * step_s, start_s + i * step_s + 0.3))
        for i, w in enumerate(text.split())
    )


def spoken(text: str, start_s: float = 0.0) -> Segment:
    timed = words(text, start_s)
    return Segment(TimeRange(timed[0].range.start, timed[-1].range.end), text, timed)


def read(folder: Path, name: str, content: bytes | str) -> Transcript:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_transcript(path)


def test_words_are_kept_where_their_segment_has_no_text(tmp_path: Path) -> None:
    words = [{"text": "So", "start_s": 0.0, "end_s": 0.4}, {"text": "ten", "start_s": 0.4,
             "end_s": 1.0}]  # fmt: skip
    path = tmp_path / "said.json"
    segment = {"start_s": 0, "end_s": 1, "text": " ", "words": words}
    path.write_text(json.dumps({"version": 1, "segments": [segment]}))
    [read] = read_transcript(path).segments
    assert read.text == "So ten" and [word.text for word in read.words] == ["So", "ten"]


def test_a_transcript_survives_being_written_and_read(tmp_path: Path) -> None:
    original = Transcript(
        "en",
        0.99,
        (spoken("Hello there, world."), Segment(span(5, 6), "Bye.", (), "S2")),
        (SoundEvent("laughter", span(2, 3), 0.8),),
        "base",
    )
    assert read(tmp_path, "t.json", format_transcript(original, "json")) == original


def test_optional_keys_may_be_missing(tmp_path: Path) -> None:
    transcript = read(
        tmp_path, "t.json", '{"segments": [{"start_s": 1, "end_s": 2, "text": "Hi."}]}'
    )
    assert transcript.segments == (Segment(span(1, 2), "Hi."),)
    assert transcript.language is None and transcript.extra is None


def rich_document() -> dict[str, Any]:
    """A transcript with unknown keys at every level."""
    word = {"text": "Hi.", "start_s": 1.0, "end_s": 2.0, "probability": None, "speaker": None}
    segment = {"start_s": 1.0, "end_s": 2.0, "speaker": "S1", "text": "Hi."}
    return {
        "version": 1, "language": None, "language_probability": None, "model": None,
        "segments": [{**segment, "words": [{**word, "syllables": [1, 2]}], "mood": {"calm": 0.5}}],
        "events": [{"kind": "music", "start_s": 3.0, "end_s": 4.0, "probability": None, "bpm": 90}],
        "recorder": "Zoom", "extra": [None, True, "ü"],
    }  # fmt: skip


def test_unknown_keys_are_written_again_as_they_were_read(tmp_path: Path) -> None:
    transcript = read(tmp_path, "t.json", json.dumps(rich_document()))
    assert json.loads(format_transcript(transcript, "json")) == rich_document()


def test_unknown_keys_survive_as_bytes(tmp_path: Path) -> None:
    transcript = read(tmp_path, "t.json", json.dumps(rich_document()))
    assert transcript.words[0].extra == {"syllables": [1, 2]}
    assert from_bytes(to_bytes(transcript), Transcript) == transcript
    assert len({*transcript.words, *transcript.segments}) == 2


@pytest.mark.parametrize(
    ("value", "kept"), [('"a\\ud800"', "a?"), ("NaN", None), ("[-Infinity, 1e999]", [None, None])]
)
def test_unknown_values_that_no_file_can_hold_are_replaced(
    tmp_path: Path, value: str, kept: object
) -> None:
    transcript = read(tmp_path, "t.json", f'{{"segments": [], "odd": {value}}}')
    assert transcript.extra == {"odd": kept}
    assert format_transcript(transcript, "json").encode()


def test_segments_are_sorted_and_empty_ones_dropped(tmp_path: Path) -> None:
    listed = [
        {"start_s": 4, "end_s": 6, "text": "second"},
        {"start_s": 3, "end_s": 3, "text": "  "},
        {"start_s": 1, "end_s": 5, "text": "first"},
    ]
    transcript = read(tmp_path, "t.json", json.dumps({"version": 1, "segments": listed}))
    assert [s.text for s in transcript.segments] == ["first", "second"]


def test_seconds_have_at_most_six_decimals() -> None:
    transcript = Transcript(None, None, (Segment(span(1 / 3, 2 / 3), "a"),))
    assert transcript_to_dict(transcript)["segments"][0]["start_s"] == 0.333333


def test_srt_is_read_with_bom_and_windows_line_ends(tmp_path: Path) -> None:
    text = "\ufeff1\r\n00:00:01,500 --> 00:00:03,000\r\n<i>Hello</i>\r\nthere.\r\n\r\n"
    transcript = read(tmp_path, "t.srt", text)
    assert transcript.segments == (Segment(span(1.5, 3), "Hello there."),)


def test_an_old_windows_subtitle_is_read(tmp_path: Path) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nDéjà vu – naïve\n".encode("cp1252")
    assert read(tmp_path, "t.srt", text).segments[0].text == "Déjà vu – naïve"


def test_vtt_gives_speakers_and_unescaped_text(tmp_path: Path) -> None:
    text = "WEBVTT\n\nNOTE x\n\nid\n00:01.000 --> 00:02.500 align:start\n<v Ann>a &lt; b</v>\n"
    assert read(tmp_path, "t.vtt", text).segments == (Segment(span(1, 2.5), "a < b", (), "Ann"),)


def test_rolling_captions_say_each_line_once(tmp_path: Path) -> None:
    text = (
        "WEBVTT\n\n00:00.000 --> 00:04.000\nwe went to the\n\n"
        "00:02.000 --> 00:06.000\nwe went to the\nsea that day\n"
    )
    segments = read(tmp_path, "t.vtt", text).segments
    assert [s.text for s in segments] == ["we went to the", "sea that day"]
    assert segments[0].range.end == segments[1].range.start


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ('{"version": 2, "segments": []}', "version 2"),
        ('{"version": 1}', "segments"),
        ('{"segments": [{"end_s": 1, "text": "x"}]}', "segment 1"),
        ('{"segments": [{"start_s": "a", "end_s": 1, "text": "x"}]}', "start_s"),
        ('{"segments": [{"start_s": 1e30, "end_s": 1e30, "text": "x"}]}', "not a time"),
        ('{"segments": [7]}', "segment 1"),
        ('{"segments": [{"start_s": 1%s, "end_s": 1, "text": "x"}]}' % ("0" * 400), "start_s"),
        ('{"segments": [{"start_s": NaN, "end_s": 1, "text": "x"}]}', "start_s"),
        ('{"segments": [{"start_s": 0, "end_s": 1, "text": "x"}], "events": 3}', "events"),
        ('{"segments": [], "odd": ' + "[" * 200 + "]" * 200 + "}", "nested too deep"),
        ('{"segments": [', "line 1"),
        ("[1, 2]", "not an object"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(
    tmp_path: Path, content: str, wrong: str
) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, "talk.json", content)
    assert "talk.json" in caught.value.message
    assert wrong in caught.value.message
    assert "\n" not in caught.value.message and caught.value.hint


def test_a_text_file_that_is_no_subtitle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"notes\.srt"):
        read(tmp_path, "notes.srt", "just some notes")


@pytest.mark.parametrize("name", ["missing.json", "empty.srt"])
def test_a_missing_or_empty_file_is_unreadable(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.srt").touch()
    with pytest.raises(UnreadableMedia, match=name.split(".")[0]):
        read_transcript(tmp_path / name)


@given(st.binary(max_size=200))
def test_no_bytes_cause_anything_but_an_explained_error(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for name in ("a.json", "a.srt"):
            try:
                read(Path(folder), name, content)
            except SourceError as error:
                assert error.message


def test_long_segments_become_cues_of_two_short_lines() -> None:
    text = " ".join(f"word{i}" for i in range(60))
    cues = subtitle_cues(Transcript("en", None, (spoken(text),)))
    assert all(len(c.lines) <= 2 for c in cues)
    assert all(len(line) <= LINE_CHARACTERS for c in cues for line in c.lines)
    assert " ".join(line for c in cues for line in c.lines) == text


times = st.tuples(st.integers(0, 50), st.integers(0, 20)).map(
    lambda t: span(t[0] / 4, (t[0] + t[1]) / 4)
)


@given(st.lists(times, max_size=12))
def test_cues_never_overlap_and_always_last(ranges: list[TimeRange]) -> None:
    segments = tuple(Segment(r, f"cue {i}") for i, r in enumerate(ranges))
    cues = subtitle_cues(Transcript(None, None, segments))
    assert len(cues) == len(ranges)
    assert all(c.start_ms < c.end_ms for c in cues)
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(cues))


def test_vtt_escapes_markup_and_srt_hides_arrows() -> None:
    transcript = Transcript(None, None, (Segment(span(0, 1), "if a<b --> c & d", (), "S1"),))
    assert "<v S1>if a&lt;b --&gt; c &amp; d" in format_transcript(transcript, "vtt")
    assert format_transcript(transcript, "srt").count("-->") == 1


def test_plain_text_has_a_line_for_each_segment() -> None:
    transcript = Transcript(None, None, (Segment(span(0, 1), "One."), Segment(span(1, 2), "Two.")))
    assert format_transcript(transcript, "txt") == "One.\nTwo.\n"


@pytest.mark.parametrize("form", ["srt", "vtt", "txt", "json"])
def test_an_empty_transcript_can_be_written(form: str) -> None:
    text = format_transcript(Transcript(None, None, ()), form)  # type: ignore[arg-type]
    assert (text == "") == (form in ("srt", "txt"))


@pytest.mark.parametrize(
    "hostile", ["\u202eevil", "\u009b31mred", "a\x7fb", "\u2066x\u2069", "\x1b[31m"]
)
def test_characters_that_move_the_cursor_or_turn_the_text_are_dropped(
    hostile: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.json"
    segment = {"start_s": 0, "end_s": 2, "text": f"{hostile} words"}
    file.write_text(json.dumps({"version": 1, "language": "en", "segments": [segment]}))
    [found] = read_transcript(file).segments
    kept = [c for c in found.text if unicodedata.category(c) == "Cc" or c in "\u202e\u2066\u2069"]
    assert found.text.endswith("words") and not kept

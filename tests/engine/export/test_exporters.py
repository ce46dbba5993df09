"""Formats are found by name, and each writes what its readers take."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import replace
from fractions import Fraction
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from lxml import etree

from reelremix.engine.domain.choice import Censor
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.mix import Censored
from reelremix.engine.domain.subject import Subject
from reelremix.engine.export import exporters
from reelremix.engine.export.edl import reel_name
from reelremix.engine.export.exporters import find_exporter, registered
from reelremix.engine.export.sequence import Media
from reelremix.errors import ConfigError, ModelError
from tests.engine.export.handover import (
    NTSC,
    NTSC_FAST,
    OUTPUT,
    PAL,
    clip_on,
    exported,
    recording,
    ten_clips,
)
from tests.engine.export.programs import read
from tests.fakes import presented
from tests.media_factory import Film, plain, sound_of, tone, write_media

BUILT_IN = (
    "ass", "csv", "edl", "fcpxml", "html", "json", "otio", "premiere", "resolve", "srt", "vtt",
)  # fmt: skip
NEED_RECORDING = ("edl", "fcpxml", "otio", "premiere", "resolve")
HOSTILE = 'Tom & "Jerry" ]]> <b>\x00\x0b\ufffe 😀 שלום\u202e\nsecond line'
SCHEMA = etree.RelaxNG(etree.parse(str(Path(__file__).with_name("fcpxml.rng"))))


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    folder = tmp_path_factory.mktemp("talk") / "50% & more, ünïcode"
    folder.mkdir()
    return recording(folder / "My talk #1.mp4", PAL)


def hostile_clip() -> Clip:
    clip = clip_on([(0, 40), (60, 90)], PAL)
    words = tuple(replace(word, text=HOSTILE) for word in clip.words)
    assert clip.score is not None
    reasons = tuple(replace(r, text=HOSTILE, quote=HOSTILE) for r in clip.score.reasons)
    return replace(
        clip, title=HOSTILE, description=HOSTILE, words=words, text="=HYPERLINK(1)",
        score=replace(clip.score, reasons=reasons),
    )  # fmt: skip


def test_what_comes_with_reelremix_is_registered_like_any_other() -> None:
    assert set(BUILT_IN) <= registered().keys()


def test_listing_formats_imports_none_of_them() -> None:
    before = set(sys.modules)
    registered()
    assert not {name for name in set(sys.modules) - before if name.startswith("reelremix")}


def test_an_unknown_format_is_refused_with_the_nearest_and_all_there_are() -> None:
    with pytest.raises(ConfigError, match="did you mean 'premiere'") as caught:
        find_exporter("premier")
    assert caught.value.hint is not None and "fcpxml" in caught.value.hint


def test_a_format_for_another_reelremix_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("old", "math:pi", exporters.GROUP)
    monkeypatch.setattr(exporters, "registered", lambda: {"old": point})
    with pytest.raises(ModelError, match="protocol None"):
        find_exporter("old")


def test_a_format_that_cannot_be_loaded_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("gone", "no_such_module:it", exporters.GROUP)
    monkeypatch.setattr(exporters, "registered", lambda: {"gone": point})
    with pytest.raises(ModelError, match="cannot be loaded"):
        find_exporter("gone")


@pytest.mark.slow
def test_otio_says_what_to_install(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    with pytest.raises(ModelError, match="not installed") as caught:
        exported("otio", [clip_on([(0, 40)], PAL)], subject, tmp_path)
    assert caught.value.hint is not None and "reelremix[editors]" in caught.value.hint


@pytest.mark.slow
@pytest.mark.parametrize("to", ["fcpxml", "resolve"])
@pytest.mark.parametrize("rate", [PAL, NTSC])
def test_fcpxml_is_as_its_schema_says(to: str, rate: Fraction, tmp_path: Path) -> None:
    talk = recording(tmp_path / "talk.mp4", rate)
    root = read(exported(to, ten_clips(rate)[1], talk, tmp_path).files[0])
    assert SCHEMA.validate(root), SCHEMA.error_log
    counting = {sequence.get("tcFormat") for sequence in root.iter("sequence")}
    assert counting == {"DF" if rate == NTSC else "NDF"}


def test_the_schema_notices_what_is_out_of_order(subject: Subject, tmp_path: Path) -> None:
    root = read(exported("fcpxml", [clip_on([(0, 40)], PAL, 4)], subject, tmp_path).files[0])
    clip = root.find(".//asset-clip")
    clip.append(clip.find("adjust-transform"))
    assert not SCHEMA.validate(root)


def test_otio_holds_no_schema_that_opentimelineio_does_not_know(
    subject: Subject, tmp_path: Path
) -> None:
    otio = pytest.importorskip("opentimelineio")
    clips = ten_clips(PAL)[1]
    path = exported("otio", clips, subject, tmp_path, out=str(tmp_path / "all.otio")).files[0]
    whole = otio.adapters.read_from_file(str(path))
    assert isinstance(whole, otio.schema.SerializableCollection) and len(whole) == 10
    names = {value for _, value in _pairs(json.loads(path.read_text())) if _ == "OTIO_SCHEMA"}
    known = {f"{name}.{v}" for name, v in otio.core.type_version_map().items()}
    assert names <= known | {"RationalTime.1", "TimeRange.1", "V2d.1", "Box2d.1"}
    for timeline in whole:
        for clip in timeline.find_clips():
            assert isinstance(clip.media_reference, otio.schema.ExternalReference)
            assert clip.media_reference.available_image_bounds.max.x == 320
        assert timeline.metadata["reelremix"]["captions"]
        assert timeline.tracks.markers[0].comment.startswith("score")


def _pairs(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [*value.items(), *(pair for inner in value.values() for pair in _pairs(inner))]
    return [pair for inner in value for pair in _pairs(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("to", BUILT_IN)
def test_hostile_text_breaks_no_format(to: str, subject: Subject, tmp_path: Path) -> None:
    result = exported(to, [hostile_clip()], subject, tmp_path)
    for path in result.files:
        content = path.read_text(encoding="utf-8-sig")
        if path.suffix in (".fcpxml", ".xml"):
            assert any("]]>" in str(e.text) or "]]>" in str(e.attrib) for e in read(path).iter())
        elif path.suffix == ".edl":
            assert content.isascii() and len(content.splitlines()) < 20
        elif path.suffix in (".otio", ".json"):
            json.loads(content)


@pytest.mark.parametrize("to", ["fcpxml", "resolve", "premiere", "otio"])
def test_the_address_of_the_recording_leads_to_it(
    to: str, subject: Subject, tmp_path: Path
) -> None:
    path = exported(to, [clip_on([(0, 40)], PAL)], subject, tmp_path).files[0]
    if to == "otio":
        (url,) = {v for k, v in _pairs(json.loads(path.read_text())) if k == "target_url"}
    else:
        root = read(path)
        url = root.findtext(".//pathurl") or root.find(".//media-rep").get("src")
    assert Path(unquote(urlsplit(url).path)) == subject.path
    assert not set(" #&,ü") & set(url)


@pytest.mark.parametrize("to", BUILT_IN)
def test_a_clip_without_words_captions_and_score_is_exported(
    to: str, subject: Subject, tmp_path: Path
) -> None:
    clip = clip_on([(0, 40)], PAL, words=(), captions=None, score=None)
    result = exported(to, [clip], subject, tmp_path)
    assert [path.suffix for path in result.files if path.suffix in (".srt", ".vtt", ".ass")] == []
    assert all(path.is_file() for path in result.files)


@pytest.mark.parametrize("to", NEED_RECORDING)
def test_a_recording_without_sound_has_no_sound_in_an_editor(to: str, tmp_path: Path) -> None:
    path = write_media(tmp_path / "silent.mp4", Film(100, plain, (320, 180)))
    silent = Subject(path, presented(path))
    written = exported(to, [clip_on([(0, 40)], PAL)], silent, tmp_path).files[0].read_text()
    assert not any(sign in written for sign in ("hasAudio", "<audio>", '"Audio"', "AA/V"))


def test_subtitles_are_on_the_clips_own_clock(subject: Subject, tmp_path: Path) -> None:
    clips = [clip_on([(500, 540), (600, 640)], PAL)]
    for kind in ("srt", "vtt", "ass"):
        (path,) = exported(kind, clips, None, tmp_path).files
        assert path == tmp_path / "export" / f"01-clip-1.{kind}"
    text = (tmp_path / "export" / "01-clip-1.srt").read_text()
    assert "00:00:00,020 --> 00:00:00,400" in text and "00:00:01,620 -->" in text


def test_several_clips_do_not_fit_into_one_file_of_subtitles_or_cuts(
    subject: Subject, tmp_path: Path
) -> None:
    for to in ("srt", "edl"):
        with pytest.raises(ConfigError, match="cannot share"):
            exported(to, ten_clips(PAL)[1], subject, tmp_path, out=str(tmp_path / f"all.{to}"))


def test_a_table_has_a_row_a_clip_with_seconds_and_timecode(
    subject: Subject, tmp_path: Path
) -> None:
    clips = ten_clips(PAL)[1]
    text = exported("csv", clips, subject, tmp_path).files[0].read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["id"] for row in rows] == [clip.id for clip in clips]
    assert float(rows[0]["start_s"]) == clips[0].ranges[0].start_s
    assert rows[0]["start_timecode"].count(":") == 3 and rows[0]["hook"] == "70.0"
    told = json.loads(exported("json", clips, subject, tmp_path).files[0].read_text())
    assert [c["cuts"] for c in told["clips"]] == [
        [[r.start_s, r.end_s] for r in clip.ranges] for clip in clips
    ]


def test_a_table_without_the_recording_has_no_timecode_and_says_so(tmp_path: Path) -> None:
    result = exported("json", [clip_on([(0, 40)], PAL)], None, tmp_path)
    (row,) = json.loads(result.files[0].read_text())["clips"]
    assert row["start_timecode"] is None and row["start_s"] == 0
    assert "--source" in result.notes[0]


def test_a_cell_is_never_a_formula(subject: Subject, tmp_path: Path) -> None:
    text = exported("csv", [hostile_clip()], subject, tmp_path).files[0].read_text("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["text"] == "'=HYPERLINK(1)" and "\n" not in row["title"]


@pytest.mark.parametrize("to", NEED_RECORDING)
def test_what_an_editor_does_not_get_is_said(to: str, subject: Subject, tmp_path: Path) -> None:
    clip = clip_on([(0, 40)], PAL)
    bleeped = replace(clip, censored=(Censored(clip.ranges[0], Censor.BLEEP),))
    assert any("bleep" in n for n in exported(to, [bleeped], subject, tmp_path).notes)
    assert not any("bleep" in n for n in exported(to, [clip], subject, tmp_path).notes)


def test_reels_have_names_that_every_reader_takes() -> None:
    for name, reel in (("My talk #1.mp4", "MYTALK1"), ("é.mov", "E"), ("講演.mp4", "RECORD")):
        assert reel_name(Media(name, None, PAL, 1, OUTPUT)) == reel


@pytest.mark.slow
def test_the_sequences_of_a_premiere_file_have_the_clips_size_rate_and_count(
    tmp_path: Path,
) -> None:
    talk = recording(tmp_path / "talk.mp4", NTSC_FAST)
    root = read(exported("premiere", [clip_on([(0, 90)], NTSC_FAST)], talk, tmp_path).files[0])
    sequence = root.find(".//sequence")
    assert sequence.findtext("rate/timebase") == "60" and sequence.findtext("rate/ntsc") == "TRUE"
    assert sequence.findtext("timecode/displayformat") == "DF"
    shape = sequence.find("media/video/format/samplecharacteristics")
    assert (shape.findtext("width"), shape.findtext("height")) == ("180", "320")
    ids = [item.get("id") for item in root.iter("clipitem")]
    assert len(ids) == len(set(ids))
    linked = {link.findtext("linkclipref") for link in root.iter("link")}
    assert linked <= set(ids) and linked


def test_surround_sound_has_two_tracks_in_a_sequence_and_all_its_channels_in_the_file(
    tmp_path: Path,
) -> None:
    sound = sound_of(tone(4, channels=6), layout="5.1", codec="aac")
    path = write_media(tmp_path / "surround.mp4", Film(100, plain, (320, 180)), sound)
    talk = Subject(path, presented(path))
    root = read(exported("premiere", [clip_on([(0, 40)], PAL)], talk, tmp_path).files[0])
    assert len(root.findall(".//media/audio/track")) == 2
    assert root.findtext(".//file/media/audio/channelcount") == "6"


def test_clips_take_their_sound_from_the_stream_that_was_chosen(tmp_path: Path) -> None:
    sounds = sound_of(tone(4), is_default=False), sound_of(tone(4, 600), is_default=True)
    path = write_media(tmp_path / "two.mp4", Film(100, plain, (320, 180)), *sounds)
    talk = Subject(path, presented(path, "2"))
    result = exported("premiere", [clip_on([(0, 40)], PAL)], talk, tmp_path)
    tracks = [t.text for t in read(result.files[0]).iterfind(".//sourcetrack/trackindex")]
    assert tracks == ["3", "4"] and "audio stream 2" in result.warnings[0]


def test_names_do_not_turn_the_reading_round(subject: Subject, tmp_path: Path) -> None:
    root = read(exported("fcpxml", [hostile_clip()], subject, tmp_path).files[0])
    assert "\u202e" not in root.find(".//project").get("name")
    assert "שלום" in root.find(".//project").get("name")

"""Whole jobs through the facade, over stores in memory; words are given, faces left out."""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine import (
    Aspect,
    ClipRequest,
    EncodeOptions,
    FrameOptions,
    Library,
    RenderRequest,
    ScoreRequest,
    SelectOptions,
    TranscribeOptions,
    planning,
)
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.events import (
    ClipRendered,
    JobFailed,
    JobFinished,
    StageFinished,
    Warned,
)
from reelremix.engine.domain.request import TranscribeRequest
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.store.memory import MemoryArtifactStore, MemoryCatalogue, MemorySourceAccess
from reelremix.engine.store.sources import LocalSourceAccess
from reelremix.errors import (
    Cancelled,
    ConfigError,
    ModelNotInstalled,
    NothingToClip,
    OutputExists,
    ReelRemixError,
    UnreadableMedia,
)
from tests.cli.commandline import TALK, words_file
from tests.fakes import NoModels, Recorder, presented, spoken
from tests.media_factory import Film, plain_film, sound_of, tone, write_media


@pytest.fixture
def library() -> Library:
    """A library that leaves no trace."""
    catalogue = MemoryCatalogue()
    sources = LocalSourceAccess(catalogue)
    return Library(catalogue, MemoryArtifactStore(), sources, NoModels())


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Seventeen seconds of a talk."""
    return plain_film(tmp_path / "talk.mp4", 17, size=(160, 90))


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """What is said in it."""
    return words_file(tmp_path / "words.json", spoken(*TALK))


def request(film: Path, words: Path | None, *ranges: tuple[float, float], **more: Any) -> Any:
    """Quick to render, in the middle of the picture."""
    spans = tuple(TimeRange.from_seconds(*span) for span in ranges)
    given = str(words) if words else None
    asked = {
        "source": str(film),
        "captions": None,
        "transcribe": TranscribeOptions(transcript=given, speakers="off"),
        "select": SelectOptions(ranges=spans, min_s=6, max_s=12),
        "frame": FrameOptions(faces=False),
        "encode": EncodeOptions(preset="ultrafast", fps="10"),
    }
    return ClipRequest(**asked | more)


def test_a_job_tells_its_story_in_order(library: Library, film: Path, words: Path) -> None:
    heard = Recorder()
    result = library.clip(request(film, words, (1, 2)), listener=heard)
    assert heard.types == [
        "job_started", "stage_started", "stage_finished", "stage_started", "clip_planned",
        "stage_finished", "stage_started", "clip_rendered", "stage_finished", "job_finished",
    ]  # fmt: skip
    assert heard.events[-1] == JobFinished({"source_s": 17.0, "rendered_s": 1.0})
    assert result.failed == 0 and result.folder == Path("clips/talk")
    names = [e.stage for e in heard.events if isinstance(e, StageFinished)]
    assert names == [s["name"] for s in result.manifest["run"]["stages"]]


def test_everything_a_clip_needs_is_on_disk(library: Library, film: Path, words: Path) -> None:
    result = library.clip(request(film, words, (1, 3)))
    [clip] = result.manifest["clips"]
    assert set(clip["files"]) == {"video", "thumbnail", "subtitles"}
    assert all((result.folder / name).stat().st_size for name in clip["files"].values())
    listed = {*clip["files"].values(), "clips.json", "index.html"}
    assert {path.name for path in result.folder.iterdir()} == listed


def test_clips_of_an_earlier_run_are_kept(library: Library, film: Path, words: Path) -> None:
    library.clip(request(film, words, (1, 2)))
    heard = Recorder()
    library.clip(request(film, words, (1, 2)), listener=heard)
    assert [e.cached for e in heard.events if isinstance(e, ClipRendered)] == [True]


def test_a_film_that_was_changed_is_rendered_again(
    library: Library, film: Path, words: Path
) -> None:
    result = library.clip(request(film, words, (1, 2)))
    video = result.folder / result.manifest["clips"][0]["files"]["video"]
    video.write_bytes(b"damaged")
    heard = Recorder()
    library.clip(request(film, words, (1, 2)), listener=heard)
    assert [e.cached for e in heard.events if isinstance(e, ClipRendered)] == [False]
    assert video.stat().st_size > 1000


def test_ids_depend_on_source_and_ranges_alone(library: Library, film: Path, words: Path) -> None:
    first = library.clip(request(film, words, (1, 2), (5, 6), plan_only=True))
    second = library.clip(request(film, words, (5, 6), (1, 2), plan_only=True, out="b"))
    ids = [[clip["id"] for clip in run.manifest["clips"]] for run in (first, second)]
    assert ids[0] == ids[1][::-1] and len(set(ids[0])) == 2


def test_chosen_moments_do_not_overlap(library: Library, film: Path, words: Path) -> None:
    result = library.clip(request(film, words, plan_only=True))
    spans = sorted(clip["ranges"][0] for clip in result.manifest["clips"])
    assert spans and all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
    assert all(end <= 17.0 for _, end in spans)


def test_words_behind_the_end_of_the_recording_are_no_clips(
    library: Library, tmp_path: Path, words: Path
) -> None:
    short = plain_film(tmp_path / "short.mp4", 3, size=(64, 36))
    with pytest.raises(NothingToClip, match=r"lasts 3\.0 s, less than --min 6"):
        library.clip(request(short, words))


def test_nothing_said_leaves_an_empty_manifest_with_the_reason(
    library: Library, film: Path, tmp_path: Path
) -> None:
    silence = words_file(tmp_path / "silence.json", Transcript("en", 0.9, ()))
    heard = Recorder()
    with pytest.raises(NothingToClip) as caught:
        library.clip(request(film, silence), listener=heard)
    manifest = json.loads(Path("clips/talk/clips.json").read_text())
    assert manifest["clips"] == [] and manifest["notice"] == caught.value.message
    assert isinstance(heard.events[-1], JobFailed)


def test_a_missing_model_leaves_no_folder(library: Library, film: Path) -> None:
    with pytest.raises(ModelNotInstalled):
        library.clip(request(film, None))
    assert not Path("clips/talk").exists()


def test_a_missing_transcript_is_told_before_anything_is_written(
    library: Library, film: Path, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableMedia, match="cannot read the transcript"):
        library.clip(request(film, tmp_path / "nowhere.json"))
    assert not Path("clips/talk").exists()


def test_what_would_be_refused_is_told_ahead_and_nothing_is_left(
    library: Library, film: Path, words: Path, tmp_path: Path
) -> None:
    library.check(request(film, words))
    with pytest.raises(ModelNotInstalled):
        library.check(request(film, None))
    with pytest.raises(UnreadableMedia, match="cannot read the transcript"):
        library.check(request(film, tmp_path / "nowhere.json"))
    with pytest.raises(ConfigError, match="begins after the end"):
        library.check(request(film, words, (100, 120)))
    with pytest.raises(UnreadableMedia, match="no such file"):
        library.check(request(tmp_path / "gone.mp4", words))
    assert not Path("clips").exists() and library.catalogue.sources() == []


def test_a_finished_run_with_other_options_is_told_ahead(
    library: Library, film: Path, words: Path
) -> None:
    asked = request(film, words, (1, 2), plan_only=True)
    library.clip(asked)
    library.check(asked)
    with pytest.raises(OutputExists):
        library.check(replace(asked, captions="bold"))
    library.check(replace(asked, captions="bold", overwrite=True))


def test_what_is_asked_of_recordings_that_are_to_come_is_checked_without_one(
    library: Library, words: Path
) -> None:
    coming = request(Path("/nowhere/recording.mp4"), words)
    library.check(coming, has_source=False)
    with pytest.raises(ConfigError, match="no preset named 'grand'"):
        library.check(replace(coming, brand="grand"), has_source=False)
    with pytest.raises(ModelNotInstalled):
        library.check(replace(coming, transcribe=TranscribeOptions()), has_source=False)


def test_a_cancelled_job_says_so_and_keeps_nothing_half_done(
    library: Library, film: Path, words: Path
) -> None:
    cancel, heard = CancelToken(), Recorder()
    cancel.set()
    with pytest.raises(Cancelled):
        library.clip(request(film, words, (1, 2)), cancel=cancel, listener=heard)
    assert heard.types[-1] == "job_cancelled"
    assert not list(Path.cwd().rglob("*.mp4"))


def test_a_plan_is_rendered_as_it_was_planned(library: Library, film: Path, words: Path) -> None:
    planned = library.clip(request(film, words, (1, 2), plan_only=True))
    assert not list(planned.folder.glob("*.mp4"))
    rendered = library.render(RenderRequest(str(planned.folder)))
    assert [c["layout"] for c in rendered.manifest["clips"]] == [
        c["layout"] for c in planned.manifest["clips"]
    ]
    assert len(list(planned.folder.glob("*.mp4"))) == 1


def test_an_edited_title_survives_a_render(library: Library, film: Path, words: Path) -> None:
    planned = library.clip(request(film, words, (1, 2), plan_only=True))
    path = planned.folder / "clips.json"
    content = json.loads(path.read_text())
    content["clips"][0]["title"] = "Mine"
    path.write_text(json.dumps(content))
    assert library.render(RenderRequest(str(path))).manifest["clips"][0]["title"] == "Mine"


def test_a_word_that_was_corrected_is_shown_with_room_for_it(
    library: Library, film: Path, words: Path
) -> None:
    planned = library.clip(request(film, words, (1, 4), plan_only=True, captions="bold"))
    library.render(RenderRequest(str(planned.folder)))
    path = planned.folder / "clips.json"
    content = json.loads(path.read_text())
    [clip] = content["clips"]
    clip["words"][1]["text"] = "Donaudampf\nschifffahrtsgesellschaft"
    path.write_text(json.dumps(content))
    [now] = library.render(RenderRequest(str(path))).manifest["clips"]
    assert len(now["captions"]["cues"]) > len(clip["captions"]["cues"])
    [subtitles] = planned.folder.glob("*.srt")
    assert "Donaudampf schifffahrtsgesellschaft" in subtitles.read_text()
    assert library.render(RenderRequest(str(path))).manifest["clips"] == [now]


def test_a_clip_that_was_trimmed_by_hand_says_what_is_left(
    library: Library, film: Path, words: Path
) -> None:
    made = library.clip(request(film, words, (1, 6), captions="bold"))
    path = made.folder / "clips.json"
    content = json.loads(path.read_text())
    [clip] = content["clips"]
    gone = [word["text"] for word in clip["words"] if word["start_s"] < 2.6]
    clip["ranges"] = [[3.0, 5.0]]
    path.write_text(json.dumps(content))
    [now] = library.render(RenderRequest(str(path))).manifest["clips"]
    assert gone and now["duration_s"] == 2.0
    kept = [word["text"] for word in now["words"]]
    assert kept and now["text"] == " ".join(kept) and len(kept) < len(clip["words"])
    said = " ".join(cue["text"] for cue in now["captions"]["cues"])
    assert said == now["text"]
    [subtitles] = made.folder.glob("*.srt")
    assert clip["words"][0]["text"] == gone[0] and gone[0] not in subtitles.read_text()
    assert not any("word" in note for note in now["verdict"]["notes"])


def test_what_the_manifest_wants_needs_no_overwrite(
    library: Library, film: Path, words: Path
) -> None:
    made = library.clip(request(film, words, (1, 2)))
    path = made.folder / "clips.json"
    content = json.loads(path.read_text())
    content["clips"][0]["framing"]["wanted"] = "fit"
    path.write_text(json.dumps(content))
    [now] = library.render(RenderRequest(str(path))).manifest["clips"]
    assert now["framing"]["made"] == "fit" and now["layout"][0]["kind"] == "fit"


def test_a_style_that_cannot_be_drawn_names_file_clip_and_choices(
    library: Library, film: Path, words: Path
) -> None:
    planned = library.clip(request(film, words, (1, 2), plan_only=True, captions="bold"))
    path = planned.folder / "clips.json"
    content = json.loads(path.read_text())
    content["clips"][0]["captions"]["style"]["animation"] = "bounce"
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="animation cannot be 'bounce'") as caught:
        library.render(RenderRequest(str(path)))
    assert str(path) in caught.value.message
    assert content["clips"][0]["id"] in caught.value.message
    assert "one of none, highlight" in (caught.value.hint or "")
    assert library.render(RenderRequest(str(path), captions="clean")).failed == 0


def test_subtitles_that_are_no_longer_wanted_go(library: Library, film: Path, words: Path) -> None:
    made = library.clip(request(film, words, (1, 2), subtitles=("srt", "vtt")))
    assert len([*made.folder.glob("*.srt"), *made.folder.glob("*.vtt")]) == 2
    (made.folder / "notes.srt").write_text("somebody's own")
    library.render(RenderRequest(str(made.folder), subtitles=(), overwrite=True))
    assert [path.name for path in made.folder.glob("*.srt")] == ["notes.srt"]
    assert not list(made.folder.glob("*.vtt"))


def test_captions_and_shape_may_change_when_rendering(
    library: Library, film: Path, words: Path
) -> None:
    planned = library.clip(request(film, words, (1, 2), plan_only=True))
    changed = RenderRequest(str(planned.folder), captions="bold", crf=30)
    [clip] = library.render(changed).manifest["clips"]
    assert clip["captions"]["preset"] == "bold" and clip["captions"]["cues"]
    with pytest.raises(OutputExists):
        library.render(RenderRequest(str(planned.folder), captions="none"))


def test_what_a_render_changed_is_kept_by_the_next_one(
    library: Library, film: Path, words: Path
) -> None:
    made = library.clip(request(film, words, (1, 2)))
    path = str(made.folder)
    coarse = library.render(RenderRequest(path, crf=45, overwrite=True))
    assert coarse.manifest["clips"][0]["output"]["crf"] == 45
    [video] = made.folder.glob("*.mp4")
    small = video.stat().st_size
    heard = Recorder()
    library.render(RenderRequest(path), listener=heard)
    assert [e.cached for e in heard.events if isinstance(e, ClipRendered)] == [True]
    assert video.stat().st_size == small
    library.render(RenderRequest(path, crf=45))  # nothing would change: no overwrite needed


def test_edits_and_unknown_keys_survive_a_render(library: Library, film: Path, words: Path) -> None:
    planned = library.clip(request(film, words, (1, 2), plan_only=True))
    path = planned.folder / "clips.json"
    content = json.loads(path.read_text())
    assert content["clips"][0]["edits"] == []
    content["clips"][0] |= {"edits": [{"kind": "trimmed"}], "mine": 1}
    path.write_text(json.dumps(content))
    [clip] = library.render(RenderRequest(str(path))).manifest["clips"]
    assert clip["edits"] == [{"kind": "trimmed"}] and clip["mine"] == 1


def test_two_renders_of_one_manifest_at_once_lose_nothing(
    film: Path, words: Path, tmp_path: Path
) -> None:
    catalogue = MemoryCatalogue()
    library = Library(
        catalogue, MemoryArtifactStore(), LocalSourceAccess(catalogue), NoModels(),
        lock_dir=tmp_path / "locks",
    )  # fmt: skip
    planned = library.clip(request(film, words, (1, 2), (3, 4), plan_only=True))
    threads = [
        threading.Thread(target=library.render, args=(RenderRequest(str(planned.folder), (rank,)),))
        for rank in ("1", "2")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    content = json.loads((planned.folder / "clips.json").read_text())
    assert all(clip["files"]["video"] for clip in content["clips"])


def test_another_shape_follows_the_manifest_in_looking_for_no_faces(
    library: Library, film: Path, words: Path
) -> None:
    planned = library.clip(request(film, words, (1, 2), plan_only=True))
    square = library.render(RenderRequest(str(planned.folder), aspect=Aspect.SQUARE))
    [clip] = square.manifest["clips"]
    assert (clip["output"]["width_px"], clip["output"]["height_px"]) == (1080, 1080)
    [piece] = clip["layout"]
    assert piece["regions"][0]["output"] == [0, 0, 1080, 1080]
    written = presented(planned.folder / clip["files"]["video"]).picture
    assert (written.width_px, written.height_px) == (1080, 1080)


@pytest.mark.slow
def test_a_manifest_of_an_odd_rate_is_rendered_from_the_very_same_frames(
    library: Library, words: Path, tmp_path: Path
) -> None:
    rate = Fraction(30000, 1001)
    film = plain_film(tmp_path / "odd.mp4", 4, size=(160, 90), rate=rate)
    source = EncodeOptions(preset="ultrafast", crf=16)
    at_once = library.clip(request(film, words, (1.66, 2.4), encode=source, out="once"))
    later = library.clip(
        request(film, words, (1.66, 2.4), encode=source, out="later", plan_only=True)
    )
    rendered = library.render(RenderRequest(str(later.folder)))
    digests = [
        hashlib.sha256((made.folder / made.manifest["clips"][0]["files"]["video"]).read_bytes())
        for made in (at_once, rendered)
    ]
    assert digests[0].hexdigest() == digests[1].hexdigest()


@pytest.mark.parametrize(
    "wrong",
    [
        {"captions": "comic"},
        {"encode": EncodeOptions(fps="abc")},
        {"encode": EncodeOptions(encoder="h264_nvnec")},
        {"encode": EncodeOptions(preset="warp")},
    ],
)
def test_a_typing_mistake_costs_no_listening_and_no_finished_clips(
    library: Library, film: Path, words: Path, wrong: dict[str, Any]
) -> None:
    made = library.clip(request(film, words, (1, 2), (3, 4)))
    before = {path.name: path.stat().st_mtime_ns for path in made.folder.iterdir()}
    heard = Recorder()
    with pytest.raises(ReelRemixError):
        library.clip(request(film, words, (1, 2), overwrite=True, **wrong), listener=heard)
    assert {path.name: path.stat().st_mtime_ns for path in made.folder.iterdir()} == before
    assert {e.stage for e in heard.events if isinstance(e, StageFinished)} == {"ingest"}


def test_each_clip_begins_its_list_of_decisions_once(film: Path, words: Path) -> None:
    catalogue = MemoryCatalogue()
    sources = LocalSourceAccess(catalogue)
    library = Library(catalogue, MemoryArtifactStore(), sources, NoModels())
    for _ in range(2):
        made = library.clip(request(film, words, (1, 2), plan_only=True, overwrite=True))
    [clip] = made.manifest["clips"]
    [decision] = catalogue.decisions(clip["id"])
    assert decision.kind == "proposed" and decision.detail["rank"] == 1


def test_sources_may_come_from_anywhere(film: Path, words: Path) -> None:
    held = MemorySourceAccess()
    held.hold(hashlib.sha256(film.read_bytes()).hexdigest(), film.read_bytes())
    library = Library(MemoryCatalogue(), MemoryArtifactStore(), held, NoModels())
    made = library.clip(request(film, words, (1, 2)))
    assert made.manifest["clips"][0]["verdict"]["ok"]
    film.unlink()
    again = library.render(RenderRequest(str(made.folder), crf=40, overwrite=True))
    assert again.manifest["clips"][0]["verdict"]["ok"]


@pytest.mark.parametrize("job", ["transcribe", "score"])
def test_every_job_on_a_recording_counts_its_length(
    library: Library, film: Path, words: Path, job: str
) -> None:
    heard = Recorder()
    given = TranscribeOptions(transcript=str(words))
    if job == "score":
        library.score(ScoreRequest(str(film), transcribe=given), listener=heard)
    else:
        library.transcribe(TranscribeRequest(str(film), transcribe=given), listener=heard)
    [ended] = [e for e in heard.events if isinstance(e, JobFinished)]
    assert ended.usage == {"source_s": pytest.approx(17, abs=0.1), "rendered_s": 0.0}


def test_another_frame_rate_may_be_asked_for_when_rendering(
    library: Library, film: Path, words: Path
) -> None:
    planned = library.clip(request(film, words, (1, 2), plan_only=True))
    made = library.render(RenderRequest(str(planned.folder), fps="20"))
    [clip] = made.manifest["clips"]
    assert clip["output"]["frame_rate"] == "20/1"
    written = presented(planned.folder / clip["files"]["video"])
    assert written.picture.frame_rate == 20
    with pytest.raises(ConfigError, match="--fps must be"):
        library.render(RenderRequest(str(planned.folder), fps="fast"))


def test_the_device_of_the_manifest_is_the_one_that_was_used(
    library: Library, film: Path, words: Path
) -> None:
    made = library.clip(request(film, words, (1, 2), plan_only=True))
    assert made.manifest["options"]["device"] == "auto"
    assert made.manifest["run"]["device"] == "cpu"


def test_scoring_reads_recordings_and_transcripts_alike(
    library: Library, film: Path, words: Path
) -> None:
    select = SelectOptions(count=2, min_s=6, max_s=12)
    heard = library.score(ScoreRequest(
        str(film), transcribe=TranscribeOptions(transcript=str(words)), select=select
    ))  # fmt: skip
    read = library.score(ScoreRequest(str(words), select=select))
    assert [c["text"] for c in heard["candidates"]] == [c["text"] for c in read["candidates"]]
    assert len(read["candidates"]) == 2


def test_exactly_as_many_candidates_as_asked_and_no_two_alike(
    library: Library, words: Path
) -> None:
    found = library.score(ScoreRequest(str(words), select=SelectOptions(3, 3, 12)))["candidates"]
    spans = [TimeRange.from_seconds(c["start_s"], c["end_s"]) for c in found]
    assert len(spans) == 3
    assert all(a.iou(b) < 0.3 for n, a in enumerate(spans) for b in spans[:n])


def test_a_transcript_as_the_recording_of_another_job_is_refused(
    library: Library, words: Path
) -> None:
    with pytest.raises(UnreadableMedia):
        library.transcribe(TranscribeRequest(str(words)))


def test_a_range_behind_the_end_is_refused(library: Library, film: Path, words: Path) -> None:
    with pytest.raises(ConfigError, match="begins after the end"):
        library.clip(request(film, words, (20, 30)))


def test_the_artifact_cap_is_kept(film: Path, words: Path) -> None:
    catalogue, artifacts = MemoryCatalogue(), MemoryArtifactStore()
    sources = LocalSourceAccess(catalogue)
    library = Library(catalogue, artifacts, sources, NoModels(), artifact_cap_bytes=0)
    library.clip(request(film, words, (1, 2)))
    assert artifacts.size_bytes() == 0


def test_absolute_paths_are_kept_only_on_request(library: Library, film: Path, words: Path) -> None:
    plain = library.clip(request(film, words, (1, 2), plan_only=True))
    assert str(film.parent) not in json.dumps(plain.manifest)
    asked = request(film, words, (1, 2), plan_only=True, absolute_paths=True, out="b")
    assert library.clip(asked).manifest["source"]["name"] == str(film)


def test_no_clip_goes_beyond_the_end_of_the_picture(
    library: Library, words: Path, tmp_path: Path
) -> None:
    short = write_media(tmp_path / "short.mp4", Film(200, size=(160, 90)), sound_of(tone(17)))
    select = SelectOptions(min_s=3, max_s=12)
    chosen = library.clip(request(short, words, select=select, plan_only=True))
    assert chosen.manifest["clips"]
    given = library.clip(request(short, words, (6, 12), plan_only=True, overwrite=True))
    for clip in (*chosen.manifest["clips"], *given.manifest["clips"]):
        assert clip["ranges"][0][1] <= 8.0 + 1e-6
    with pytest.raises(ConfigError, match="begins after the end"):
        library.clip(request(short, words, (9, 12), overwrite=True))


def test_letters_no_font_has_are_told(
    library: Library, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "missing_glyphs", lambda text, font: set(text) - set("ab"))
    given = words_file(tmp_path / "odd.json", spoken("ab a b \ue123b."))
    heard = Recorder()
    asked = request(film, given, (0, 4), captions="bold", plan_only=True)
    library.clip(asked, listener=heard)
    [warning] = [e for e in heard.events if isinstance(e, Warned)]
    assert warning.message == "no font here has . \ue123; captions leave that out"
    assert "fonts-noto-cjk" in (warning.hint or "")


def test_a_plan_over_a_finished_run_leaves_no_note(
    library: Library, film: Path, words: Path
) -> None:
    made = library.clip(request(film, words, (1, 2)))
    before = sorted(path.name for path in made.folder.iterdir())
    library.clip(request(film, words, (1, 2), plan_only=True))
    assert sorted(path.name for path in made.folder.iterdir()) == before


def test_a_tilde_in_the_output_folder_is_the_home(
    library: Library, film: Path, words: Path, clean_environment: Path
) -> None:
    made = library.clip(request(film, words, (1, 2), plan_only=True, out="~/clips"))
    assert made.folder == clean_environment / "clips" / "talk"

"""What commands print for people and for programs, and how they refuse."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from reelremix import __version__
from reelremix.engine.domain.events import EVENT_TYPES
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from tests.cli.commandline import QUICK, TALK, Command, Ended, in_process, manifest_in, words_file
from tests.fakes import spoken
from tests.media_factory import Film, plain_film, sound_of, tone, write_media

COMMANDS = ("clip", "search", "transcribe", "score", "render", "probe", "doctor", "models",
            "library", "config", "feedback", "preset")  # fmt: skip


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Twenty seconds of a talk."""
    frames = Film(200, size=(160, 90), rate=Fraction(10))
    return write_media(tmp_path / "talk.mp4", frames, sound_of(tone(20)))


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """What is said in it."""
    return words_file(tmp_path / "words.json")


@pytest.fixture
def planned(reelremix: Command, film: Path, words: Path) -> Ended:
    """A plan with one clip of a second."""
    return reelremix("clip", film, "--transcript", words, "--range", "1-2", "--plan", *QUICK)


def test_the_version_is_one_line(reelremix: Command) -> None:
    assert reelremix("--version").out == f"reelremix {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_the_exit_codes(reelremix: Command, command: str) -> None:
    ended = reelremix(command, "--help")
    assert ended.code == 0
    assert "Exit codes" in ended.out and "130 cancelled" in " ".join(ended.out.split())


def test_without_arguments_the_commands_are_listed(reelremix: Command) -> None:
    ended = reelremix()
    assert all(command in ended.out + ended.err for command in COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [("--no-such-flag",), ("clip",), ("clip", "a", "--count", "x"), ("clip", "a", "--count", "0"),
     ("nonsense",)],
)  # fmt: skip
def test_wrong_usage_ends_with_2(reelremix: Command, arguments: tuple[str, ...]) -> None:
    ended = reelremix(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--min", "30", "--max", "20"), "--max must be at least --min"),
        (("--aspect", "2:1"), "--aspect must be one of"),
        (("--device", "tpu"), "--device must be auto, cpu or cuda"),
        (("--range", "5"), "--range must"),
        (("--range", "9-5"), "--range must end after it starts"),
        (("--range", "a-b"), "--range must look like"),
        (("--range", "50-60"), "begins after the end"),
        (("--fps", "fast", "--range", "0-1"), "--fps must be"),
        (("--fps", "1000", "--range", "0-1"), "--fps must be between"),
        (("--captions", "comic", "--range", "0-1"), "comic"),
        (("--audio-stream", "fra"), "has no audio stream 'fra'"),
        (("--encoder", "h265_magic", "--range", "0-1"), "'h265_magic' is not available"),
        (("--progress", "loud"), "--progress must be"),
        (("--tighten", "much"), "--tighten must be one of off, light, strong (got 'much')"),
        (("--censor", "beep"), "--censor must be one of off, bleep, mute (got 'beep')"),
        (("--music-level", "99"), "--music-level must be between -60 and 6"),
        (("--music-level", "-9"), "--music-level changes nothing without --music"),
        (("--captions", "none", "--emoji"), "--emoji changes nothing with --captions none"),
        (("--captions", "none", "--platform", "reels"), "--platform changes nothing with"),
    ],
)
def test_values_that_make_no_sense_are_refused_by_name(
    reelremix: Command, film: Path, words: Path, flags: tuple[str, ...], said: str
) -> None:
    ended = reelremix("clip", film, "--transcript", words, "--no-faces", *flags)
    assert ended.failed_politely(2, said)


@pytest.mark.parametrize(("level", "is_told"), [("off", False), ("light", True)])
def test_the_table_says_what_was_cut_out_where_something_was_to_be(
    reelremix: Command, film: Path, words: Path, level: str, is_told: bool
) -> None:
    ended = reelremix("clip", film, "--transcript", words, "--no-faces", "--plan", "--range",
                      "0-9", "--tighten", level)  # fmt: skip
    assert ended.code == 0 and ("shorter by" in ended.out) is is_told


def test_music_that_is_not_there_is_named(reelremix: Command, film: Path, words: Path) -> None:
    ended = reelremix("clip", film, "--transcript", words, "--no-faces", "--music", "gone.mp3")
    assert ended.failed_politely(4, "gone.mp3")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--captions", "none", "--emoji"), "--emoji changes nothing with --captions none"),
        (("--captions", "none", "--platform", "all"), "--platform changes nothing with"),
        (("--music", "theme.mp3"), "these clips have none"),
    ],
)
def test_a_render_refuses_what_would_change_nothing(
    reelremix: Command, planned: Ended, flags: tuple[str, ...], said: str
) -> None:
    assert planned.code == 0
    assert reelremix("render", "clips/talk", *flags).failed_politely(2, said)


def test_a_recording_in_place_of_a_manifest_is_told(reelremix: Command, film: Path) -> None:
    assert reelremix("render", film).failed_politely(2, "talk.mp4 is not a manifest")


def test_one_transcript_does_not_fit_two_recordings(
    reelremix: Command, film: Path, words: Path
) -> None:
    ended = reelremix("clip", film, film, "--transcript", words)
    assert ended.failed_politely(2, "--transcript goes with one recording")


def test_a_transcript_that_is_not_there_is_named(reelremix: Command, film: Path) -> None:
    ended = reelremix("clip", film, "--transcript", "nowhere.json")
    assert ended.failed_politely(4, "nowhere.json")
    assert not Path("clips/talk").exists()


def test_the_result_for_people_names_the_contact_sheet(planned: Ended) -> None:
    assert planned.code == 0
    assert planned.out.splitlines()[-1] == "clips/talk/index.html"
    assert "not rendered" in planned.out
    assert "Traceback" not in planned.err


def test_the_result_for_programs_is_json_and_nothing_else(
    reelremix: Command, film: Path, words: Path
) -> None:
    ended = reelremix(
        "clip", film, "--transcript", words, "--range", "1-2", "--plan", "--json", *QUICK
    )
    [run] = ended.json["runs"]
    assert (ended.json["version"], run["exit_code"], run["error"]) == (1, 0, None)
    assert run["folder"] == "clips/talk"
    assert run["manifest"] == manifest_in(Path("clips/talk"))


def test_errors_are_in_the_json_too(reelremix: Command, film: Path) -> None:
    ended = reelremix("clip", "nowhere.mp4", "--json")
    [run] = ended.json["runs"]
    assert (run["exit_code"], run["manifest"]) == (4, None)
    assert "no such file" in run["error"]["message"]
    assert len(ended.errors) == 1


def test_progress_as_json_is_one_known_event_a_line(
    reelremix: Command, film: Path, words: Path
) -> None:
    ended = reelremix(
        "clip", film, "--transcript", words, "--range", "1-2", "--progress", "json", *QUICK
    )
    events = [json.loads(line) for line in ended.err.splitlines()]
    assert {event["type"] for event in events} <= EVENT_TYPES.keys()
    facts = [e["seq"] for e in events if e["type"] != "stage_progress"]
    assert facts == list(range(1, len(facts) + 1))
    assert [events[0]["type"], events[-1]["type"]] == ["job_started", "job_finished"]
    assert events[-1]["usage"] == {"source_s": 20.0, "rendered_s": 1.0}


def test_quiet_says_nothing_when_all_is_well(reelremix: Command, film: Path, words: Path) -> None:
    ended = reelremix(
        "clip",
        film,
        "--transcript",
        words,
        "--range",
        "1-2",
        "--plan",
        "--quiet",
        "--speakers",
        "off",
        *QUICK,
    )
    assert (ended.code, ended.err) == (0, "")


def test_ends_of_a_range_move_to_frames_and_to_the_end_of_the_recording(
    reelremix: Command, film: Path, words: Path
) -> None:
    reelremix("clip", film, "--transcript", words, "--range", "1.04-1.96", "--range", "19-99",
              "--plan", *QUICK)  # fmt: skip
    ranges = [clip["ranges"] for clip in manifest_in(Path("clips/talk"))["clips"]]
    assert ranges == [[[1.0, 2.0]], [[19.0, 20.0]]]


def test_ranges_are_clipped_in_the_order_given(reelremix: Command, film: Path, words: Path) -> None:
    reelremix("clip", film, "--transcript", words, "--range", "5-6", "--range", "0:01-0:02",
              "--plan", *QUICK)  # fmt: skip
    clips = manifest_in(Path("clips/talk"))["clips"]
    assert [(c["rank"], c["ranges"][0][0]) for c in clips] == [(1, 5.0), (2, 1.0)]


def test_chosen_clips_are_whole_sentences_of_the_asked_length(
    reelremix: Command, film: Path, words: Path
) -> None:
    ended = reelremix("clip", film, "--transcript", words, "--min", "6", "--max", "12", "--plan",
                      "--count", "1", *QUICK)  # fmt: skip
    assert ended.code == 0
    [clip] = manifest_in(Path("clips/talk"))["clips"]
    assert 6 <= clip["duration_s"] <= 12.5
    assert clip["words"][0]["text"][0].isupper() and clip["words"][-1]["text"][-1] in ".?!"


def test_a_plan_is_rendered_later_with_the_same_decisions(
    reelremix: Command, planned: Ended
) -> None:
    before = manifest_in(Path("clips/talk"))["clips"][0]
    ended = reelremix("render", "clips/talk/clips.json", "--json")
    assert ended.code == 0
    after = manifest_in(Path("clips/talk"))["clips"][0]
    assert (Path("clips/talk") / after["files"]["video"]).is_file()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"files", "audio", "verdict", "shows"}


def test_the_contact_sheet_plays_what_was_rendered_later(
    reelremix: Command, planned: Ended
) -> None:
    reelremix("render", "clips/talk")
    video = manifest_in(Path("clips/talk"))["clips"][0]["files"]["video"]
    assert video in Path("clips/talk/index.html").read_text(encoding="utf-8")


def test_rendering_with_other_options_needs_overwrite(reelremix: Command, planned: Ended) -> None:
    assert reelremix("render", "clips/talk").code == 0
    refused = reelremix("render", "clips/talk", "--crf", "40")
    assert refused.code == 2 and "--overwrite" in refused.err
    assert reelremix("render", "clips/talk", "--crf", "40", "--overwrite").code == 0


def test_one_clip_is_rendered_by_rank_or_id_and_others_are_listed(
    reelremix: Command, planned: Ended
) -> None:
    assert reelremix("render", "clips/talk", "1").code == 0
    ended = reelremix("render", "clips/talk", "7")
    assert (ended.code, len(ended.errors)) == (2, 1)
    assert "has no clip '7'; it has: 1 (" in ended.errors[0]


def test_rendering_finds_the_recording_by_name_or_asks_for_it(
    reelremix: Command, planned: Ended, film: Path
) -> None:
    moved = film.rename(Path("clips") / "talk.mp4")
    assert reelremix("render", "clips/talk").code == 0
    gone = moved.rename(Path("elsewhere.mp4"))
    ended = reelremix("render", "clips/talk")
    assert ended.code == 4 and "--source FILE" in ended.err
    assert reelremix("render", "clips/talk", "--source", gone).code == 0


def test_rendering_from_another_recording_is_refused(
    reelremix: Command, planned: Ended, tmp_path: Path
) -> None:
    other = plain_film(tmp_path / "other.mp4", 1)
    ended = reelremix("render", "clips/talk", "--source", other)
    assert ended.code == 4
    assert "is not the recording" in ended.errors[0]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"version": 1, "source": {}, "clips": 3}',
                                     '{"version": 9, "source": {"id": "x"}, "clips": []}',
                                     '{"version": 1, "source": "talk.mp4", "clips": []}',
                                     '{"version": 1, "source": {"id": "x", "name": "n"},'
                                     ' "options": {}, "clips": ["x"]}'])  # fmt: skip
def test_a_damaged_manifest_is_refused_by_name(reelremix: Command, content: str) -> None:
    Path("clips.json").write_text(content)
    ended = reelremix("render", "clips.json")
    assert (ended.code, len(ended.errors)) == (2, 1)
    assert "clips.json" in ended.errors[0]


def test_scoring_a_transcript_needs_no_recording(reelremix: Command, words: Path) -> None:
    ended = reelremix("score", words, "--min", "5", "--max", "12", "--count", "2", "--json")
    assert ended.json["version"] == 1
    assert [c["rank"] for c in ended.json["candidates"]] == [1, 2]
    assert reelremix("score", words, "--min", "5", "--max", "12").out.count("\n") > 2


def test_a_ranking_is_a_page_too(reelremix: Command, words: Path) -> None:
    scored = ("score", words, "--min", "5", "--max", "12", "--html", "talk.html")
    ended = reelremix(*scored)
    page = Path("talk.html").read_text(encoding="utf-8")
    assert ended.code == 0 and ended.out.splitlines()[-1] == "talk.html"
    assert words.name in page and 'id="clip-1"' in page and "<svg" in page
    assert reelremix(*scored).failed_politely(2, "talk.html exists")
    assert reelremix(*scored, "--overwrite", "--json").json["version"] == 1


def test_a_page_of_a_file_whose_name_is_no_text_spells_it_out(
    reelremix: Command, words: Path
) -> None:
    strange = words.rename(words.with_name("talk\udcff.json"))
    ended = reelremix("score", strange, "--min", "5", "--max", "12", "--html", "talk.html")
    assert ended.code == 0, ended.err
    assert "talk\\udcff.json" in Path("talk.html").read_text(encoding="utf-8")


def test_a_page_does_not_replace_a_folder(reelremix: Command, words: Path) -> None:
    Path("talk").mkdir()
    ended = reelremix("score", words, "--html", "talk", "--overwrite")
    assert ended.failed_politely(2, "talk is a folder") and "--html" in ended.err


def test_transcribing_writes_every_form(
    reelremix: Command, tmp_path: Path, installed_models: Any, shared: Path
) -> None:
    installed_models("tiny.en")
    film = shared / "media" / "his_girl_friday_6s.mp4"
    listened: list[Any] = ["transcribe", film, "--model", "tiny.en"]
    assert reelremix(*listened, "--json").json["version"] == 1
    assert "-->" in reelremix(*listened, "--format", "srt").out
    assert reelremix(*listened, "--format", "vtt").out.startswith("WEBVTT")
    assert reelremix(*listened, "--out", "a.txt").out == ""
    assert reelremix(*listened, "--out", "a.txt").failed_politely(2, "a.txt exists")
    assert "ready from an earlier run" in reelremix(*listened).err
    assert reelremix(*listened, "--format", "doc").failed_politely(2, "--format must be one of")


def test_a_given_transcript_is_written_in_every_form(
    reelremix: Command, film: Path, words: Path
) -> None:
    given: list[Any] = ["transcribe", film, "--transcript", words]
    assert "-->" in reelremix(*given, "--format", "srt").out
    assert reelremix(*given, "--format", "vtt").out.startswith("WEBVTT")
    assert reelremix(*given).out.splitlines() == list(TALK)
    assert reelremix(*given, "--json").out == words.read_text(encoding="utf-8")


def test_a_subtitle_becomes_a_transcript_and_keeps_what_it_says(
    reelremix: Command, film: Path, words: Path
) -> None:
    given = ("transcribe", film, "--transcript", words, "--format", "srt")
    assert reelremix(*given, "--out", "a.srt").code == 0
    segments = reelremix("transcribe", film, "--transcript", "a.srt", "--json").json["segments"]
    assert " ".join(segment["text"] for segment in segments) == " ".join(TALK)


def test_probing_tells_streams(reelremix: Command, film: Path) -> None:
    found = reelremix("probe", film, "--json").json
    assert [s["kind"] for s in found["streams"]] == ["video", "audio"]
    assert (found["version"], found["duration_s"]) == (1, 20.0)
    assert "160x90" in reelremix("probe", film).out


def test_the_library_lists_what_was_seen_and_collects_artifacts(
    reelremix: Command, planned: Ended, film: Path
) -> None:
    [source] = reelremix("library", "list", "--json").json["sources"]
    assert (source["name"], source["clips"], source["locations"]) == ("talk.mp4", 1, [str(film)])
    assert "talk.mp4" in reelremix("library", "list").out
    assert reelremix("library", "gc", "--dry-run", "--json").json["freed_bytes"] == 0
    collected = reelremix("library", "gc", "--keep-mb", "0", "--json").json
    assert collected["freed_bytes"] == collected["held_bytes"]


def test_settings_are_shown_with_their_origin(
    reelremix: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELREMIX_COUNT", "4")
    Path(".reelremix.toml").write_text("crf = 30\n")
    shown = reelremix("config", "show", "--json").json["settings"]
    assert shown["count"] == {"value": "4", "origin": "environment REELREMIX_COUNT"}
    assert shown["crf"]["value"] == 30 and shown["crf"]["origin"].endswith(".reelremix.toml")
    assert shown["max"]["origin"] == "default"
    assert "REELREMIX_COUNT" in reelremix("config", "show").out


def test_the_settings_file_is_named_as_text_and_as_json(reelremix: Command) -> None:
    named = reelremix("config", "path").out.rstrip()
    assert Path(named).name == "config.toml"
    assert reelremix("config", "path", "--json").json == {"version": 1, "path": named}


def test_a_wrong_setting_stops_every_command(reelremix: Command, film: Path) -> None:
    Path(".reelremix.toml").write_text("coutn = 3\n")
    ended = reelremix("probe", film)
    assert ended.failed_politely(2, "there is no setting 'coutn'; did you mean 'count'?")
    assert ".reelremix.toml" in ended.errors[0]


def test_the_doctor_says_what_is_missing_and_what_to_type(reelremix: Command) -> None:
    ended = reelremix("doctor", "--json")
    found = {f["name"]: f for f in ended.json["findings"]}
    assert ended.code == 5
    assert found["libx264"]["ok"] and found["captions"]["ok"]
    assert "reelremix models install base" in found["model base"]["hint"]
    assert "reelremix models install minilm" in found["model minilm"]["hint"]
    assert "!!" in reelremix("doctor").out


def test_the_doctor_is_content_when_all_is_there(reelremix: Command, installed_models: Any) -> None:
    installed_models("base", "blazeface")
    assert reelremix("doctor").code == 0


def test_an_unforeseen_failure_is_one_line_and_a_log(
    reelremix: Command, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("reelremix.engine.library.Library.probe", broken)
    ended = reelremix("probe", film)
    assert ended.failed_politely(1, r"unexpected RuntimeError: two\nlines")
    log = Path(ended.err.rpartition("stack in ")[2].strip())
    assert "RuntimeError" in log.read_text()


def test_a_run_that_is_finished_is_not_done_again(
    reelremix: Command, film: Path, words: Path
) -> None:
    command = ("clip", film, "--transcript", words, "--range", "1-2", *QUICK)
    assert reelremix(*command).code == 0
    [video] = Path("clips/talk").glob("*.mp4")
    written = video.stat().st_mtime_ns
    again = reelremix(*command)
    assert again.code == 0 and "Kept 01-" in again.err
    assert video.stat().st_mtime_ns == written


def test_other_options_need_overwrite_and_then_leave_only_new_files(
    reelremix: Command, film: Path, words: Path
) -> None:
    command = ("clip", film, "--transcript", words, *QUICK)
    assert reelremix(*command, "--range", "1-2").code == 0
    Path("clips/talk/mine.txt").write_text("keep me")
    refused = reelremix(*command, "--range", "3-4")
    assert refused.failed_politely(2, "holds a finished run with other options (ranges)")
    assert reelremix(*command, "--range", "3-4", "--overwrite").code == 0
    assert len(list(Path("clips/talk").glob("*.mp4"))) == 1
    assert Path("clips/talk/mine.txt").read_text() == "keep me"


def test_words_of_a_recording_in_a_script_without_spaces_are_clipped_too(
    reelremix: Command, film: Path, tmp_path: Path
) -> None:
    span = TimeRange.from_seconds(1, 3)
    said = Transcript("ja", 0.9, (Segment(span, "こんにちは。", (Word("こんにちは。", span),)),))
    words = words_file(tmp_path / "ja.json", said)
    ended = reelremix("clip", film, "--transcript", words, "--range", "1-3", "--plan", *QUICK)
    assert ended.code == 0
    assert manifest_in(Path("clips/talk"))["clips"][0]["words"][0]["text"] == "こんにちは。"


def test_a_folder_is_a_list_of_recordings(
    reelremix: Command, film: Path, words: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    plain_film(folder / "b.mp4", 1)
    plain_film(folder / "a.mkv", 1)
    (folder / "notes.txt").write_text("not media")
    ended = reelremix("clip", folder, "--range", "0-1", "--json", "--model", "base")
    assert [Path(run["source"]).name for run in ended.json["runs"]] == ["a.mkv", "b.mp4"]


def test_the_given_words_decide_and_not_their_file(
    reelremix: Command, film: Path, words: Path, tmp_path: Path
) -> None:
    command = ("clip", film, "--range", "1-2", "--plan", *QUICK)
    assert reelremix(*command, "--transcript", words).code == 0
    words_file(words, spoken("Other words altogether."))
    refused = reelremix(*command, "--transcript", words)
    assert refused.code == 2 and "transcript_sha256" in refused.err


def test_stdout_of_a_process_is_only_the_result(film: Path, words: Path) -> None:
    ended = in_process("score", film, "--transcript", words, "--min", "5", "--json")
    assert set(ended.json) >= {"version", "candidates", "rejected"}

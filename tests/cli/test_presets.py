"""`reelremix preset`, and clips that wear presets of one's own."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.time import ZERO, TimeRange
from reelremix.engine.media.decode import FrameReader, planes
from reelremix.engine.media.probe import choose_streams, probe
from tests.cli.commandline import Command, Ended, manifest_in, words_file
from tests.contract.schemas import faults
from tests.engine.captions.kit import KIT, png, write_kit
from tests.media_factory import RED, Film, Solid, sound_of, tone, write_media

CHEAP = ("--no-faces", "--fps", "10", "--encoder-preset", "ultrafast", "--range", "1-3")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Six seconds of a talk."""
    frames = Film(60, size=(160, 90), rate=Fraction(10))
    return write_media(tmp_path / "talk.mp4", frames, sound_of(tone(6)))


@pytest.fixture
def clip(reelremix: Command, film: Path, tmp_path: Path) -> Command:
    """Called with options, clips two seconds of the film."""
    words = words_file(tmp_path / "words.json")

    def run(*parts: object) -> Ended:
        return reelremix("clip", film, "--transcript", words, *CHEAP, *parts)

    return run


def made(folder: Path = Path("clips/talk")) -> dict[str, Any]:
    return dict(manifest_in(folder)["clips"][0])


def own_folder() -> Path:
    return Path(os.environ["REELREMIX_CONFIG"]).parent / "presets"


@pytest.fixture(autouse=True)
def _settings_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REELREMIX_CONFIG", str(tmp_path / "settings" / "config.toml"))


@pytest.mark.parametrize(
    ("name", "said"),
    [("gone.toml", "gone.toml cannot be read: no such file"), (".", "is a directory"),
     ("bytes.toml", "bytes.toml cannot be read: it is not text in UTF-8")],
)  # fmt: skip
def test_a_preset_that_cannot_be_read_says_why(reelremix: Command, name: str, said: str) -> None:
    Path("bytes.toml").write_bytes(b"\x80\x81\xff")
    assert reelremix("preset", "check", name).failed_politely(2, said)


def test_a_wrong_word_in_a_preset_comes_with_the_right_ones(reelremix: Command) -> None:
    Path("mine.toml").write_text('animation = "bounce"\n')
    ended = reelremix("preset", "check", "mine.toml")
    assert ended.code == 2
    assert "mine.toml:1: animation cannot be 'bounce'; one of none, highlight" in ended.out


def test_a_picture_of_a_preset_is_a_png_by_name_too(reelremix: Command) -> None:
    ended = reelremix("preset", "show", "bold", "--image", "bold.jpg")
    assert ended.failed_politely(2, "must end in .png (got bold.jpg)")
    assert not Path("bold.jpg").exists()


def test_presets_are_listed_with_where_they_come_from(reelremix: Command) -> None:
    write_kit(own_folder())
    listed = json.loads(reelremix("preset", "list", "--json").out)["presets"]
    by_name = {preset["name"]: preset for preset in listed}
    assert (by_name["bold"]["origin"], by_name["mine"]["origin"]) == ("built-in", "yours")
    assert "Everything" in reelremix("preset", "list").out


def test_a_preset_is_shown_as_text_as_json_and_as_a_picture(
    reelremix: Command, tmp_path: Path
) -> None:
    assert 'font = "Anton"' in reelremix("preset", "show", "impact").out
    assert json.loads(reelremix("preset", "show", "impact", "--json").out)["style"]["size"] == 0.062
    image = tmp_path / "impact.png"
    assert reelremix("preset", "show", "impact", "--image", image).code == 0
    assert image.read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_written_is_told(reelremix: Command, tmp_path: Path) -> None:
    ended = reelremix("preset", "show", "bold", "--image", tmp_path / "no" / "x.png")
    assert ended.failed_politely(2, "x.png cannot be written")


def test_an_unknown_preset_names_the_nearest(reelremix: Command) -> None:
    assert reelremix("preset", "show", "bald").failed_politely(2, "did you mean 'bold'?")


def test_a_new_preset_is_written_where_it_is_found_by_name(reelremix: Command) -> None:
    assert reelremix("preset", "new", "ours", "--from", "pill").code == 0
    path = own_folder() / "ours.toml"
    assert reelremix("preset", "check", path).code == 0
    path.write_text(path.read_text("utf-8").replace("max_chars = 24", "max_chars = 12"), "utf-8")
    shown = json.loads(reelremix("preset", "show", "ours", "--json").out)
    assert shown["style"]["max_chars"] == 12
    assert reelremix("preset", "new", "ours").failed_politely(2, "named 'ours' already")


def test_checking_tells_every_problem_with_its_line_and_ends_with_2(
    reelremix: Command, tmp_path: Path
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('sise = 1\nfill = "red"\n', encoding="utf-8")
    ended = reelremix("preset", "check", path)
    assert ended.code == 2
    assert [line.split(": ")[0] for line in ended.out.splitlines()] == [f"{path}:1", f"{path}:2"]
    assert len(json.loads(reelremix("preset", "check", path, "--json").out)["problems"]) == 2
    assert reelremix("preset", "check", tmp_path / "none.toml").failed_politely(2, "none.toml")


def last_luma(video: Path) -> float:
    """Mean luma of the lowest row in the left half of the last picture."""
    written = choose_streams(probe(video, "x"))
    with FrameReader(video, written) as reader:
        *_, last = reader.frames(TimeRange(ZERO, written.duration))
        return float(planes(last.frame)[0][-4:, :400].mean())


def test_a_kit_of_ones_own_is_worn_and_listed_by_digest(clip: Command) -> None:
    path = write_kit(own_folder())
    assert clip("--captions", "mine").code == 0
    entry = made()
    brand = entry["brand"]
    assert isinstance(brand, dict)
    assert {asset["file"] for asset in brand["assets"]} == {"Own.ttf", "logo.png"}
    assert entry["captions"]["style"]["font"] == "Own.ttf"
    assert str(path.parent) not in json.dumps(manifest_in(Path("clips/talk")))
    video = Path("clips/talk") / entry["files"]["video"]
    assert 50 < last_luma(video) < 80  # the bar is red and has come to its end


def test_a_preset_given_by_its_path_is_published_by_name_and_rendered_again(
    clip: Command, reelremix: Command, tmp_path: Path
) -> None:
    path = write_kit(tmp_path / "private")
    assert clip("--captions", path, "--brand", path, "--plan").code == 0
    whole = manifest_in(Path("clips/talk"))
    assert "private" not in json.dumps(whole)
    assert (whole["options"]["captions"], made()["captions"]["preset"]) == ("mine", "mine")
    assert reelremix("render", "clips/talk").code == 0
    assert reelremix("render", "clips/talk", "--captions", path, "--overwrite").code == 0
    assert "private" not in json.dumps(manifest_in(Path("clips/talk")))


def test_a_kit_is_worn_without_captions(clip: Command) -> None:
    write_kit(own_folder())
    assert clip("--captions", "none", "--brand", "mine").code == 0
    assert made()["captions"] is None and made()["brand"] is not None


def test_rendering_again_needs_the_same_files(clip: Command, reelremix: Command) -> None:
    folder = own_folder()
    write_kit(folder)
    assert clip("--captions", "mine", "--plan").code == 0
    (folder / "logo.png").write_bytes(b"changed")
    changed = reelremix("render", "clips/talk")
    assert changed.failed_politely(2, "logo.png is not the file the clips were made with")
    (folder / "logo.png").unlink()
    missing = reelremix("render", "clips/talk")
    assert missing.failed_politely(2, "the file logo.png that the clips need is not to be found")
    assert reelremix("render", "clips/talk", "--brand", "none").code == 0
    assert made()["captions"]["style"]["font"] == "Own.ttf"


@pytest.mark.parametrize("captions", ["pop", "none"])
def test_other_captions_do_not_need_the_font_of_those_before(
    clip: Command, reelremix: Command, captions: str
) -> None:
    write_kit(own_folder())
    assert clip("--captions", "mine", "--plan").code == 0
    (own_folder() / "Own.ttf").unlink()
    gone = reelremix("render", "clips/talk")
    assert gone.failed_politely(2, "the file Own.ttf that the clips need is not to be found")
    assert reelremix("render", "clips/talk", "--captions", captions).code == 0
    assert [a["file"] for a in made()["brand"]["assets"]] == ["logo.png"]
    assert reelremix("render", "clips/talk").code == 0


def test_a_title_keeps_the_font_that_it_shares_with_other_captions(
    clip: Command, reelremix: Command
) -> None:
    write_kit(own_folder(), text=KIT.replace("[title]", '[title]\nfont = "Own.ttf"'))
    assert clip("--captions", "mine", "--plan").code == 0
    assert reelremix("render", "clips/talk", "--captions", "none").code == 0
    files = {a["file"] for a in made()["brand"]["assets"]}
    assert files == {"Own.ttf", "logo.png"}


def test_other_captions_bring_their_own_kit_and_keep_a_given_one(
    clip: Command, reelremix: Command
) -> None:
    write_kit(own_folder())
    assert clip("--captions", "mine", "--plan").code == 0
    assert reelremix("render", "clips/talk", "--captions", "pop", "--emoji").code == 0
    entry = made()
    assert entry["brand"]["logo"]["file"] == "logo.png"
    assert entry["captions"]["style"]["emoji"] is True


def write_ends(folder: Path) -> Path:
    """A preset with a red intro of a second and a green picture after the clip."""
    red = Film(10, Solid(RED), (160, 90), Fraction(10))
    folder.mkdir(parents=True, exist_ok=True)
    write_media(folder / "intro.mp4", red, sound_of(tone(1)))
    (folder / "end.png").write_bytes(png(64, 64))
    path = folder / "ends.toml"
    text = '[brand]\nintro = "intro.mp4"\n[outro]\nfile = "end.png"\nseconds = 0.5\nfit = "fit"'
    path.write_text(text, "utf-8")
    return path


def test_an_intro_and_an_outro_are_shown_without_captions(clip: Command) -> None:
    write_ends(own_folder())
    ended = clip("--captions", "none", "--brand", "ends", "--progress", "json")
    assert ended.code == 0
    entry = made()
    assert entry["duration_s"] == 2 and entry["verdict"]["ok"], entry
    assert entry["brand"]["intro"] == {
        "file": "intro.mp4", "length_s": 1.0, "fit": "fill",
    }  # fmt: skip
    assert entry["brand"]["outro"]["length_s"] == 0.5
    film = Path("clips/talk") / entry["files"]["video"]
    assert probe(film, "x").duration.seconds == pytest.approx(3.5, abs=0.001)
    finished = [json.loads(line) for line in ended.err.splitlines() if "job_finished" in line]
    assert finished[0]["usage"]["rendered_s"] == 3.5
    assert faults("clips", manifest_in(Path("clips/talk"))) == []


@pytest.mark.slow
def test_a_manifest_with_an_intro_renders_the_same_again_and_at_another_rate(
    clip: Command, reelremix: Command
) -> None:
    write_ends(own_folder())
    assert clip("--brand", "ends").code == 0
    film = Path("clips/talk") / made()["files"]["video"]
    before = film.read_bytes()
    assert reelremix("render", "clips/talk").code == 0
    assert film.read_bytes() == before
    assert reelremix("render", "clips/talk", "--fps", "20", "--overwrite").code == 0
    assert made()["verdict"]["ok"]
    assert probe(film, "x").duration.seconds == pytest.approx(3.5, abs=0.001)


def test_a_planned_clip_is_given_an_intro_by_another_kit(clip: Command, reelremix: Command) -> None:
    write_ends(own_folder())
    assert clip("--plan").code == 0
    assert reelremix("render", "clips/talk", "--brand", "ends").code == 0
    entry = made()
    assert entry["brand"]["intro"]["length_s"] == 1.0
    film = Path("clips/talk") / entry["files"]["video"]
    assert probe(film, "x").duration.seconds == pytest.approx(3.5, abs=0.001)


def test_rendering_with_an_intro_needs_the_same_file(clip: Command, reelremix: Command) -> None:
    folder = own_folder()
    write_ends(folder)
    assert clip("--brand", "ends", "--plan").code == 0
    (folder / "intro.mp4").write_bytes(b"changed")
    changed = reelremix("render", "clips/talk")
    assert changed.failed_politely(2, "intro.mp4 is not the file the clips were made with")
    (folder / "intro.mp4").unlink()
    missing = reelremix("render", "clips/talk")
    assert missing.failed_politely(2, "the file intro.mp4 that the clips need is not to be found")
    assert reelremix("render", "clips/talk", "--brand", "none").code == 0
    assert made()["brand"] is None


def test_an_intro_that_cannot_be_shown_is_told_by_check_and_stops_a_run(
    clip: Command, reelremix: Command
) -> None:
    path = write_ends(own_folder())
    long = Film(170, Solid(RED), (32, 32), Fraction(10))
    write_media(path.parent / "intro.mp4", long)
    checked = reelremix("preset", "check", path)
    assert checked.code == 2
    assert checked.out == f"{path}:2: the intro {path.parent}/intro.mp4 lasts 17.0 s; at most 15\n"
    ended = clip("--brand", "ends")
    assert ended.failed_politely(2, "intro.mp4 lasts 17.0 s; at most 15")


def test_subtitles_are_written_in_every_kind_asked_for(clip: Command, reelremix: Command) -> None:
    assert clip("--captions", "bold", "--subtitles", "vtt,ass").code == 0
    files = made()["files"]
    assert isinstance(files, dict)
    assert [Path(name).suffix for name in files["sidecars"]] == [".vtt", ".ass"]
    assert files["subtitles"] == files["sidecars"][0]
    assert all((Path("clips/talk") / name).is_file() for name in files["sidecars"])
    assert reelremix("render", "clips/talk", "--subtitles", "none").code == 0
    assert made()["files"]["subtitles"] is None


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--subtitles", "srt,txt", "--subtitles must be none or some of srt, vtt, ass"),
        ("--platform", "vine", "--platform must be one of all, tiktok, reels, shorts"),
        ("--brand", "nobody", "no preset named 'nobody'"),
    ],
)
def test_words_that_mean_nothing_are_refused(
    clip: Command, option: str, value: str, said: str
) -> None:
    assert clip(option, value).failed_politely(2, said)


def test_captions_of_one_platform_may_stand_lower(clip: Command) -> None:
    assert clip("--plan", "--captions", "clean", "--platform", "shorts").code == 0
    lowest = made()["captions"]["cues"][0]["box"]
    assert lowest[1] > 0.75 * 1920 - lowest[3] and made()["captions"]["style"]["platform"]

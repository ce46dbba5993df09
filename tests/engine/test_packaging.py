from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.edit import RenderRecord
from reelremix.engine.domain.events import Warned
from reelremix.engine.domain.request import PackageRequest
from reelremix.engine.export.clip_entry import drawn_digest
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.manifest import manifest_to_dict, read_manifest
from reelremix.engine.packaging import Packaged, package
from reelremix.engine.store.files import file_sha256, write_atomically
from reelremix.errors import Cancelled, ConfigError, OutputExists
from tests.engine.examples import MANIFEST
from tests.fakes import run_context
from tests.media_factory import Film, sound_of, tone, write_media


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    noisy = {"preset": "ultrafast", "crf": "1"}
    film = Film(frames=100, size=(360, 640), options=noisy)
    return write_media(path, film, sound_of(tone(4))).read_bytes()


@pytest.fixture
def clips(tmp_path: Path, film: bytes) -> Path:
    """Two rendered clips and one that is not, as `clip` leaves them."""
    folder = tmp_path / "talk"
    folder.mkdir()
    content = manifest_to_dict(MANIFEST)
    example = content["clips"][0] | {"shows": None}
    content["clips"] = []
    for rank in (1, 2, 3):
        stem = f"{rank:02d}-a-title"
        files = {"video": f"{stem}.mp4", "thumbnail": f"{stem}.jpg", "subtitles": f"{stem}.srt"}
        texts = {"title": f"Title {rank}", "description": "About it.", "hashtags": ["#one", "#two"]}
        clip = example | texts | {"id": f"id{rank}", "rank": rank, "files": files}
        clip["verdict"] = {"ok": True, "notes": []}
        content["clips"].append(clip)
        if rank < 3:
            (folder / files["video"]).write_bytes(film)
            (folder / files["thumbnail"]).write_bytes(b"jpg")
            (folder / files["subtitles"]).write_text("1\n")
        else:
            clip["files"] = dict.fromkeys(files)
    (folder / "clips.json").write_text(json.dumps(content))
    return folder


def changed(clips: Path, rank: int, **more: Any) -> None:
    content = json.loads((clips / "clips.json").read_bytes())
    content["clips"][rank - 1] |= more
    (clips / "clips.json").write_text(json.dumps(content))


def packaged(clips: Path, *ids: str, ctx: RunContext | None = None, **more: Any) -> Packaged:
    platforms = more.pop("platforms", ("shorts", "reels"))
    request = PackageRequest(str(clips), platforms, ids, **more)
    return package(request, ctx or run_context())


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def problems(found: Packaged) -> list[tuple[str, int, str]]:
    return [(item["platform"], item["rank"], problem["message"])
            for item in found.document["left_out"] for problem in item["problems"]]  # fmt: skip


def test_each_platform_gets_a_folder_ready_to_upload(clips: Path) -> None:
    found = packaged(clips, "1", "2")
    assert found.folder == clips / "post" and not found.left_out
    assert files(found.folder) == {
        "post.json",
        *(
            f"shorts/0{n}-a-title.{suffix}"
            for n in (1, 2)
            for suffix in ("mp4", "jpg", "srt", "txt")
        ),
        *(f"reels/0{n}-a-title.{suffix}" for n in (1, 2) for suffix in ("mp4", "jpg", "txt")),
    }
    assert json.loads((found.folder / "post.json").read_bytes()) == found.document


def test_what_is_pasted_is_whole(clips: Path) -> None:
    folder = packaged(clips, "1").folder
    assert (
        folder / "reels" / "01-a-title.txt"
    ).read_text() == "Title 1\n\nAbout it.\n\n#one #two\n"
    assert (folder / "shorts" / "01-a-title.txt").read_text() == (
        "TITLE\nTitle 1\n\nDESCRIPTION\nAbout it.\n\n#one #two\n"
    )


def test_films_are_linked_and_stay_where_they_are(clips: Path) -> None:
    folder = packaged(clips, "1").folder
    film = clips / "01-a-title.mp4"
    assert film.samefile(folder / "shorts" / "01-a-title.mp4")


def test_where_the_disk_has_no_links_films_are_copied(
    clips: Path, monkeypatch: pytest.MonkeyPatch, film: bytes
) -> None:
    def refused(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refused)
    placed = packaged(clips, "1").folder / "shorts" / "01-a-title.mp4"
    assert placed.read_bytes() == film
    assert not placed.samefile(clips / "01-a-title.mp4")


def test_what_is_not_rendered_is_told_with_what_to_type(clips: Path) -> None:
    found = packaged(clips, platforms=("shorts",))
    assert problems(found) == [("shorts", 3, "it is not rendered yet")]
    [hint] = [p["hint"] for item in found.document["left_out"] for p in item["problems"]]
    assert f"`reelremix render {clips / 'clips.json'} 3`" in hint
    assert len(found.document["posts"]) == 2


def test_a_film_that_is_gone_or_damaged_is_told(clips: Path) -> None:
    (clips / "01-a-title.mp4").unlink()
    (clips / "02-a-title.mp4").write_bytes(b"no film")
    told = problems(packaged(clips, "1", "2", platforms=("x",)))
    assert "01-a-title.mp4 is gone" in told[0][2]
    assert "cannot be read" in told[1][2]


def test_a_film_that_was_replaced_is_told_where_it_is_known(clips: Path) -> None:
    ctx = run_context()
    manifest = str(json.loads((clips / "clips.json").read_bytes())["id"])
    digest = file_sha256(clips / "01-a-title.mp4")
    film = RenderRecord(manifest, "id1", "01-a-title.mp4", digest, "", True, 0.0)
    ctx.catalogue.save_render(film)
    assert not packaged(clips, "1", platforms=("x",), ctx=ctx).left_out
    ctx.catalogue.save_render(replace(film, sha256="0" * 64))
    [(_, _, message)] = problems(packaged(clips, "1", platforms=("x",), overwrite=True, ctx=ctx))
    assert "its film 01-a-title.mp4 was changed" in message


def test_a_clip_that_was_changed_since_it_was_rendered_is_told(clips: Path) -> None:
    content = read_manifest(clips / "clips.json")
    [clip, *_] = clips_from_dict(content, clips)
    changed(clips, 1, shows=drawn_digest(clip))
    assert not packaged(clips, "1", platforms=("x",)).left_out
    changed(clips, 1, shows="0" * 16)
    [(_, _, message)] = problems(packaged(clips, "1", platforms=("x",), overwrite=True))
    assert message == "clip 1 was changed since it was rendered"


def test_what_is_too_long_is_left_out_and_not_cut(clips: Path) -> None:
    changed(clips, 1, title="a" * 101)
    found = packaged(clips, "1")
    assert problems(found) == [
        (
            "shorts",
            1,
            "its title has 101 characters; YouTube Shorts takes at least 1 and at most 100",
        )
    ]
    assert not (found.folder / "shorts").exists()
    assert "a" * 101 in (found.folder / "reels" / "01-a-title.txt").read_text()


def test_dropped_clips_are_left_out_unless_they_are_named(clips: Path) -> None:
    changed(clips, 2, status="dropped")
    found = packaged(clips, platforms=("x",))
    assert [p["rank"] for p in found.document["posts"]] == [1]
    assert found.document["dropped"] == ["id2"]
    named = packaged(clips, "id2", platforms=("x",), overwrite=True)
    assert [p["rank"] for p in named.document["posts"]] == [2]


def test_a_flagged_clip_is_packaged_and_told(clips: Path) -> None:
    changed(clips, 1, verdict={"ok": False, "notes": ["the picture is black"]})
    ctx = run_context()
    [post] = packaged(clips, "1", ctx=ctx, platforms=("x",)).document["posts"]
    assert post["notes"] == ["the picture is black"]
    told = [e.message for e in ctx.reporter.events if isinstance(e, Warned)]  # type: ignore[attr-defined]
    assert told == ["clip 1 is flagged: the picture is black"]


def test_a_missing_cover_is_told_and_not_listed(clips: Path) -> None:
    (clips / "01-a-title.jpg").unlink()
    ctx = run_context()
    [post] = packaged(clips, "1", ctx=ctx, platforms=("reels",)).document["posts"]
    assert post["files"]["cover"] is None
    told = [e.message for e in ctx.reporter.events if isinstance(e, Warned)]  # type: ignore[attr-defined]
    assert told == ["clip 1 has no cover: 01-a-title.jpg is gone"]


def test_a_package_is_replaced_only_if_asked(clips: Path) -> None:
    packaged(clips, "1", "2")
    with pytest.raises(OutputExists, match="holds a package already"):
        packaged(clips, "1")
    found = packaged(clips, "1", overwrite=True)
    assert not [name for name in files(found.folder) if "02-" in name]


def test_files_of_somebody_else_are_left_alone(clips: Path) -> None:
    theirs = clips / "post" / "shorts" / "01-a-title.mp4"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    with pytest.raises(OutputExists, match="is there and is not from an earlier package"):
        packaged(clips, "1", overwrite=True)
    assert theirs.read_text() == "mine"


def test_names_in_a_package_never_reach_outside_it(clips: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    out = clips / "post"
    out.mkdir()
    hostile = {"posts": [{"files": {"video": "../../victim.txt", "text": str(victim)}}]}
    (out / "post.json").write_text(json.dumps(hostile))
    packaged(clips, "1", overwrite=True)
    assert victim.read_text() == "mine"


def test_names_in_a_manifest_never_reach_outside_its_folder(clips: Path) -> None:
    changed(clips, 1, files={"video": "../secret.mp4", "thumbnail": None, "subtitles": None})
    assert problems(packaged(clips, "1", platforms=("x",))) == [("x", 1, "it is not rendered yet")]


def test_a_clip_there_is_not_is_refused(clips: Path) -> None:
    with pytest.raises(ConfigError, match="has no clip '9'"):
        packaged(clips, "9")


def test_a_package_that_is_not_finished_leaves_nothing_new(
    clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(target: Path, content: bytes) -> None:
        if target.name.startswith("02-"):
            raise ConfigError("no space left on device")
        write_atomically(target, content)

    with monkeypatch.context() as patch:
        patch.setattr("reelremix.engine.packaging.write_atomically", full)
        with pytest.raises(ConfigError, match="no space left"):
            packaged(clips, "1", "2")
    assert not [p for p in (clips / "post").rglob("*") if p.is_file()]
    packaged(clips, "1")
    with monkeypatch.context() as patch:
        patch.setattr("reelremix.engine.packaging.write_atomically", full)
        with pytest.raises(ConfigError, match="no space left"):
            packaged(clips, "1", "2", overwrite=True)
    left = files(clips / "post")
    assert [name for name in left if "01-" in name] and not [n for n in left if "02-" in n]


def test_a_film_of_ones_own_is_not_taken_for_one_of_the_package(clips: Path) -> None:
    film = read_manifest(clips / "clips.json")["clips"][0]["files"]["video"]
    packaged(clips, "1")
    video = next(name for name in files(clips / "post") if name.endswith(".mp4"))
    mine, text = clips / "out" / video, (clips / "out" / video).with_suffix(".txt")
    mine.parent.mkdir(parents=True)
    mine.write_bytes((clips / film).read_bytes())
    text.write_text("mine")
    with pytest.raises(OutputExists):
        packaged(clips, "1", out=str(clips / "out"))
    assert mine.is_file() and text.read_text() == "mine"


def test_a_film_is_never_packaged_onto_itself(clips: Path) -> None:
    folder = clips.rename(clips.with_name("shorts"))
    film = folder / read_manifest(folder / "clips.json")["clips"][0]["files"]["video"]
    with pytest.raises(ConfigError, match="is the film itself"):
        packaged(folder, "1", out=str(folder.parent), platforms=("shorts",))
    assert film.is_file()


def test_a_package_of_a_run_that_was_killed_is_gone_on_with(clips: Path) -> None:
    found = packaged(clips, "1")
    before = files(found.folder)
    (found.folder / "post.json").unlink()
    assert files(packaged(clips, "1").folder) == before


def test_packaging_can_be_cancelled(clips: Path) -> None:
    ctx = run_context()
    ctx.cancel.set()
    with pytest.raises(Cancelled):
        packaged(clips, ctx=ctx)
    assert not (clips / "post").exists()

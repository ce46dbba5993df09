from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.adding import Added, Failed, Outcome, Skipped, add
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.request import AddRequest, TranscribeOptions
from reelremix.errors import Cancelled, ConfigError
from tests.fakes import run_context, spoken
from tests.media_factory import plain_film, sound_of, tone, write_media
from tests.media_server import MediaServer, Page, serving


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recordings, one of them damaged, one in a folder below, and what else lies about."""
    inside = tmp_path / "talks"
    (inside / "more").mkdir(parents=True)
    plain_film(inside / "a.mp4", 1)
    write_media(inside / "more" / "b.m4a", None, sound_of(tone(1)))
    (inside / "more" / "c.MP4").write_bytes(b"no film")
    (inside / "notes.txt").write_text("notes")
    (inside / "a.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    (inside / ".hidden.mp4").write_bytes(b"")
    return inside


def added(ctx: RunContext, *sources: object, **more: Any) -> tuple[Outcome, ...]:
    return add(AddRequest(tuple(map(str, sources)), **more), ctx)


def test_every_recording_in_a_folder_becomes_known(folder: Path) -> None:
    ctx = run_context()
    outcomes = added(ctx, folder)
    assert [(Path(o.path).name, o.is_new) for o in outcomes if isinstance(o, Added)] == [
        ("a.mp4", True),
        ("b.m4a", True),
    ]
    assert {s.name for s in ctx.catalogue.sources()} == {"a.mp4", "b.m4a"}


def test_what_is_no_recording_is_skipped_with_the_reason(folder: Path) -> None:
    skipped = [o for o in added(run_context(), folder) if isinstance(o, Skipped)]
    assert {o.path.name: o.reason for o in skipped} == {
        "a.srt": "goes with a recording",
        "notes.txt": ".txt is not a kind of recording",
    }


def test_a_damaged_recording_does_not_stop_the_others(folder: Path) -> None:
    [failed] = [o for o in added(run_context(), folder) if isinstance(o, Failed)]
    assert failed.source.endswith("c.MP4") and "is not media" in failed.error.message


def test_what_is_known_is_not_new(folder: Path) -> None:
    ctx = run_context()
    added(ctx, folder / "a.mp4")
    [again] = added(ctx, folder / "a.mp4")
    assert isinstance(again, Added) and not again.is_new


def test_a_folder_without_recordings_is_told(tmp_path: Path) -> None:
    [failed] = added(run_context(), tmp_path)
    assert isinstance(failed, Failed) and "holds no recordings" in failed.error.message


def test_a_transcript_can_come_with_a_recording(folder: Path, tmp_path: Path) -> None:
    from reelremix.engine.export.transcript import format_transcript

    words = tmp_path / "words.json"
    words.write_text(format_transcript(spoken("one two three four", each_s=0.9), "json"))
    ctx, given = run_context(), TranscribeOptions(transcript=str(words), speakers="off")
    [found] = added(ctx, folder / "a.mp4", transcribe=given)
    assert isinstance(found, Added) and found.words == 4
    assert ctx.catalogue.transcript(found.recording.id) is not None


def test_one_transcript_does_not_go_with_many_recordings(folder: Path) -> None:
    with pytest.raises(ConfigError, match="--transcript goes with one recording"):
        added(run_context(), folder, transcribe=TranscribeOptions(transcript="a.srt"))


def test_adding_can_be_cancelled(folder: Path) -> None:
    ctx = run_context()
    ctx.cancel.set()
    with pytest.raises(Cancelled):
        added(ctx, folder)


@pytest.fixture
def site(folder: Path) -> Iterator[MediaServer]:
    pytest.importorskip("yt_dlp")
    with serving() as server:
        server.pages["/one.mp4"] = Page((folder / "a.mp4").read_bytes())
        server.pages["/two.mp4"] = Page(plain_film(folder.parent / "two.mp4", 2).read_bytes())
        both = '<video src="/one.mp4"></video><video src="/two.mp4"></video>'
        page = f"<html><head><title>Both</title></head><body>{both}</body></html>"
        server.pages["/both"] = Page(page.encode(), "text/html")
        yield server


def on_the_web(tmp_path: Path) -> RunContext:
    return run_context(downloads_dir=tmp_path / "downloads")


def test_an_address_is_fetched_and_known_by_it(site: MediaServer, tmp_path: Path) -> None:
    [found] = added(on_the_web(tmp_path), site.url("/one.mp4"))
    assert isinstance(found, Added) and found.origin is not None
    assert found.origin.url == found.source == site.url("/one.mp4")


def test_a_list_is_taken_whole_where_that_is_asked_for(site: MediaServer, tmp_path: Path) -> None:
    [refused] = added(on_the_web(tmp_path), site.url("/both"))
    assert isinstance(refused, Failed) and "--playlist" in str(refused.error.hint)
    outcomes = added(on_the_web(tmp_path), site.url("/both"), playlist=True)
    assert [type(o) for o in outcomes] == [Added, Added]


def test_one_address_that_fails_does_not_stop_the_others(site: MediaServer, tmp_path: Path) -> None:
    outcomes = added(on_the_web(tmp_path), site.url("/gone.mp4"), site.url("/one.mp4"))
    assert [type(o) for o in outcomes] == [Failed, Added]

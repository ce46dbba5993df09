from __future__ import annotations

import gc
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.context import CancelToken, RunContext
from reelremix.engine.domain.events import Event, StageFinished, StageProgress, Warned
from reelremix.engine.domain.source import StreamKind
from reelremix.engine.export.origin import read_origin
from reelremix.engine.fetching import PARTIAL, fetched, listed
from reelremix.engine.media.probe import probe
from reelremix.errors import Cancelled, ConfigError, DownloadFailed
from tests.fakes import Recorder, run_context
from tests.media_factory import Film, plain_film, sound_of, tone, write_media
from tests.media_server import MediaServer, Page, serving

pytest.importorskip("yt_dlp")
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""yt-dlp leaves sockets to the garbage collector."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return plain_film(tmp_path_factory.mktemp("film") / "a.mp4").read_bytes()


@pytest.fixture
def site(film: bytes) -> Iterator[MediaServer]:
    with serving() as server:
        server.pages["/talk.mp4"] = Page(film)
        yield server
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


def context(tmp_path: Path, **more: Any) -> RunContext:
    given: dict[str, Any] = {
        "downloads_dir": tmp_path / "downloads",
        "lock_dir": tmp_path / "locks",
    }
    return run_context(**given | more)


def files(ctx: RunContext) -> list[str]:
    assert ctx.downloads_dir is not None
    return sorted(str(p.relative_to(ctx.downloads_dir))
                  for p in ctx.downloads_dir.rglob("*") if p.is_file())  # fmt: skip


def refusal(url: str, tmp_path: Path) -> DownloadFailed:
    ctx = context(tmp_path)
    with pytest.raises(DownloadFailed) as caught:
        fetched(url, ctx)
    assert caught.value.hint
    return caught.value


def test_a_recording_is_fetched_whole(site: MediaServer, tmp_path: Path, film: bytes) -> None:
    ctx = context(tmp_path)
    path = fetched(site.url("/talk.mp4"), ctx)
    assert path.read_bytes() == film
    assert path.name.startswith("talk-") and path.suffix == ".mp4"
    origin = read_origin(path)
    assert origin is not None and origin.url == site.url("/talk.mp4")
    assert not [name for name in files(ctx) if name.startswith(PARTIAL)]


def test_a_recording_is_fetched_once(site: MediaServer, tmp_path: Path) -> None:
    ctx = context(tmp_path)
    first = fetched(site.url("/talk.mp4"), ctx)
    asked = len(site.asked)
    assert fetched(site.url("/talk.mp4"), ctx) == first
    assert len(site.asked) == asked
    finished = [e for e in ctx.reporter.events if isinstance(e, StageFinished)]  # type: ignore[attr-defined]
    assert [e.cached for e in finished] == [False, True]


def test_a_recording_that_was_removed_is_fetched_again(site: MediaServer, tmp_path: Path) -> None:
    ctx = context(tmp_path)
    fetched(site.url("/talk.mp4"), ctx).unlink()
    assert fetched(site.url("/talk.mp4"), ctx).is_file()


def test_two_recordings_of_one_name_do_not_meet(site: MediaServer, tmp_path: Path) -> None:
    site.pages["/other/talk.mp4"] = site.pages["/talk.mp4"]
    ctx = context(tmp_path)
    paths = {fetched(site.url(path), ctx) for path in ("/talk.mp4", "/other/talk.mp4")}
    assert len(paths) == 2


def test_a_hostile_title_stays_inside_the_folder(site: MediaServer, tmp_path: Path) -> None:
    site.pages["/x/%2e%2e%2f%2e%2e%2fetc%2fpasswd%25(id)s.mp4"] = site.pages["/talk.mp4"]
    ctx = context(tmp_path)
    path = fetched(site.url("/x/%2e%2e%2f%2e%2e%2fetc%2fpasswd%25(id)s.mp4"), ctx)
    assert path.parent == ctx.downloads_dir and path.is_file()


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "is refused (status 401)"), (403, "is refused (status 403)"),
     (404, "is not there (status 404)"), (410, "is not there (status 410)"),
     (500, "answers with status 500")],
)  # fmt: skip
def test_a_refusal_is_told(site: MediaServer, tmp_path: Path, status: int, said: str) -> None:
    site.pages["/no.mp4"] = Page(b"no", "text/plain", status)
    assert said in refusal(site.url("/no.mp4"), tmp_path).message


def test_a_page_without_a_recording_is_told(site: MediaServer, tmp_path: Path) -> None:
    site.pages["/page"] = Page(b"<html><body>Nothing to see.</body></html>", "text/html")
    assert "holds no recording" in refusal(site.url("/page"), tmp_path).message


def test_a_page_that_leads_to_a_file_on_this_machine_is_refused(
    site: MediaServer, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    site.pages["/away"] = Page(b"", "text/html", 302, {"location": f"file://{secret}"})
    refusal(site.url("/away"), tmp_path)
    assert not list((tmp_path / "downloads").rglob("*.mp4"))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/a.mp4", "http:///a.mp4"])
def test_only_addresses_on_the_web_are_fetched(url: str, tmp_path: Path) -> None:
    assert "only http and https" in refusal(url, tmp_path).message


def test_an_address_with_a_password_is_refused_and_not_repeated(tmp_path: Path) -> None:
    told = refusal("https://ada:secret@example.org/a.mp4", tmp_path)
    assert "secret" not in told.message


def test_a_site_that_is_not_there_is_told(tmp_path: Path) -> None:
    with serving() as gone:
        url = gone.url("/talk.mp4")
    assert "cannot be reached" in refusal(url, tmp_path).message


def test_a_line_that_breaks_is_taken_up_again(
    site: MediaServer, tmp_path: Path, film: bytes
) -> None:
    site.pages["/talk.mp4"] = Page(film, sent=len(film) // 2, times=2)
    assert fetched(site.url("/talk.mp4"), context(tmp_path)).read_bytes() == film
    assert any(asked for _, asked in site.asked if asked not in (None, "bytes=0-"))


def test_a_recording_that_always_breaks_off_is_told_and_gone_on_with(
    site: MediaServer, tmp_path: Path, film: bytes
) -> None:
    page = site.pages["/talk.mp4"] = Page(film, sent=len(film) // 2)
    assert "broke off" in refusal(site.url("/talk.mp4"), tmp_path).message
    page.sent, seen = None, len(site.asked)
    assert fetched(site.url("/talk.mp4"), context(tmp_path)).read_bytes() == film
    assert any(asked for _, asked in site.asked[seen:] if asked not in (None, "bytes=0-"))


def test_cancelling_ends_a_download_within_a_second(
    site: MediaServer, tmp_path: Path, film: bytes
) -> None:
    site.pages["/talk.mp4"] = Page(film, sent=len(film) // 2, hangs=True)
    cancel = CancelToken()
    ctx = context(tmp_path, cancel=cancel)
    ended: list[float] = []

    def run() -> None:
        with pytest.raises(Cancelled):
            fetched(site.url("/talk.mp4"), ctx)
        ended.append(time.monotonic())

    thread = threading.Thread(target=run)
    thread.start()
    assert site.hanging.wait(20)
    began = time.monotonic()
    cancel.set()
    thread.join()
    assert ended[0] - began < 1
    assert not [name for name in files(ctx) if not name.startswith(PARTIAL)]


def test_progress_is_told(site: MediaServer, tmp_path: Path, film: bytes) -> None:
    site.pages["/talk.mp4"] = Page(film, sent=len(film) // 2, hangs=True)
    cancel = CancelToken()

    class Stop(Recorder):
        def emit(self, event: Event) -> None:
            super().emit(event)
            if isinstance(event, StageProgress):
                cancel.set()

    recorder = Stop()
    with pytest.raises(Cancelled):
        fetched(site.url("/talk.mp4"), context(tmp_path, reporter=recorder, cancel=cancel))
    [told] = [e for e in recorder.events if isinstance(e, StageProgress)]
    assert 0 < told.done < len(film) == told.total


def test_cookies_are_sent_and_their_file_is_left_alone(site: MediaServer, tmp_path: Path) -> None:
    jar = tmp_path / "cookies.txt"
    jar.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tkey\tvalue\n")
    before = jar.read_bytes()
    fetched(site.url("/talk.mp4"), context(tmp_path), jar)
    assert "key=value" in site.cookies
    assert jar.read_bytes() == before


def test_cookies_that_cannot_be_read_are_told(site: MediaServer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--cookies"):
        fetched(site.url("/talk.mp4"), context(tmp_path), tmp_path / "gone.txt")


PAGE_OF_TWO = (
    b"<html><head><title>Both</title></head><body>"
    b'<video src="/talk.mp4"></video><video src="/more.mp4"></video></body></html>'
)


def test_one_address_of_one_recording_is_itself(site: MediaServer, tmp_path: Path) -> None:
    assert listed(site.url("/talk.mp4"), context(tmp_path)) == (site.url("/talk.mp4"),)


def test_settings_and_plugins_of_yt_dlp_are_left_alone(
    site: MediaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / ".config" / "yt-dlp").mkdir(parents=True)
    (home / ".config" / "yt-dlp" / "config").write_text("--simulate\n")
    plugin = home / ".config" / "yt-dlp" / "plugins" / "evil" / "yt_dlp_plugins" / "extractor"
    plugin.mkdir(parents=True)
    (plugin / "evil.py").write_text("raise SystemExit('a plug-in was loaded')\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    assert fetched(site.url("/talk.mp4"), context(tmp_path)).is_file()


def test_what_is_fetched_can_be_probed(site: MediaServer, tmp_path: Path) -> None:
    assert probe(fetched(site.url("/talk.mp4"), context(tmp_path)), "").duration.seconds > 1


def test_a_page_of_one_recording_with_nothing_to_warn_of(site: MediaServer, tmp_path: Path) -> None:
    site.pages["/one"] = Page(
        b'<html><head><title>One</title></head><body><video src="/talk.mp4"></video></body></html>',
        "text/html",
    )
    ctx = context(tmp_path)
    assert fetched(site.url("/one"), ctx).is_file()
    assert not [e for e in ctx.reporter.events if isinstance(e, Warned)]  # type: ignore[attr-defined]


def test_a_list_is_refused_with_what_takes_it(site: MediaServer, tmp_path: Path) -> None:
    site.pages["/two"] = Page(PAGE_OF_TWO, "text/html")
    site.pages["/more.mp4"] = site.pages["/talk.mp4"]
    told = refusal(site.url("/two"), tmp_path)
    assert "list of 2 recordings" in told.message and "--playlist" in str(told.hint)
    urls = listed(site.url("/two"), context(tmp_path))
    assert urls == (site.url("/talk.mp4"), site.url("/more.mp4"))


MANIFEST = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S">
<Period>
<AdaptationSet contentType="video" mimeType="video/mp4">
<Representation id="v" codecs="avc1.64001f" width="320" height="180" bandwidth="100000">
<BaseURL>{site}/picture.mp4</BaseURL></Representation></AdaptationSet>
<AdaptationSet contentType="audio" mimeType="audio/mp4">
<Representation id="a" codecs="mp4a.40.2" bandwidth="64000">
<BaseURL>{site}/sound.m4a</BaseURL></Representation></AdaptationSet>
</Period></MPD>"""


def test_picture_and_sound_in_two_files_become_one(site: MediaServer, tmp_path: Path) -> None:
    picture = write_media(tmp_path / "p.mp4", Film(frames=50))
    sound = write_media(tmp_path / "s.m4a", None, sound_of(tone(2)))
    site.pages["/talk.mpd"] = Page(
        MANIFEST.format(site=site.url("")).encode(), "application/dash+xml"
    )
    site.pages["/picture.mp4"] = Page(picture.read_bytes())
    site.pages["/sound.m4a"] = Page(sound.read_bytes(), "audio/mp4")
    path = fetched(site.url("/talk.mpd"), context(tmp_path))
    found = probe(path, "")
    assert path.suffix == ".mp4"
    assert [s.kind for s in found.streams] == [StreamKind.VIDEO, StreamKind.AUDIO]
    assert found.duration.seconds == pytest.approx(2, abs=0.1)


def test_a_folder_that_cannot_be_written_to_is_told(site: MediaServer, tmp_path: Path) -> None:
    (tmp_path / "downloads").write_text("a file")
    with pytest.raises(ConfigError, match="recordings cannot be kept in") as caught:
        fetched(site.url("/talk.mp4"), context(tmp_path))
    assert "downloads_dir" in str(caught.value.hint)

from __future__ import annotations

import errno
from typing import Any

import pytest

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.web import chapters_in, found_in, is_url, subtitles_in
from reelremix.errors import ConfigError, DownloadFailed

pytest.importorskip("yt_dlp")

URL = "https://example.org/watch?v=1"


def info(**more: Any) -> dict[str, Any]:
    return {
        "title": "A talk",
        "extractor_key": "Example",
        "format_id": "18",
        "duration": 100,
    } | more


def track(ext: str = "vtt") -> list[dict[str, str]]:
    return [{"ext": "json3", "url": f"{URL}&f=json3"}, {"ext": ext, "url": f"{URL}&f={ext}"}]


def explained(said: str, cause: Exception | None = None) -> DownloadFailed:
    from yt_dlp.utils import DownloadError, ExtractorError

    from reelremix.engine.web import _explained

    original = ExtractorError(said, expected=True, cause=cause)
    error = _explained(DownloadError(f"ERROR: {said}", (type(original), original, None)), URL)
    assert isinstance(error, DownloadFailed) and error.hint and "\n" not in error.message
    return error


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("Sign in to confirm you're not a bot. Use --cookies-from-browser", "those who sign in"),
        ("This video is only available for registered users", "those who sign in"),
        ("Join this channel to get access to members-only content", "those who sign in"),
        ("Private video. Sign in if you've been granted access", "is private"),
        ("This video is DRM protected", "DRM"),
        ("The uploader has not made this video available in your country", "in this country"),
        ("This live event will begin in 3 hours.", "live stream"),
        ("No video formats found!; please report this issue on https://x", "holds no recording"),
        ("Something nobody has ever said", "Something nobody has ever said"),
    ],
)
def test_what_a_site_says_becomes_one_plain_line(said: str, meaning: str) -> None:
    assert meaning in explained(said).message


def test_where_a_recording_is_not_shown_is_told_by_its_kind() -> None:
    from yt_dlp.utils import DownloadError, GeoRestrictedError

    from reelremix.engine.web import _explained

    original = GeoRestrictedError("Nope", countries=["DE"])
    error = _explained(DownloadError("ERROR: Nope", (type(original), original, None)), URL)
    assert "not shown in this country" in error.message


def test_a_full_disk_is_not_taken_for_a_refusal() -> None:
    from yt_dlp.utils import DownloadError

    from reelremix.engine.web import _explained

    full = OSError(errno.ENOSPC, "No space left on device")
    error = _explained(DownloadError("ERROR: unable to write data", (OSError, full, None)), URL)
    assert isinstance(error, ConfigError) and "no space left" in error.message


def test_chapters_end_where_the_next_begins() -> None:
    listed = [{"start_time": 0, "title": "Intro"}, {"start_time": 30.5, "title": "The\nrest"},
              {"start_time": None, "title": "x"}, {"start_time": 90, "title": ""}]  # fmt: skip
    assert [(c.title, c.range) for c in chapters_in(info(chapters=listed))] == [
        ("Intro", TimeRange.from_seconds(0, 30.5)),
        ("The rest", TimeRange.from_seconds(30.5, 90)),
    ]


@pytest.mark.parametrize("none", [None, []])
def test_no_chapters_are_none(none: Any) -> None:
    assert chapters_in(info(chapters=none)) == ()


def test_subtitles_that_people_wrote_come_first() -> None:
    found = subtitles_in(
        info(language="en-US", subtitles={"de": track(), "en": track("srt")},
             automatic_captions={"en": track()})
    )  # fmt: skip
    assert found is not None
    assert (found.language, found.form, found.is_automatic) == ("en", "srt", False)


def test_what_a_program_translated_is_not_taken() -> None:
    automatic = {"de": track(), "en-orig": track(), "fr": track()}
    found = subtitles_in(info(automatic_captions=automatic))
    assert found is not None and found.language == "en-orig" and found.is_automatic
    assert subtitles_in(info(automatic_captions={"de": track()})) is None


def test_a_chat_is_no_subtitles() -> None:
    assert subtitles_in(info(subtitles={"live_chat": track()})) is None


@pytest.mark.parametrize("live", [{"is_live": True}, {"live_status": "is_upcoming"}])
def test_a_live_stream_is_refused(live: dict[str, Any]) -> None:
    with pytest.raises(DownloadFailed, match="live stream"):
        found_in(info(**live), URL)


def test_picture_and_sound_may_be_two_files() -> None:
    parts = [{"format_id": "137"}, {"format_id": "140"}]
    found = found_in(info(requested_formats=parts, upload_date="20240229", channel="A\tb"), URL)
    assert found.formats == ("137", "140")
    assert (found.uploaded, found.channel, found.site) == ("2024-02-29", "A b", "Example")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [(URL, True), ("HTTPS://a", True), ("file:///a", True), ("a.mp4", False), ("/a/b", False),
     ("C:\\a.mp4", False), ("a:b.mp4", False)],
)  # fmt: skip
def test_addresses_are_told_from_paths(text: str, is_one: bool) -> None:
    assert is_url(text) is is_one

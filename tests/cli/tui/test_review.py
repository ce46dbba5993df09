from __future__ import annotations

import errno
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from reelremix.cli.errorlog import errors_logged
from reelremix.cli.tui.app import Harmless, ReviewApp
from reelremix.cli.tui.screens.ask import Page
from reelremix.cli.tui.widgets.clips import Clips
from reelremix.cli.tui.widgets.filmstrip import Filmstrip
from reelremix.cli.tui.widgets.words import Words
from reelremix.engine.domain.edit import Change, Correct, Retitle
from reelremix.engine.domain.kept import hull_of
from reelremix.engine.joblog import Unheard
from reelremix.engine.library import Library
from reelremix.engine.reviewing import Happened
from reelremix.errors import ConfigError
from tests.cli.tui.sessions import (
    played,
    pressed,
    screen_of,
    settled,
    shown,
    talk_in,
    told,
    words_of,
    written,
)

Session = Pilot[BaseException | None]


@pytest.fixture
def talk(tmp_path: Path) -> tuple[ReviewApp, Path]:
    """A session over three clips, and their manifest."""
    settings, path = talk_in(tmp_path)
    return ReviewApp(settings, str(path)), path


def test_clips_are_kept_and_dropped_and_left_open_again(talk: tuple[ReviewApp, Path]) -> None:
    app, path = talk

    async def story(pilot: Session) -> None:
        await pressed(pilot, "y", "j", "d", "j", "y", "y")
        assert [c.status for c in shown(pilot)] == ["kept", "dropped", None]
        await pressed(pilot, "q")

    played(app, story)
    assert [c.status for c in written(path)] == ["kept", "dropped", None]


@pytest.mark.slow
def test_an_end_moves_by_words_and_by_sentences(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        before = shown(pilot)[0]
        await pressed(pilot, "full_stop")
        assert shown(pilot)[0].words[0] == before.words[1]
        await pressed(pilot, "comma", "greater_than_sign")
        sentence = next(n for n, w in enumerate(before.words) if w.text.endswith("."))
        assert shown(pilot)[0].words[0] == before.words[sentence + 1]
        await pressed(pilot, "minus")
        assert shown(pilot)[0].words[-1] == before.words[-2]
        await pressed(pilot, "underscore")
        assert shown(pilot)[0].words[-1].text.endswith(".")
        await pressed(pilot, "plus", "plus")
        assert hull_of(shown(pilot)[0].ranges).end > hull_of(before.ranges).end

    played(app, story)


def test_words_are_deleted_put_back_and_undone(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        before = shown(pilot)[0]
        words_of(pilot).focus()
        await pressed(pilot, "l", "l", "v", "l", "d")
        gone = [w for w in before.words if w not in shown(pilot)[0].words]
        assert gone == list(before.words[2:4])
        await pressed(pilot, "h", "v", "l", "w")
        assert shown(pilot)[0].ranges == before.ranges
        await pressed(pilot, "u", "u")
        assert shown(pilot)[0] == before
        await pressed(pilot, "ctrl+r")
        assert len(shown(pilot)[0].ranges) == 2

    played(app, story)


@pytest.mark.slow
def test_a_clip_begins_and_ends_where_one_points(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        words = words_of(pilot)
        words.focus()
        await pressed(pilot, "l", "l", "l", "i")
        assert shown(pilot)[0].words[0] == words.words[words.cursor]
        await pressed(pilot, "right_parenthesis", "right_parenthesis", "h", "o")
        assert shown(pilot)[0].words[-1] == words.words[words.cursor]

    played(app, story)


def test_a_word_is_corrected_in_transcript_and_clip(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        words = words_of(pilot)
        words.focus()
        await pressed(pilot, "l", "c")
        pilot.app.screen.query_one(Input).value = "Kubernetes"
        await pressed(pilot, "enter")
        assert shown(pilot)[0].words[1].text == "Kubernetes"
        assert words.words[words.cursor].text == "Kubernetes"
        await pressed(pilot, "u")
        assert words.words[words.cursor].text != "Kubernetes"

    played(app, story)


@pytest.mark.slow
def test_what_is_found_becomes_a_clip(talk: tuple[ReviewApp, Path]) -> None:
    app, path = talk

    async def story(pilot: Session) -> None:
        await pressed(pilot, "slash")
        pilot.app.screen.query_one(Input).value = "the 44th form"
        await pressed(pilot, "enter")
        words = words_of(pilot)
        assert words.has_focus and words.words[words.cursor].text == "The"
        await pressed(pilot, "v", "right_parenthesis", "right_parenthesis", "h", "a")
        new = shown(pilot)[-1]
        assert new.text.startswith("The 44th form") and new.rank == 4
        assert screen_of(pilot).selected == new.id
        await pressed(pilot, "q")

    played(app, story)
    assert len(written(path)) == 4


@pytest.mark.slow
def test_a_clip_is_split_and_merged(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        words = words_of(pilot)
        words.focus()
        await pressed(pilot, "right_parenthesis", "s")
        assert len(shown(pilot)) == 4
        await pressed(pilot, "m")
        pilot.app.screen.query_one(OptionList).highlighted = 0
        await pressed(pilot, "enter")
        assert len(shown(pilot)) == 3

    played(app, story)


@pytest.mark.slow
def test_title_layout_and_captions_are_asked_for(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        await pressed(pilot, "r")
        pilot.app.screen.query_one(Input).value = "A better title"
        await pressed(pilot, "enter", "L")
        await pressed(pilot, "j", "enter")
        await pressed(pilot, "C")
        choices = pilot.app.screen.query_one(OptionList)
        choices.highlighted = choices.option_count - 1
        await pressed(pilot, "enter")
        clip = shown(pilot)[0]
        assert (clip.title, clip.framing.wanted, clip.captions) == (
            "A better title",
            "single",
            None,
        )

    played(app, story)


@pytest.mark.slow
def test_somebody_is_pinned_to_what_is_selected(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        words_of(pilot).focus()
        await pressed(pilot, "v", "l", "l", "S")
        choices = pilot.app.screen.query_one(OptionList)
        assert [str(o.prompt) for o in choices.options] == ["left", "right"]
        choices.highlighted = 1
        await pressed(pilot, "enter")
        [pin] = shown(pilot)[0].framing.pins
        assert pin.x > 900
        assert pin.range.start == words_of(pilot).words[words_of(pilot).cursor - 2].range.start

    played(app, story)


@pytest.mark.slow
def test_escape_changes_nothing(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        before = shown(pilot)
        for key in ("r", "L", "C", "m", "slash"):
            await pressed(pilot, key, "escape")
        assert shown(pilot) == before

    played(app, story)


@pytest.mark.slow
def test_what_cannot_be_done_is_told(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        await pressed(pilot, "u")
        assert "nothing to undo" in told(pilot)
        await pressed(pilot, "R")
        assert "keep a clip first" in told(pilot)
        await pressed(pilot, "f")
        assert "not rendered" in told(pilot)
        words_of(pilot).focus()
        await pressed(pilot, "g", "v", "G", "d")
        assert "nothing would be left" in told(pilot)

    played(app, story)


@pytest.mark.slow
def test_a_recording_that_is_gone_can_still_be_edited_and_says_so(
    talk: tuple[ReviewApp, Path],
) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        strip = pilot.app.screen.query_one(Filmstrip)
        assert "no longer where it was seen" in strip._notice
        await pressed(pilot, "y", "R")
        assert "not to be found" in told(pilot)
        await pressed(pilot, "space")
        assert "no longer where it was seen" in told(pilot)

    played(app, story)


@pytest.mark.slow
def test_keys_pressed_quickly_are_done_in_their_order(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        before = shown(pilot)[0]
        move = app.desk.move

        def slowly(*asked: Any) -> Happened:
            time.sleep(0.05 if asked[3] > 0 else 0)
            return move(*asked)

        app.desk.move = slowly  # type: ignore[method-assign, assignment]
        for key in ("full_stop", "full_stop", "full_stop", "comma", "y", "minus"):
            await pilot.press(key)
        await settled(pilot)
        now = shown(pilot)[0]
        assert (now.words[0], now.words[-1]) == (before.words[2], before.words[-2])
        done = [step.edit.operation.op for step in app.desk.review.standing.done]
        assert done == ["begin", "trim", "trim", "trim", "trim", "decide", "trim"]

    played(app, story)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["q", "ctrl+q"])
def test_who_leaves_quickly_gets_all_that_was_asked_for(
    talk: tuple[ReviewApp, Path], way: str
) -> None:
    app, path = talk

    async def story(pilot: Session) -> None:
        move = app.desk.move

        def slowly(*asked: Any) -> Happened:
            time.sleep(0.1)
            return move(*asked)

        app.desk.move = slowly  # type: ignore[method-assign, assignment]
        for key in (*9 * ("full_stop",), "d", way, "u"):
            await pilot.press(key)
        await pilot.pause()

    before = written(path)[0]
    played(app, story)
    app.desk.close()
    assert written(path)[0].words[0] == before.words[9] and written(path)[0].status == "dropped"


@pytest.mark.slow
def test_a_word_that_is_pointed_at_is_meant_whatever_becomes_of_those_before_it(
    talk: tuple[ReviewApp, Path],
) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        clip = shown(pilot)[0]
        second, tenth = clip.words[2], clip.words[10]
        app.desk.do(Correct(clip.id, second.range.start_s, second.range.end_s, "four words for it"))
        app.desk.begin_at(clip.id, tenth)
        assert app.desk.review.clip(clip.id).words[0] == tenth

    played(app, story)


@pytest.mark.slow
def test_our_own_faults_are_told_and_their_stack_is_kept(
    talk: tuple[ReviewApp, Path], tmp_path: Path
) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        app.desk.move = lambda *_: 1 // 0  # type: ignore[method-assign, assignment]
        await pressed(pilot, "full_stop")
        assert "ZeroDivisionError" in told(pilot)

    with errors_logged(tmp_path / "log", quiet=True):
        played(app, story)
    assert "1 // 0" in (tmp_path / "log" / "errors.log").read_text()


@pytest.mark.slow
def test_decisions_are_about_the_clip_one_is_at_however_fast_one_types(
    talk: tuple[ReviewApp, Path],
) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        do = app.desk.do

        def slowly(change: Change) -> Happened:
            time.sleep(0.1)
            return do(change)

        app.desk.do = slowly  # type: ignore[method-assign]
        await pilot.press("d", "j", "y", "j", "d")
        await settled(pilot)
        assert [c.status for c in shown(pilot)] == ["dropped", "kept", "dropped"]
        assert pilot.app.screen.query_one(Clips).cursor_row == 2
        await pressed(pilot, "u", "u")
        assert [c.status for c in shown(pilot)] == ["dropped", None, None]
        assert pilot.app.screen.query_one(Clips).cursor_row == 1  # what was undone is shown

    played(app, story)


@pytest.mark.slow
def test_an_answer_given_twice_is_given_once(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        for key in ("L", "C", "r", "m"):
            await pilot.press(key)
            await settled(pilot)
            page = pilot.app.screen
            assert isinstance(page, Page)
            page.answer(None)
            page.answer(None)
            page.action_never_mind()
            await settled(pilot)
            assert screen_of(pilot).clip is not None

    played(app, story)


@pytest.mark.slow
def test_a_question_in_a_window_without_room_is_no_crash(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        for key in ("L", "S", "m"):
            await pilot.press(key)
            await settled(pilot)
            for size in ((8, 3), (11, 4), (1, 1), (6, 24), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
            await pressed(pilot, "escape")

    played(app, story)


@pytest.mark.slow
def test_a_manifest_that_is_gone_when_one_leaves_is_told(talk: tuple[ReviewApp, Path]) -> None:
    app, path = talk

    async def story(pilot: Session) -> None:
        await pilot.press("y")
        await settled(pilot)
        path.unlink()
        await pressed(pilot, "q")

    played(app, story)
    [error] = app.desk.untold
    assert isinstance(error, ConfigError) and "kept in the library" in (error.hint or "")


def test_orders_for_terminals_are_spelled_out() -> None:
    shown_as = Harmless().apply([Segment("a\x1b]2;x\x07b\nc")], Color(0, 0, 0))
    assert [own.text for own in shown_as] == ["a\\x1b]2;x\\x07b c"]
    same = [Segment("日本 👨‍👩‍👧")]
    assert [own.text for own in Harmless().apply(same, Color(0, 0, 0))] == ["日本 👨‍👩‍👧"]


@pytest.mark.slow
def test_who_is_ended_from_outside_gives_the_terminal_back(tmp_path: Path) -> None:
    settings, path = talk_in(tmp_path)
    ours, theirs = pty.openpty()
    environ = {**os.environ, "REELREMIX_DATA_DIR": settings.data_dir, "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "reelremix", "review", str(path)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as run:
        os.close(theirs)
        screen = b""
        for wanted, then in ((b"0 kept", lambda: os.write(ours, b"y")),
                             (b"1 kept", run.terminate)):  # fmt: skip
            while wanted not in screen:
                screen += os.read(ours, 65536)
            then()
        while chunk := _read(ours):
            screen += chunk
        assert run.wait(30) == 128 + signal.SIGTERM
    os.close(ours)
    begun, left = (screen.rfind(b"\x1b[?1049" + what) for what in (b"h", b"l"))
    assert 0 <= begun < left
    assert written(path)[0].status == "kept"


def _read(terminal: int) -> bytes:
    """What was written on a terminal; nothing once its other side is closed."""
    try:
        return os.read(terminal, 65536)
    except OSError as exc:
        assert exc.errno == errno.EIO
        return b""


@pytest.mark.slow
def test_what_another_session_does_is_shown(talk: tuple[ReviewApp, Path]) -> None:
    app, path = talk

    async def story(pilot: Session) -> None:
        library = Library.open(app.desk.settings)
        other = library.review(path, Unheard())
        other.do(Retitle(other.clips[0].id, "Theirs"))
        screen_of(pilot).look_for_others()
        await settled(pilot)
        assert shown(pilot)[0].title == "Theirs"
        assert "another session" in told(pilot)

    played(app, story)


@pytest.mark.slow
def test_a_session_that_ends_in_any_way_goes_on(talk: tuple[ReviewApp, Path]) -> None:
    app, path = talk
    settings = app.desk.settings

    async def first(pilot: Session) -> None:
        await pressed(pilot, "y", "full_stop")

    async def second(pilot: Session) -> None:
        assert shown(pilot)[0].status == "kept"
        await pressed(pilot, "u", "u")
        assert shown(pilot)[0].status is None

    played(app, first)  # and is gone without a word
    played(ReviewApp(settings, str(path)), second)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (200, 60), (40, 12)])
def test_every_size_shows_clips_words_and_the_strip(
    talk: tuple[ReviewApp, Path], size: tuple[int, int]
) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        for kind in (Clips, Words, Filmstrip):
            assert pilot.app.screen.query_one(kind).size.area > 0
        await pressed(pilot, "e")
        await pilot.resize_terminal(100, 30)
        await settled(pilot)
        await pressed(pilot, "e", "j")
        words = words_of(pilot)
        line = words._line_of(words.cursor) - round(words.scroll_offset.y)
        assert 0 <= line < words.size.height

    played(app, story, size)


@pytest.mark.slow
def test_a_click_points_at_a_word(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        words = words_of(pilot)
        before = words.cursor
        await pilot.click(Words, offset=(words._gutter + 8, 2))
        await settled(pilot)
        assert words.has_focus and words.cursor != before
        await pilot.click(Filmstrip, offset=(60, 2))
        await settled(pilot)
        clip = shown(pilot)[0]
        at_s = words.words[words.cursor].range.start_s
        assert abs(at_s - (clip.ranges[0].start_s + clip.ranges[-1].end_s) / 2) < 3

    played(app, story)


@pytest.mark.slow
def test_the_palette_does_what_keys_do(talk: tuple[ReviewApp, Path]) -> None:
    app, _ = talk

    async def story(pilot: Session) -> None:
        names = {command.title: command for command in app.get_system_commands(pilot.app.screen)}
        assert {"Keep", "Drop", "Undo", "Render kept clips", "Find"} <= names.keys()
        await names["Keep"].callback()
        await settled(pilot)
        assert shown(pilot)[0].status == "kept"

    played(app, story)


def test_clips_that_cannot_be_opened_end_the_session_with_the_reason(tmp_path: Path) -> None:
    settings, path = talk_in(tmp_path)
    path.write_text("{}", encoding="utf-8")
    app = ReviewApp(settings, str(path))

    async def story(pilot: Session) -> None:
        await settled(pilot)

    played(app, story)
    assert isinstance(app.return_value, ConfigError)
    assert "not a manifest" in str(app.return_value)

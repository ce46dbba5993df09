"""A clip job in steps makes what one in one go does; words are given, faces left out."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine import (
    ClipRequest,
    EncodeOptions,
    FrameOptions,
    Library,
    SelectOptions,
    TranscribeOptions,
)
from reelremix.engine.domain.clip import Rendered
from reelremix.engine.domain.events import ClipRendered, StageFinished, StageStarted
from reelremix.engine.domain.job import decided_key
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.jobs.clip_steps import Begun, ClipSteps
from reelremix.engine.jobs.job import counted
from reelremix.engine.store.memory import MemoryArtifactStore, MemoryCatalogue
from reelremix.engine.store.sources import LocalSourceAccess
from reelremix.errors import (
    ConfigError,
    JobError,
    NothingToClip,
    OutOfMemory,
    OutputExists,
    UnreadableMedia,
)
from tests.cli.commandline import TALK, words_file
from tests.fakes import NoModels, Recorder, spoken
from tests.media_factory import plain_film


@pytest.fixture
def library() -> Library:
    """A library that leaves no trace."""
    catalogue = MemoryCatalogue()
    return Library(catalogue, MemoryArtifactStore(), LocalSourceAccess(catalogue), NoModels())


@pytest.fixture
def request_(tmp_path: Path) -> ClipRequest:
    """Two clips of a talk."""
    spans = (TimeRange.from_seconds(1, 2), TimeRange.from_seconds(5, 6))
    words = words_file(tmp_path / "words.json", spoken(*TALK))
    return ClipRequest(
        str(plain_film(tmp_path / "talk.mp4", 17, size=(160, 90))),
        str(tmp_path / "clips"),
        captions=None,
        transcribe=TranscribeOptions(transcript=str(words), speakers="off"),
        select=SelectOptions(ranges=spans),
        frame=FrameOptions(faces=False),
        encode=EncodeOptions(preset="ultrafast", fps="10"),
    )


class Parts:
    """Does steps, each as if in another process."""

    def __init__(self, library: Library, request: ClipRequest) -> None:
        self._library = library
        self._request = request
        self.heard = Recorder()
        self.costs: list[Any] = []

    def do(self, name: str, *given: Any) -> Any:
        """One step, from nothing but what the ones before it left."""
        ctx = self._library.context(self.heard)
        with counted("job1", ctx, []) as part:
            done = getattr(ClipSteps(self._request, part), name)(*given)
            self.costs.append(part.cost)
        return done

    def all(self) -> Any:
        """Every step."""
        begun = self.do("begin")
        self.do("hear", begun)
        outline = self.do("decide", begun)
        place = outline.folder
        films = [self.do("film", begun, place, clip.id) for clip in outline.clips]
        return self.do("finish", begun, place, films, self.costs)


def _decisions(content: dict[str, Any]) -> dict[str, Any]:
    """A manifest without what a run is, and what the library decided about the clips since."""
    kept = {key: value for key, value in content.items() if key not in ("run", "id")}
    return kept | {"clips": [{**clip, "status": None} for clip in content["clips"]]}


def test_steps_make_what_one_run_makes(library: Library, request_: ClipRequest) -> None:
    whole = library.clip(replace(request_, out=f"{request_.out}-whole"))
    listed = Parts(library, request_).all()
    assert _decisions(listed.manifest) == _decisions(whole.manifest)
    assert listed.manifest["id"] == "job1" and listed.failed == 0
    names = {path.name for path in listed.folder.iterdir()}
    assert names == {path.name for path in whole.folder.iterdir()}


def test_steps_that_are_done_find_what_they_left(library: Library, request_: ClipRequest) -> None:
    parts = Parts(library, request_)
    first = parts.all()
    parts.heard.events.clear()
    again = parts.all()
    assert _decisions(again.manifest) == _decisions(first.manifest)
    assert all(e.cached for e in parts.heard.events if isinstance(e, ClipRendered))


def test_what_was_heard_is_not_told_again_when_clips_are_decided(
    library: Library, request_: ClipRequest
) -> None:
    parts = Parts(library, request_)
    begun = parts.do("begin")
    parts.do("hear", begun)
    parts.heard.events.clear()
    parts.do("decide", begun)
    stages = {e.stage for e in parts.heard.events if isinstance(e, StageStarted | StageFinished)}
    assert "ingest" not in stages and "transcribe" not in stages


def test_a_recording_that_was_moved_is_found_by_its_content(
    library: Library, request_: ClipRequest, tmp_path: Path
) -> None:
    parts = Parts(library, request_)
    begun = parts.do("begin")
    moved = tmp_path / "done" / "talk.mp4"
    moved.parent.mkdir()
    Path(request_.source).replace(moved)
    library.probe(str(moved))
    assert parts.do("begin", begun.source_id) == begun


def test_a_recording_that_is_gone_is_told(library: Library, request_: ClipRequest) -> None:
    parts = Parts(library, request_)
    begun = parts.do("begin")
    Path(request_.source).unlink()
    with pytest.raises(UnreadableMedia, match=r"talk\.mp4 is no longer where it was") as caught:
        parts.do("hear", begun)
    assert "`reelremix library relink FOLDER`" in str(caught.value.hint)


def test_what_was_decided_and_is_lost_is_told_with_what_to_type(
    library: Library, request_: ClipRequest
) -> None:
    parts = Parts(library, request_)
    begun = parts.do("begin")
    outline = parts.do("decide", begun)
    library.artifacts.delete(decided_key("local", "job1"))
    with pytest.raises(JobError, match="no longer kept") as caught:
        parts.do("film", begun, outline.folder, outline.clips[0].id)
    assert caught.value.hint == "`reelremix jobs retry job1 --from decide` decides it anew"


def test_a_film_that_is_missing_is_listed_as_such(library: Library, request_: ClipRequest) -> None:
    parts = Parts(library, request_)
    begun: Begun = parts.do("begin")
    outline = parts.do("decide", begun)
    first, second = outline.clips
    film: Rendered = parts.do("film", begun, outline.folder, first.id)
    listed = parts.do("finish", begun, outline.folder, [film], parts.costs)
    assert listed.failed == 1
    other = parts.do("film", begun, outline.folder, second.id)
    assert parts.do("finish", begun, outline.folder, [film, other], parts.costs).failed == 0


def test_a_plan_renders_nothing(library: Library, request_: ClipRequest) -> None:
    parts = Parts(library, replace(request_, plan_only=True))
    listed = parts.all()
    assert listed.failed == 0 and not list(listed.folder.glob("*.mp4"))
    assert [clip["files"]["video"] for clip in listed.manifest["clips"]] == [None, None]


def test_a_folder_is_left_as_it_was_found_where_listening_fails(
    library: Library, request_: ClipRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = Parts(library, request_)
    begun = parts.do("begin")

    def fail(own: Any) -> Any:
        raise OutOfMemory("not enough memory")

    monkeypatch.setattr("reelremix.engine.jobs.clip.Clipping.heard", fail)
    with pytest.raises(OutOfMemory):
        parts.do("hear", begun)
    assert not list(Path(request_.out).glob("*"))


def test_clips_that_another_run_made_meanwhile_are_not_replaced(
    library: Library, request_: ClipRequest
) -> None:
    parts = Parts(library, request_)
    begun = parts.do("begin")
    outline = parts.do("decide", begun)
    library.clip(replace(request_, overwrite=True))
    with pytest.raises(OutputExists, match="holds the clips of another run, made meanwhile"):
        parts.do("film", begun, outline.folder, outline.clips[0].id)
    with pytest.raises(OutputExists):
        parts.do("finish", begun, outline.folder, [], parts.costs)


def test_nothing_to_clip_is_told_however_often(
    library: Library, request_: ClipRequest, tmp_path: Path
) -> None:
    silent = tmp_path / "silent.json"
    silent.write_text(json.dumps({"version": 1, "language": "en", "segments": []}))
    nothing = replace(
        request_,
        transcribe=replace(request_.transcribe, transcript=str(silent)),
        select=SelectOptions(min_s=2, max_s=4),
    )
    parts = Parts(library, nothing)
    for _ in range(2):
        with pytest.raises(NothingToClip) as caught:
            parts.all()
        assert caught.value.folder is not None and (caught.value.folder / "clips.json").is_file()


def test_clips_go_by_the_name_that_was_asked_for(
    library: Library, request_: ClipRequest, tmp_path: Path
) -> None:
    parts = Parts(library, request_)
    begun = parts.do("begin")
    other = tmp_path / "other.mp4"
    other.write_bytes(Path(request_.source).read_bytes())
    library.probe(str(other))
    assert Path(parts.do("hear", begun)).name == "talk"
    assert Path(parts.do("decide", begun).folder).name == "talk"


def test_a_folder_that_a_file_took_the_place_of_is_told(
    library: Library, request_: ClipRequest
) -> None:
    parts = Parts(library, request_)
    begun = parts.do("begin")
    outline = parts.do("decide", begun)
    shutil.rmtree(outline.folder)
    Path(outline.folder).touch()
    with pytest.raises(ConfigError, match="cannot write"):
        parts.do("film", begun, outline.folder, outline.clips[0].id)

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Transcript
from reelremix.engine.export.manifest import (
    TranscriptRecord,
    listed_files,
    manifest_to_dict,
    read_manifest,
)
from reelremix.errors import ConfigError
from tests.engine.examples import MANIFEST, RENDERED
from tests.engine.export.documents import content


def test_the_source_is_its_name_alone_unless_asked() -> None:
    assert content()["source"]["name"] == "talk.mp4"
    absolute = manifest_to_dict(replace(MANIFEST, source_path="/videos/talk.mp4"))
    assert absolute["source"]["name"] == "/videos/talk.mp4"


def test_words_are_counted_where_only_segments_have_times() -> None:
    spoken = Transcript("en", None, (Segment(TimeRange.from_seconds(0, 2), "one two three"),))
    document = manifest_to_dict(replace(MANIFEST, spoken=TranscriptRecord.of(spoken)))
    assert document["transcript"]["words"] == 3


@pytest.mark.parametrize(("text", "said"), [("{", "is not a manifest"), ("[]", "it lacks"),
                                            ('{"version": 1}', "it lacks"),
                                            ("\0\0\0\x20ftyp\0", "it holds no JSON")])  # fmt: skip
def test_what_is_no_manifest_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "clips.json").write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        read_manifest(tmp_path / "clips.json")
    assert "name the clips.json" in (caught.value.hint or "")


def test_a_newer_manifest_asks_for_an_upgrade(tmp_path: Path) -> None:
    (tmp_path / "clips.json").write_text(json.dumps(content() | {"version": 2}))
    with pytest.raises(ConfigError, match="has version 2") as caught:
        read_manifest(tmp_path / "clips.json")
    assert "upgrade" in (caught.value.hint or "")


@pytest.mark.parametrize("edited_to", ["abc", None, -1, 2**70, 1.5, True])
def test_a_number_of_an_edit_that_is_none_is_told(tmp_path: Path, edited_to: object) -> None:
    (tmp_path / "clips.json").write_text(json.dumps(content() | {"edited_to": edited_to}))
    with pytest.raises(ConfigError, match="its edited_to is no number of an edit"):
        read_manifest(tmp_path / "clips.json")


def test_a_file_without_end_is_no_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reelremix.engine.export.manifest.MOST_BYTES", 1000)
    with pytest.raises(ConfigError, match="is not a manifest: it is too large"):
        read_manifest(Path("/dev/zero"))


def test_a_missing_manifest_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file") as caught:
        read_manifest(tmp_path / "clips.json")
    assert "reelremix clip" in (caught.value.hint or "")


def test_only_plain_names_count_as_listed() -> None:
    document = content()
    document["clips"].append({"files": {"video": "../../etc/passwd", "thumbnail": "C:\\boot"}})
    document["clips"].append({"files": ["x"]})
    assert listed_files(document) == {
        "clips.json", "index.html", RENDERED.video, RENDERED.thumbnail, RENDERED.subtitles
    }  # fmt: skip

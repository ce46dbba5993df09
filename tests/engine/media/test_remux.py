from __future__ import annotations

from pathlib import Path

import pytest

from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.source import StreamKind
from reelremix.engine.media.probe import probe
from reelremix.engine.media.remux import remux, suffix_for
from reelremix.errors import Cancelled, UnreadableMedia
from tests.media_factory import Film, plain_film, sound_of, tone, write_media


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("parts")
    return [
        write_media(folder / "picture.mp4", Film(frames=50)),
        write_media(folder / "sound.mka", None, sound_of(tone(2))),
    ]


def test_picture_and_sound_are_copied_into_one_file(parts: list[Path], tmp_path: Path) -> None:
    assert suffix_for(parts) == ".mp4"
    remux(parts, tmp_path / "a.part", ".mp4", CancelToken())
    found, picture = probe(tmp_path / "a.part", ""), probe(parts[0], "")
    assert [s.kind for s in found.streams] == [StreamKind.VIDEO, StreamKind.AUDIO]
    assert found.streams[0].video == picture.streams[0].video
    assert found.duration.seconds == pytest.approx(2, abs=0.1)


def test_what_a_later_part_has_too_is_left_out(parts: list[Path], tmp_path: Path) -> None:
    both = plain_film(tmp_path / "both.mp4")
    remux([both, parts[1]], tmp_path / "a.part", ".mp4", CancelToken())
    assert len(probe(tmp_path / "a.part", "").streams) == len(probe(both, "").streams)


def test_what_no_player_expects_in_mp4_goes_into_matroska(
    parts: list[Path], tmp_path: Path
) -> None:
    plain = write_media(tmp_path / "s.mka", None, sound_of(tone(1), codec="pcm_s16le"))
    assert suffix_for([parts[0], plain]) == ".mkv"
    remux([parts[0], plain], tmp_path / "a.part", ".mkv", CancelToken())
    assert "matroska" in probe(tmp_path / "a.part", "").container


def test_copying_can_be_cancelled(parts: list[Path], tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.set()
    with pytest.raises(Cancelled):
        remux(parts, tmp_path / "a.part", ".mp4", cancel)


def test_a_part_that_is_no_media_is_told(tmp_path: Path) -> None:
    wrong = tmp_path / "0.mp4"
    wrong.write_bytes(b"<html>no</html>" * 100)
    with pytest.raises(UnreadableMedia):
        suffix_for([wrong])

from __future__ import annotations

import errno
from pathlib import Path

import av
import pytest

from reelremix.engine.media.faults import encoding, reading, unreadable
from reelremix.errors import RenderError, UnreadableMedia


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOENT, "No such file"), "talk.mp4: no such file"),
        (OSError(errno.EACCES, "Permission denied"), "permission denied"),
        (OSError(errno.EIO, "Input/output error"), "talk.mp4 cannot be read: Input/output error"),
        (av.error.InvalidDataError(1, "Invalid data"), "is not media"),
        (av.error.EOFError(1, "End of file"), "is not media"),
        (av.error.PermissionError(errno.EPERM, "Operation not permitted"), "is not media"),
    ],
)
def test_every_fault_names_the_file_and_the_reason(error: Exception, said: str) -> None:
    assert said in str(unreadable(Path("/videos/talk.mp4"), error))


def test_reading_maps_faults_and_keeps_their_cause() -> None:
    with pytest.raises(UnreadableMedia) as caught, reading(Path("talk.mp4")):
        raise av.error.InvalidDataError(1, "Invalid data found")
    assert isinstance(caught.value.__cause__, av.error.FFmpegError)


def test_reading_leaves_other_errors_alone() -> None:
    with pytest.raises(KeyError), reading(Path("talk.mp4")):
        raise KeyError("a bug")


def test_what_an_encoder_says_names_the_clip() -> None:
    with (
        pytest.raises(RenderError, match="could not write clip 3: Generic error"),
        encoding("clip 3"),
    ):
        raise av.error.ExternalError(1, "Generic error")


def test_a_full_disk_is_no_fault_of_the_encoder() -> None:
    with pytest.raises(OSError, match="No space left"), encoding("clip 3"):
        raise av.error.OSError(errno.ENOSPC, "No space left on device")

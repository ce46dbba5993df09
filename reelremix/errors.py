"""The exception tree every layer raises.

Messages are one plain sentence a user can act on; `hint` says what to type next. Exit codes and
printing belong to `reelremix.cli.diagnostics`, never here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar


class ReelRemixError(Exception):
    """Anything that went wrong and can be explained to the person at the keyboard."""

    passes: ClassVar[bool] = False
    """Whether it may pass by itself, so that trying again later makes sense."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(ReelRemixError):
    """A flag, setting, manifest or preset is wrong, or an output folder cannot be used."""


class OutputExists(ConfigError):
    """The output folder holds a finished run made with other options."""


class DiskFull(ConfigError):
    """Something cannot be written because no space is left."""

    passes = True


class LibraryHeld(ConfigError):
    """Another program holds the library for longer than anybody waits."""

    passes = True


class EditConflict(ReelRemixError):
    """Somebody else changed the same clip meanwhile; nothing of this change was kept."""


class SourceError(ReelRemixError):
    """A source cannot be found, opened or used for what was asked."""


class UnreadableMedia(SourceError):
    """The file is missing, empty, truncated beyond use, or not media at all."""


class NoAudioStream(SourceError):
    """The source has no audio stream, so nobody can be heard."""


class NoVideoStream(SourceError):
    """The source has no video stream, so there is nothing to frame."""


class DownloadFailed(SourceError):
    """A recording cannot be fetched from the web: it is refused, not there, or broke off."""


class NothingToClip(ReelRemixError):
    """The source is readable but has no usable moment: no speech, too short, all too weak.

    `folder` is where the empty manifest with the reason was written, if one was.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, folder: Path | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.folder = folder


class ModelError(ReelRemixError):
    """A model or an optional tool is missing or unusable."""


class ModelNotInstalled(ModelError):
    """The named weights are not on this machine.

    `name` is set when the catalogue has them, so that they can be installed.
    """

    def __init__(self, message: str, *, hint: str | None = None, name: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.name = name


class OutOfMemory(ModelError):
    """The machine or its GPU has too little free memory for what was asked."""

    passes = True


class RenderError(ReelRemixError):
    """A clip could not be written."""


class JobError(ReelRemixError):
    """A job was asked to do what its state does not allow."""


class JobNotFound(JobError):
    """There is no such job, or no such file of it."""


class JobMoved(JobError):
    """A job is no longer in the state that it was found in."""


class WorkerDied(JobError):
    """The process that did a step of a job ended by itself: a crash, or too little memory."""

    passes = True


class DaemonError(ReelRemixError):
    """The daemon cannot be reached or speaks another version."""


class DaemonBusy(DaemonError):
    """The daemon serves as many as it can; another time it may serve this one."""


class Unauthorized(DaemonError):
    """The daemon's token is missing or wrong."""


class CloudError(ReelRemixError):
    """The cloud refused or could not be reached."""


class Cancelled(Exception):
    """The user asked to stop. Outside the tree so that no handler of errors swallows it."""


def plain_error(error: BaseException) -> dict[str, str | None]:
    """An error as plain data: the name of its class, what it says and what to type."""
    if isinstance(error, ReelRemixError):
        return {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
    said = f"unexpected {type(error).__name__}: {error}"
    return {"kind": "Unexpected", "message": said, "hint": "please report it; the log has more"}


def error_of(plain: Mapping[str, Any]) -> ReelRemixError:
    """The inverse; an error that is none of ours comes back as JobError."""
    kind = globals().get(str(plain.get("kind")))
    if not (isinstance(kind, type) and issubclass(kind, ReelRemixError)):
        kind = JobError
    return kind(str(plain.get("message")), hint=plain.get("hint"))

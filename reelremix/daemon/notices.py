"""Small text files beside a recording that say what became of it.

They are for whoever dropped the recording there and may never have heard of ReelRemix: plain words,
no codes. A file of that name that is somebody else's is never touched.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reelremix.daemon.troubles import printable
from reelremix.engine.domain.job import JobRecord
from reelremix.engine.export.bounded import bounded
from reelremix.engine.export.manifest import FILE_NAME, MOST_BYTES
from reelremix.engine.store.files import write_atomically
from reelremix.errors import ReelRemixError

SIGNED = "ReelRemix: "
"""How each of our notices begins."""
CLIPS_ENDING, FAILED_ENDING = ".clips.txt", ".failed.txt"
SETTINGS_NOTICE = "reelremix.toml" + FAILED_ENDING
"""Without the dot of the file that it is about: it is to be seen."""
LONGEST_NAME_BYTES = 255
SHORT_ID = 8


def is_notice(path: Path) -> bool:
    """Whether a file has the name of a notice."""
    return path.name.endswith((CLIPS_ENDING, FAILED_ENDING))


def clips_notice(source: Path) -> Path:
    """Where it is said which clips were made of a recording."""
    return source.with_name(shortened(source.name, CLIPS_ENDING))


def failed_notice(source: Path) -> Path:
    """Where it is said that none were."""
    return source.with_name(shortened(source.name, FAILED_ENDING))


def shortened(name: str, ending: str, before: str = "") -> str:
    """A name with an ending, cut so that file systems take it, and still like no other.

    Args:
        name: of a file.
        ending: what is put after it.
        before: the last part of the name if that must stay, such as `.mp4`.
    """
    whole = name + ending + before
    if len(os.fsencode(whole)) <= LONGEST_NAME_BYTES:
        return whole
    ending = f"-{hashlib.sha256(os.fsencode(name)).hexdigest()[:6]}{ending}{before}"
    room = LONGEST_NAME_BYTES - len(os.fsencode(ending))
    return os.fsencode(name)[:room].decode(errors="ignore") + ending


def tell_clips(job: JobRecord, source: Path) -> None:
    """Say beside a recording which clips were made of it, and no longer that it failed.

    Raises:
        ConfigError: the notice cannot be written.
        OSError: one that is there cannot be read or removed.
    """
    write_notice(clips_notice(source), clips_text(job, source.name))
    remove_notice(failed_notice(source))


def tell_failure(job: JobRecord, source: Path) -> None:
    """Say beside a recording why no clips were made of it.

    Raises:
        ConfigError: the notice cannot be written.
        OSError: one that is there cannot be read.
    """
    write_notice(failed_notice(source), failure_text(job, source.name))


def write_notice(path: Path, text: str) -> None:
    """Write a notice, unless somebody else's file has its name or it says so already.

    Raises ConfigError and OSError.
    """
    content = (SIGNED + text).encode(errors="replace")
    held = _held(path)
    if held is None or (held.startswith(SIGNED.encode()) and held != content):
        write_atomically(path, content)


def remove_notice(path: Path) -> None:
    """Take a notice away if there is one. Raises OSError."""
    held = _held(path)
    if held is not None and held.startswith(SIGNED.encode()):
        path.unlink(missing_ok=True)


def _held(path: Path) -> bytes | None:
    """What is there: None for nothing, no bytes for what is no file."""
    if not os.path.lexists(path):
        return None
    return path.read_bytes() if path.is_file() else b""


def clips_text(job: JobRecord, name: str) -> str:
    """What is said where clips were made."""
    folder = job.folder or "an unknown folder"
    manifest = _manifest_in(folder)
    clips = _clips_of(manifest)
    made = [clip for clip in clips or () if _video(clip)]
    failed = [clip for clip in clips or () if not _video(clip)]
    number = "the clips" if clips is None else f"{len(made)} clip{'' if len(made) == 1 else 's'}"
    lines = [f"{number} of {printable(name)} {'is' if len(made) == 1 else 'are'} in", ""]
    lines += [f"    {printable(folder)}", ""]
    lines += [f"    {printable(_video(clip))}{_titled(clip)}" for clip in made]
    if isinstance(notice := manifest.get("notice"), str):
        lines += ["", printable(notice)]
    if failed:
        lines += ["", f"{len(failed)} could not be made:", ""]
        lines += [f"    {printable(str(clip.get('title') or 'a clip'))}" for clip in failed]
        again = shlex.join(["reelremix", "render", str(Path(folder) / FILE_NAME)])
        lines += ["", f"To try again:  {printable(again)}"]
    return "\n".join(lines).rstrip() + "\n"


def failure_text(job: JobRecord, name: str) -> str:
    """What is said where none were made."""
    lines = [f"no clips were made of {printable(name)}", ""]
    failure = job.failure
    if failure is None:
        lines += ["It was broken off again and again; nobody knows why."]
    else:
        lines += [printable(failure.message)]
    if failure is not None and failure.hint:
        lines += ["", f"What helps:    {printable(failure.hint)}"]
    lines += ["", f"To try again:  reelremix jobs retry {job.id[:SHORT_ID]}"]
    return "\n".join(lines) + "\n"


def settings_text(error: ReelRemixError) -> str:
    """What is said where a folder's settings are wrong."""
    lines = ["nothing is taken from this folder until its settings are right", ""]
    lines += [printable(error.message)]
    if error.hint:
        lines += ["", f"What helps:    {printable(error.hint)}"]
    return "\n".join(lines) + "\n"


def _manifest_in(folder: str) -> Mapping[str, Any]:
    """What a folder's manifest says; nothing where there is no proper one."""
    try:
        with (Path(folder) / FILE_NAME).open("rb") as file:
            content = json.loads(bounded(file, MOST_BYTES) or b"{}")
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _clips_of(manifest: Mapping[str, Any]) -> Sequence[Mapping[str, Any]] | None:
    """The clips that a manifest lists; None where it has no list."""
    clips = manifest.get("clips")
    return [c for c in clips if isinstance(c, dict)] if isinstance(clips, list) else None


def _video(clip: Mapping[str, Any]) -> str:
    files = clip.get("files")
    return str(files.get("video") or "") if isinstance(files, dict) else ""


def _titled(clip: Mapping[str, Any]) -> str:
    title = clip.get("title")
    return f"    {printable(title)}" if isinstance(title, str) and title else ""

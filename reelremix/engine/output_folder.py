"""The folder one source's clips go into: whose it is, what may be replaced, what is left over.

Nothing is ever removed but files that our own manifest, or the note an unfinished run leaves,
lists by name.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelremix.engine.domain.clip import Clip
from reelremix.engine.export.clip_entry import clip_to_dict
from reelremix.engine.export.decided import decisions_of
from reelremix.engine.export.manifest import FILE_NAME, listed_files, read_manifest
from reelremix.engine.export.names import RESERVED, is_plain_name
from reelremix.engine.store.files import PART_PREFIX, cannot_write, write_atomically
from reelremix.errors import ConfigError, OutputExists

NOTE_NAME = ".reelremix-run.json"
"""Says whose folder it is while a run is under way."""
MAX_STEM_BYTES = 200
NOT_COMPARED = frozenset({"plan", "jobs", "device"})
"""Options that do not change what the clips are."""


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """A folder this run may write to."""

    path: Path
    source_id: str
    finished: Mapping[str, Any] | None
    """The manifest found in it, of this source."""

    def check_options(self, options: Mapping[str, Any], *, overwrite: bool) -> None:
        """Raise OutputExists if a finished run with other options would be replaced unasked."""
        if self.finished is None or overwrite:
            return
        different = changed_options(self.finished.get("options", {}), options)
        if different:
            raise OutputExists(
                f"{self.path} holds a finished run with other options"
                f" ({', '.join(sorted(different))})",
                hint="`--overwrite` replaces its clips; `--out DIR` writes elsewhere",
            )

    def check_clips(self, clips: Sequence[Clip]) -> None:
        """Raise OutputExists if the finished run's clips are not these: edited, or chosen anew."""
        assert self.finished is not None
        there = {entry["id"]: entry for entry in self.finished["clips"]}
        changed = [
            c for c in clips if decisions_of(clip_to_dict(c)) != decisions_of(there.get(c.id))
        ]
        if changed or len(there) != len(clips):
            raise OutputExists(
                f"{self.path} holds clips that were edited, or other ones than would be made now",
                hint="`reelremix render` renders them as they are; `--overwrite` makes new ones",
            )

    def claim(self, options: Mapping[str, Any]) -> None:
        """Note whose folder this is, and clear away what a killed run was writing.

        Raises:
            ConfigError: the folder cannot be written to.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise cannot_write(self.path, exc) from exc
        known = set(self._note().get("files", ()))
        if self.finished is not None:
            known |= listed_files(self.finished)
        self._write_note(options, known)
        for part in self.path.glob(f"{PART_PREFIX}*.part"):
            part.unlink(missing_ok=True)

    def announce(self, options: Mapping[str, Any], files: Iterable[str]) -> None:
        """Note the files about to be written beside those of earlier runs; the run is under way."""
        self._write_note(options, set(self._note().get("files", ())) | set(files))
        (self.path / FILE_NAME).unlink(missing_ok=True)

    def release(self) -> None:
        """After a run that changed nothing: take the note away, and the folder if it was empty."""
        if not self.path.is_dir():
            return
        held = {path.name for path in self.path.iterdir()}
        if FILE_NAME in held or held == {NOTE_NAME}:
            (self.path / NOTE_NAME).unlink(missing_ok=True)
        if held == {NOTE_NAME}:
            self.path.rmdir()

    def finish(self, manifest: bytes, files: Iterable[str]) -> Path:
        """Write the manifest, then remove what earlier runs left that is not among its `files`.

        Returns the manifest's path.
        """
        target = self.path / FILE_NAME
        write_atomically(target, manifest)
        for name in set(self._note().get("files", ())) - set(files) - {FILE_NAME}:
            (self.path / name).unlink(missing_ok=True)
        (self.path / NOTE_NAME).unlink(missing_ok=True)
        return target

    def _note(self) -> dict[str, Any]:
        return _read_note(self.path)

    def _write_note(self, options: Mapping[str, Any], files: set[str]) -> None:
        note = {"source": self.source_id, "options": dict(options), "files": sorted(files)}
        write_atomically(self.path / NOTE_NAME, json.dumps(note, ensure_ascii=False).encode())


def changed_options(before: Mapping[str, Any], now: Mapping[str, Any]) -> set[str]:
    """Names of options whose values differ in a way that changes clips."""
    names = (before.keys() | now.keys()) - NOT_COMPARED
    return {name for name in names if before.get(name) != now.get(name)}


def find_folder(out: Path, source_name: str, source_id: str) -> OutputFolder:
    """The source's folder inside `out`: `<stem>`, or `<stem>-<id>` if that is someone else's.

    Raises:
        ConfigError: both belong to something else, or `out` is a file.
    """
    _require_no_file(out)
    stem = safe_stem(source_name)
    names = (stem, f"{stem}-{source_id[:6]}")
    owners = [_owner(out / name) for name in names]
    for wanted in (source_id, None):  # one that is ours already, before one that is free
        for name, (owner, manifest) in zip(names, owners, strict=True):
            if owner == wanted:
                return OutputFolder(out / name, source_id, manifest)
    raise ConfigError(
        f"{out / names[0]} and {out / names[1]} hold other files",
        hint="choose another folder with `--out DIR`",
    )


def check_writable(folder: Path) -> None:
    """Whether a folder can be made and written to; it is left as it was, or not there.

    Raises ConfigError.
    """
    made: list[Path] = []
    try:
        _require_no_file(folder)
        made += [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        raise cannot_write(folder, exc) from exc
    finally:
        for place in made:
            with contextlib.suppress(OSError):  # not made, or somebody else's by now
                place.rmdir()


def _require_no_file(out: Path) -> None:
    try:
        is_file = out.exists() and not out.is_dir()
    except OSError as exc:
        raise cannot_write(out, exc) from exc
    if is_file:
        raise ConfigError(f"{out} is a file, not a folder", hint="choose a folder with `--out DIR`")


def safe_stem(source_name: str) -> str:
    """The source's name without suffix, made safe for every file system."""
    stem = unicodedata.normalize("NFC", Path(source_name).stem)
    stem = re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]', "_", stem)
    stem = stem.encode()[:MAX_STEM_BYTES].decode(errors="ignore").rstrip(". ") or "clips"
    device, dot, rest = stem.partition(".")
    return f"{device}_{dot}{rest}" if device.rstrip().lower() in RESERVED else stem


def _owner(folder: Path) -> tuple[str | None, Mapping[str, Any] | None]:
    """Source id of a folder (None: free, empty string: somebody else's) and its manifest."""
    if not folder.exists():
        return None, None
    if not folder.is_dir():
        return "", None
    if (folder / FILE_NAME).exists():
        try:
            manifest = read_manifest(folder / FILE_NAME)
            return str(manifest["source"]["id"]), manifest
        except (ConfigError, KeyError, TypeError):
            return "", None
    note = _read_note(folder)
    if note:
        return str(note.get("source", "")), None
    return (None if not any(folder.iterdir()) else ""), None


def _read_note(folder: Path) -> dict[str, Any]:
    try:
        note = json.loads((folder / NOTE_NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(note, dict) or not isinstance(note.get("files", []), list):
        return {}
    return note | {"files": [name for name in note.get("files", []) if is_plain_name(name)]}

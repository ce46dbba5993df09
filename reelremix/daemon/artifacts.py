"""The files that a job made, as its manifest lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reelremix.daemon.protocol import Artifact
from reelremix.engine.domain.job import JobRecord
from reelremix.engine.export.manifest import FILE_NAME, SHEET_NAME, read_manifest
from reelremix.errors import ConfigError, JobNotFound


def artifacts_of(job: JobRecord) -> list[Artifact]:
    """Every file that is there; none before the job has finished."""
    folder = _folder(job)
    if folder is None:
        return []
    listed: list[tuple[str, str, str | None]] = [
        (FILE_NAME, "manifest", None),
        (SHEET_NAME, "sheet", None),
    ]
    for clip in _manifest(folder).get("clips", ()):
        for kind, name in (clip.get("files") or {}).items():
            if isinstance(name, str):
                listed.append((name, kind.split(".")[0], str(clip.get("id"))))
    return [
        Artifact(name, (folder / name).stat().st_size, kind, clip_id)
        for name, kind, clip_id in dict.fromkeys(listed)
        if (folder / name).is_file()
    ]


def artifact_path(job: JobRecord, name: str) -> Path:
    """Where a file is. Raises JobNotFound for one that the job's manifest does not list."""
    folder = _folder(job)
    if folder is None or name not in {own.name for own in artifacts_of(job)}:
        raise JobNotFound(f"there is no file {name!r} of the job {job.id[:8]}")
    return folder / name


def _folder(job: JobRecord) -> Path | None:
    folder = Path(job.folder) if job.folder is not None else None
    return folder if folder is not None and (folder / FILE_NAME).is_file() else None


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        return read_manifest(folder / FILE_NAME)
    except ConfigError:  # somebody has changed it since: what it lists is not known
        return {}

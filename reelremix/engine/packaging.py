"""Finished clips become folders that can be uploaded as they are: one folder a platform.

A clip is packaged for a platform only if it fits in every respect; nothing is changed to make it
fit, and what it was made of is never moved. `post.json` says what was packaged, what was not and
why, and is how a later run knows the files that it may replace.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import StageProgress, Warned
from reelremix.engine.domain.request import PackageRequest
from reelremix.engine.domain.source import Source
from reelremix.engine.export.clip_entry import drawn_digest
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.manifest import manifest_at, read_manifest
from reelremix.engine.export.names import is_plain_name
from reelremix.engine.finding import clips_meant, is_dropped
from reelremix.engine.media.probe import probe
from reelremix.engine.stages.artifact import stage
from reelremix.engine.stages.posting import (
    Check,
    Platform,
    Texts,
    checks,
    hint_for,
    named_platforms,
    told,
)
from reelremix.engine.store.files import cannot_write, file_sha256, replacing, write_atomically
from reelremix.errors import ConfigError, OutputExists, SourceError

STAGE = "package"
POST_NAME = "post.json"
DEFAULT_OUT = "post"
VERSION = 1
COPIED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Packaged:
    """What a package job left behind."""

    folder: Path
    document: dict[str, Any]
    """The content of `post.json`."""

    @property
    def left_out(self) -> int:
        """Clips that some platform does not take."""
        return len(self.document["left_out"])


@dataclass(frozen=True, slots=True)
class _Clip:
    """A clip of the manifest with its files, as far as they can be used."""

    entry: Mapping[str, Any]
    stem: str
    texts: Texts
    film: Source | None
    problem: dict[str, str] | None
    """Why it cannot be posted anywhere."""
    notes: tuple[str, ...]

    @property
    def rank(self) -> int:
        return int(self.entry["rank"])


def package(request: PackageRequest, ctx: RunContext) -> Packaged:
    """Check clips against the platforms and write what fits.

    Raises:
        ConfigError: the manifest cannot be read, or has no such clip or platform.
        OutputExists: files are there that would be replaced unasked.
        Cancelled: the user asked to stop; `post.json` is then not written.
    """
    wanted = named_platforms(request.platforms)
    path = manifest_at(Path(request.manifest))
    content = read_manifest(path)
    entries = clips_meant(content, request.clip_ids, path)
    dropped = [] if request.clip_ids else [e for e in content["clips"] if is_dropped(e)]
    out = Path(request.out) if request.out else path.parent / DEFAULT_OUT
    before = _files_before(out)
    if before and not request.overwrite:
        raise OutputExists(f"{out} holds a package already", hint="`--overwrite` replaces it")
    posts: list[dict[str, Any]] = []
    left_out: list[dict[str, Any]] = []
    with stage(ctx, STAGE), _whole_or_as_before(out) as written:
        for number, entry in enumerate(entries):
            ctx.cancel.raise_if_set()
            clip = _opened(entry, content, path, ctx)
            for platform in wanted:
                post, problems = _post(clip, platform, path)
                if problems:
                    left_out.append(_left_out(clip, platform, problems))
                else:
                    for name in _write(clip, post, path.parent, out, before, ctx):
                        written.append(name)
                    posts.append(post)
            ctx.reporter.emit(StageProgress(STAGE, number + 1, len(entries), "clips"))
        document = {
            "version": VERSION,
            "source": {k: content["source"].get(k) for k in ("name", "id")},
            "posts": posts,
            "left_out": left_out,
            "dropped": [str(entry["id"]) for entry in dropped],
        }
        _forget(before - _listed(document), out)
        content_bytes = json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
        write_atomically(out / POST_NAME, content_bytes)
    return Packaged(out, document)


@contextmanager
def _whole_or_as_before(out: Path) -> Iterator[list[str]]:
    """Remove the files that were made for a package that is not finished; others stay."""
    written: list[str] = []
    try:
        yield written
    except BaseException:
        for name in set(written):
            with suppress(OSError):  # the reason it is not finished is the one to tell
                (out / name).unlink(missing_ok=True)
        raise


def _opened(
    entry: Mapping[str, Any], content: Mapping[str, Any], manifest: Path, ctx: RunContext
) -> _Clip:
    """A clip with its film looked at again, and what is wrong with it."""
    files = entry.get("files") or {}
    texts = Texts(
        str(entry.get("title") or ""),
        str(entry.get("description") or ""),
        tuple(str(tag) for tag in entry.get("hashtags") or ()),
    )
    rank, name = int(entry["rank"]), files.get("video")
    again = f"`reelremix render {manifest} {rank}` makes it"
    film, problem, stem = None, None, f"{rank:02d}"
    if not is_plain_name(name):
        problem = _problem("video", "it is not rendered yet", again)
    elif not (manifest.parent / name).is_file():
        problem = _problem("video", f"its film {name} is gone", again)
    else:
        stem = Path(name).stem
        try:
            film = probe(manifest.parent / name, "")
            problem = _changed(entry, content, manifest, again, ctx)
        except SourceError as exc:
            problem = _problem("video", f"its film cannot be read: {exc.message}", again)
    notes = tuple(str(note) for note in (entry.get("verdict") or {}).get("notes") or ())
    if (entry.get("verdict") or {}).get("ok") is False:
        told = f"clip {rank} is flagged: {'; '.join(notes) or 'see its verdict'}"
        ctx.reporter.emit(Warned(told, "watch it before you post it"))
    return _Clip(entry, stem, texts, film, problem, notes)


def _changed(
    entry: Mapping[str, Any],
    content: Mapping[str, Any],
    manifest: Path,
    again: str,
    ctx: RunContext,
) -> dict[str, str] | None:
    """Whether a film is another than was made of the clip, or the clip was changed since."""
    [clip] = clips_from_dict({**content, "clips": [entry]}, manifest)
    if entry.get("shows") not in (None, drawn_digest(clip)):
        return _problem("video", f"clip {clip.rank} was changed since it was rendered", again)
    made = {film.clip_id: film for film in ctx.catalogue.renders(str(content.get("id")))}
    known, film = made.get(clip.id), manifest.parent / entry["files"]["video"]
    if known is None or known.video != film.name or file_sha256(film) == known.sha256:
        return None
    told = f"its film {film.name} was changed since it was made"
    return _problem("video", told, f"{again} anew with `--overwrite`")


def _problem(what: str, message: str, hint: str) -> dict[str, str]:
    return {"what": what, "message": message, "hint": hint}


def _post(
    clip: _Clip, platform: Platform, manifest: Path
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """A clip as a platform gets it, and why it does not."""
    if clip.film is None or clip.problem is not None:
        assert clip.problem is not None
        return {}, [clip.problem]
    found = checks(platform, clip.film, clip.texts)
    problems = [
        _problem(c.limit.what, told(c, platform), hint_for(c, manifest, clip.rank))
        for c in found
        if not c.is_kept and c.limit.must
    ]
    advice = [told(c, platform) for c in found if not c.is_kept and not c.limit.must]
    files = clip.entry.get("files") or {}
    folder = PurePosixPath(platform.key)
    kept = {"video": files["video"], "cover": files.get("thumbnail")}
    kept["subtitles"] = _srt(files) if platform.takes_subtitles else None
    fields = {name: clip.texts.field(parts) for name, parts in platform.text.items()}
    return {
        "platform": platform.key,
        "clip_id": str(clip.entry["id"]),
        "rank": clip.rank,
        "files": {
            **{what: _placed(name, clip.stem, folder) for what, name in kept.items()},
            "text": str(folder / f"{clip.stem}.txt"),
        },
        "fields": fields,
        "hashtags": list(clip.texts.hashtags),
        "checks": [_check(c) for c in found],
        "advice": advice,
        "notes": list(clip.notes),
    }, problems


def _srt(files: Mapping[str, Any]) -> str | None:
    name = files.get("subtitles")
    return name if isinstance(name, str) and name.endswith(".srt") else None


def _placed(name: object, stem: str, folder: PurePosixPath) -> str | None:
    """Where a file goes; None for one that there is not."""
    if not isinstance(name, str) or not is_plain_name(name):
        return None
    return str(folder / f"{stem}{Path(name).suffix}")


def _check(check: Check) -> dict[str, Any]:
    limit = check.limit
    return {
        "what": limit.what,
        "value": check.value,
        "least": limit.least,
        "most": limit.most,
        "one_of": list(limit.one_of),
        "must": limit.must,
        "ok": check.is_kept,
        "source": limit.source,
        "as_of": limit.as_of,
        "quoted": limit.is_quoted,
    }


def _left_out(
    clip: _Clip, platform: Platform, problems: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    return {
        "platform": platform.key,
        "clip_id": str(clip.entry["id"]),
        "rank": clip.rank,
        "problems": list(problems),
    }


def _write(
    clip: _Clip, post: dict[str, Any], origin: Path, out: Path, before: set[str], ctx: RunContext
) -> Iterator[str]:
    """Write the files of a post, telling each that is new; one that is gone is not listed."""
    files = clip.entry.get("files") or {}
    names = {"video": files["video"], "cover": files.get("thumbnail"),
             "subtitles": files.get("subtitles")}  # fmt: skip
    for what, name in names.items():
        placed = post["files"][what]
        if placed is None:
            continue
        if not (origin / name).is_file():
            post["files"][what] = None
            message = f"clip {clip.rank} has no {what}: {name} is gone"
            ctx.reporter.emit(Warned(message, "render it again, or post it without"))
            continue
        _refuse_itself(origin / name, out / placed)
        same = partial(filecmp.cmp, origin / name, out / placed, shallow=False)
        is_new = _is_new(out / placed, placed, before, same)
        _linked(origin / name, out / placed, ctx)
        if is_new:
            yield placed
    text = "\n\n".join(f"{name.upper()}\n{field}" for name, field in post["fields"].items())
    only = next(iter(post["fields"].values())) if len(post["fields"]) == 1 else text
    target, content = out / post["files"]["text"], (only + "\n").encode()
    is_new = _is_new(target, post["files"]["text"], before, lambda: target.read_bytes() == content)
    write_atomically(target, content)
    if is_new:
        yield post["files"]["text"]


def _refuse_itself(origin: Path, target: Path) -> None:
    """A film is never replaced by itself, nor counted among the files of a package."""
    if origin.resolve() == target.resolve():
        raise ConfigError(
            f"{target} is the film itself", hint="choose another folder with `--out DIR`"
        )


def _is_new(target: Path, name: str, before: set[str], is_same: Callable[[], bool]) -> bool:
    """Whether nothing is there yet.

    What a run that was killed has left there is as it would be written now. Raises OutputExists
    for a file that is neither that nor of an earlier package.
    """
    if not target.exists():
        return True
    if name not in before and not (target.is_file() and is_same()):
        raise OutputExists(
            f"{target} is there and is not from an earlier package",
            hint="choose another folder with `--out DIR`",
        )
    return False


def _linked(origin: Path, target: Path, ctx: RunContext) -> None:
    """The same file under another name, or a copy where the disk cannot do that."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise cannot_write(target, exc) from exc
    with replacing(target, ctx.partial_files) as part:
        try:
            os.link(origin, part)
        except OSError:  # another disk, or a file system without hard links
            with origin.open("rb") as source, part.open("wb") as copy:
                while chunk := source.read(COPIED_BYTES):
                    ctx.cancel.raise_if_set()
                    copy.write(chunk)
            shutil.copystat(origin, part)


def _listed(document: Mapping[str, Any]) -> set[str]:
    """The files that a package consists of, as far as their names stay inside it."""
    names = {
        name
        for post in document.get("posts", ())
        for name in (post.get("files") or {}).values()
        if isinstance(name, str)
    }
    return {n for n in names if all(is_plain_name(p) for p in PurePosixPath(n).parts)}


def _files_before(out: Path) -> set[str]:
    """The files of an earlier package in the folder."""
    try:
        document = json.loads((out / POST_NAME).read_bytes())
        return _listed(document) | {POST_NAME}
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except (OSError, ValueError, AttributeError, TypeError) as exc:
        raise ConfigError(
            f"{out / POST_NAME} cannot be read: {exc}",
            hint="remove it, or choose another folder with `--out DIR`",
        ) from exc


def _forget(names: set[str], out: Path) -> None:
    """Remove what an earlier package had and this one has not."""
    for name in names - {POST_NAME}:
        (out / name).unlink(missing_ok=True)

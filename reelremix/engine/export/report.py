"""The contact sheet: one HTML file with players, scores, reasons and what was left out.

Self-contained but for the clips themselves, which it plays from beside it: style and thumbnails
are inside, no script runs, nothing is fetched.
"""

from __future__ import annotations

import base64
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, Template

from reelremix import __version__
from reelremix.engine.export.manifest import Manifest, is_plain_name, manifest_to_dict


def contact_sheet(manifest: Manifest, folder: Path) -> str:
    """The sheet for a manifest whose files are in `folder`."""
    return sheet_of(manifest_to_dict(manifest), folder)


def sheet_of(content: dict[str, Any], folder: Path) -> str:
    """The sheet for the content of a `clips.json` whose clips can be read.

    Others write manifests too: what reading does without, the sheet does without.
    """
    return _template().render(
        version=__version__,
        source=content["source"],
        transcript=content.get("transcript"),
        length=clock(content["source"].get("duration_s", 0)),
        notice=content.get("notice"),
        network=(content.get("run") or {}).get("network") or [],
        clips=[_clip(clip, folder) for clip in content["clips"]],
        rejected=[
            {**r, "start": clock(r.get("start_s", 0)), "end": clock(r.get("end_s", 0))}
            for r in content.get("rejected") or []
        ],
    )


def clock(seconds: float) -> str:
    """Seconds as people read them: 7:05 or 1:02:03."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def _clip(clip: dict[str, Any], folder: Path) -> dict[str, Any]:
    score = clip.get("score") or {"total": None, "axes": {}, "reasons": []}
    video, still = _file(clip, "video"), _file(clip, "thumbnail")
    seconds = sum(end - start for start, end in clip["ranges"])
    total = score["total"]
    return {
        **{name: clip[name] for name in ("id", "rank")},
        **{name: clip.get(name, "") for name in ("title", "description", "text")},
        "hashtags": clip.get("hashtags", ()),
        "video": quote(video) if video else None,
        "still": _inlined(folder / still) if still else None,
        "length": f"{seconds:.1f} s",
        "span": f"{clock(clip['ranges'][0][0])}-{clock(clip['ranges'][-1][1])}",
        "total": "" if total is None else f"{total:.0f}",
        "axes": [{"name": name, "value": value} for name, value in score["axes"].items()]
        if score["reasons"]
        else [],
        "reasons": [*_asked(clip), *score["reasons"]],
        "verdict": clip.get("verdict"),
    }


def _asked(clip: dict[str, Any]) -> list[dict[str, Any]]:
    """How the clip answers what was asked for, as its first reason."""
    match = clip.get("match")
    return [{"text": "about what was asked for", "quote": match.get("quote")}] if match else []


def _file(clip: dict[str, Any], kind: str) -> str | None:
    """The name of a clip's file, if it has one and it lies beside the sheet."""
    name = (clip.get("files") or {}).get(kind)
    return str(name) if is_plain_name(name) else None


def _inlined(image: Path) -> str | None:
    if not image.is_file():
        return None
    return "data:image/jpeg;base64," + base64.b64encode(image.read_bytes()).decode()


@cache
def _template() -> Template:
    text = (resources.files("reelremix.engine.export") / "report.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)

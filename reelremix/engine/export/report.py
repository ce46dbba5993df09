"""The contact sheet: one HTML file with a timeline, players, scores, reasons and what was left out.

Self-contained but for the clips themselves, which it plays from beside it: style, drawings and
thumbnails are inside, no script runs, nothing is fetched. A ranking has the same sheet, without
players.
"""

from __future__ import annotations

import base64
import textwrap
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, Template

from reelremix import __version__
from reelremix.engine.export.clock import clock, span
from reelremix.engine.export.cuts import cuts_told
from reelremix.engine.export.manifest import Manifest, manifest_to_dict
from reelremix.engine.export.names import is_plain_name
from reelremix.engine.export.timeline_plot import Plot, timeline_plot

SIZES = {
    "wide": {"width": 1000.0, "left": 70.0},
    "medium": {"width": 640.0, "left": 70.0},
    "narrow": {"width": 380.0, "left": 0.0},
}
"""Of the timeline's drawings, of which a screen shows one: text is about as large as elsewhere."""
MOST_TITLE = 80
"""Characters of a moment's opening words."""


def contact_sheet(manifest: Manifest, folder: Path) -> str:
    """The sheet for a manifest whose files are in `folder`."""
    return sheet_of(manifest_to_dict(manifest), folder)


def sheet_of(content: dict[str, Any], folder: Path) -> str:
    """The sheet for the content of a `clips.json` whose clips can be read.

    Others write manifests too: what reading does without, the sheet does without.
    """
    return _sheet(content, folder, called="clip")


def ranking_sheet(ranking: dict[str, Any], name: str) -> str:
    """The sheet for the ranking of a source of this name, as `ranking_to_dict` tells it."""
    clips = [_ranked(candidate) for candidate in ranking["candidates"]]
    content = {**ranking, "source": {"name": name}, "clips": clips}
    return _sheet(content, Path(), called="moment")


def _sheet(content: dict[str, Any], folder: Path, *, called: str) -> str:
    length = content["source"].get("duration_s")
    run = content.get("run")
    return _template().render(
        version=__version__,
        source=content["source"],
        transcript=content.get("transcript"),
        length=None if length is None else clock(length),
        notice=content.get("notice"),
        network=None if run is None else ", ".join(run.get("network") or ()) or "none",
        plots=_plots(content),
        called=called,
        clips=[_clip(clip, folder) for clip in content["clips"]],
        rejected=[
            {**r, "start": clock(r.get("start_s", 0)), "end": clock(r.get("end_s", 0))}
            for r in content.get("rejected") or []
        ],
    )


def _plots(content: dict[str, Any]) -> dict[str, Plot]:
    """The timeline's drawings; none where there is nothing to draw."""
    drawn = {name: timeline_plot(content, **size) for name, size in SIZES.items()}
    return {name: plot for name, plot in drawn.items() if plot}


def _ranked(candidate: dict[str, Any]) -> dict[str, Any]:
    """A candidate in the form of a clip that has no files, its opening words for a title."""
    score = {name: candidate[name] for name in ("axes", "reasons", "kinds")}
    return {
        **{name: candidate.get(name) for name in ("rank", "text", "judge", "match")},
        "id": str(candidate["rank"]),
        "title": _opening(candidate["text"]),
        "ranges": [[candidate["start_s"], candidate["end_s"]]],
        "score": {**score, "total": candidate["score"]},
    }


def _opening(text: str) -> str:
    """The first words, whole where words are told apart by spaces."""
    if len(text) <= MOST_TITLE:
        return text
    return textwrap.shorten(text, MOST_TITLE, placeholder="…").removeprefix("…") or (
        text[: MOST_TITLE - 1] + "…"
    )


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
        "span": span(clip["ranges"][0][0], clip["ranges"][-1][1]),
        "total": "" if total is None else f"{total:.0f}",
        "axes": [{"name": name, "value": value} for name, value in score["axes"].items()]
        if score["reasons"]
        else [],
        "kinds": score.get("kinds") or [],
        "reasons": [*_asked(clip), *score["reasons"]],
        "judge": clip.get("judge"),
        "cuts": cuts_told(clip.get("tightened")),
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
    loader = PackageLoader("reelremix.engine.export", "")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("report.html")

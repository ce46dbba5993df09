"""Files as they are typed here, and as the daemon, which is in another folder, has to be told.

Errors come back with the places that it was told, and are turned into what was typed again: who
made the clips makes no difference to what is said.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reelremix.config import expanded
from reelremix.errors import ConfigError, ReelRemixError, UnreadableMedia

if TYPE_CHECKING:
    from reelremix.engine.domain.request import ClipRequest


def located(request: ClipRequest) -> ClipRequest:
    """The request with every path in full.

    Raises:
        UnreadableMedia: the recording's name is no text.
        ConfigError: that of something else is none.
    """
    _require_text(request)
    heard, sound = request.transcribe, request.sound
    return replace(
        request,
        source=full_path(request.source),
        out=full_path(request.out),
        captions=full_preset(request.captions),
        brand=full_preset(request.brand),
        transcribe=replace(
            heard, transcript=_full(heard.transcript), model=full_model(heard.model)
        ),
        sound=replace(sound, music=_full(sound.music), censor_words=_full(sound.censor_words)),
    )


def as_typed(error: ReelRemixError, typed: ClipRequest, full: ClipRequest) -> ReelRemixError:
    """The error with files called as they were typed."""
    from reelremix.engine.request_places import named_in

    named: dict[str, str] = {}
    for place, name in zip(named_in(full).values(), named_in(typed).values(), strict=True):
        if place and name and place != name:
            named[place] = str(Path(name))
            named.setdefault(str(Path(place).parent), str(Path(name).parent))
    for place in sorted(named, key=len, reverse=True):
        error.message = _called(error.message, place, named[place])
        error.hint = _called(error.hint, place, named[place]) if error.hint else error.hint
    return error


def _called(text: str, place: str, name: str) -> str:
    """A text in which a place, or one inside it, goes by another name."""
    whole = rf"(?<![^\s'\"(`]){re.escape(place)}(?![^\s'\"):;,`/])"
    return re.sub(whole, name.replace("\\", r"\\"), text)


def full_path(path: str) -> str:
    """A path from the root on, without `..` where that means the same; an address as it is."""
    from reelremix.engine.web import is_url

    if is_url(path):
        return path
    whole = Path.cwd() / expanded(path, "a path")
    tidy = Path(os.path.normpath(whole))
    # A `..` behind a link leads out of where the link leads to.
    return str(tidy if os.path.realpath(tidy) == os.path.realpath(whole) else whole)


def full_preset(name: str | None) -> str | None:
    """A preset's name as it is, its path in full."""
    from reelremix.engine.captions.naming import is_path

    return full_path(name) if name is not None and is_path(name) else name


def full_model(name: str) -> str:
    """A model's name as it is, the path of its folder in full."""
    from reelremix.engine.domain.request import AUTO
    from reelremix.engine.models.registry import is_path, load_catalog, own_folder

    if name == AUTO or not (is_path(name) or own_folder(name, load_catalog()) is not None):
        return name
    return full_path(name)


def _full(path: str | None) -> str | None:
    return full_path(path) if path else path


def _require_text(request: ClipRequest) -> None:
    """Raise for a name that is no Unicode text: nothing can be told of it."""
    from reelremix.engine.request_places import named_in

    for path in named_in(request).values():
        try:
            (path or "").encode()
        except UnicodeEncodeError as exc:
            name = Path(str(path)).name.encode(errors="backslashreplace").decode()
            told = f"{name} has a name that is not Unicode text"
            kind = UnreadableMedia if path == request.source else ConfigError
            raise kind(told, hint="rename the file") from exc

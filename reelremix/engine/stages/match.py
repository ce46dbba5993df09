"""Which clip a published video is, by its name alone; what is not certain is left open."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

from reelremix.engine.domain.clip import ClipEntry

FEWEST_WORDS = 3
"""Of a clip's name, to be recognised inside a longer one."""
_HASHTAG = re.compile(r"#\S+")
_ASCII_WORD = re.compile("[a-z0-9]+")
_APOSTROPHE = re.compile("['’]")
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{12}(?![0-9a-f])")
_Name = tuple[str, ...]


class ClipNames:
    """Clips by everything that may name them."""

    def __init__(self, clips: Iterable[ClipEntry]) -> None:
        self._by_id: dict[str, ClipEntry] = {}
        self._by_name: dict[_Name, set[str]] = defaultdict(set)
        self._by_opening: dict[_Name, set[_Name]] = defaultdict(set)
        for clip in clips:
            self._by_id[clip.id] = clip
            for name in {words_of(clip.title), words_of(clip.slug)} - {()}:
                self._by_name[name].add(clip.id)
                if len(name) >= FEWEST_WORDS:
                    self._by_opening[name[:FEWEST_WORDS]].add(name)

    def find(self, names: Sequence[str]) -> list[ClipEntry]:
        """The clips that the names may mean: none, the one, or those between which it is open.

        An id decides; then a title or slug that is the whole name; then the longest inside it.
        """
        for found in (self._named_by_id(names), self._whole(names), self._inside(names)):
            if found:
                return [self._by_id[clip] for clip in sorted(found)]
        return []

    def _named_by_id(self, names: Sequence[str]) -> set[str]:
        return {id for name in names for id in _ID.findall(name.casefold()) if id in self._by_id}

    def _whole(self, names: Sequence[str]) -> set[str]:
        return {clip for name in names for clip in self._by_name.get(words_of(name), ())}

    def _inside(self, names: Sequence[str]) -> set[str]:
        longest, found = 0, set[str]()
        for words in map(words_of, names):
            for at in range(len(words) - FEWEST_WORDS + 1):
                for name in self._by_opening.get(words[at : at + FEWEST_WORDS], ()):
                    if words[at : at + len(name)] != name or len(name) < longest:
                        continue
                    if len(name) > longest:
                        longest, found = len(name), set()
                    found |= self._by_name[name]
        return found


def words_of(name: str) -> _Name:
    """The words of a name as they are compared: no letter case, hashtags, emojis or punctuation."""
    text = unicodedata.normalize("NFKC", _HASHTAG.sub(" ", name)).casefold()
    text = _APOSTROPHE.sub("", text)
    if text.isascii():  # four times as fast, which a table of a million rows feels
        return tuple(_ASCII_WORD.findall(text))
    return tuple("".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in text).split())

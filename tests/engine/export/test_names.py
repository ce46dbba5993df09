from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.export.names import MAX_BYTES, RESERVED, is_plain_name, slug


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Ten Minutes a Day!", "ten-minutes-a-day"),
        ("It's what you don’t say", "its-what-you-dont-say"),
        ("Über Größe", "über-größe"),
        ("日本語のタイトル", "日本語のタイトル"),
        ("नमस्ते दुनिया", "नमस्ते-दुनिया"),
        ("  -- 50% / 3:1 \\ *?  ", "50-3-1"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\nb\x00c", "a-b-c"),
        ("🎉", "clip"),
        ("", "clip"),
        ("CON", "clip-con"),
        ("lpt1", "clip-lpt1"),
    ],
)
def test_titles_become_names(title: str, expected: str) -> None:
    assert slug(title) == expected


@given(st.text(max_size=200))
def test_any_title_becomes_a_name_every_file_system_takes(title: str) -> None:
    name = slug(title)
    assert 0 < len(name.encode()) <= MAX_BYTES
    assert name not in RESERVED
    assert unicodedata.is_normalized("NFC", name)
    assert not set(name) & set('/\\:*?"<>| .\n\t\0')
    assert not name.startswith("-") and not name.endswith("-")


@given(st.text(max_size=60))
def test_a_name_is_its_own_name(title: str) -> None:
    assert slug(slug(title)) == slug(title)


@given(st.text(st.characters(categories=["Ll"]), min_size=1, max_size=60))
def test_composed_and_decomposed_titles_get_one_name(title: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, title) for form in ("NFC", "NFD"))
    assert slug(composed) == slug(decomposed)


def test_long_titles_end_on_a_whole_word() -> None:
    name = slug("why nobody ever tells you that ten minutes a day are quite enough to begin with")
    assert name == "why-nobody-ever-tells-you-that-ten-minutes-a-day-are-quite"
    assert len(slug("x" * 500)) == MAX_BYTES


@pytest.mark.parametrize(
    ("name", "plain"),
    [("01-a.mp4", True), ("", False), (".", False), ("..", False), ("a/b", False),
     ("a\\b", False), ("c:x", False), ("a\0", False), (None, False), (7, False)],
)  # fmt: skip
def test_a_plain_name_stays_in_its_folder(name: object, plain: bool) -> None:
    assert is_plain_name(name) is plain

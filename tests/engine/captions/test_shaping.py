from __future__ import annotations

import pytest

from reelremix.engine.captions.shaping import ShapedLine, is_rtl, shape_line, text_width
from reelremix.engine.captions.typefaces import chain_for, clusters, font_sha256, is_emoji
from reelremix.errors import ConfigError

CHAIN = chain_for("Montserrat ExtraBold")
ARABIC = "Noto Sans Arabic ExtraBold"


def visual_order(line: ShapedLine) -> tuple[int, ...]:
    """Indexes of the words from left to right."""
    return tuple(sorted(range(len(line.words)), key=lambda i: line.words[i].left))


def test_latin_words_stand_in_reading_order_with_a_space_between() -> None:
    line = shape_line(["one", "two"], CHAIN, rtl=False)
    assert visual_order(line) == (0, 1)
    assert line.words[1].left > line.words[0].right
    assert line.width == pytest.approx(line.words[1].right)


@pytest.mark.parametrize("text", ["مرحبا بكم في البرنامج", "שלום לכולם היום נדבר"])
def test_the_first_word_of_a_right_to_left_line_is_right_most(text: str) -> None:
    line = shape_line(text.split(), CHAIN, rtl=is_rtl(text.split()))
    assert visual_order(line) == (3, 2, 1, 0)
    assert line.words[0].right == pytest.approx(line.width)


def test_latin_words_inside_an_arabic_line_keep_their_own_order() -> None:
    line = shape_line(["عن", "New", "York", "الجميلة"], CHAIN, rtl=True)
    assert visual_order(line) == (3, 1, 2, 0)


def test_arabic_words_inside_a_latin_line_are_reversed_among_themselves() -> None:
    line = shape_line(["say", "مرحبا", "بكم", "now"], CHAIN, rtl=False)
    assert visual_order(line) == (0, 2, 1, 3)


def test_a_number_in_an_arabic_line_reads_from_left_to_right() -> None:
    number = shape_line(["في", "2024"], CHAIN, rtl=True).words[1].runs[0].run
    alone = shape_line(["2024"], CHAIN, rtl=False).words[0].runs[0].run
    assert [g.id for g in number.glyphs] == [g.id for g in alone.glyphs]


def test_arabic_letters_join_inside_a_word() -> None:
    word = "محل"  # letters without dots, which are glyphs of their own
    joined = shape_line([word], CHAIN, rtl=True).words[0].runs[0].run
    apart = {shape_line([c], CHAIN, rtl=True).words[0].runs[0].run.glyphs[0].id for c in word}
    assert joined.face.name == ARABIC
    assert not apart & {g.id for g in joined.glyphs}


def test_hebrew_brackets_are_mirrored() -> None:
    hebrew = shape_line(["(אב)"], CHAIN, rtl=True).words[0].runs
    latin = shape_line(["(ab)"], CHAIN, rtl=False).words[0].runs[0].run
    assert hebrew[0].run.glyphs[0].id == latin.glyphs[0].id  # the left one opens to the right


def test_a_devanagari_cluster_becomes_fewer_glyphs_than_characters() -> None:
    run = shape_line(["क्षत्रिय"], CHAIN, rtl=False).words[0].runs[0].run
    assert len(run.glyphs) < len("क्षत्रिय")


def test_letters_are_kerned() -> None:
    assert text_width("AV", CHAIN) < text_width("A", CHAIN) + text_width("V", CHAIN) - 0.02


def test_a_word_of_two_scripts_is_one_word_of_two_runs() -> None:
    word = shape_line(["iPhoneهاتف"], CHAIN, rtl=True).words[0]
    assert len(word.runs) == 2
    assert len(word.spans) == 1


def test_a_word_split_by_direction_has_a_span_for_each_part() -> None:
    line = shape_line(["את", "New", "York-ים"], CHAIN, rtl=True)
    assert len(line.words[2].spans) == 2


def test_thai_pieces_stand_without_spaces() -> None:
    spaced, unspaced = ["ab", "cd"], ["สวัสดี", "ทุกคน"]
    assert shape_line(spaced, CHAIN, rtl=False).width > sum(text_width(t, CHAIN) for t in spaced)
    thai = shape_line(unspaced, CHAIN, rtl=False).width
    assert thai == pytest.approx(sum(text_width(t, CHAIN) for t in unspaced))


@pytest.mark.parametrize(
    ("text", "rtl"),
    [
        ("hello there", False),
        ("שלום", True),
        ("... 12 مرحبا", True),
        ("iPhone هو هاتف جديد", True),
        ("I said שלום to him", False),
        ("123", False),
        ("", False),
    ],
)
def test_direction_follows_the_strong_letters(text: str, rtl: bool) -> None:
    assert is_rtl(text.split()) is rtl


@pytest.mark.parametrize(
    "text",
    [
        "Straße, naïve, Łódź",
        "Привет",
        "Καλημέρα",
        "Đặng",
        "مرحبا",
        "שלום",
        "नमस्ते",
        "ไทย",
        "🔥❤️👨‍👩‍👧🇺🇸👍🏽",
    ],
)
def test_the_bundled_fonts_cover_the_scripts_they_promise(text: str) -> None:
    assert all(CHAIN.face_for(cluster) for cluster in clusters(text))


def test_characters_no_font_has_are_not_drawn() -> None:
    nowhere = "\U00013000"  # a hieroglyph
    assert CHAIN.face_for(nowhere) is None
    assert all(
        g.id
        for r in shape_line([f"a{nowhere}"], CHAIN, rtl=False).words[0].runs
        for g in r.run.glyphs
    )


def test_unassigned_characters_and_isolates_do_no_harm() -> None:
    line = shape_line(["\u2067שלום\u2069", "\u0378\U0003ffff"], CHAIN, rtl=True)
    assert visual_order(line) == (1, 0)


def test_an_emoji_and_a_letter_with_its_accent_are_one_cluster_each() -> None:
    assert clusters("e\u0301👍🏽🇺🇸👨‍👩‍👧") == ["e\u0301", "👍🏽", "🇺🇸", "👨‍👩‍👧"]


def test_plain_digits_and_symbols_are_not_emoji() -> None:
    assert [is_emoji(c) for c in ("1", "©", "❤", "❤️", "✅")] == [False, False, False, True, True]


def test_an_unknown_font_is_explained() -> None:
    with pytest.raises(ConfigError, match="did you mean 'Montserrat ExtraBold'"):
        chain_for("Montserat ExtraBold")


def test_the_digest_of_a_bundled_font_is_known() -> None:
    assert len(font_sha256("Inter Bold") or "") == 64
    assert font_sha256("Some System Font") is None

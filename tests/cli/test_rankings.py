from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest

from reelremix.cli import output
from reelremix.cli.rankings import bars, left_out, show, why
from reelremix.engine.domain.candidate import Axis
from reelremix.engine.export.ranking import ranking_to_dict
from tests.engine.examples import MANIFEST

Shown = Callable[..., list[str]]
CANDIDATE: dict[str, Any] = {
    "rank": 10, "start_s": 5000.4, "end_s": 5040.2, "score": 63.4,
    "axes": dict.fromkeys(Axis, 50.0) | {Axis.HOOK: 100.0, Axis.DELIVERY: None},
    "kinds": [{"text": "tells a story"}],
    "reasons": [{"text": t} for t in ("opens with a number", "people laugh", "playful")],
    "text": "So ten minutes a day are enough, " * 9,
}  # fmt: skip
NUMBERS = ("10", "63", "1:23:20.4", "1:24:00.2")


def ranking(*candidates: dict[str, Any]) -> dict[str, Any]:
    return {**ranking_to_dict((), MANIFEST.rejected, None), "candidates": list(candidates)}


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The lines of a ranking, on a terminal this wide or, without a width, in a file."""

    def lines(found: dict[str, Any], columns: int | None = None) -> list[str]:
        if columns is not None:
            monkeypatch.setattr(output, "width_columns", lambda: columns)
        show(found)
        return capsys.readouterr().out.splitlines()

    return lines


@pytest.mark.parametrize("columns", [None, 60, 80, 99, 100, 120])
def test_no_number_is_cut_however_narrow_the_terminal(shown: Shown, columns: int | None) -> None:
    lines = shown(ranking(CANDIDATE), columns)
    first = next(line for line in lines if "1:23:20.4" in line)
    assert tuple(first.split()[:4]) == NUMBERS
    table = lines[: next(i for i, line in enumerate(lines) if line.startswith("score:"))]
    assert max(map(len, table)) <= (columns or output.PLAIN_COLUMNS)


@pytest.mark.parametrize(("columns", "has_axes"), [(80, False), (99, False), (100, True)])
def test_axes_are_shown_where_there_is_room(shown: Shown, columns: int, has_axes: bool) -> None:
    text = "\n".join(shown(ranking(CANDIDATE), columns))
    assert ("█▅▅▅▅·" in text) == ("axes: hook, payoff" in text) == has_axes


def test_a_terminal_without_the_letters_gets_no_bars(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "can_show", lambda text: False)
    assert "axes" not in "\n".join(shown(ranking(CANDIDATE), 120))


def test_what_a_terminal_can_show_is_asked_of_its_encoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    assert output.can_show("–") and not output.can_show("▁")


def test_below_the_table_stands_how_to_read_it(shown: Shown) -> None:
    lines = shown(ranking(CANDIDATE | {"score": None}))
    assert "score: chance in percent that an editor keeps it; – unknown" in lines
    assert lines[-1] == "left out: 1 moment (1 × starts mid-thought)"
    assert any(line.split()[:2] == ["10", "–"] for line in lines)


def test_a_ranking_of_nothing_explains_no_numbers(shown: Shown) -> None:
    assert not any(line.startswith(("score:", "axes:")) for line in shown(ranking()))


def test_why_tells_the_kinds_and_the_two_best_reasons() -> None:
    assert why(CANDIDATE) == "tells a story; opens with a number; people laugh"


def test_the_most_common_causes_are_told_and_the_others_counted() -> None:
    causes = ["overlaps"] * 5 + ["weak"] * 3 + ["advert"] * 2 + ["late", "early"]
    told = "5 × overlaps, 3 × weak, 2 × advert, 2 for other reasons"
    assert left_out(causes) == f"left out: the strongest 12 of the others ({told})"


def test_bars_grow_with_the_axes() -> None:
    assert bars([0.0, 50.0, 99.9, 100.0, None]) == "▁▅██·"

"""Tables of results: as platforms export them, and as they arrive in the wild."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.export.analytics import (
    AnalyticsRow,
    count_of,
    decimal_of,
    open_analytics,
    seconds_of,
    share_of,
)
from reelremix.errors import ConfigError

YOUTUBE = """\
Content,Video title,Video publish time,Duration,Views,Watch time (hours),Average view duration,\
Average percentage viewed (%),Impressions,Impressions click-through rate (%)
Total,,,,13450,90.1,0:00:24,,100000,4.1
R26qwMQVoos,Ten minutes a day,"Sep 26, 2026",41,"12,500",88.4,0:00:35,85.37,70000,5.2
1o9DxIZKzbc,"Miss, twice",2026-10-01,30,950,1.7,0:00:13,43.3,30000,1.9
"""
TIKTOK = """\
Video title,Video link,Post time,Total likes,Total comments,Total shares,Total views,\
Average watch time,Watched full video
Ten minutes a day #habits,https://www.tiktok.com/@me/video/74,2026-10-03,1.2K,22,15,18.4K,0:12,0.31
Never miss twice,https://www.tiktok.com/@me/video/75,2026-10-04,30,2,1,"5,000",9.5s,38%
"""


def rows_of(path: Path) -> list[AnalyticsRow]:
    with open_analytics(path) as table:
        return list(table)


def written(folder: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def refusal(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught, open_analytics(path) as table:
        list(table)
    return caught.value


def test_a_table_of_youtube_studio_is_understood(tmp_path: Path) -> None:
    with open_analytics(written(tmp_path, YOUTUBE)) as table:
        first, second = table
        assert (table.platform, table.totals, table.damaged) == ("youtube", 1, 0)
        assert "Impressions" in table.ignored and "Average percentage viewed (%)" in table.used
    assert first.title == "Ten minutes a day" and "R26qwMQVoos" in first.names
    assert (first.views, first.viewed, first.watched_s) == (12500, 0.8537, 35)
    assert (second.title, second.line, second.viewed) == ("Miss, twice", 4, 0.433)


def test_a_table_of_tiktok_is_understood(tmp_path: Path) -> None:
    with open_analytics(written(tmp_path, TIKTOK)) as table:
        first, second = table
        assert table.platform == "tiktok"
    assert (first.views, first.watched_s, first.watched_full) == (18400, 12, 0.31)
    assert (second.views, second.watched_s, second.watched_full) == (5000, 9.5, 0.38)
    assert any("tiktok.com" in name for name in first.names)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_unicode_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "Video title,Views\nÜber Zürich – größer 😳,3\n", encoding)
    assert [row.title for row in rows_of(path)] == ["Über Zürich – größer 😳"]


def test_a_table_of_old_windows_programs_is_read_and_named(tmp_path: Path) -> None:
    path = written(tmp_path, "Video title;Views\nÜber Zürich – größer;3\n", "cp1252")
    with open_analytics(path) as table:
        assert [row.title for row in table] == ["Über Zürich – größer"]
        assert table.encoding == "Windows-1252"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_separator_and_line_end_is_read(tmp_path: Path, separator: str, ending: str) -> None:
    lines = [["Video title", "Views", "Likes"], ['"a, b; c"', "7", "1"], ["d", "8", "2"]]
    path = written(tmp_path, ending.join(separator.join(line) for line in lines))
    assert [(row.title, row.views) for row in rows_of(path)] == [("a, b; c", 7), ("d", 8)]


def test_names_of_columns_count_in_any_letter_case_and_behind_a_preamble(tmp_path: Path) -> None:
    text = "sep=;\nMy channel\n\nVIDEO TITLE;average  percentage viewed (%)\na;12,5\n"
    row = rows_of(written(tmp_path, text))[0]
    assert (row.title, row.viewed, row.line) == ("a", 0.125, 5)


def test_hours_of_watching_stand_in_for_its_average(tmp_path: Path) -> None:
    row = rows_of(written(tmp_path, "Video title,Views,Watch time (hours)\na,100,0.5\n"))[0]
    assert row.watched_s == 18


def test_unknown_columns_are_listed_beside_the_known(tmp_path: Path) -> None:
    error = refusal(written(tmp_path, "Date,Foo\n1,2\n"))
    assert "it has: 'Date', 'Foo'" in error.message
    assert "Video title" in (error.hint or "") and "Average watch time" in (error.hint or "")


@pytest.mark.parametrize("header", ["Video title,Likes", "Views,Likes"])
def test_a_name_alone_or_a_result_alone_is_not_enough(tmp_path: Path, header: str) -> None:
    assert (
        "no columns that are understood" in refusal(written(tmp_path, header + "\na,1\n")).message
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"PK\x03\x04rest", "a zip archive or a workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x00\x01\x02" * 500, "full of NUL bytes"),
        (bytes(range(256)) * 8, "no columns that are understood"),
    ],
)
def test_what_is_no_table_is_refused_by_kind(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refusal(written(tmp_path, content)).message


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nowhere.csv cannot be read: no such file" in refusal(tmp_path / "nowhere.csv").message
    assert "cannot be read" in refusal(tmp_path).message


def test_ragged_rows_are_read_as_far_as_they_go_and_empty_ones_passed_over(tmp_path: Path) -> None:
    text = "Video title,Views,Likes\na,1\n\n,,\nb\nc,3,4,5,6\n,9,\n"
    with open_analytics(written(tmp_path, text)) as table:
        assert [(row.title, row.views) for row in table] == [("a", 1), ("c", 3)]
        assert table.damaged == 2, "b says nothing, and nothing has 9 views"


def test_a_quote_left_open_costs_its_own_row_alone(tmp_path: Path) -> None:
    rows = "".join(f"title {n},{n}\n" for n in range(50))
    for text in (f'Video title,Views\n"broken,1\n{rows}', f'Video title,Views\n{rows}"broken,1\n'):
        with open_analytics(written(tmp_path, text)) as table:
            assert len(list(table)) == 50
            assert table.damaged == 1


def test_a_title_of_two_lines_is_one_title(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, 'Video title,Views\n"one\ntwo",1\nthree,2\n'))
    assert [(row.title, row.line) for row in rows] == [("one\ntwo", 2), ("three", 4)]


def test_a_stray_nul_is_passed_over(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path, "Video title,Views\na\0b,1\n"))[-1].title == "ab"


def test_a_field_beyond_all_measure_costs_its_own_row_alone(tmp_path: Path) -> None:
    path = written(tmp_path, f"Video title,Views\n{'x' * 300_000},1\nb,2\n")
    assert rows_of(path)[-1].title == "b"


@pytest.mark.parametrize("total", ["Total", "TOTAL", "Gesamt", "合計"])
def test_sums_are_not_videos_but_a_video_may_be_called_total(tmp_path: Path, total: str) -> None:
    text = f"Content,Video title,Views\n{total},,9\nabc,Total,3\n"
    with open_analytics(written(tmp_path, text)) as table:
        assert [row.views for row in table] == [3]
        assert table.totals == 1


@pytest.mark.parametrize(
    ("text", "count"),
    [("1,234", 1234), ("1.234", 1234), ("1 234", 1234), ("1\u202f234\u00a0567", 1234567),
     ("1’234", 1234), ("12,345,678", 12345678), ("1.2K", 1200), ("3,4 M", 3.4e6), ("0", 0),
     ("950.0", 950), ("", None), ("–", None), ("n/a", None), ("-5", None), ("K", None)],
)  # fmt: skip
def test_counts_are_read_as_people_write_them(text: str, count: float | None) -> None:
    assert count_of(text) == pytest.approx(count)


@pytest.mark.parametrize(
    ("text", "value"),
    [("85.37", 85.37), ("85,37", 85.37), ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("7", 7),
     ("1,2,3", 123), (".5", None), ("5.", 5), ("x", None), ("", None)],
)  # fmt: skip
def test_fractions_have_a_point_or_a_comma(text: str, value: float | None) -> None:
    assert decimal_of(text) == value


@pytest.mark.parametrize(
    ("text", "in_percent", "share"),
    [("43.3", True, 0.433), ("0.5", True, 0.005), ("0.31", False, 0.31), ("38%", False, 0.38),
     ("38", False, 0.38), ("120,5 %", True, 1.205), ("", True, None)],
)  # fmt: skip
def test_shares_are_told_from_percentages(text: str, in_percent: bool, share: float | None) -> None:
    assert share_of(text, in_percent) == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0:00:41", 41), ("0:41", 41), ("1:02:03", 3723), ("41", 41), ("41,2", 41.2), ("9.5s", 9.5),
     ("12 Seconds", 12), ("0:12.5", 12.5), ("1:2:3:4", None), ("soon", None), ("", None)],
)  # fmt: skip
def test_lengths_are_read(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


@given(st.integers(0, 10**9), st.sampled_from(["{:,}", "{}", "{:_}"]))
def test_a_whole_number_survives_how_it_is_written(number: int, form: str) -> None:
    assert count_of(form.format(number).replace("_", " ")) == number


@given(st.binary(max_size=400))
def test_whatever_a_file_holds_it_is_a_table_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "table.csv"
    path.write_bytes(b"Video title,Views\n" + content)
    with contextlib.suppress(ConfigError), open_analytics(path) as table:
        assert all(row.names for row in table)


def test_many_rows_are_read_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("Video title,Views\n")
        file.writelines(f"title {n},{n}\n" for n in range(30_000))
    with open_analytics(path) as table:
        rows = iter(table)
        assert next(rows).title == "title 0"
        assert sum(1 for _ in rows) == 29_999

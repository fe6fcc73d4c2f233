"""CSV in blocks: right line numbers whatever stands between the quotes, one bad line costs one line."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenure.core.errors import DataError
from tenure.store.tables import delimited
from tenure.store.tables.chunks import Rejection
from tenure.store.tables.delimited import Delimited

Cells = list[tuple[int, list[str]]]


def read(path: Path, numbers: tuple[str, ...] = ()) -> tuple[Cells, list[Rejection], list[int]]:
    """Cells with their lines, rejections, and ordinals."""
    source = Delimited(path)
    names = list(source.sample())
    cells: Cells = []
    rejected: list[Rejection] = []
    rows: list[int] = []
    for chunk in source.chunks(names, numbers):
        columns = [chunk.columns[name].to_pylist() for name in names]
        cells += [(int(line), [column[i] for column in columns]) for i, line in enumerate(chunk.line)]
        rejected += chunk.rejected
        rows += chunk.row.tolist()
    return cells, rejected, rows


def written(folder: Path, text: str | bytes, *, packed: bool = False) -> Path:
    data = text.encode() if isinstance(text, str) else text
    path = folder / "log.csv"
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


@pytest.fixture(params=[4 << 20, 16, 1], ids=["one block", "many blocks", "a byte at a time"])
def _block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.store.tables.files.BLOCK", request.param)
    monkeypatch.setattr("tenure.store.tables.delimited.BLOCK", max(request.param, 64))


@pytest.mark.usefixtures("_block")
@pytest.mark.parametrize("packed", [False, True])
def test_lines_are_counted_through_quoted_line_ends_and_empty_lines(tmp_path: Path, packed: bool) -> None:
    text = 'a,b\n1,"x\ny"\n\n2,z\n3\n4,"q ""r"""\n'
    cells, rejected, rows = read(written(tmp_path, text, packed=packed))
    assert cells == [(2, ["1", "x\ny"]), (5, ["2", "z"]), (7, ["4", 'q "r"'])]
    assert rejected == [Rejection(6, "1 fields instead of 2", "3")]
    assert rows == [0, 1, 3]


@pytest.mark.usefixtures("_block")
def test_a_quote_nobody_closed_costs_its_line_and_no_other(tmp_path: Path) -> None:
    lines = [f'{i},"text {i}"' for i in range(50)]
    lines[20] = '20,"never closed'
    cells, rejected, _ = read(written(tmp_path, "a,b\n" + "\n".join(lines)))
    assert [rejection.line for rejection in rejected] == [22]
    assert rejected[0].text == '20,"never closed'
    assert [line for line, _ in cells] == [line for line in range(2, 52) if line != 22]


@pytest.mark.parametrize("end", ["", '1,x"\n'])
def test_a_quote_open_for_more_lines_than_any_record_has_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(delimited, "LINES", 5)
    lines = "".join(f"{i},x\n" for i in range(20))
    cells, rejected, _ = read(written(tmp_path, 'a,b\n1,"open\n' + lines + end))
    assert (len(cells), [r.line for r in rejected]) == (20 + bool(end), [2])
    assert rejected[0].reason == "a quote is never closed"


@pytest.mark.usefixtures("_block")
def test_a_quote_still_open_at_the_end_swallows_nothing(tmp_path: Path) -> None:
    cells, rejected, _ = read(written(tmp_path, 'a,b\n1,x\n2,"open\n3,y\n4,z\n'))
    assert cells == [(2, ["1", "x"]), (4, ["3", "y"]), (5, ["4", "z"])]
    assert rejected == [Rejection(3, "a quote is never closed", '2,"open')]


@pytest.mark.usefixtures("_block")
def test_bytes_that_are_no_utf8_cost_their_line(tmp_path: Path) -> None:
    cells, rejected, _ = read(written(tmp_path, b"a,b\n1,x\n2,\xff\n3,z\n"))
    assert cells == [(2, ["1", "x"]), (4, ["3", "z"])]
    assert rejected == [Rejection(3, "it is not UTF-8", "2,\\xff")]


def test_a_byte_order_mark_tabs_and_windows_line_ends_are_understood(tmp_path: Path) -> None:
    assert read(written(tmp_path, b"\xef\xbb\xbfa\tb\r\n1\t2\r\n\r\n3\t4"))[0] == [(2, ["1", "2"]), (4, ["3", "4"])]


def test_numbers_come_as_floats_and_a_block_with_another_word_as_texts(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a,b\n1,x\nNA,y\n"), ("a",))[0] == [(2, [1.0, "x"]), (3, [None, "y"])]
    assert read(written(tmp_path, "a,b\n1,x\nmany,y\n"), ("a",))[0] == [(2, ["1", "x"]), (3, ["many", "y"])]


@pytest.mark.parametrize(("text", "found"), [(b"", "empty"), (b"\n1,2\n", "empty"), (b"a,a\n", "more than once")])
def test_a_file_without_a_header_is_refused(tmp_path: Path, text: bytes, found: str) -> None:
    with pytest.raises(DataError, match=found):
        Delimited(written(tmp_path, text)).sample()


def test_a_header_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="header in UTF-8"):
        Delimited(written(tmp_path, b"a,\xff\n1,2\n")).sample()


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_quoted_name_may_hold_a_line_end(tmp_path: Path, mark: str, delimiter: str) -> None:
    text = mark + '"two\nlines",a,"b ""x"""\n1,2,3\n\n4,5\n6,7,8\n'.replace(",", delimiter)
    path = written(tmp_path, text)
    assert list(Delimited(path).sample()) == ["two\nlines", "a", 'b "x"']
    chunk = next(Delimited(path).chunks(["two\nlines", "a"], ()))
    assert (chunk.columns["two\nlines"].to_pylist(), list(chunk.line)) == (["1", "6"], [3, 6])
    assert [rejection.line for rejection in chunk.rejected] == [5]


@pytest.mark.parametrize("rows", ["1,2\n3,4\n", '1,"2"\n3,"4\n'])
def test_a_quote_inside_a_name_or_never_closed_takes_no_more_than_its_line(tmp_path: Path, rows: str) -> None:
    assert list(Delimited(written(tmp_path, 'pipe 5",b\n' + rows)).sample()) == ['pipe 5"', "b"]
    assert len(Delimited(written(tmp_path, '"a,b\n1\n2\n')).sample()["a,b"]) == 2


def test_a_gzipped_file_that_was_cut_is_an_error_and_no_short_log(tmp_path: Path) -> None:
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(("a,b\n" + "1,2\n" * 10_000).encode())[:-20])
    with pytest.raises(DataError, match="read to its end"):
        read(path)


def test_a_record_that_goes_on_in_the_next_block_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.store.tables.files.BLOCK", 32)
    monkeypatch.setattr(delimited, "BLOCK", 32)
    text = 'a,b\nbad\n1,x\n2,y\n3,z\n4,w\n5,"lo\nng\n cell"\n6,v\n' + f"7,{'w' * 200}\n"
    cells, rejected, _ = read(written(tmp_path, text))
    assert [line for line, _ in cells] == [3, 4, 5, 6, 7, 10, 11]
    assert cells[4][1] == ["5", "lo\nng\n cell"]
    assert rejected == [Rejection(2, "1 fields instead of 2", "bad")]


def test_a_carriage_return_alone_ends_no_line(tmp_path: Path) -> None:
    cells, rejected, _ = read(written(tmp_path, b'a,b\r\n1,"x\ry"\r\n2\r\n3,z\r\n4,\ry'))
    assert cells == [(2, ["1", "x\ry"]), (4, ["3", "z"])]
    assert [r.line for r in rejected] == [3, 5]


cell = st.text(st.sampled_from('ab,"\n é'), max_size=5)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.lists(cell, min_size=2, max_size=2), min_size=1, max_size=8), block=st.sampled_from([7, 4096]))
def test_what_pythons_writer_writes_is_read_back_on_the_lines_it_stands_on(
    monkeypatch: pytest.MonkeyPatch, table: list[list[str]], block: int
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["a", "b"])
    expected: Cells = []
    for row in table:
        expected.append((1 + text.getvalue().count("\n"), row))
        writer.writerow(row)
    monkeypatch.setattr("tenure.store.tables.files.BLOCK", block)
    with tempfile.TemporaryDirectory() as folder:
        cells, rejected, _ = read(written(Path(folder), text.getvalue()))
    assert (cells, rejected) == (expected, [])

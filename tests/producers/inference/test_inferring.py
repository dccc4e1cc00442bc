"""What is inferred of small samples, and what is said of bad ones."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from producers.inference.inferring import infer
from producers.inference.model import InferenceError, Inferred
from producers.inference.sample import read_sample
from producers.sources.files import SourceError


def inferred(folder: Path, content: str, name: str = "sample.csv") -> Inferred:
    file = folder / name
    file.write_text(content, encoding="utf-8")
    return infer(read_sample(str(file)))


def table(header: str, *rows: str) -> str:
    return "".join(f"{line}\n" for line in (header, *rows))


def kinds(made: Inferred) -> dict[str, str]:
    return {field.name: field.kind + ("?" if field.is_optional else "") for field in made.fields}


TIMES = [f"2026-03-{day:02d}T10:00:00Z" for day in range(1, 29)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("time,value\n", "has no row"),
        ("name,size\na,1\nb,2\n", "No column of the sample is a time"),
        ("time,a,a\n2026-01-01,1,2\n", "more than once"),
        ("time,a,A\n2026-01-01,1,2\n", "more than once"),
        ("2026-01-01,5,7\n2026-01-02,6,7\n", "holds values"),
        (",".join(f"c{n}" for n in range(3000)) + "\n" + ",".join(["1"] * 3000) + "\n", "3,000 columns"),
        ('[{"time": "2026-01-01"}]', "is one JSON document"),
        ("{\nnot json\n", "no JSON object in any"),
        ("PK\x03\x04zip", "unzip"),
        ("time\n2026-01-01\n", "times and nothing else"),
        ('192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 7 "-" "curl"\n', "access log"),
        ('time,"a\x1bb"\n2026-01-01,1\n', "not printable"),
    ],
)
def test_a_bad_sample_is_refused_with_what_is_wrong(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises((InferenceError, SourceError), match=said):
        inferred(tmp_path, content)


def test_a_line_of_gigabytes_is_read_over_in_bounded_memory(tmp_path: Path) -> None:
    file = tmp_path / "long.csv.gz"
    with gzip.open(file, "wb", compresslevel=1) as content:
        content.write(b"time,note\n2026-01-01T10:00:00Z,short\n2026-01-02T10:00:00Z,")
        for _ in range(64):
            content.write(b"x" * (1 << 20))
        content.write(b"\n2026-01-03T10:00:00Z,end\n")
    made = infer(read_sample(str(file)))
    assert made.rows == 2
    assert [number for number, _ in made.refused] == [2]
    assert any("Row 2 cannot be read: too large" in sentence for sentence in made.unsure)


def test_a_first_line_of_gigabytes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "long.csv.gz"
    with gzip.open(file, "wb", compresslevel=1) as content:
        for _ in range(64):
            content.write(b"x" * (1 << 20))
    with pytest.raises((InferenceError, SourceError), match="too large to name columns"):
        infer(read_sample(str(file)))


def test_only_the_first_rows_are_read_and_that_is_said(tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    file.write_text(table("time,n", *(f"2026-01-01T00:00:00Z,{n}" for n in range(200_000))), encoding="utf-8")
    made = infer(read_sample(str(file), most_rows=1_000))
    assert not made.is_whole
    assert made.rows < 200_000
    assert "first" in made.decided[0]


def test_a_column_of_numbers_and_other_texts_is_a_text_and_that_is_said(tmp_path: Path) -> None:
    rows = [f"{time},{'about 7' if n == 3 else n}" for n, time in enumerate(TIMES)]
    made = inferred(tmp_path, table("time,size", *rows))
    assert kinds(made) == {"size": "text"}
    assert any("size is mixed: 27 numbers and 1 other texts" in sentence for sentence in made.unsure)


def test_nested_lists_are_kept_as_text_and_that_is_said(tmp_path: Path) -> None:
    lines = [json.dumps({"time": time, "items": [{"id": n, "tags": ["a"]}]}) for n, time in enumerate(TIMES)]
    made = inferred(tmp_path, "".join(f"{line}\n" for line in lines), "sample.ndjson")
    assert kinds(made) == {"items": "json"}
    assert any("items has lists or objects" in sentence for sentence in made.unsure)


def test_lists_of_parquet_are_kept_as_text_too(tmp_path: Path) -> None:
    file = tmp_path / "sample.parquet"
    moments = pa.array([1_772_000_000_000_000 + n for n in range(3)], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"time": moments, "parts": pa.array([[1], [2, 3], []])}), file)
    made = infer(read_sample(str(file)))
    assert kinds(made) == {"parts": "json"}
    assert made.fields[0].sql == "CAST(to_json(parts) AS VARCHAR)"


def test_words_among_numbers_stand_for_nothing_and_among_words_for_themselves(tmp_path: Path) -> None:
    rows = [
        f"{time},{'nil' if n % 5 == 0 else n},{'none' if n % 2 else 'full'}" for n, time in enumerate(TIMES)
    ]
    made = inferred(tmp_path, table("time,level,cover", *rows))
    assert made.nulls == ("nil",)
    assert kinds(made)["level"] == "int?"
    assert made.profiles["cover"].missing == 0


def test_rows_that_differ_at_one_time_by_chance_have_no_key(tmp_path: Path) -> None:
    rows = [f"2026-01-{1 + n // 24:02d}T{n % 24:02d}:00:00Z,{n}" for n in range(600)]
    made = inferred(tmp_path, table("time,level", *rows, "2026-01-02T00:00:00Z,9999"))
    assert made.key == ()
    assert any("No columns were found that name an event" in sentence for sentence in made.unsure)


def test_numbers_with_zeros_in_front_and_numbers_that_doubles_cannot_hold_are_texts(tmp_path: Path) -> None:
    rows = [f"{time},{n:05d},{2**53 + n}" for n, time in enumerate(TIMES)]
    assert kinds(inferred(tmp_path, table("time,zip_code,token", *rows))) == {
        "zip_code": "text",
        "token": "text",
    }


def test_days_and_months_that_could_be_either_are_said_to_be_unsure(tmp_path: Path) -> None:
    rows = [f"{1 + n % 9:02d}/{1 + n % 12:02d}/2026,{n}" for n in range(30)]
    made = inferred(tmp_path, table("date,level", *rows))
    assert any("another order of day and month" in sentence for sentence in made.unsure)


def test_what_looks_personal_is_so_unless_it_is_said_to_be_plain(tmp_path: Path) -> None:
    rows = [f"{time},p{n}@example.org,c{n % 3}" for n, time in enumerate(TIMES)]
    file = tmp_path / "sample.csv"
    file.write_text(table("time,contact,desk", *rows), encoding="utf-8")
    sample = read_sample(str(file))
    assert [field.is_personal for field in infer(sample).fields] == [True, False]
    assert [field.is_personal for field in infer(sample, plain=["contact"], personal=["desk"]).fields] == [
        False,
        True,
    ]
    with pytest.raises(InferenceError, match="no column 'phone'"):
        infer(sample, plain=["phone"])


def test_bounds_have_slack_and_degrees_are_those_of_the_globe(tmp_path: Path) -> None:
    rows = [f"{time},{n},{n - 5},{n / 2}" for n, time in enumerate(TIMES)]
    made = inferred(tmp_path, table("time,count,change,latitude", *rows))
    bounds = {field.name: (field.low, field.high) for field in made.fields}
    assert bounds == {"count": (0, 500), "change": (-50, 500), "latitude": (-90, 90)}

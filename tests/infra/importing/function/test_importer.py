"""Imports by jobs: the same objects as `penstock import` writes, whatever ends a step, and every row accounted for."""

import gzip
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from infra.project.loading import load
from producers.sources.definition import parse_source
from queries.jobs import import_plan
from queries.jobs.errors import KeyReusedError, OverlapError, RequestError
from queries.jobs.import_plan import ImportFile
from queries.jobs.state import Import
from tests.flights import answers
from tests.infra.importing.function.job_world import Imports, called_at, killed_at
from tests.infra.importing.world import VIEWS, row
from tests.queries.jobs.world import KilledError
from tests.shop import TABLE
from transforms.failed.error_objects import FailedRecord, read_error_object

FLIGHTS = Path(__file__).parents[3] / "flights"
ROWS = int(os.environ.get("PENSTOCK_TEST_FLIGHTS", "1000"))
HEAD = "number,ts,url,status,client"


def csv(rows: list[str]) -> bytes:
    return "\n".join([HEAD, *rows, ""]).encode()


@pytest.fixture
def imports(tmp_path: Path) -> Imports:
    return Imports(tmp_path, {"views": parse_source(VIEWS, "sources/views.sql")}, {TABLE.name: TABLE})


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Chunks of 4 kB, so that a small import has several of each kind."""
    for name in ("chunks_of_files", "chunks_of_hours"):
        whole = getattr(import_plan, name)
        monkeypatch.setattr(f"queries.jobs.imports.{name}", lambda given, whole=whole: whole(given, 4_000))
    yield


def parts(count: int = 4) -> dict[str, bytes]:
    """Files of 100 rows each; the hours of neighbours meet."""
    return {
        f"views/part-{at}.csv": csv(
            [row(number, hour=number // 12) for number in range(at * 100 + 30, at * 100 + 130)]
        )
        for at in range(count)
    }


def test_ten_files_of_flights_by_a_job_are_the_objects_of_the_command(tmp_path: Path) -> None:
    project = load(FLIGHTS)
    part = -(-ROWS // 10)
    flown = pd.read_csv(answers.package_file("flights.csv.zip"), dtype=str, keep_default_na=False, nrows=ROWS)
    files = {
        f"flights/part-{at}.csv": flown.iloc[at * part : (at + 1) * part].to_csv(index=False).encode()
        for at in range(10)
    }
    prefix = next(table.prefix for table in project.tables.values() if table.stream.name == "flights")
    for each in ("job", "command"):
        (tmp_path / each).mkdir()
    by_job = Imports(tmp_path / "job", project.sources, project.tables)
    by_job.put(files)
    job = by_job.run("flights/", "flights")
    assert (job.state, job.counts["landed"]) == ("SUCCEEDED", ROWS)
    by_command = Imports(tmp_path / "command", project.sources, project.tables)
    by_command.command("flights", files)
    wanted = by_command.objects(prefix)
    found = by_job.objects(prefix)
    assert list(found) == list(wanted)
    assert len(wanted) > 20
    for key, rows in wanted.items():
        assert found[key].equals(rows), key
    again = by_job.run("flights/", "flights", "another key")
    assert (again.counts["landed"], again.counts["already_there"]) == (0, ROWS)


@pytest.mark.usefixtures("small_chunks")
def test_however_files_are_cut_into_chunks_the_objects_are_those_of_the_command(
    imports: Imports, tmp_path: Path
) -> None:
    files = parts() | {
        "views/broken.csv": csv(["1,no time,/a,200,198.51.100.7", row(7, hour=0), row(451, hour=40)])
    }
    imports.put(files)
    job = imports.run("views/", "views")
    assert job.state == "SUCCEEDED"
    assert job.reading is not None
    assert job.chunks is not None
    assert job.reading > 1
    assert job.chunks - job.reading > 2, "hours of several days, and the failed records"
    (tmp_path / "command").mkdir()
    command = Imports(tmp_path / "command", imports.places.sources, imports.places.tables)
    command.command("views", dict(sorted(files.items())))
    found = imports.objects(TABLE.prefix)
    assert {key: rows.to_pylist() for key, rows in found.items()} == {
        key: rows.to_pylist() for key, rows in command.objects(TABLE.prefix).items()
    }
    assert reasons(imports) == reasons(command)
    assert job.counts["failed"] == len(reasons(imports)) == 1
    assert sorted(set(imports.notified)) == sorted(
        key for key in imports.lake.bodies if key.startswith(TABLE.prefix)
    )


def reasons(imports: Imports) -> list[bytes]:
    """What the failed records say, without who sent them."""
    return [
        each.raw.split(b'"payload":')[1]
        for key, body in sorted(imports.lake.bodies.items())
        if key.startswith("failed/")
        for each in read_error_object(key, body)
        if isinstance(each, FailedRecord)
    ]


@pytest.mark.usefixtures("small_chunks")
def test_wherever_the_importer_is_killed_every_event_is_once_in_the_lake_and_the_account_balances(
    tmp_path: Path,
) -> None:
    sources, tables = {"views": parse_source(VIEWS, "sources/views.sql")}, {TABLE.name: TABLE}
    whole: dict[str, bytes] | None = None
    call, is_over = 0, False
    while not is_over:
        folder = tmp_path / str(call)
        folder.mkdir()
        made = Imports(folder, sources, tables)
        made.put(parts(2))
        started = made.start("views/", "views")
        if call:
            killed_at(made.lake, call, KilledError)
        is_over = bool(call)
        job = made.world.run(started.job_id)
        assert job.state == "SUCCEEDED"
        is_over = is_over and job.attempt == 1
        bodies = {key: body for key, body in made.lake.bodies.items() if key.startswith(TABLE.prefix)}
        whole = whole or bodies
        assert bodies == whole, call
        assert job.counts["landed"] == 200
        call += 1 if not call else 11
    sent: dict[tuple[str, int], list[int]] = {}
    for body in (whole or {}).values():
        for each in pq.read_table(io.BytesIO(body)).to_pylist():
            if each["seq"]:
                sent.setdefault((each["producer_id"], each["epoch"]), []).append(each["seq"])
    assert all(sorted(numbers) == list(range(1, len(numbers) + 1)) for numbers in sent.values())


def test_an_importer_beside_another_one_on_its_chunk_gives_no_number_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one takes over before the first one has given a number, and is killed at each call in turn."""
    monkeypatch.setattr("infra.importing.session.FAILED_AT_ONCE", 2)
    sources, tables = {"views": parse_source(VIEWS, "sources/views.sql")}, {TABLE.name: TABLE}
    rows = [f"{number},no time,/a,200,198.51.100.7" for number in range(4)]
    kills: list[int] = []
    is_over = False
    while not is_over:
        folder = tmp_path / str(len(kills))
        folder.mkdir()
        is_over = True
        made = Imports(folder, sources, tables)
        made.put({"views/a.csv": csv(rows)})

        def beside(name: str, given: Mapping[str, Any], made: Imports = made) -> None:
            if name == "work" and given["chunk"] == 1:
                made.world.before_step = lambda _name, _given: None
                called_at(made.lake, 7, lambda: another(made, given))

        def another(made: Imports, given: Mapping[str, Any]) -> None:
            nonlocal is_over
            killed_at(made.lake, len(kills) + 1, KilledError)
            try:
                made.importer.work(given["job_id"], given["chunk"])
            except KilledError:
                kills.append(len(kills) + 1)
                is_over = False
            made.lake.before = lambda: None

        made.world.before_step = beside
        assert made.world.run(made.start("views/", "views").job_id).state == "SUCCEEDED"
        assert sent(made) == ([1, 2, 3, 4], {4}), kills
    assert len(kills) > 10


def sent(imports: Imports) -> tuple[list[int], set[int]]:
    """The numbers of the events and failed records, and what the audits say that there are."""
    numbers, told = [], set()
    for key, body in imports.lake.bodies.items():
        if key.startswith("failed/"):
            records = [each for each in read_error_object(key, body) if isinstance(each, FailedRecord)]
            numbers += [json.loads(each.raw)["seq"] for each in records]
        elif key.startswith(TABLE.prefix):
            rows = pq.read_table(io.BytesIO(body)).to_pylist()
            numbers += [each["seq"] for each in rows if each["seq"]]
            told |= {each["producer_audited"]["last_seq"] for each in rows if each["producer_audited"]}
    return sorted(numbers), told


def test_a_file_that_cannot_be_read_fails_by_name_nothing_is_written_and_a_retry_reads_it_alone(
    imports: Imports,
) -> None:
    good = parts(2)
    imports.put(good | {"views/bad.csv.gz": b"\x1f\x8bno gzip"})
    job = imports.run("views/", "views")
    assert job.state == "FAILED"
    assert list(job.failed[0]) == ["inbox/views/bad.csv.gz"]
    assert "not a whole gzip file" in job.failed[0]["inbox/views/bad.csv.gz"]
    assert not imports.objects(TABLE.prefix)
    fetched: list[str] = []
    fetch = imports.lake.fetch

    def noted(file: ImportFile, path: Path) -> None:
        fetched.append(file.key)
        fetch(file, path)

    imports.lake.fetch = noted  # type: ignore[method-assign]
    imports.world.asking.retry(job.job_id)
    assert imports.world.run(job.job_id).state == "FAILED"
    assert fetched == ["inbox/views/bad.csv.gz"]


def test_a_gzip_file_that_is_too_long_for_a_function_is_refused_by_its_name_or_its_first_bytes(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queries.jobs.import_plan.MOST_PACKED_BYTES", 20)
    packed = gzip.compress(csv([row(1)]))
    imports.put({"views/a.csv.gz": packed})
    with pytest.raises(RequestError, match=r"a.csv.gz' has 0 MB, and a job reads gzip files of 0 MB at most"):
        imports.start("views/", "views")
    imports.put({"named/a.csv": packed})
    job = imports.run("named/", "views")
    assert job.state == "FAILED"
    assert "Divide it, or use: penstock import" in job.failed[0]["inbox/named/a.csv"]
    assert not imports.objects(TABLE.prefix)


def test_a_file_that_changes_while_its_job_waits_is_not_read(imports: Imports) -> None:
    imports.put(parts(1))
    job = imports.start("views/", "views")

    def changed(name: str, _given: object) -> None:
        if name == "work":
            imports.put({"views/part-0.csv": csv([row(9_000)])})

    imports.world.before_step = changed
    over = imports.world.run(job.job_id)
    assert (over.state, over.failed) == ("FAILED", {0: {"inbox/views/part-0.csv": "It was changed."}})


def test_a_key_that_is_not_unique_is_refused_with_its_rows(imports: Imports) -> None:
    imports.put({"views/a.csv": csv([row(1)]), "views/b.csv": csv([row(2), row(2, url="/other")])})
    job = imports.run("views/", "views")
    assert job.state == "FAILED"
    assert "/b.csv: rows 1 and 2" in job.failed[0]["inbox/views/b.csv"]


def test_a_row_that_says_something_else_than_the_lake_is_counted_and_named(imports: Imports) -> None:
    imports.put({"views/a.csv": csv([row(1), row(2)]), "new/a.csv": csv([row(1), row(2, url="/other")])})
    imports.run("views/", "views")
    job = imports.run("new/", "views", "another key")
    assert (job.counts["landed"], job.counts["corrections"]) == (0, 1)
    assert imports.corrections == [(1, ["inbox/new/a.csv:2"])]


def test_a_retry_after_what_was_read_has_expired_says_so(imports: Imports) -> None:
    imports.put(parts(1))
    started = imports.start("views/", "views")

    def expired(name: str, given: Mapping[str, Any]) -> None:
        if name == "work" and given["chunk"] == 1:
            imports.lake.bodies = {
                key: body for key, body in imports.lake.bodies.items() if "imports/" not in key
            }

    imports.world.before_step = expired
    job = imports.world.run(started.job_id)
    assert job.state == "FAILED"
    assert set(job.failed[1].values()) == {"What was read of the files has expired. Start another job."}


@pytest.mark.parametrize("key", ["views/..", "views/a\0b.csv", f"views/{'x' * 300}", "views/ü%2f.csv"])
def test_a_key_of_any_kind_is_not_a_path(imports: Imports, key: str) -> None:
    imports.put({key: csv([row(1)])})
    assert imports.run("views/", "views").counts["landed"] == 1


def test_what_cannot_be_imported_is_refused_when_it_is_asked_for(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RequestError, match=r"There are no files below 's3://lake/inbox/views/'. Copy"):
        imports.start("views/", "views")
    imports.put(parts(2) | {"views/folder": b""})
    with pytest.raises(RequestError, match=r"There is no source 'clicks'. There are: views"):
        imports.start("views/", "clicks")
    monkeypatch.setattr("queries.jobs.imports.MOST_FILES", 1)
    with pytest.raises(RequestError, match="more than 1 files below"):
        imports.start("views/", "views")
    monkeypatch.setattr("queries.jobs.imports.MOST_FILES", 2)
    monkeypatch.setattr("queries.jobs.import_plan.MOST_FILE_BYTES", 1_000)
    with pytest.raises(RequestError, match=r"part-0.csv' has 0 MB, and a job reads files of 0 MB at most"):
        imports.start("views/", "views")


def test_imports_of_the_same_files_by_one_source_are_not_both_taken(imports: Imports) -> None:
    imports.put(parts(1))
    first = imports.start("views/", "views")
    with pytest.raises(OverlapError, match=first.job_id):
        imports.start("views/part", "views", "another key")
    with pytest.raises(KeyReusedError):
        imports.start("views/part", "views")
    assert first.expected.files == 1
    assert Import(prefix="views/", source="views") == first.request

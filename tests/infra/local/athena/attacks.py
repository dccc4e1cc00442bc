"""Generated attempts to reach DuckDB's functions, files, settings or network, and what tells whether one got there."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

FORBIDDEN = frozenset({
    "version", "getenv", "current_setting", "read_text", "read_blob", "read_csv", "read_csv_auto", "read_json", "glob",
    "sniff_csv", "read_parquet", "parquet_scan", "parquet_metadata", "duckdb_settings", "duckdb_extensions",
    "duckdb_functions", "duckdb_secrets", "pragma_version", "pragma_database_size", "query", "query_table", "which_secret",
    "current_schemas", "set_config", "getvariable", "write_log", "pg_get_viewdef", "current_database",
})  # fmt: skip
_CALLS = (
    "version()", "getenv('HOME')", "current_setting('memory_limit')", "current_database()", "getvariable('x')",
    "(SELECT content FROM read_text('/etc/passwd'))", "(SELECT count(*) FROM read_csv('http://127.0.0.1:1/x'))",
    "(SELECT count(*) FROM glob('/*'))", "(SELECT count(*) FROM duckdb_settings())",
    "(SELECT max(x) FROM query('SELECT 1 AS x'))", "(SELECT count(*) FROM read_parquet('/tmp/*'))",
    "(SELECT count(*) FROM pragma_version())",
)  # fmt: skip
_BARE = (
    "SELECT * FROM '/etc/passwd'", 'SELECT * FROM "/etc/passwd"', "SELECT * FROM 'http://127.0.0.1:1/x.csv'",
    "SET enable_external_access = true", "RESET lock_configuration", "PRAGMA version", "ATTACH '/tmp/x.db' AS x",
    "COPY (SELECT 1) TO '/tmp/x'", "INSTALL httpfs", "LOAD httpfs", "CREATE SECRET (TYPE s3)", "EXPORT DATABASE '/tmp/x'",
    "CALL duckdb_settings()", "FROM duckdb_settings()", "SELECT * FROM duckdb_settings()", "SUMMARIZE '/etc/passwd'",
    "SELECT 1; SELECT version()", "SELECT COLUMNS('.*') FROM (SELECT 1)", "DESCRIBE '/etc/passwd'",
    "IMPORT DATABASE '/tmp/x'", "CREATE MACRO f() AS version()", "EXECUTE IMMEDIATE 'SELECT version()'",
)  # fmt: skip
_ONE = (
    "lower({a})", "length({a})", "upper({a})", "to_utf8({a})", "reverse({a})", "url_encode({a})", "md5(to_utf8({a}))",
    "json_format(json_parse({a}))", "CAST({a} AS integer)", "TRY_CAST({a} AS date)", "CAST({a} AS json)", "typeof({a})",
    "soundex({a})", "max({a})", "array_agg({a})", "min_by({a}, 1)", "count(DISTINCT {a})", "fail({a})",
    "array_agg({a} ORDER BY {a})", "count(*) FILTER (WHERE {a} = 'x')", "first_value({a}) OVER (ORDER BY 1)",
    "date_format(current_timestamp, {a})", "date_parse('1', {a})", "parse_datetime('1', {a})", "{a}", "INTERVAL {a} DAY",
    "regexp_like('x', {a})", "json_extract('{}', {a})", "date_trunc({a}, current_date)", "from_iso8601_timestamp({a})",
    "TIMESTAMP {a}", "TIME {a}", "current_timestamp AT TIME ZONE {a}", "from_unixtime(1, {a})", "X{a}", "DECIMAL {a}",
)  # fmt: skip
_TWO = (
    "ltrim({a}, {b})", "rtrim({a}, {b})", "trim({a}, {b})", "replace({a}, {b})", "starts_with({a}, {b})",
    "strpos({a}, {b})", "levenshtein_distance({a}, {b})", "concat_ws({a}, {b})", "split({a}, {b})", "{a} || {b}",
    "{a} LIKE {b} ESCAPE '#'", "{a} IN ({b})", "nullif({a}, {b})", "if({a} = {b}, {a}, {b})", "coalesce({a}, {b})",
    "greatest({a}, {b})", "element_at(MAP(ARRAY[{a}], ARRAY[{b}]), {a})", "contains(ARRAY[{a}], {b})",
    "array_position(ARRAY[{a}], {b})", "array_remove(ARRAY[{a}], {b})", "array_union(ARRAY[{a}], ARRAY[{b}])",
    "array_except(ARRAY[{a}], ARRAY[{b}])", "array_join(ARRAY[{a}], {b})", "max_by({a}, {b})", "map_agg({a}, {b})",
    "listagg({a}, {b}) WITHIN GROUP (ORDER BY {a})", "lag({a}, 1, {b}) OVER (ORDER BY {a})", "approx_distinct({a})",
    "zip_with(ARRAY[{a}], ARRAY[{b}], (x, y) -> x || 'p1 p2 p3 p4')", "zip_with(ARRAY[{a}], ARRAY[{b}], (x, y) -> {a})",
    "reduce(ARRAY[{a}], {b}, (s, x) -> s || x || 'p1 p2', s -> s || {a})", "transform(ARRAY[{a}], x -> x || {b})",
    "map_filter(MAP(ARRAY[{a}], ARRAY[{b}]), (k, v) -> k = 'p1' OR v = {a})", "filter(ARRAY[{a}], x -> x = {b})",
    "transform_values(MAP(ARRAY[{a}], ARRAY[{b}]), (k, v) -> 'p1 p2')", "repeat({a}, 2)", "substr({a}, length({b}))",
    "ROW({a}, {b})", "CASE {a} WHEN {b} THEN {a} END", "max({a}, 2)", "any_match(ARRAY[{a}], x -> x = {b})",
)  # fmt: skip
_NAMED = (
    "SELECT 1 AS {i}", "SELECT x.{i} FROM (SELECT 1 AS {i}) x", "WITH {i} AS (SELECT 1 AS a) SELECT * FROM {i}",
    "SELECT {i}.a FROM (SELECT 1) AS {i}(a)", "SELECT CAST(ROW(1, 2) AS row({i} integer, b integer))",
    "SELECT CAST(ROW(1, 2) AS row({i} integer, b integer)).{i}", "SELECT * FROM (SELECT 1 AS {i}) ORDER BY {i}",
    "SELECT map_from_entries(CAST(ARRAY[ROW(1, 2)] AS array(row({i} integer, b integer))))",
    "SELECT map_from_entries(CAST(ARRAY[ROW(1, 2)] AS array(row(a integer, {i} integer))))",
    "SELECT transform(ARRAY[1], {i} -> {i} + 1)", "SELECT {i}(1)", "SELECT * FROM {i}", "SELECT * FROM a.{i}",
    "SELECT u.f FROM UNNEST(CAST(ARRAY[ROW(1, 2)] AS array(row({i} integer, b integer)))) AS u(f, g)",
    "SELECT sum(a) OVER {i} FROM (SELECT 1 AS a) WINDOW {i} AS (ORDER BY a)", "SELECT 1 GROUP BY {i}",
    "SELECT CAST(NULL AS {i})", "SELECT a.{i} FROM (VALUES (1)) AS a({i})", "SELECT EXTRACT({i} FROM current_date)",
    "SELECT * FROM (SELECT 1 AS {i}) JOIN (SELECT 1 AS {i}) USING ({i})", "SELECT JSON_VALUE('1', 'lax $' RETURNING {i})",
    "SELECT CAST(ROW(1) AS row({i} integer)) = CAST(ROW(1) AS row({i} integer))",
    "SELECT 1 AS {i} UNION SELECT 2 ORDER BY {i}", "SELECT CAST(CAST(ROW(1) AS row({i} integer)) AS json)",
)  # fmt: skip


@dataclass(frozen=True)
class Attempt:
    """One query with its execution parameters."""

    sql: str
    parameters: tuple[str, ...] = ()


def attempts(seed: int, count: int) -> Iterator[Attempt]:
    """Different ones, always the same for a seed."""
    chance, seen = random.Random(seed), set[Attempt]()
    while len(seen) < count:
        attempt = chance.choice((_bare, _named, _literal, _literal, _pair, _pair, _pair, _pair))(chance)
        if attempt not in seen:
            seen.add(attempt)
            yield attempt


def hostile(chance: random.Random) -> str:
    """A text that ends a literal, an identifier, a bracket or a comment if it is pasted somewhere."""
    call = chance.choice(_CALLS)
    if chance.random() < 0.35:
        return f" || {call} || "
    return chance.choice((
        f"'), {call}, ('", f"', {call}) --", f"'] || [{call}] || ['", f'" || {call} || "',
        f'" := 1, x := {call}, "y', f"')» || {call} || «max('", f")» || {call} || «max(", f"»('|| {call}", f"' || {call} || '",
        f'a" integer), {call}, ("b', f"{{0}} || {call} || {{0}}", f"' ORDER BY {call}, '", f"\\' || {call} || \\'",
        f"''' || {call} || '''", f"/* ' */ || {call} || '", f"$$ || {call} || $$", f"'; SELECT {call}; --", f"\x00' || {call} || '",
        f"e') , p1 := {call}, ('", f'x", e.b) || {call} || ("', f'"."b"), (SELECT {call}), ("',
    ))  # fmt: skip


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _bare(chance: random.Random) -> Attempt:
    if chance.random() < 0.3:
        return Attempt(chance.choice(_BARE))
    call = chance.choice(_CALLS)
    return chance.choice((
        Attempt(f"SELECT {call}"), Attempt("SELECT ?", (call,)), Attempt("SELECT ?", (f"'a' || {call}",)),
        Attempt(f"SELECT {chance.choice(_ONE).replace('{a}', call)}"), Attempt("SELECT ?", (f"1 LIMIT {call}",)),
        Attempt(f"SELECT 1 WHERE {call} IS NOT NULL"), Attempt("SELECT lower(?)", (f"'a'); SELECT {call}",)),
        Attempt(f"SELECT * FROM (VALUES ({call}))"), Attempt("SELECT ?", (f"CAST({call} AS varchar)",)),
    ))  # fmt: skip


def _named(chance: random.Random) -> Attempt:
    name = '"' + hostile(chance).replace('"', '""') + '"'
    return Attempt(chance.choice(_NAMED).replace("{i}", name))


def _literal(chance: random.Random) -> Attempt:
    form, text = chance.choice(_ONE), _quoted(hostile(chance))
    if chance.random() < 0.4:
        return Attempt(f"SELECT {form.replace('{a}', '?')}", (text,) * form.count("{a}"))
    return Attempt(f"SELECT {form.replace('{a}', text)}")


def _pair(chance: random.Random) -> Attempt:
    form = chance.choice(_TWO if chance.random() < 0.5 else _TWO[:9])
    carrier = chance.choice(("{1}", "{1}", "{1}", "x{1}y", "{0}", "{*}", "p1", "p2", "«max(x)»", "'"))
    texts = [_quoted(carrier), _quoted(hostile(chance))]
    if chance.random() < 0.3:
        texts.reverse()
    sql = f"SELECT {form.replace('{a}', texts[0]).replace('{b}', texts[1])}"
    return (
        Attempt(sql)
        if chance.random() < 0.7
        else Attempt(
            "SELECT " + form.replace("{a}", "?").replace("{b}", texts[1]), (texts[0],) * form.count("{a}")
        )
    )


def reached(parser: duckdb.DuckDBPyConnection, sql: str, allowed: frozenset[str] = frozenset()) -> str:
    """What of DuckDB a compiled text reaches that no query may, or "". A text that is not a single SELECT counts too."""
    answer = json.loads(parser.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()[0][0])
    if answer["error"]:
        return f"no query: {answer.get('error_message')}"
    if len(answer["statements"]) != 1:
        return "several statements"
    return next((what for node in _nodes(answer) if (what := _forbidden(node, allowed))), "")


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(inner)


def _forbidden(node: dict[str, Any], allowed: frozenset[str]) -> str:
    name = str(node.get("function_name", "")).lower()
    if name in FORBIDDEN - allowed:
        return name
    table = str(node.get("table_name", "")) if node.get("type") == "BASE_TABLE" else ""
    return f"table {table}" if any(sign in table for sign in "/:.") else ""

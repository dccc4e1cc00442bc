-- prelude
WITH events (id, user_id, kind, country, ts, amount, price, tags, attrs, item) AS (
    VALUES
        (1, 'u1', 'view',  'AT', TIMESTAMP '2024-05-01 00:00:00.000', 10,   1.50, ARRAY['a','b'], MAP(ARRAY['k','m'], ARRAY['1','2']), CAST(ROW(1, 'x') AS row(n integer, s varchar))),
        (2, 'u1', 'view',  'AT', TIMESTAMP '2024-05-01 00:10:00.000', 20,   2.25, ARRAY['b'],     MAP(ARRAY['k'], ARRAY['3']),        CAST(ROW(2, 'y') AS row(n integer, s varchar))),
        (3, 'u1', 'order', 'AT', TIMESTAMP '2024-05-01 01:00:00.000', 30,   3.00, ARRAY['c','a'], MAP(ARRAY['m'], ARRAY['4']),        CAST(ROW(3, 'x') AS row(n integer, s varchar))),
        (4, 'u2', 'view',  'DE', TIMESTAMP '2024-05-01 01:30:00.000', NULL, 4.75, ARRAY[],        MAP(ARRAY['z'], ARRAY['5']),        CAST(ROW(4, NULL) AS row(n integer, s varchar))),
        (5, 'u2', 'order', 'DE', TIMESTAMP '2024-05-02 03:00:00.000', 50,   5.00, ARRAY['d'],     MAP(ARRAY['k'], ARRAY['6']),        CAST(NULL AS row(n integer, s varchar))),
        (6, 'u3', 'view',  NULL, TIMESTAMP '2024-05-02 04:00:00.000', 60,   6.10, ARRAY['a','a'], MAP(ARRAY['k'], ARRAY['7']),        CAST(ROW(6, 'z') AS row(n integer, s varchar))),
        (7, 'u3', 'click', 'US', TIMESTAMP '2024-05-02 04:05:00.000', 70,   7.20, NULL,           MAP(ARRAY['q'], ARRAY['8']),        CAST(ROW(7, 'x') AS row(n integer, s varchar))),
        (8, NULL, 'view',  'US', TIMESTAMP '2024-05-03 00:00:00.000', 80,   8.30, ARRAY['e'],     MAP(ARRAY['k'], ARRAY['9']),        CAST(ROW(8, 'w') AS row(n integer, s varchar)))
),
users (user_id, name, born) AS (
    VALUES ('u1', 'Ann', DATE '1990-02-28'), ('u2', 'Bob', DATE '1985-12-31'), ('u4', 'Eve', NULL)
)
-- queries
SELECT count(*) FROM events
SELECT count(amount), count(DISTINCT country), count(country) FROM events
SELECT sum(amount), avg(amount), min(amount), max(amount) FROM events
SELECT sum(price), avg(price), min(price), max(price) FROM events
SELECT sum(CAST(price AS double)), avg(CAST(price AS real)) FROM events
SELECT kind, count(*) AS n FROM events GROUP BY kind ORDER BY n DESC, kind
SELECT kind, country, sum(amount) FROM events GROUP BY 1, 2 ORDER BY 1, 2
SELECT country, count(*) FROM events GROUP BY country ORDER BY country
SELECT country, count(*) FROM events GROUP BY country ORDER BY country DESC
SELECT country, count(*) FROM events GROUP BY country ORDER BY country NULLS FIRST
SELECT kind, avg(price) FROM events GROUP BY kind HAVING count(*) > 1 ORDER BY kind
SELECT date_trunc('hour', ts) AS h, count(*) FROM events GROUP BY date_trunc('hour', ts) ORDER BY h
SELECT date(ts) AS d, sum(amount) FROM events GROUP BY date(ts) ORDER BY 1
SELECT date_format(ts, '%Y-%m-%d-%H') AS h, count(*) FROM events GROUP BY 1 ORDER BY 1
SELECT kind, country, count(*), grouping(kind, country) FROM events GROUP BY ROLLUP (kind, country) ORDER BY 4, 1, 2
SELECT kind, country, count(*), grouping(kind, country) FROM events GROUP BY CUBE (kind, country) ORDER BY 4, 1, 2
SELECT kind, country, sum(amount) FROM events GROUP BY GROUPING SETS ((kind), (country), ()) ORDER BY 1, 2, 3
SELECT count_if(amount > 20), count_if(amount IS NULL) FROM events
SELECT count(*) FILTER (WHERE kind = 'view'), sum(amount) FILTER (WHERE country = 'AT') FROM events
SELECT bool_and(amount > 0), bool_or(amount > 70), every(price > 1) FROM events
SELECT array_agg(id ORDER BY id DESC) FROM events
SELECT kind, array_agg(country ORDER BY id) FROM events GROUP BY kind ORDER BY kind
SELECT array_agg(amount ORDER BY id) FILTER (WHERE amount > 20) FROM events
SELECT array_agg(DISTINCT kind ORDER BY kind) FROM events
SELECT listagg(kind, ',') WITHIN GROUP (ORDER BY id) FROM events
SELECT country, listagg(kind, '|') WITHIN GROUP (ORDER BY id DESC) FROM events GROUP BY country ORDER BY country
SELECT listagg(DISTINCT kind, ',') WITHIN GROUP (ORDER BY kind) FROM events
SELECT map_agg(id, kind) FROM events WHERE id < 4
SELECT multimap_agg(kind, id) FROM events WHERE id < 4
SELECT histogram(kind) FROM events
SELECT map_union(attrs) FROM events WHERE id IN (4, 7)
SELECT min_by(kind, ts), max_by(kind, ts) FROM events
SELECT max_by(kind, price, 2), min_by(id, price, 3) FROM events
SELECT max(price, 3), min(amount, 2) FROM events
SELECT max_by(amount, price) FROM events WHERE id < 5
SELECT approx_distinct(user_id) FROM events
SELECT approx_percentile(amount, 0.5), approx_percentile(amount, 0.9) FROM events
SELECT approx_percentile(CAST(price AS double), 0.5e0) FROM events
SELECT approx_percentile(amount, ARRAY[0.25, 0.5, 0.75]) FROM events
SELECT stddev(amount), stddev_pop(amount), variance(amount), var_pop(amount) FROM events
SELECT corr(price, id), covar_pop(amount, id), covar_samp(amount, id) FROM events
SELECT regr_slope(amount, CAST(price AS double)), regr_intercept(price, id) FROM events
SELECT skewness(amount), kurtosis(amount) FROM events
SELECT geometric_mean(amount) FROM events
SELECT bitwise_and_agg(id), bitwise_or_agg(id) FROM events
SELECT arbitrary(country) FROM events WHERE country = 'AT'
SELECT any_value(kind) FROM events WHERE kind = 'click'
SELECT sum(amount), avg(amount), count(*), array_agg(id), min(kind) FROM events WHERE false
SELECT kind, sum(amount) FROM events WHERE false GROUP BY kind
SELECT sum(x) FROM (VALUES BIGINT '9223372036854775806', BIGINT '1') t(x)
SELECT sum(x), avg(x) FROM (VALUES 1.10, 2.25, NULL) t(x)
SELECT avg(x) FROM (VALUES 1, 2) t(x)
SELECT id, row_number() OVER (ORDER BY ts) FROM events ORDER BY id
SELECT id, row_number() OVER (PARTITION BY kind ORDER BY ts DESC) FROM events ORDER BY id
SELECT id, rank() OVER (ORDER BY country), dense_rank() OVER (ORDER BY country) FROM events ORDER BY id
SELECT id, percent_rank() OVER (ORDER BY amount), cume_dist() OVER (ORDER BY amount) FROM events ORDER BY id
SELECT id, ntile(3) OVER (ORDER BY id) FROM events ORDER BY id
SELECT id, lag(amount) OVER (ORDER BY id), lead(amount) OVER (ORDER BY id) FROM events ORDER BY id
SELECT id, lag(amount, 2, -1) OVER (ORDER BY id), lead(kind, 3, 'none') OVER (ORDER BY id) FROM events ORDER BY id
SELECT id, lag(country) IGNORE NULLS OVER (ORDER BY id) FROM events ORDER BY id
SELECT id, last_value(country) IGNORE NULLS OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM events ORDER BY id
SELECT id, first_value(kind) OVER (PARTITION BY user_id ORDER BY ts), nth_value(kind, 2) OVER (PARTITION BY user_id ORDER BY ts) FROM events ORDER BY id
SELECT id, last_value(id) OVER (PARTITION BY kind ORDER BY ts) FROM events ORDER BY id
SELECT id, sum(amount) OVER (ORDER BY id) FROM events ORDER BY id
SELECT id, sum(amount) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM events ORDER BY id
SELECT id, avg(price) OVER (PARTITION BY kind) FROM events ORDER BY id
SELECT id, count(*) OVER (PARTITION BY country) FROM events ORDER BY id
SELECT id, sum(amount) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) FROM events ORDER BY id
SELECT id, count(*) OVER (ORDER BY id RANGE BETWEEN 2 PRECEDING AND CURRENT ROW) FROM events ORDER BY id
SELECT id, sum(amount) OVER (ORDER BY country GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM events ORDER BY id
SELECT id, sum(amount) OVER w, max(price) OVER w FROM events WINDOW w AS (PARTITION BY kind ORDER BY id) ORDER BY id
SELECT kind, sum(count(*)) OVER (ORDER BY kind) FROM events GROUP BY kind ORDER BY kind
SELECT kind, CAST(count(*) AS double) / sum(count(*)) OVER () AS share FROM events GROUP BY kind ORDER BY kind
SELECT id, max_by(kind, amount) OVER (ORDER BY id) FROM events ORDER BY id
SELECT id, array_agg(id) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM events ORDER BY id
SELECT id, count(*) FILTER (WHERE kind = 'view') OVER (ORDER BY id) FROM events ORDER BY id
SELECT * FROM (SELECT id, kind, row_number() OVER (PARTITION BY kind ORDER BY id) AS r FROM events) WHERE r = 1 ORDER BY id
SELECT e.id, u.name FROM events e JOIN users u ON e.user_id = u.user_id ORDER BY e.id
SELECT e.id, u.name FROM events e LEFT JOIN users u ON e.user_id = u.user_id ORDER BY e.id
SELECT e.id, u.name FROM events e RIGHT JOIN users u ON e.user_id = u.user_id ORDER BY u.name, e.id
SELECT e.id, u.name FROM events e FULL JOIN users u ON e.user_id = u.user_id ORDER BY e.id, u.name
SELECT id, name FROM events JOIN users USING (user_id) ORDER BY id
SELECT user_id, count(*) FROM events FULL JOIN users USING (user_id) GROUP BY user_id ORDER BY user_id
SELECT * FROM users CROSS JOIN (VALUES 1, 2) t(n) ORDER BY user_id, n
SELECT a.id, b.id FROM events a JOIN events b ON a.user_id = b.user_id AND a.id < b.id ORDER BY 1, 2
SELECT a.id, count(b.id) FROM events a LEFT JOIN events b ON b.ts > a.ts AND b.ts <= a.ts + INTERVAL '1' HOUR GROUP BY a.id ORDER BY a.id
SELECT name FROM users WHERE user_id IN (SELECT user_id FROM events WHERE kind = 'order') ORDER BY name
SELECT name FROM users WHERE user_id NOT IN (SELECT user_id FROM events WHERE user_id IS NOT NULL)
SELECT name FROM users WHERE user_id NOT IN (SELECT user_id FROM events)
SELECT name FROM users u WHERE EXISTS (SELECT 1 FROM events e WHERE e.user_id = u.user_id AND e.amount > 40)
SELECT name FROM users u WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.user_id = u.user_id)
SELECT id FROM events WHERE amount > (SELECT avg(amount) FROM events) ORDER BY id
SELECT id, (SELECT name FROM users u WHERE u.user_id = e.user_id) FROM events e ORDER BY id
SELECT id, (SELECT count(*) FROM events b WHERE b.user_id = a.user_id AND b.id < a.id) FROM events a ORDER BY id
SELECT id FROM events WHERE amount >= ALL (SELECT amount FROM events WHERE amount IS NOT NULL)
SELECT id FROM events WHERE country = ANY (SELECT 'AT') ORDER BY id
SELECT id FROM events WHERE id > SOME (VALUES 5, 7) ORDER BY id
SELECT id, t FROM events CROSS JOIN UNNEST(tags) AS x(t) ORDER BY id, t
SELECT id, t, n FROM events CROSS JOIN UNNEST(tags) WITH ORDINALITY AS x(t, n) ORDER BY id, n
SELECT id, t FROM events LEFT JOIN UNNEST(tags) AS x(t) ON TRUE ORDER BY id, t
SELECT id, k, v FROM events CROSS JOIN UNNEST(attrs) AS x(k, v) ORDER BY id, k
SELECT k, count(*) FROM events CROSS JOIN UNNEST(attrs) AS x(k, v) GROUP BY k ORDER BY 2 DESC, 1
SELECT t, sum(amount) FROM events, UNNEST(tags) AS x(t) GROUP BY t ORDER BY t
SELECT a, b FROM UNNEST(ARRAY[1, 2], ARRAY['x', 'y', 'z']) AS t(a, b) ORDER BY b
SELECT n, s FROM UNNEST(ARRAY[ROW(1, 'a'), ROW(2, 'b')]) AS t(n, s) ORDER BY n
SELECT d FROM UNNEST(sequence(DATE '2024-05-01', DATE '2024-05-04')) AS t(d) LEFT JOIN events ON date(ts) = d WHERE id IS NULL ORDER BY d
SELECT d, count(id) FROM UNNEST(sequence(DATE '2024-05-01', DATE '2024-05-04')) AS t(d) LEFT JOIN events ON date(ts) = d GROUP BY d ORDER BY d
SELECT id, item.n, item.s FROM events ORDER BY id
SELECT item.s, sum(item.n) FROM events GROUP BY item.s ORDER BY 1
SELECT e.item.n + 1 FROM events e WHERE e.item.s = 'x' ORDER BY 1
SELECT id, item IS NULL FROM events ORDER BY id
SELECT id, tags[1] FROM events WHERE cardinality(tags) > 0 ORDER BY id
SELECT id, element_at(tags, 2), element_at(attrs, 'k') FROM events ORDER BY id
SELECT id, attrs['k'] FROM events WHERE contains(map_keys(attrs), 'k') ORDER BY id
SELECT id, transform(tags, t -> upper(t) || country) FROM events ORDER BY id
SELECT id, filter(tags, t -> t <> kind AND t > 'a') FROM events ORDER BY id
SELECT id, reduce(tags, 0, (s, t) -> s + amount, s -> s) FROM events ORDER BY id
SELECT id, array_join(tags, '-') FROM events ORDER BY id
SELECT id, cardinality(tags) FROM events ORDER BY id
SELECT DISTINCT kind FROM events ORDER BY kind
SELECT DISTINCT kind, country FROM events ORDER BY 1, 2
SELECT kind FROM events UNION SELECT name FROM users ORDER BY 1
SELECT kind FROM events UNION ALL SELECT name FROM users ORDER BY 1
SELECT country FROM events INTERSECT SELECT 'AT' ORDER BY 1
SELECT user_id FROM events EXCEPT SELECT user_id FROM users ORDER BY 1
SELECT id FROM events INTERSECT ALL SELECT id FROM events WHERE id > 6 ORDER BY 1
SELECT 1 AS x UNION SELECT 2.5 ORDER BY x
SELECT id FROM events WHERE id < 3 UNION ALL (SELECT id FROM events ORDER BY id DESC LIMIT 2) ORDER BY 1
SELECT id FROM events ORDER BY amount DESC LIMIT 3
SELECT id FROM events ORDER BY amount DESC NULLS LAST, id OFFSET 2 LIMIT 3
SELECT id FROM events ORDER BY id FETCH FIRST 2 ROWS ONLY
SELECT country FROM events ORDER BY country FETCH FIRST 1 ROW WITH TIES
SELECT id AS a, amount * 2 AS b FROM events ORDER BY b DESC, a
SELECT id, -amount AS amount FROM events ORDER BY amount, id
SELECT id FROM events ORDER BY length(kind), id DESC
SELECT kind AS k, count(*) FROM events GROUP BY kind ORDER BY count(*) DESC, k
SELECT x, y FROM (VALUES (1, 'a'), (2, 'b')) t(x, y) ORDER BY x
SELECT * FROM (VALUES 3, 1, 2) ORDER BY 1
SELECT a.* FROM events a WHERE id = 1
SELECT e.id, u.* FROM events e JOIN users u ON u.user_id = e.user_id WHERE e.id = 3
SELECT CASE WHEN amount < 30 THEN 'low' WHEN amount < 60 THEN 'mid' ELSE 'high' END AS band, count(*) FROM events GROUP BY 1 ORDER BY 1
SELECT sum(CASE kind WHEN 'view' THEN 1 ELSE 0 END) * 100 / count(*) FROM events
SELECT kind, round(avg(price), 1), round(CAST(avg(amount) AS double), 2) FROM events GROUP BY kind ORDER BY kind
SELECT id, amount / 7, amount % 7, price / 7, CAST(price AS double) / 7 FROM events ORDER BY id
SELECT id, coalesce(country, 'unknown'), coalesce(amount, 0) FROM events ORDER BY id
SELECT id, date_diff('minute', lag(ts) OVER (ORDER BY ts), ts) FROM events ORDER BY id
SELECT user_id, count(*) FROM (SELECT user_id, ts, CASE WHEN date_diff('minute', lag(ts) OVER (PARTITION BY user_id ORDER BY ts), ts) <= 30 THEN 0 ELSE 1 END AS fresh FROM events) WHERE fresh = 1 GROUP BY user_id ORDER BY user_id
SELECT user_id, session, count(*) FROM (SELECT user_id, sum(fresh) OVER (PARTITION BY user_id ORDER BY ts ROWS UNBOUNDED PRECEDING) AS session FROM (SELECT user_id, ts, CASE WHEN ts > lag(ts) OVER (PARTITION BY user_id ORDER BY ts) + INTERVAL '30' MINUTE THEN 1 ELSE 0 END AS fresh FROM events)) GROUP BY user_id, session ORDER BY 1, 2
SELECT id FROM events WHERE ts BETWEEN TIMESTAMP '2024-05-01 00:10:00' AND TIMESTAMP '2024-05-01 01:00:00' ORDER BY id
SELECT id FROM events WHERE date(ts) = DATE '2024-05-02' ORDER BY id
SELECT id FROM events WHERE kind LIKE '%i%' AND NOT (country = 'AT') ORDER BY id
SELECT id FROM events WHERE country IS DISTINCT FROM 'AT' ORDER BY id
SELECT hour(ts), count(*) FROM events GROUP BY hour(ts) ORDER BY 1
SELECT day_of_week(ts), year_of_week(ts), week(ts), count(*) FROM events GROUP BY 1, 2, 3 ORDER BY 1
SELECT name, date_diff('year', born, DATE '2024-02-28'), date_add('year', 1, born) FROM users ORDER BY name
SELECT ts AT TIME ZONE 'America/New_York' FROM events WHERE id < 3 ORDER BY id
SELECT CAST(ts AT TIME ZONE 'America/New_York' AS date) AS d, count(*) FROM events GROUP BY 1 ORDER BY 1
SELECT to_unixtime(ts), to_iso8601(ts) FROM events WHERE id < 3 ORDER BY id
SELECT from_unixtime(1714521600 + id * 60) FROM events WHERE id < 3 ORDER BY id
SELECT id, json_extract_scalar(j, '$.a'), json_extract(j, '$.b') FROM (VALUES (1, '{"a":1,"b":[1]}'), (2, 'bad'), (3, '{"a":{"x":1}}'), (4, NULL)) t(id, j) ORDER BY id
SELECT CAST(json_parse(j) AS map(varchar, integer))['a'] FROM (VALUES '{"a":1}') t(j)
SELECT k, CAST(v AS integer) FROM UNNEST(CAST(json_parse('{"a":1,"b":2}') AS map(varchar, integer))) AS t(k, v) ORDER BY k
SELECT regexp_extract(kind, '^(.)', 1), count(*) FROM events GROUP BY 1 ORDER BY 1
SELECT url_extract_path(u), count(*) FROM (VALUES 'https://e.com/a?x=1', 'https://e.com/a', 'bad url', NULL) t(u) GROUP BY 1 ORDER BY 1
SELECT split_part(s, ',', 2), try_cast(split_part(s, ',', 1) AS integer) FROM (VALUES 'a,b', '1,2', '3') t(s) ORDER BY s
SELECT x, try(10 / x) FROM (VALUES 0, 3) t(x) ORDER BY x
SELECT n, sum(n) OVER (ORDER BY n) FROM UNNEST(sequence(1, 5)) AS t(n) ORDER BY n
SELECT count(*), sum(n) FROM UNNEST(sequence(1, 1000)) AS t(n) WHERE n % 7 = 0
SELECT min(id), max(id), count(*) FROM (SELECT id, id - row_number() OVER (ORDER BY id) AS island FROM events WHERE id NOT IN (4, 7)) GROUP BY island ORDER BY 1
SELECT kind, max(cnt) FROM (SELECT kind, country, count(*) AS cnt FROM events GROUP BY kind, country) GROUP BY kind ORDER BY kind
SELECT d.kind, d.c FROM (SELECT kind, count(*) FROM events GROUP BY kind) AS d(kind, c) ORDER BY 1
SELECT u.name, e.last FROM users u CROSS JOIN LATERAL (SELECT max(ts) AS last FROM events e WHERE e.user_id = u.user_id) e ORDER BY u.name
SELECT id, greatest(amount, 25), least(price, 5) FROM events ORDER BY id
SELECT concat(kind, '-', country), kind || ':' || CAST(id AS varchar) FROM events ORDER BY id
SELECT approx_percentile(CASE WHEN kind = 'view' THEN CAST(price AS double) END, 0.95e0) FROM events
SELECT count(*) FROM events a, events b WHERE a.id < b.id
SELECT "id" AS "Mixed Name" FROM events WHERE "id" = 1
SELECT zip_with(tags, tags, (a, b) -> a || b) FROM events WHERE id IN (1, 4, 7) ORDER BY id
SELECT ROW(kind, id) FROM events WHERE id < 3 ORDER BY id
SELECT MAP(ARRAY[kind], ARRAY[id]) FROM events WHERE id < 3 ORDER BY id
SELECT cardinality(array_distinct(flatten(array_agg(tags)))) FROM events
SELECT sum(DISTINCT amount), count(DISTINCT kind || coalesce(country, '')) FROM events
SELECT avg(DISTINCT x) FROM (VALUES 1, 1, 4) t(x)
SELECT country FROM events GROUP BY country HAVING sum(amount) > (SELECT 50) ORDER BY country
SELECT id, amount > lag(amount) OVER (ORDER BY id) FROM events ORDER BY id
SELECT id FROM events WHERE amount = 10.0
SELECT id FROM events WHERE alias_unknown = 1
SELECT kind, amount FROM events GROUP BY kind
SELECT id AS a FROM events WHERE a = 1
SELECT id FROM events WHERE amount = 'x'
SELECT kind + 1 FROM events
SELECT nosuchfunction(id) FROM events
SELECT id FROM nosuchtable
SELECT CAST(kind AS integer) FROM events
SELECT coalesce(id, 'x') FROM events
SELECT a.id FROM events a JOIN events b ON a.id = b.id WHERE id = 1
SELECT approx_set(id) FROM events
SELECT checksum(kind) FROM events
SELECT approx_percentile(amount, 2, 0.5) FROM events
SELECT reduce_agg(id, 0, (a, b) -> a + b, (a, b) -> a + b) FROM events
SELECT id AS Mixed, KIND FROM events WHERE ID = 1
SELECT avg(amount), avg(price) FROM events WHERE id < 3
SELECT abs(amount), round(amount), mod(amount, 7), floor(price), ceil(price) FROM events WHERE id = 3

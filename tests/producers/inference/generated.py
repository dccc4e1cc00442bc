"""Sample files in shapes that packages have none of: the same rows each time."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
ROWS = 400


def _lines(path: Path, rows: Iterable[str]) -> Path:
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def orders(folder: Path) -> Path:
    """NDJSON: a member that most lines lack, an address of mail, a flag."""
    chance, rows = Random(1), []
    for number in range(ROWS):
        row = {
            "order_id": f"o-{1000 + number}",
            "placed_at": f"{START + timedelta(minutes=7 * (number // 2)):%Y-%m-%dT%H:%M:%SZ}",
            "customer_email": f"person{chance.randrange(90)}@example.org",
            "country": chance.choice(("DE", "FR", "JP")),
            "total_cents": chance.randrange(100, 90_000),
            "paid": chance.random() < 0.9,
        }
        if chance.random() < 0.3:
            row["coupon"] = f"SPRING{chance.randrange(40)}"
        rows.append(json.dumps(row))
    return _lines(folder / "orders.ndjson", rows)


def sensors(folder: Path) -> Path:
    """CSV with semicolons: day and time in two columns, `-` for nothing."""
    chance, rows = Random(2), ["device_id;day;time;celsius;battery;status"]
    for number in range(ROWS):
        at = START + timedelta(minutes=5 * (number // 8))
        celsius = "-" if chance.random() < 0.05 else f"{chance.uniform(-5, 30):.1f}"
        status = chance.choice(("ok", "ok", "ok", "low"))
        rows.append(f"dev-{number % 8:02d};{at:%Y-%m-%d;%H:%M:%S};{celsius};{chance.randrange(101)};{status}")
    return _lines(folder / "sensors.csv", rows)


def rides(folder: Path) -> Path:
    """Parquet with types: whole numbers, a decimal, a flag, a number that is missing at times."""
    chance, each = Random(3), range(ROWS)
    columns = {
        "ride_id": pa.array([7_000_000 + number for number in each], pa.int64()),
        "started": pa.array(
            [START + timedelta(minutes=3 * (n // 3)) for n in each], pa.timestamp("us", "UTC")
        ),
        "bike": pa.array([f"B{chance.randrange(120):04d}" for _ in each]),
        "metres": pa.array([chance.randrange(200, 20_000) for _ in each], pa.int32()),
        "price": pa.array([chance.randrange(100, 900) / 100 for _ in each]),
        "member": pa.array([chance.random() < 0.5 for _ in each]),
        "rating": pa.array([chance.choice((None, 3.5, 4.0, 4.5)) for _ in each], pa.float64()),
    }
    pq.write_table(pa.table(columns), folder / "rides.parquet")
    return folder / "rides.parquet"


def logins(folder: Path) -> Path:
    """CSV: times in zones of their own, users, addresses of machines, user agents."""
    chance, rows = Random(4), ["login_id,at,user_id,ip_address,user_agent,method,success"]
    for number in range(ROWS):
        zone = timezone(timedelta(hours=chance.choice((0, 1, -5))))
        at = (START + timedelta(seconds=97 * number)).astimezone(zone)
        agent = chance.choice(("Mozilla/5.0 (X11; Linux x86_64)", "curl/8.5.0", "Mozilla/5.0 (iPhone)"))
        rows.append(
            f"L{number:06d},{at.isoformat()},u{chance.randrange(60)},203.0.113.{chance.randrange(256)},"
            f'"{agent}",{chance.choice(("password", "passkey", "link"))},{chance.choice(("true", "false"))}'
        )
    return _lines(folder / "logins.csv", rows)


def hosts(folder: Path) -> Path:
    """NDJSON: milliseconds since 1970."""
    chance = Random(5)
    rows = [
        {
            "ts": int((START + timedelta(seconds=10 * (number // 40))).timestamp() * 1000),
            "host": f"web-{number % 40:02d}.example.org",
            "cpu": round(chance.random() * 100, 2),
            "processes": chance.randrange(80, 400),
        }
        for number in range(ROWS)
    ]
    return _lines(folder / "hosts.ndjson", map(json.dumps, rows))


def payments(folder: Path) -> Path:
    """Tabs, days in front of months, account numbers, branches whose zeros in front count."""
    chance, rows = Random(6), ["reference\tbooked\tiban\tamount\tcurrency\tbranch"]
    for number in range(ROWS):
        booked = START + timedelta(hours=2 * (number // 3))
        iban = f"DE{chance.randrange(10, 99)}{chance.randrange(10**17, 10**18)}"
        amount = f"{chance.uniform(1, 4000):.2f}"
        currency, branch = chance.choice(("EUR", "CHF")), f"{chance.randrange(400):05d}"
        rows.append(f"P-{number:05d}\t{booked:%d.%m.%Y %H:%M}\t{iban}\t{amount}\t{currency}\t{branch}")
    return _lines(folder / "payments.tsv", rows)


def counters(folder: Path) -> Path:
    """CSV: a time in four columns."""
    chance, rows = Random(7), ["year,month,day,hour,site,visitors"]
    for number in range(ROWS):
        at = START + timedelta(hours=number // 16)
        rows.append(f"{at.year},{at.month},{at.day},{at.hour},site-{number % 16:02d},{chance.randrange(900)}")
    return _lines(folder / "counters.csv", rows)


def calls(folder: Path) -> Path:
    """CSV: days in front of months with slashes, telephone numbers, `N/A`."""
    chance, rows = Random(8), ["call_id,started,phone,seconds,queue"]
    for number in range(ROWS):
        started = START + timedelta(minutes=90 * (number // 2))
        seconds = "N/A" if chance.random() < 0.1 else str(chance.randrange(5, 3000))
        phone = f"+49 30 {chance.randrange(1_000_000, 9_999_999)}"
        queue = chance.choice(("sales", "support"))
        rows.append(f"{50_000 + number},{started:%d/%m/%Y %H:%M:%S},{phone},{seconds},{queue}")
    return _lines(folder / "calls.csv", rows)


FILES: Mapping[str, Callable[[Path], Path]] = {
    "orders": orders,
    "sensors": sensors,
    "rides": rides,
    "logins": logins,
    "hosts": hosts,
    "payments": payments,
    "counters": counters,
    "calls": calls,
}
"""By the names that `expected/generated.toml` gives them."""

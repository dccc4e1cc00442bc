"""A process that keeps pandas out makes Arrow's arrays all the same."""

import subprocess
import sys

SCRIPT = """
import sys
from infra import without_pandas
without_pandas.keep_out()
import duckdb, pyarrow as pa
array = pa.array([1, None, 3], pa.int32())
table = duckdb.connect().from_arrow(pa.Table.from_arrays([array], ["a"])).to_arrow_table()
print(table.column("a").to_pylist(), pa.scalar("x").as_py(), "pandas" in sys.modules)
"""


def test_arrays_are_made_without_pandas() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["[1,", "None,", "3]", "x", "False"], done.stderr

"""docs/question-to-chart.ipynb runs from its first cell to its last, and shows what stands in it."""

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from infra.local.cloud import LocalCloud
from tests.queries.analysts.test_frames import DAY, events
from tests.queries.cloud import Chain

pytestmark = pytest.mark.cloud

NOTEBOOK = Path(__file__).parents[3] / "docs" / "question-to-chart.ipynb"
WRITE = "PENSTOCK_TEST_WRITE_NOTEBOOK"
"""Set it to write the notebook with the outputs of this run: after its code was changed."""


@pytest.fixture(scope="module")
def executed(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook, run in a kernel of its own against the local cloud."""
    chain = Chain.of(local_cloud)
    chain.put([*events(), *events()[:30]])
    chain.deliver()
    chain.refresh()
    folder = str(tmp_path_factory.mktemp("jupyter"))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ |= chain.cloud.environment() | {"IPYTHONDIR": folder, "JUPYTER_RUNTIME_DIR": folder}
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    # A kernel takes its environment from this argument and not from the process.
    NotebookClient(notebook, timeout=120, record_timing=False).execute(env=environ)
    if os.environ.get(WRITE):
        nbformat.write(notebook, NOTEBOOK)
    return notebook


def shown(notebook: Any) -> list[list[str]]:
    """What each cell of code prints and shows, as text."""
    return [
        [
            str(output.get("text") or output.get("data", {}).get("text/plain", output)).strip()
            for output in cell.outputs
            if "SVG object" not in str(output)
        ]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_the_notebook_shows_what_its_code_gives(executed: Any) -> None:
    committed = nbformat.read(NOTEBOOK, as_version=4)
    assert shown(committed) == shown(executed)
    assert shown(committed)[0][0].count(DAY) == 3


def test_the_notebook_ends_in_a_chart_of_every_failed_page_view(executed: Any) -> None:
    chart = [cell for cell in executed.cells if cell.cell_type == "code"][-1].outputs[0]["data"][
        "image/svg+xml"
    ]
    assert chart.count('aria-roledescription="bar"') == 9
    failed = [event for event in events() if event["payload"].get("status", 0) >= 400]
    bars = [part.split('"')[0] for part in chart.split("Page views that failed: ")[1:]]
    assert sum(int(bar.split(";")[0]) for bar in bars) == len(failed)

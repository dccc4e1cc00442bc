"""The compiled charts of a project's dashboards, as its functions carry them."""

import json
from functools import lru_cache

from dashboards.model import Dashboard
from dashboards.reading import definition_files, read_dashboards
from dashboards.site.building import compiled_charts
from infra.project.project import Folders
from queries.contracts import Report, read_reports


def charts_file(folders: Folders) -> bytes:
    """The file's content. Raises what reading the project raises, and ValueError for a bad dashboard."""
    texts = tuple(file.read_bytes() for file in definition_files(folders.dashboards))
    reports = read_reports(folders.reports)
    return _compiled(texts, _Project(dict(reports), dict(read_dashboards(folders.dashboards))))


class _Project:
    """What charts are compiled from; equal for equal reports, so that nothing is compiled twice."""

    def __init__(self, reports: dict[str, Report], dashboards: dict[str, Dashboard]) -> None:
        self.reports, self.dashboards = reports, dashboards

    def __hash__(self) -> int:
        return hash(tuple(self.reports))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Project) and other.reports == self.reports


@lru_cache(maxsize=8)
def _compiled(_: tuple[bytes, ...], project: _Project) -> bytes:
    from dashboards.preview.charts import vega

    return json.dumps(compiled_charts(project.reports, project.dashboards, vega), sort_keys=True).encode()

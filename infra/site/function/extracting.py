"""Draws every dashboard that changed, and publishes it."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashboards.site.drawing import Declared, drawn, loaded, token
from dashboards.site.publishing import Store, Tell, forget_others, publish, read_latest
from dashboards.site.tables import FileTables
from infra.site.function.published import Catalogue, KeptFiles, Partition, PublishedFiles, token_of


@dataclass(frozen=True)
class Extracting:
    """Where dashboards are drawn from and published to.

    Attributes:
        objects: a client of S3 for the reporting bucket.
        kept: files that were fetched for earlier drawings.
        clock: gives epoch milliseconds.
    """

    declared: Mapping[str, Declared]
    catalogue: Catalogue
    objects: Any
    reporting_bucket: str
    store: Store
    tell: Tell
    clock: Callable[[], int]
    kept: KeptFiles = field(default_factory=KeptFiles)

    def extract(self, report: str | None = None) -> dict[str, str]:
        """Publish the dashboards of a report, or all of them, where something changed.

        Answers with what was published: name to version. Raises what reading, drawing and publishing raise;
        dashboards that were published before that stay so.
        """
        chosen = [
            each for each in self.declared.values() if report is None or report in each.dashboard.sources
        ]
        read_at = self.clock()
        reports = sorted({source for each in chosen for source in each.dashboard.sources})
        published = {name: self.catalogue.partitions(name) for name in reports}
        tokens = {name: token_of(partitions) for name, partitions in published.items()}
        known = read_latest(self.store.latest()[0]).dashboards
        if report is None:
            forget_others(self.store, frozenset(self.declared))
        done = {}
        for each in chosen:
            digest = token(each, tokens, read_at)
            before = known.get(each.name)
            if before is not None and before.digest == digest:
                continue
            if version := self._publish(each, published, read_at, digest):
                done[each.name] = version
        return done

    def _publish(
        self, declared: Declared, published: Mapping[str, Sequence[Partition]], read_at: int, digest: str
    ) -> str:
        with tempfile.TemporaryDirectory(prefix="penstock-extract-") as folder:
            files = PublishedFiles(self.objects, self.reporting_bucket, published, Path(folder), self.kept)
            board = loaded(declared, FileTables(files).query, read_at)
        found, objects = drawn(declared, board, read_at, digest)
        is_new = publish(self.store, declared.name, found, objects, self.tell)
        return found.version if is_new else ""

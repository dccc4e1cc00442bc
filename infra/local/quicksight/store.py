"""What the endpoint keeps: assets with their versions and states, ingestions, and who may see what."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from infra.local.quicksight.errors import conflict, exists, limit, not_found

Kind = Literal["DataSource", "DataSet", "Dashboard", "Analysis"]
ARN_PART = {
    "DataSource": "datasource",
    "DataSet": "dataset",
    "Dashboard": "dashboard",
    "Analysis": "analysis",
}
BUSY = ("CREATION_IN_PROGRESS", "UPDATE_IN_PROGRESS")
INGESTIONS_PER_DAY = 32
DAY = 86_400.0


@dataclass
class Version:
    """One version of an asset: what was given, and how far the service got with it."""

    number: int
    properties: dict[str, Any]
    status: str
    created: float
    errors: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Asset:
    """An asset: every version, the one published, its schedules (datasets) and when it last changed."""

    kind: Kind
    id: str
    arn: str
    versions: list[Version]
    published: int
    tags: dict[str, str]
    updated: float
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    refresh_properties: dict[str, Any] = field(default_factory=dict)

    @property
    def latest(self) -> Version:
        """The newest version, published or not."""
        return self.versions[-1]


@dataclass
class Ingestion:
    """A refresh of a SPICE dataset."""

    id: str
    data_set: str
    kind: str
    created: float
    status: str = "QUEUED"
    source: str = "MANUAL"
    error: dict[str, str] | None = None


class AssetStore:
    """Assets of one account. Create and update are asynchronous: they settle after some looks at them."""

    def __init__(self, account: str, region: str, clock: Callable[[], float], settle_after: int = 1) -> None:
        self.account, self.region, self.clock, self._settle_after = account, region, clock, settle_after
        self.assets: dict[tuple[Kind, str], Asset] = {}
        self.ingestions: dict[tuple[str, str], Ingestion] = {}
        self._looks: dict[tuple[Kind, str], int] = {}
        self.fail_next: dict[str, dict[str, str]] = {}
        """Asset id -> the error with which its next create or update ends; tests set it."""

    def arn(self, kind: Kind, asset_id: str) -> str:
        """An asset's ARN."""
        return f"arn:aws:quicksight:{self.region}:{self.account}:{ARN_PART[kind]}/{asset_id}"

    def create(self, kind: Kind, asset_id: str, properties: dict[str, Any]) -> Asset:
        """A new asset, in progress. An id is consumed even when creation fails."""
        if (kind, asset_id) in self.assets:
            raise exists(kind, asset_id)
        now = self.clock()
        status = "CREATION_SUCCESSFUL" if kind == "DataSet" else "CREATION_IN_PROGRESS"
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        asset = Asset(
            kind, asset_id, self.arn(kind, asset_id), [Version(1, properties, status, now)], 1, tags, now
        )
        self.assets[kind, asset_id] = asset
        return asset

    def update(
        self, kind: Kind, asset_id: str, properties: dict[str, Any], *, publish: bool = False
    ) -> Asset:
        """Replace an asset's properties whole.

        Of a dashboard this makes a version that nobody sees until published.
        """
        asset = self.settled(kind, asset_id)
        if asset.latest.status in BUSY:
            raise conflict(kind, asset_id, asset.latest.status)
        status = "UPDATE_SUCCESSFUL" if kind == "DataSet" else "UPDATE_IN_PROGRESS"
        version = Version(asset.latest.number + 1, properties, status, self.clock())
        if kind == "Dashboard":
            asset.versions.append(version)
        else:
            asset.versions[:] = [version]
        if kind != "Dashboard" or publish:
            asset.published = version.number
        asset.updated = self.clock()
        self._looks.pop((kind, asset_id), None)
        return asset

    def look(self, kind: Kind, asset_id: str) -> Asset:
        """The asset as it is now; a look lets work in progress get on."""
        asset = self.settled(kind, asset_id)
        looks = self._looks.get((kind, asset_id), 0) + 1
        self._looks[kind, asset_id] = looks
        if asset.latest.status in BUSY and looks > self._settle_after:
            self._settle(asset)
        return asset

    def settled(self, kind: Kind, asset_id: str) -> Asset:
        """The asset, without a look counted."""
        if (kind, asset_id) not in self.assets:
            raise not_found(kind, asset_id)
        return self.assets[kind, asset_id]

    def delete(self, kind: Kind, asset_id: str) -> None:
        """Forget an asset."""
        asset = self.settled(kind, asset_id)
        if asset.latest.status in BUSY:
            self._settle(asset)
        del self.assets[kind, asset_id]
        self._looks.pop((kind, asset_id), None)

    def publish(self, asset_id: str, number: int) -> None:
        """Show a dashboard's version to viewers; only one that was made successfully can be."""
        asset = self.settled("Dashboard", asset_id)
        version = next((entry for entry in asset.versions if entry.number == number), None)
        if version is None:
            raise not_found("Dashboard version", str(number))
        if not version.status.endswith("_SUCCESSFUL"):
            raise conflict("Dashboard version", str(number), version.status)
        asset.published = number

    def start_ingestion(
        self, data_set: str, ingestion_id: str, kind: str, source: str = "MANUAL"
    ) -> Ingestion:
        """Start a refresh, at most 32 in any rolling 24 hours."""
        asset = self.settled("DataSet", data_set)
        if asset.latest.properties.get("ImportMode") != "SPICE":
            raise conflict("DataSet", data_set, "DIRECT_QUERY, which has no ingestions")
        if (data_set, ingestion_id) in self.ingestions:
            raise exists("Ingestion", ingestion_id)
        now = self.clock()
        recent = [e for e in self.of_data_set(data_set) if e.created > now - DAY and e.source == "MANUAL"]
        if len(recent) >= INGESTIONS_PER_DAY:
            raise limit(f"{INGESTIONS_PER_DAY} ingestions of {data_set} in 24 hours already.")
        ingestion = Ingestion(ingestion_id, data_set, kind, now, source=source)
        self.ingestions[data_set, ingestion_id] = ingestion
        return ingestion

    def of_data_set(self, data_set: str) -> list[Ingestion]:
        """Ingestions of a dataset, newest first."""
        found = [entry for entry in self.ingestions.values() if entry.data_set == data_set]
        return sorted(found, key=lambda entry: entry.created, reverse=True)

    def _settle(self, asset: Asset) -> None:
        error = self.fail_next.pop(asset.id, None)
        phase = "CREATION" if asset.latest.status.startswith("CREATION") else "UPDATE"
        asset.latest.status = f"{phase}_{'FAILED' if error else 'SUCCESSFUL'}"
        if error:
            asset.latest.errors = [error]

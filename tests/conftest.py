"""What tests of several stages share: a local cloud of their own, started when the first test asks for it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright

from infra.local import cloud, processes
from infra.local.cloud import LocalCloud
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings
from tests.shop import SHOP

# How fast examples come says something about the machine, not about the code.
settings.register_profile("penstock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("penstock")

# Without these Chromium asks addresses outside at every start.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a local cloud go first: begun last, one of minutes would leave the other worker idle."""
    items.sort(key=lambda item: item.get_closest_marker("cloud") is None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium, driven by Playwright: ended with its module, since no other event loop can run beside it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium is installed; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A deployed local cloud on free ports, with its state in a folder of this test run.

    Shared by the whole run: tests must tell their own events from those of others.
    """
    paths = LocalPaths.of(tmp_path_factory.mktemp("cloud"))
    emulator_port, server_port, collector_port, jobs_port, site_port = processes.free_ports(5)
    settings = LocalSettings(
        port=emulator_port,
        server_port=server_port,
        collector_port=collector_port,
        jobs_port=jobs_port,
        site_port=site_port,
    )
    try:
        yield cloud.up(paths, settings, _silent, environ=_without_aws(os.environ), project=SHOP)
    finally:
        cloud.down(paths, _silent)


@pytest.fixture(scope="session")
def guarded_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """The same with the permissions of every call checked, and TLS."""
    paths = LocalPaths.of(tmp_path_factory.mktemp("guarded"))
    port, server_port, collector_port, jobs_port, site_port = processes.free_ports(5)
    settings = LocalSettings(
        port=port,
        server_port=server_port,
        collector_port=collector_port,
        jobs_port=jobs_port,
        site_port=site_port,
        enforce_iam=True,
    )
    try:
        yield cloud.up(paths, settings, _silent, environ=_without_aws(os.environ), project=SHOP)
    finally:
        cloud.down(paths, _silent)


@pytest.fixture
def local_paths(tmp_path: Path) -> LocalPaths:
    """Folders for a local cloud that a test starts itself."""
    return LocalPaths.of(tmp_path)


def _silent(message: str) -> None:
    pass


def _without_aws(environ: "os._Environ[str]") -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("AWS_")}

"""Where the local cloud keeps what it keeps: one folder of the working directory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER = ".local"
PEOPLE_FILE = "people.json"
"""Of the run folder: who can sign in to the site of this cloud, with their passwords."""


@dataclass(frozen=True)
class LocalPaths:
    """The folders and files of one local cloud, all below `root`."""

    root: Path

    @classmethod
    def of(cls, directory: Path) -> "LocalPaths":
        """The local cloud of a working directory."""
        return cls(directory.resolve() / FOLDER)

    @property
    def state(self) -> Path:
        """What survives: MiniStack's state and our sqlite files."""
        return self.root / "state"

    @property
    def snapshots(self) -> Path:
        """MiniStack's state, as it was a moment ago (see `snapshots`)."""
        return self.state / "snapshots"

    @property
    def stream(self) -> Path:
        """The records of the streams, for their retention (see `stream_log`)."""
        return self.root / "stream"

    @property
    def kept(self) -> Path:
        """What `up` could not start from, moved aside; nothing here is ever deleted."""
        return self.root / "kept"

    @property
    def leaving(self) -> Path:
        """What `reset` has taken out of use and is about to delete."""
        return self.root / "leaving"

    @property
    def resetting(self) -> Path:
        """Exists while a `reset` is under way, so that the next command can finish it."""
        return self.root / "resetting"

    @property
    def objects(self) -> Path:
        """The objects of the buckets."""
        return self.root / "s3"

    @property
    def run(self) -> Path:
        """Process ids, logs and outputs of what runs now."""
        return self.root / "run"

    @property
    def scratch(self) -> Path:
        """Extracted function code and temporary files; emptied at each start."""
        return self.root / "scratch"

    @property
    def assemblies(self) -> Path:
        """What was synthesized last of the project (see `synthesized`)."""
        return self.root / "assembly"

    @property
    def outputs(self) -> Path:
        """Names of the deployed resources: `{"stacks": {stack: {output: value}}, ...}` (see `deployer`)."""
        return self.run / "outputs.json"

    @property
    def cloud(self) -> Path:
        """Ports, process ids and settings of the local cloud that was started last."""
        return self.run / "cloud.json"

    @property
    def keys(self) -> Path:
        """The access key of this local cloud (see `infra.local.access.keys`)."""
        return self.root / "keys.json"

    def log(self, name: str) -> Path:
        """Log file of one process."""
        return self.run / f"{name}.log"

    def database(self, name: str) -> Path:
        """sqlite file of one service."""
        return self.state / f"{name}.sqlite"

    def make(self) -> None:
        """Create every folder that is missing. Nobody but their owner can look into them."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)  # an earlier version made it for everybody
        for folder in (self.state, self.objects, self.run, self.scratch):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


OWNER_ONLY = 0o077
"""The umask of everything that writes below the folder."""


@contextmanager
def owner_only() -> Iterator[None]:
    """Whatever this process creates meanwhile is its owner's alone."""
    before = os.umask(OWNER_ONLY)
    try:
        yield
    finally:
        os.umask(before)

"""The synthesized cloud assembly, read: its stacks in deployable order, and their assets."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

PACKAGED = Path(__file__).resolve().parents[2] / "assembly"
"""The assembly that is shipped with the package, so that nothing local needs Node or the CDK."""


class AssemblyError(RuntimeError):
    """The folder is not a cloud assembly that can be deployed."""


@dataclass(frozen=True)
class Asset:
    """A file that the template names by its key in the assets' bucket.

    Attributes:
        source: file or folder in the assembly; a folder need not be there (see `packages`).
        is_zip: whether the object is the folder, zipped.
        bucket, key: where the template expects it.
    """

    source: Path
    is_zip: bool
    bucket: str
    key: str


@dataclass(frozen=True)
class StackTemplate:
    """One stack of the assembly.

    Attributes:
        name: name of the deployed stack.
        file: where the template stands.
        text: the bytes of that file.
        assets: everything that the template refers to.
    """

    name: str
    file: Path
    text: bytes
    assets: tuple[Asset, ...]

    @property
    def sha256(self) -> str:
        """Hash of the template's bytes."""
        return hashlib.sha256(self.text).hexdigest()

    def document(self) -> dict[str, Any]:
        """The template, parsed."""
        parsed: dict[str, Any] = json.loads(self.text)
        return parsed


def read(folder: Path, *, account_id: str, region: str) -> list[StackTemplate]:
    """The stacks of an assembly, each after those that it depends on. Raises AssemblyError."""
    file = folder / "manifest.json"
    if not file.is_file():
        raise AssemblyError(
            f"{folder} has no manifest.json, so it is not a cloud assembly. Run: penstock synth"
        )
    artifacts: Mapping[str, Any] = json.loads(file.read_bytes())["artifacts"]
    needs = {name: set(artifact.get("dependencies", ())) for name, artifact in artifacts.items()}
    stacks = []
    for name in TopologicalSorter(needs).static_order():
        artifact = artifacts.get(name, {})
        if artifact.get("type") == "aws:cloudformation:stack":
            template = folder / artifact["properties"]["templateFile"]
            assets = tuple(_assets(folder, needs[name], artifacts, account_id, region))
            stack_name = artifact["properties"].get("stackName", name)
            stacks.append(StackTemplate(stack_name, template, template.read_bytes(), assets))
    if not stacks:
        raise AssemblyError(f"{file} names no stack. Run: penstock synth")
    return stacks


def _assets(
    folder: Path, needed: set[str], artifacts: Mapping[str, Any], account_id: str, region: str
) -> Iterator[Asset]:
    for name in needed:
        artifact = artifacts.get(name, {})
        if artifact.get("type") != "cdk:asset-manifest":
            continue
        listed = json.loads((folder / artifact["properties"]["file"]).read_bytes())
        for entry in listed.get("files", {}).values():
            source, destination = entry["source"], next(iter(entry["destinations"].values()))
            bucket = destination["bucketName"].replace("${AWS::AccountId}", account_id)
            yield Asset(
                folder / source["path"],
                source.get("packaging") == "zip",
                bucket.replace("${AWS::Region}", region),
                destination["objectKey"],
            )

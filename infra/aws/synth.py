"""Synthesizes the assembly: `penstock synth`, and `python -m infra.aws.synth --write` for the one that is
shipped.

The shipped assembly is what a laptop deploys: templates, asset manifests and the manifest, without the
assets. It must be what a synth makes today, so whoever changes a contract, a setting or a stack writes it
anew.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.deployment import Deployment
from infra.project.carried import CHARTS, FOLDER
from infra.project.loading import SHOP, load
from infra.project.project import Folders, Project
from infra.stacks.artefact_folder import full_folder, source_folder
from infra.stacks.artefacts import Artefact, artefacts_of

PACKAGED = Path(__file__).parents[1] / "assembly"
MakeCode = Callable[[Artefact, Folders, Path], Path]


class StaleAssemblyError(RuntimeError):
    """The shipped assembly is not what a synth makes."""


def synthesize(
    project: Project, deployment: Deployment, out: Path, make_code: MakeCode = full_folder
) -> Path:
    """Write the project's whole assembly into `out`, which is emptied first.

    CDK stages assets by their hash, and a full and a source-only artefact have the same: what an earlier
    synth left would be taken for this one's. Raises NodeMissingError, ArtefactError, and RuntimeError for
    findings.
    """
    from infra.app import assemble

    shutil.rmtree(out, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        code = {
            name: make_code(artefact, project.folders, Path(scratch))
            for name, artefact in artefacts_of(project).items()
        }
        assemble(project, deployment, code, out)
        for made in code.values():  # what a laptop's functions get beside their sources
            if (charts := made / FOLDER / CHARTS).is_file():
                shutil.copy(charts, out / CHARTS)
    return out


def packaged_files(assembly: Path) -> dict[str, bytes]:
    """What is shipped of an assembly: name to content."""
    manifest = json.loads((assembly / "manifest.json").read_bytes())
    artifacts = {
        name: _lean(artifact) for name, artifact in manifest["artifacts"].items() if _shipped(artifact)
    }
    found = {"manifest.json": _json({**manifest, "artifacts": artifacts})}
    for pattern in ("*.template.json", "*.assets.json", CHARTS):
        found |= {path.name: path.read_bytes() for path in sorted(assembly.glob(pattern))}
    return found


def write_packaged(folder: Path = PACKAGED) -> list[str]:
    """Synthesize the shop's default deployment and write what is shipped; the names of files that changed."""
    fresh = _fresh()
    folder.mkdir(exist_ok=True)
    current = read_packaged(folder)
    for name in current.keys() - fresh.keys():
        (folder / name).unlink()
    for name, content in fresh.items():
        (folder / name).write_bytes(content)
    return sorted(name for name in fresh.keys() | current.keys() if fresh.get(name) != current.get(name))


def read_packaged(folder: Path = PACKAGED) -> dict[str, bytes]:
    """What is shipped now."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.json"))}


def check_packaged() -> None:
    """Raises StaleAssemblyError, with the names of the files that differ."""
    fresh, current = _fresh(), read_packaged()
    if differ := sorted(
        name for name in fresh.keys() | current.keys() if fresh.get(name) != current.get(name)
    ):
        raise StaleAssemblyError(
            f"Not what a synth makes: {', '.join(differ)}. Run: python -m infra.aws.synth --write"
        )


def _fresh() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as out:
        shop = load(SHOP)
        return packaged_files(synthesize(shop, shop.default, Path(out) / "assembly", source_folder))


def _shipped(artifact: Mapping[str, Any]) -> bool:
    return artifact["type"] in ("aws:cloudformation:stack", "cdk:asset-manifest")


def _lean(artifact: Mapping[str, Any]) -> dict[str, Any]:
    """Without the members that only tools for developers of the app read; one of them holds local paths."""
    return {key: artifact[key] for key in artifact if key not in ("metadata", "additionalMetadataFile")}


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


def main(arguments: Sequence[str]) -> int:
    """`--write` refreshes the shipped assembly, `--check` fails when it is stale."""
    if list(arguments) == ["--write"]:
        changed = write_packaged()
        sys.stderr.write(f"written anew: {', '.join(changed) or 'nothing, it was fresh'}\n")
        return 0
    if list(arguments) == ["--check"]:
        try:
            check_packaged()
        except StaleAssemblyError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        return 0
    sys.stderr.write("usage: python -m infra.aws.synth --write | --check\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

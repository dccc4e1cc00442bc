"""Templates as they were deployed once: frozen copies, and what a change of them would replace.

`python -m tests.infra.aws.released NAME [COMMIT]` freezes the templates of a commit (HEAD) under a name; a
release does it with its version. What is frozen is never changed again.
"""

import json
import lzma
import subprocess
import sys
from pathlib import Path
from typing import Any

from infra.aws.synth import PACKAGED

FOLDER = Path(__file__).parent / "released"
_REPOSITORY = Path(__file__).parents[3]


def names() -> list[str]:
    """What is frozen."""
    return sorted(file.name.removesuffix(".json.xz") for file in FOLDER.glob("*.json.xz"))


def frozen(name: str) -> dict[str, dict[str, Any]]:
    """Stack -> template of a version."""
    found: dict[str, dict[str, Any]] = json.loads(lzma.decompress((FOLDER / f"{name}.json.xz").read_bytes()))
    return found


def packaged() -> dict[str, dict[str, Any]]:
    """Stack -> template of today."""
    return {
        file.name.removesuffix(".template.json"): json.loads(file.read_bytes())
        for file in sorted(PACKAGED.glob("*.template.json"))
    }


def freeze(name: str, commit: str) -> None:
    """Keep the templates of a commit. Raises FileExistsError."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=_REPOSITORY, capture_output=True, text=True, check=True
        ).stdout

    files = git("ls-tree", "--name-only", commit, "infra/assembly/").splitlines()
    stacks = {
        Path(file).name.removesuffix(".template.json"): {
            "Resources": {
                logical_id: {"Type": resource["Type"], "Properties": resource.get("Properties", {})}
                for logical_id, resource in json.loads(git("show", f"{commit}:{file}"))["Resources"].items()
                if resource["Type"] != "AWS::CDK::Metadata"
            }
        }
        for file in files
        if file.endswith(".template.json")
    }
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{name}.json.xz").open("xb") as file:
        file.write(lzma.compress(json.dumps(stacks, sort_keys=True).encode(), preset=9))


if __name__ == "__main__":
    freeze(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "HEAD")

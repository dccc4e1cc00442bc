"""The pinned CDK command line, fetched once from npm by the Node that came from PyPI."""

import json
import os
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from infra.aws.node import node, node_home

VERSION = "2.1148.1"
"""npm's `latest` is an old build that does not read today's assemblies."""

Run = Callable[[Sequence[str], Mapping[str, str]], int]


class CdkMissingError(RuntimeError):
    """The CDK's command line is not here and could not be fetched."""


class CdkFailedError(RuntimeError):
    """The CDK's command line ended with an error, which it has printed."""


def cache(environ: Mapping[str, str]) -> Path:
    """Where the command line is kept between runs; PENSTOCK_CDK_HOME chooses another folder."""
    base = environ.get("PENSTOCK_CDK_HOME") or str(
        Path(environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "penstock"
    )
    return Path(base) / f"aws-cdk-{VERSION}"


def command(environ: Mapping[str, str], run: Run) -> list[str]:
    """How to call the pinned command line, fetching it first where it is missing.

    Raises CdkMissingError without network on the first use, and NodeMissingError.
    """
    home = cache(environ)
    program = home / "node_modules" / "aws-cdk" / "bin" / "cdk"
    if _installed(home) != VERSION:
        home.mkdir(parents=True, exist_ok=True)
        npm = node_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        wanted = [f"aws-cdk@{VERSION}", "--no-audit", "--no-fund", "--no-save"]
        if run([str(node()), str(npm), "install", "--prefix", str(home), *wanted], _with_node(environ)):
            raise CdkMissingError(
                f"The CDK's command line (npm package aws-cdk {VERSION}) could not be fetched; synth and "
                "everything local work without it. Where there is network run "
                f"`npm install --prefix {home} aws-cdk@{VERSION}`, "
                "or use a `cdk` of your own: cdk deploy --app .local/cdk.out --all"
            )
    return [str(node()), str(program)]


def call(arguments: Sequence[str], environ: Mapping[str, str], run: Run) -> None:
    """Run the command line. Raises CdkMissingError, CdkFailedError."""
    code = run([*command(environ, run), *arguments], _with_node(environ))
    if code:
        raise CdkFailedError(f"`cdk {arguments[0]}` ended with {code}; what went wrong stands above.")


def deploy_calls(stacks: list[str], drifted: Collection[str]) -> list[tuple[list[str], list[str]]]:
    """The stacks of each call of the CDK, with its options: those of `drifted` by what they are now.

    CloudFormation compares a template with the one before, and sees nothing that was changed by hand, unless
    a change set is told to look. A stack that is not there yet has nothing to compare, so it goes first.
    """
    new = [stack for stack in stacks if stack not in drifted]
    there = [stack for stack in stacks if stack in drifted]
    calls: list[tuple[list[str], list[str]]] = [(new, [])] if new else []
    return [*calls, (there, ["--revert-drift", "--exclusively"])] if there else calls


def run_in_terminal(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a program with this terminal, and give its exit code."""
    return subprocess.run(list(arguments), env=dict(environ), check=False).returncode  # noqa: S603  our own words


def _installed(home: Path) -> str:
    file = home / "node_modules" / "aws-cdk" / "package.json"
    return str(json.loads(file.read_text(encoding="utf-8"))["version"]) if file.is_file() else ""


def _with_node(environ: Mapping[str, str]) -> dict[str, str]:
    """npm's own scripts look for `node` on the PATH."""
    path = f"{node_home() / 'bin'}{os.pathsep}{environ.get('PATH', '')}"
    return {**environ, "PATH": path, "CDK_DISABLE_VERSION_CHECK": "1", "npm_config_update_notifier": "false"}

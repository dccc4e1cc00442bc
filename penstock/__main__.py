"""The command `penstock`, also as `python -m penstock`."""

import sys


def main() -> int:
    """Run the command line and return its exit code; 1 where only the producer is installed."""
    try:
        from infra.command.cli import main as command
    except ModuleNotFoundError as error:
        if error.name not in {"typer", "rich"}:
            raise
        sys.stderr.write(
            f"penstock: the command needs the package {error.name!r}, which the producer alone does without. "
            "Run: pip install 'penstock[local]'\n"
        )
        return 1
    return command()


if __name__ == "__main__":
    sys.exit(main())

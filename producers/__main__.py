"""`python -m producers`: the verbs of `penstock produce` on their own."""

import sys

from producers.commands.cli import app
from producers.contracts import echo, message
from producers.errors import ProducerError
from producers.packing.codec import ContractError
from producers.sources.files import SourceError


def main() -> int:
    """Runs one command line; an error becomes one sentence on stderr and exit code 1."""
    try:
        app(prog_name="python -m producers")
    except (ProducerError, SourceError, ContractError) as error:
        echo(message(f"producers: {error}"), err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What is written of the command is what the command says of itself."""

from pathlib import Path

from infra.command.cli_document import FILE, document

ROOT = Path(__file__).parents[3]


def test_the_page_about_the_command_is_made_of_its_own_help() -> None:
    written = (ROOT / FILE).read_text(encoding="utf-8")
    assert written == document(), f"{FILE} is not up to date. Run: python -m infra.command.cli_document"


def test_every_verb_and_every_option_has_words() -> None:
    for line in document().splitlines():
        if line.startswith("| `"):
            name, _, words = (part.strip() for part in line.strip("|").split("|", 2))
            assert words, f"{name} has no help"

"""`python -m producers`: the verbs of `penstock produce` on their own."""

from producers.cli import app

if __name__ == "__main__":
    app(prog_name="python -m producers")

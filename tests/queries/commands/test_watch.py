"""What `penstock jobs watch` says while nothing answers."""

from queries.commands.watch_cli import given_up, waiting


def test_what_is_waited_for_is_named_with_when_it_is_tried_again() -> None:
    said = waiting("The connection ended: \x1b[31m.", "https://api.example.com/graphql", 2.25)
    assert said == (
        "The connection ended: \\x1b[31m. Waiting for api.example.com to answer; the next attempt is in 2.2 s."
    )


def test_giving_up_names_where_why_and_what_to_do() -> None:
    said = given_up("No answer for 30 seconds. It ended.", "http://127.0.0.1:4711/graphql", 30.0)
    assert said == (
        "127.0.0.1:4711 did not answer. No answer for 30 seconds. It ended. On this machine look with: "
        "penstock local status. To wait for longer: --timeout 60"
    )

"""Which policies for people each verb of the command asks for on AWS, as data."""

from collections.abc import Mapping

VERBS: Mapping[str, tuple[str, ...]] = {
    "produce simulate": ("producer",),
    "produce replay": ("producer",),
    "produce tail": ("producer",),
    "produce spool drain": ("producer",),
    "keys list": ("key-keeper",),
    "keys create": ("key-keeper",),
    "keys disable": ("key-keeper",),
    "keys rotate": ("key-keeper",),
    "hooks list": ("key-keeper",),
    "hooks secrets": ("key-keeper",),
    "hooks add-secret": ("key-keeper",),
    "hooks drop-secret": ("key-keeper",),
    "import": ("importer", "replayer"),
    "failed list": ("failed-reader",),
    "failed explain": ("failed-reader",),
    "failed replay": ("failed-reader", "replayer"),
    "reconcile": ("reconciler",),
    "reports list": ("operator",),
    "reports refresh": ("operator",),
    "reports lint --explain": ("analyst",),
    "reports run": ("analyst",),
    "reports diff": ("analyst",),
    "reports backfill": ("operator",),
    "reports rollback": ("operator",),
    "reports hours": ("operator",),
    "reports seal": ("operator",),
    "jobs list": ("job-keeper",),
    "jobs show": ("job-keeper",),
    "jobs watch": ("job-keeper",),
    "jobs cancel": ("job-keeper",),
    "jobs retry": ("job-keeper",),
    "jobs start backfill": ("job-keeper",),
    "jobs start import": ("job-keeper",),
    "reference list": ("operator",),
    "reference publish": ("operator",),
    "explain": ("analyst",),
    "query": ("analyst",),
    "dlq list": ("operator",),
    "dlq redrive": ("operator",),
    "dashboards preview": ("analyst",),
    "dashboards export": ("analyst",),
    "dashboards refresh": ("operator",),
    "site open": ("analyst",),
    "doctor --no-canary": ("inspector",),
    "doctor": ("inspector", "analyst", "producer"),
}
"""Verb to the policies that whoever runs it needs, all of them."""

DEPLOYERS: tuple[str, ...] = (
    "diff",
    "deploy",
    "destroy",
    "catch-up",
    "dashboards plan",
    "produce verify",
    "site publish",
)
"""Verbs that no policy of ours is for: they need permissions of the deployer, and the last one those of a
reader of the stream, where events are as they came.
"""

ASK_NOTHING: tuple[str, ...] = (
    "init", "add stream", "demo", "local check", "local up", "local down", "local reset", "local status",
    "local env", "local watch", "produce spool list", "collector openapi", "collector script",
    "collector typings",
    "contracts list", "contracts schemas", "contracts show", "contracts check", "contracts release",
    "contracts docs",
    "reports lint", "reports health", "dashboards lint", "dashboards emit", "dashboards impact", "synth",
    "cost", "capacity", "api openapi",
)  # fmt: skip
"""Verbs that ask AWS for nothing."""


def verb_table() -> str:
    """The table for docs/roles.md."""
    rows = "".join(
        f"| `penstock {verb}` | {', '.join(f'`{name}`' for name in names)} |\n"
        for verb, names in VERBS.items()
    )
    theirs = ", ".join(f"`penstock {verb}`" for verb in DEPLOYERS)
    return (
        "## Policies by verb\n\nWhoever runs a verb with `--target aws` needs all of its policies. "
        "For whoever deploys are:\n"
        f"{theirs}.\n\n| verb | policies |\n|---|---|\n{rows}\n"
    )

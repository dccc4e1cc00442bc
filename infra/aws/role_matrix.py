"""docs/roles.md, generated from the templates: `python -m infra.aws.role_matrix --write`."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.aws.synth import PACKAGED
from infra.aws.verb_policies import verb_table
from infra.stacks.templates import ACCOUNT_ID, REGION, Resource, of_type, read

PAGE = Path(__file__).resolve().parents[2] / "docs" / "roles.md"
ROLE, POLICY = "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"
HEADER = """# Who may do what

Written by `python -m infra.aws.role_matrix --write` from the synthesized templates; a test keeps it equal to
them. What is not listed is denied. Names are those of the production deployment in account {account},
{region}.

No role of the pipeline may delete an object of the lake: failed records and access logs expire by lifecycle
rule, and runs of reports that nobody reads any more are tagged by the query function and deleted by S3. A
resource with `*` in it says why beside the grant in `infra/stacks`.

"""


@dataclass(frozen=True)
class Principal:
    """A role of a service, or a policy for people: its statements as IAM reads them."""

    name: str
    trusted: str
    statements: Sequence[Mapping[str, Any]]

    @property
    def documents(self) -> list[dict[str, Any]]:
        """Its policies, for an evaluator."""
        return [{"Version": "2012-10-17", "Statement": list(self.statements)}]


def principals(resources: Iterable[Resource]) -> list[Principal]:
    """Every role and every policy for people, by name."""
    everything = list(resources)
    found = [_role(resource, everything) for resource in of_type(everything, ROLE)]
    found += [
        Principal(
            str(resource.properties["ManagedPolicyName"]).removesuffix(f"-{REGION}"),
            "Attached by the deployer",
            resource.properties["PolicyDocument"]["Statement"],
        )
        for resource in of_type(everything, POLICY)
    ]
    return sorted(found, key=lambda principal: principal.name)


def _role(role: Resource, everything: list[Resource]) -> Principal:
    statements = [
        s for policy in role.properties.get("Policies", []) for s in policy["PolicyDocument"]["Statement"]
    ]
    for policy in of_type(everything, "AWS::IAM::Policy"):
        if role.name in policy.properties.get("Roles", []):
            statements += policy.properties["PolicyDocument"]["Statement"]
    statements += _by_key_policies(role, everything)
    trust = role.properties["AssumeRolePolicyDocument"]["Statement"]
    trusted = "For " + ", ".join(_trust(statement) for statement in trust)
    return Principal(role.name.removesuffix(f"-{REGION}"), trusted, statements)


def _by_key_policies(role: Resource, everything: list[Resource]) -> list[Mapping[str, Any]]:
    """What policies of KMS keys allow the role by its name, each as a statement of its own about that key."""
    return [
        {**{name: v for name, v in statement.items() if name != "Principal"}, "Resource": key.arn}
        for key in of_type(everything, "AWS::KMS::Key")
        for statement in key.properties["KeyPolicy"]["Statement"]
        if role.arn in as_list(statement["Principal"].get("AWS", []))
    ]


def _trust(statement: Mapping[str, Any]) -> str:
    bound = "".join(
        f" with {key}" for tests in statement.get("Condition", {}).values() for key in sorted(tests)
    )
    return f"`{statement['Principal']['Service']}`{bound.replace(' with', ',', 2).replace(',', ' with', 1)}"


def page(found: Sequence[Principal]) -> str:
    """The page's text."""
    parts = [HEADER.format(account=ACCOUNT_ID, region=REGION), verb_table()]
    for principal in found:
        parts.append(
            f"## {principal.name}\n\n{principal.trusted}.\n\n| for | may | on | when |\n|---|---|---|---|\n"
        )
        parts += [_row(statement) for statement in principal.statements]
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


def _row(statement: Mapping[str, Any]) -> str:
    actions = "<br>".join(f"`{action}`" for action in as_list(statement["Action"]))
    resources = "<br>".join(f"`{_short(resource)}`" for resource in as_list(statement["Resource"]))
    conditions = "<br>".join(
        f"`{key}` {operator} {', '.join(f'`{value}`' for value in as_list(values))}"
        for operator, tests in statement.get("Condition", {}).items()
        for key, values in tests.items()
    )
    return f"| {statement.get('Sid', '')} | {actions} | {resources} | {conditions} |\n"


def as_list(value: Any) -> list[Any]:
    """IAM writes one as itself and several as a list."""
    return value if isinstance(value, list) else [value]


def _short(resource: str) -> str:
    return resource.removeprefix("arn:aws:").replace(f":{REGION}:{ACCOUNT_ID}:", ":").replace(":::", ":")


def main(arguments: Sequence[str]) -> int:
    """Write the page, or print it."""
    text = page(principals(read(PACKAGED)))
    if list(arguments) == ["--write"]:
        PAGE.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

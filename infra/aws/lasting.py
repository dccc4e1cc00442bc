"""What can never change of a deployed resource, compared between two versions of a template (pure).

CloudFormation replaces a resource when such a property changes: it makes the new one before it deletes the
old. With a fixed name there is no room for both ("already exists"), and the whole update fails.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Template = Mapping[str, Any]
CreateOnly = Mapping[str, list[str]]
"""Resource type -> property paths that only a creation can set, as the registry's schemas write them."""

TEXTS: Mapping[str, str] = {"AWS::IAM::ManagedPolicy": "Description"}
"""Type -> a property that says something to people, means nothing to AWS, and still cannot change."""

HAS_ITS_OWN_ID = frozenset({"AWS::Athena::NamedQuery", "AWS::Lambda::Permission", "AWS::Logs::MetricFilter"})
"""Types of which two may exist under one name, or that hold nothing: CloudFormation may replace them."""


@dataclass(frozen=True)
class Replacement:
    """A named resource that an update would replace.

    Attributes:
        resource: its logical id, of the template before.
        why: the property that changed, or what became of its name.
    """

    resource: str
    type: str
    why: str

    def __str__(self) -> str:
        return f"{self.resource} ({self.type}): {self.why}"


def replacements(before: Template, after: Template, create_only: CreateOnly) -> Iterator[Replacement]:
    """Named resources of `before` that `after` replaces, or makes once more under another logical id."""
    old, new = before["Resources"], after["Resources"]
    taken = {_name(resource, create_only): logical_id for logical_id, resource in new.items()}
    for logical_id, resource in old.items():
        kind, name = resource["Type"], _name(resource, create_only)
        if name is None or kind in HAS_ITS_OWN_ID:
            continue
        successor = new.get(logical_id)
        if successor is None or successor["Type"] != kind:
            if name in taken:
                yield Replacement(logical_id, kind, f"its name is now that of {taken[name]}")
            continue
        for path in create_only.get(kind, ()):
            was, is_now = value(resource, path), value(successor, path)
            if was != is_now:
                yield Replacement(logical_id, kind, f"{path.removeprefix('/properties/')} changed")


def keep_texts(template: dict[str, Any], deployed: Template) -> dict[str, Any]:
    """The template with texts that cannot change as the deployed stack has them."""
    there = deployed.get("Resources", {})

    def kept(logical_id: str, resource: dict[str, Any]) -> dict[str, Any]:
        text, before = TEXTS.get(resource["Type"]), there.get(logical_id)
        if text is None or before is None or before["Type"] != resource["Type"]:
            return resource
        properties = {name: v for name, v in resource.get("Properties", {}).items() if name != text}
        old = before.get("Properties", {})
        return {**resource, "Properties": properties | ({text: old[text]} if text in old else {})}

    resources = {name: kept(name, resource) for name, resource in template["Resources"].items()}
    return {**template, "Resources": resources}


def value(resource: Mapping[str, Any], path: str) -> Any:
    """What stands under a path such as `/properties/TableInput/Name`; None when nothing does."""
    found: Any = resource.get("Properties", {})
    for word in path.removeprefix("/properties/").split("/"):
        found = found.get(word) if isinstance(found, Mapping) else None
    return found


def _name(resource: Mapping[str, Any], create_only: CreateOnly) -> str | None:
    """Type and name of a resource that is named by its template; None of one that CloudFormation names."""
    kind = resource["Type"]
    names = [
        value(resource, path)
        for path in create_only.get(kind, ())
        if path.endswith(("Name", "Id")) and "AccountId" not in path
    ]
    given = [name for name in names if name is not None]
    return f"{kind} {given!r}" if given else None

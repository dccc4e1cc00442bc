"""What CloudFormation's registry says of resource types, from the schemas that cfn-lint carries."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path


@cache
def create_only() -> Mapping[str, list[str]]:
    """Type -> paths of the properties that only a creation can set."""
    import cfnlint

    folder = Path(cfnlint.__file__).parent / "data" / "schemas" / "resources"
    found = {}
    for file in folder.glob("*.json"):
        schema = json.loads(file.read_bytes())
        fixed = [*schema.get("createOnlyProperties", []), *schema.get("conditionalCreateOnlyProperties", [])]
        found[schema["typeName"]] = fixed
    return found

"""CloudFormation's AppSync types."""

import secrets
import string
from collections.abc import Callable
from typing import Any

from infra.local.graphql.apis import Apis
from infra.local.graphql.definitions import access_of, resolver_of, source_of
from infra.local.graphql.errors import DefinitionError
from infra.local.graphql.schema import read_schema

Attributes = dict[str, str]
Created = tuple[str, Attributes]
_LETTERS = string.ascii_lowercase + string.digits


def new_id() -> str:
    """As AppSync's are: 26 small letters and digits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(26))


class ApiResource:
    """AWS::AppSync::GraphQLApi: its physical id, which Ref gives, is its ARN.

    `server_url` is where it answers, for example `http://127.0.0.1:4711`.
    """

    def __init__(
        self, apis: Apis, server_url: str, region: str, account: str, make_id: Callable[[], str] = new_id
    ) -> None:
        self._apis, self._url, self._region = apis, server_url, region
        self._prefix, self._make_id = f"arn:aws:appsync:{region}:{account}:apis/", make_id

    def create(self, logical_id: str, properties: dict[str, Any]) -> Created:  # noqa: ARG002
        """Make an API. Raises DefinitionError."""
        arn = self._prefix + self._make_id()
        return arn, self.update(arn, properties)

    def update(self, physical_id: str, properties: dict[str, Any]) -> Attributes:
        """Change who may ask it. Raises DefinitionError."""
        api_id = physical_id.rpartition("/")[2]
        self._apis.put(api_id, physical_id, access_of(properties, self._region))
        host = self._url.partition("://")[2]
        return {
            "ApiId": api_id,
            "Arn": physical_id,
            "GraphQLUrl": f"{self._url}/graphql/{api_id}",
            "RealtimeUrl": f"ws://{host}/graphql/{api_id}/realtime",
            "GraphQLDns": host,
            "RealtimeDns": host,
        }

    def delete(self, physical_id: str) -> None:
        """Delete it."""
        self._apis.drop(physical_id.rpartition("/")[2])


class SchemaResource:
    """AWS::AppSync::GraphQLSchema: its id is the API's with an ending."""

    ENDING = "GraphQLSchema"

    def __init__(self, apis: Apis) -> None:
        self._apis = apis

    def create(self, logical_id: str, properties: dict[str, Any]) -> Created:  # noqa: ARG002
        """Give an API its schema. Raises DefinitionError."""
        physical_id = f"{properties['ApiId']}{self.ENDING}"
        return physical_id, self.update(physical_id, properties)

    def update(self, physical_id: str, properties: dict[str, Any]) -> Attributes:
        """Give it another. Raises DefinitionError."""
        definition = properties.get("Definition")
        if not definition:
            raise DefinitionError("A schema is served here when it stands in the template: Definition.")
        with self._apis.changing(properties["ApiId"]) as api:
            read_schema(definition, api.access.default)
            api.definition = definition
        return {"Id": physical_id}

    def delete(self, physical_id: str) -> None:
        """An API goes on with its schema, as on AWS, until it goes itself."""


class SourceResource:
    """AWS::AppSync::DataSource: its physical id is its ARN."""

    def __init__(self, apis: Apis) -> None:
        self._apis = apis

    def create(self, logical_id: str, properties: dict[str, Any]) -> Created:  # noqa: ARG002
        """Give an API a data source. Raises DefinitionError."""
        with self._apis.changing(properties["ApiId"]) as api:
            physical_id = f"{api.arn}/datasources/{properties['Name']}"
        return physical_id, self.update(physical_id, properties)

    def update(self, physical_id: str, properties: dict[str, Any]) -> Attributes:
        """Put another in its place. Raises DefinitionError."""
        source = source_of(properties)
        with self._apis.changing(properties["ApiId"]) as api:
            api.sources[source.name] = source
        return {"DataSourceArn": physical_id, "Name": source.name}

    def delete(self, physical_id: str) -> None:
        """Delete it."""
        api_id, name = _part(physical_id, 1), _part(physical_id, 3)
        try:
            with self._apis.changing(api_id) as api:
                api.sources.pop(name, None)
        except DefinitionError:
            return  # it went with its API


class ResolverResource:
    """AWS::AppSync::Resolver: its physical id is its ARN."""

    def __init__(self, apis: Apis) -> None:
        self._apis = apis

    def create(self, logical_id: str, properties: dict[str, Any]) -> Created:  # noqa: ARG002
        """Give a field its resolver. Raises DefinitionError."""
        made = resolver_of(properties)
        with self._apis.changing(properties["ApiId"]) as api:
            physical_id = f"{api.arn}/types/{made.type_name}/resolvers/{made.field}"
        return physical_id, self.update(physical_id, properties)

    def update(self, physical_id: str, properties: dict[str, Any]) -> Attributes:
        """Put another in its place. Raises DefinitionError."""
        resolver = resolver_of(properties)
        with self._apis.changing(properties["ApiId"]) as api:
            source = api.sources.get(resolver.source)
            if source is None:
                raise DefinitionError(f"There is no data source {resolver.source}.")
            if resolver.has_templates is bool(source.function):
                raise DefinitionError(
                    f"{resolver.type_name}.{resolver.field}: served here are functions without mapping "
                    "templates, and data sources of type NONE with them."
                )
            api.resolvers[resolver.type_name, resolver.field] = resolver
        return {"ResolverArn": physical_id, "TypeName": resolver.type_name, "FieldName": resolver.field}

    def delete(self, physical_id: str) -> None:
        """Delete it."""
        try:
            with self._apis.changing(_part(physical_id, 1)) as api:
                api.resolvers.pop((_part(physical_id, 3), _part(physical_id, 5)), None)
        except DefinitionError:
            return  # it went with its API


def _part(arn: str, number: int) -> str:
    """One of `arn:...:apis/<1>/<2>/<3>/...`; empty for what is none of these, as after a failed creation."""
    parts = arn.split("/")
    return parts[number] if number < len(parts) else ""

"""What a template says of an API, read: who may ask, where fields come from. What is not served is refused.

Scalars arrive as texts, as CloudFormation hands them to custom resources.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.graphql.errors import DefinitionError
from infra.local.graphql.rules import IAM, POOL

Properties = Mapping[str, Any]

_API = frozenset({
    "Name", "AuthenticationType", "UserPoolConfig", "AdditionalAuthenticationProviders",
    "IntrospectionConfig", "QueryDepthLimit",
    # Of these nothing can be seen by a caller.
    "LogConfig", "XrayEnabled", "Tags", "OwnerContact", "Visibility", "ApiType", "EnhancedMetricsConfig",
})  # fmt: skip
_SOURCE = frozenset({
    "ApiId", "Name", "Type", "LambdaConfig", "ServiceRoleArn", "Description", "MetricsConfig",
})  # fmt: skip
_RESOLVER = frozenset({
    "ApiId", "TypeName", "FieldName", "DataSourceName", "Kind", "RequestMappingTemplate",
    "ResponseMappingTemplate", "MetricsConfig",
})  # fmt: skip
DEEPEST = 75
"""AppSync's own limit."""


@dataclass(frozen=True)
class Pool:
    """The user pool whose tokens are taken.

    Attributes:
        pool_id, region: name it.
        clients: an expression that the id of the token's client must match whole; empty for any.
        denies: fields without groups of their own are for nobody of the pool.
    """

    pool_id: str
    region: str
    clients: str = ""
    denies: bool = False

    @property
    def issuer(self) -> str:
        """As tokens name it."""
        return f"https://cognito-idp.{self.region}.amazonaws.com/{self.pool_id}"


@dataclass(frozen=True)
class Access:
    """Who may ask an API at all.

    Attributes:
        default: the authentication type of fields that name none.
        modes: every authentication type that is taken.
        pool: whose people, when POOL is among them.
        introspection: whether the schema may be asked for.
        depth: levels of a document.
    """

    default: str
    modes: frozenset[str]
    pool: Pool | None
    introspection: bool = True
    depth: int = DEEPEST


@dataclass(frozen=True)
class Source:
    """A data source: a function, or none, whose resolvers give what they were given."""

    name: str
    function: str = ""
    role: str = ""


@dataclass(frozen=True)
class Resolver:
    """Where a field comes from. `argument` is what a resolver without a function hands on; empty for all."""

    type_name: str
    field: str
    source: str
    argument: str = ""
    has_templates: bool = False


def access_of(properties: Properties, region: str) -> Access:
    """Of an AWS::AppSync::GraphQLApi. Raises DefinitionError."""
    _known("GraphQLApi", properties, _API)
    default = str(properties.get("AuthenticationType", ""))
    others = properties.get("AdditionalAuthenticationProviders") or ()
    modes = [default, *(str(each.get("AuthenticationType", "")) for each in others)]
    for mode in modes:
        if mode not in (POOL, IAM):
            raise DefinitionError(f"The authentication type {mode} is not served here: {POOL} and {IAM} are.")
    for name, only in (("Visibility", "GLOBAL"), ("ApiType", "GRAPHQL")):
        if properties.get(name, only) != only:
            raise DefinitionError(f"{name} {properties[name]} is not served here: {only} is.")
    configured = [properties.get("UserPoolConfig")] if default == POOL else []
    configured += [each.get("UserPoolConfig") for each in others if each["AuthenticationType"] == POOL]
    pools = [_pool(each or {}, region) for each in configured]
    if len(pools) > 1:
        raise DefinitionError("One user pool of an API is served here, not several.")
    return Access(
        default=default,
        modes=frozenset(modes),
        pool=pools[0] if pools else None,
        introspection=properties.get("IntrospectionConfig", "ENABLED") != "DISABLED",
        depth=int(properties.get("QueryDepthLimit") or 0) or DEEPEST,
    )


def _pool(given: Properties, region: str) -> Pool:
    if not given.get("UserPoolId"):
        raise DefinitionError("UserPoolConfig has no UserPoolId.")
    clients = str(given.get("AppIdClientRegex", ""))
    try:
        re.compile(clients)
    except re.error as error:
        raise DefinitionError(f"AppIdClientRegex {clients!r} is not a regular expression: {error}") from None
    denies = given.get("DefaultAction", "ALLOW") == "DENY"
    return Pool(str(given["UserPoolId"]), str(given.get("AwsRegion", region)), clients, denies)


def source_of(properties: Properties) -> Source:
    """Of an AWS::AppSync::DataSource. Raises DefinitionError."""
    _known("DataSource", properties, _SOURCE)
    kind = properties.get("Type")
    if kind == "NONE":
        return Source(str(properties["Name"]))
    if kind != "AWS_LAMBDA":
        raise DefinitionError(f"The data source type {kind} is not served here: AWS_LAMBDA and NONE are.")
    function = str((properties.get("LambdaConfig") or {}).get("LambdaFunctionArn", ""))
    if not function:
        raise DefinitionError("A data source of type AWS_LAMBDA needs LambdaConfig.LambdaFunctionArn.")
    return Source(str(properties["Name"]), function, str(properties.get("ServiceRoleArn", "")))


def resolver_of(properties: Properties) -> Resolver:
    """Of an AWS::AppSync::Resolver. Raises DefinitionError for templates that must be interpreted."""
    _known("Resolver", properties, _RESOLVER)
    if properties.get("Kind", "UNIT") != "UNIT":
        raise DefinitionError(f"Resolvers of kind {properties['Kind']} are not served here: UNIT is.")
    type_name, field = str(properties["TypeName"]), str(properties["FieldName"])
    if type_name not in ("Query", "Mutation"):
        raise DefinitionError(
            f"{type_name}.{field} has a resolver. Those of Query and Mutation are served here, no others."
        )
    made = Resolver(type_name, field, str(properties["DataSourceName"]))
    request, response = (properties.get(f"{name}MappingTemplate") for name in ("Request", "Response"))
    if not request and not response:
        return made
    handed_on = _PASSES_ON.fullmatch(_squeezed(str(request)))
    if handed_on is None or _squeezed(str(response)) != "$util.toJson($ctx.result)":
        raise DefinitionError(
            f"The mapping templates of {type_name}.{field} are not served here. What is: a request of "
            '{"version":"2018-05-29","payload":$util.toJson($context.arguments.NAME)} and a response of '
            "$util.toJson($context.result)."
        )
    return Resolver(made.type_name, field, made.source, handed_on["name"] or "", has_templates=True)


_PASSES_ON = re.compile(
    r'\{"version":"2018-05-29","payload":\$util\.toJson\(\$ctx\.args(?:\.(?P<name>\w+))?\)\}', re.ASCII
)


def _squeezed(template: str) -> str:
    """A template without blanks, and with the short names of what both names mean."""
    text = re.sub(r"\s+", "", template)
    return text.replace("$context.", "$ctx.").replace("$ctx.arguments", "$ctx.args")


def _known(kind: str, properties: Properties, known: Collection[str]) -> None:
    if unknown := sorted(properties.keys() - known):
        raise DefinitionError(f"{', '.join(unknown)} of AWS::AppSync::{kind} is not served here.")

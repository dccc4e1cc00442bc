"""Who calls, as the gateway has found out: someone of the user pool, or a principal of IAM (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OPERATORS, VIEWERS = "operators", "viewers"
"""Groups of the user pool: who may have jobs done, and who may see them and the reports."""


class UnknownCallerError(Exception):
    """The gateway names nobody: the route has no authorizer, or not one of ours."""


class ForbiddenError(Exception):
    """The caller may not do this; the text says who may."""


@dataclass(frozen=True)
class Caller:
    """A caller. `subject` names it for good; a principal of IAM (`is_program`) has been allowed the route by
    its policy. `groups` are those of the user pool.
    """

    subject: str
    operates: bool
    views: bool
    groups: frozenset[str] = frozenset()
    is_program: bool = False

    def must_view(self) -> None:
        """Raises ForbiddenError."""
        if not self.views:
            raise ForbiddenError(f"Only members of the groups {OPERATORS} and {VIEWERS} see this.")

    def must_operate(self, deeds: str = "start, cancel and retry jobs") -> None:
        """Raises ForbiddenError, with what operators alone do."""
        if not self.operates:
            raise ForbiddenError(f"Only members of the group {OPERATORS} {deeds}.")


def caller_of(context: Mapping[str, Any]) -> Caller:
    """The caller in an event's `requestContext`. Raises UnknownCallerError."""
    authorizer = context.get("authorizer") or {}
    if claims := (authorizer.get("jwt") or {}).get("claims"):
        groups = _groups(claims.get("cognito:groups", ""))
        operates = OPERATORS in groups
        return Caller(f"user:{claims['sub']}", operates, operates or VIEWERS in groups, frozenset(groups))
    if arn := (authorizer.get("iam") or {}).get("userArn"):
        return Caller(f"iam:{arn}", operates=True, views=True, is_program=True)
    raise UnknownCallerError("The request names nobody. Sign in, or sign it with IAM.")


def caller_of_identity(identity: Mapping[str, Any] | None) -> Caller:
    """The caller of a GraphQL query, in AppSync's words. Raises UnknownCallerError."""
    if identity and (claims := identity.get("claims")):
        return caller_of({"authorizer": {"jwt": {"claims": claims}}})
    return caller_of({"authorizer": {"iam": identity or {}}})


def _groups(claim: Any) -> set[str]:
    """The gateway hands a list of groups on as the text `[a b]`."""
    words = claim.strip("[]").replace(",", " ").split() if isinstance(claim, str) else claim
    return {str(word) for word in words}

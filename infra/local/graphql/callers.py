"""Who asks an API: a person with a token of its user pool, or a program that signs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.graphql.apis import Served
from infra.local.graphql.errors import RefusedError, forbidden_field, unauthorized
from infra.local.graphql.people import People
from infra.local.graphql.programs import Programs, Signed
from infra.local.graphql.rules import IAM, POOL, Caller


@dataclass(frozen=True)
class Callers:
    """Tells who a caller is and which fields are open to him."""

    people: People
    programs: Programs

    def of(self, api: Served, signed: Signed) -> Caller:
        """The caller of a request. May ask another process. Raises RefusedError."""
        with _answering():
            return self._of(api, signed)

    def _of(self, api: Served, signed: Signed) -> Caller:
        headers = {name.lower(): value for name, value in signed.headers.items()}
        header = headers.get("authorization", "")
        if header.startswith("AWS4-HMAC-SHA256"):
            if IAM not in api.access.modes:
                raise unauthorized()
            return self.programs.caller(signed)
        if not header:
            raise unauthorized("Valid authorization header not provided.")
        if api.access.pool is None:
            raise unauthorized()
        return self.people.caller(api.access.pool, header)

    def check(self, api: Served, caller: Caller, type_name: str, field: str) -> None:
        """Raises ResolverError when the field is not open to the caller."""
        rule = api.schema.rules.get((type_name, field))
        if rule is None or not rule.lets_in(caller):
            raise forbidden_field(type_name, field)
        is_refused_without_groups = (
            caller.mode == POOL
            and api.access.default == POOL
            and api.access.pool is not None
            and api.access.pool.denies
            and rule.modes[POOL] is None
        )
        if is_refused_without_groups:
            raise forbidden_field(type_name, field)

    def check_root(self, api: Served, caller: Caller, type_name: str, field: str) -> None:
        """The same for a field of Query, Mutation or Subscription, which IAM may have a say in too.

        May ask another process. Raises ResolverError, RefusedError.
        """
        self.check(api, caller, type_name, field)
        resource = f"{api.arn}/types/{type_name}/fields/{field}"
        with _answering():
            if caller.mode == IAM and not self.programs.allows(caller, resource):
                raise forbidden_field(type_name, field)


@contextmanager
def _answering() -> Iterator[None]:
    """An emulator that does not answer is a failure of AppSync's."""
    try:
        yield
    except (OSError, ClientError, BotoCoreError) as error:
        raise RefusedError("InternalFailureException", f"MiniStack did not answer: {error}", 500) from None

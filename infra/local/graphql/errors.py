"""What AppSync refuses, under its names, and the shapes in which it says so."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError

Json = dict[str, Any]


class RefusedError(Exception):
    """AppSync does not take this request. `kind` is its name for the error, `status` its HTTP status."""

    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.kind, self.message, self.status = kind, message, status

    @property
    def over_http(self) -> Json:
        """The body of the answer."""
        return {"errors": [{"errorType": self.kind, "message": self.message}]}

    @property
    def over_socket(self) -> Json:
        """The payload of a `connection_error` or an `error`."""
        return {"errors": [{"errorType": self.kind, "message": self.message, "errorCode": self.status}]}


class ResolverError(Exception):
    """A field that could not be resolved; `kind` is the `errorType` that the client reads."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class DefinitionError(ValueError):
    """A template has something of AppSync that is not served here, or that AppSync would not take either."""


def unauthorized(message: str = "You are not authorized to make this call.") -> RefusedError:
    """The caller is nobody, or nobody who may do anything here."""
    return RefusedError("UnauthorizedException", message, 401)


def bad_request(message: str) -> RefusedError:
    """The request has no meaning."""
    return RefusedError("BadRequestException", message, 400)


def forbidden_field(type_name: str, field: str) -> ResolverError:
    """The caller may do something here, but not this."""
    return ResolverError("Unauthorized", f"Not Authorized to access {field} on type {type_name}")


def written(error: GraphQLError) -> Json:
    """An error of one field, or of the document, as AppSync writes it."""
    original = error.original_error
    found: Json = {
        "path": error.path,
        "locations": [
            {"line": place.line, "column": place.column, "sourceName": None}
            for place in error.locations or ()
        ],
        "message": error.message,
    }
    if isinstance(original, ResolverError):
        found |= {"data": None, "errorType": original.kind, "errorInfo": None}
    return found


def invalid(errors: list[GraphQLError]) -> Json:
    """The answer to a document that does not fit the schema."""
    return {
        "data": None,
        "errors": [{**written(each), "message": f"Validation error: {each.message}"} for each in errors],
    }


def as_answer(data: Mapping[str, Any] | None, errors: list[GraphQLError] | None) -> Json:
    """The answer to a document that was executed."""
    return {"data": data} | ({"errors": [written(each) for each in errors]} if errors else {})

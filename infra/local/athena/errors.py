"""What goes wrong with a query, in Athena's words: error code, category, and whether trying again can help."""

from dataclasses import dataclass
from typing import ClassVar

USER, SYSTEM = 2, 1
"""AthenaError.ErrorCategory: 1 the service, 2 the user, 3 other."""


class ApiError(Exception):
    """An API call that is refused. `code` is the exception's name on the wire."""

    code: ClassVar[str] = "InvalidRequestException"

    def __init__(self, message: str, *, athena_error_code: str = "INVALID_INPUT") -> None:
        super().__init__(message)
        self.message, self.athena_error_code = message, athena_error_code


class MetadataNotFound(ApiError):
    """The data catalog has no such database or table."""

    code = "MetadataException"


class ResourceNotFound(ApiError):
    """There is no such prepared statement or capacity."""

    code = "ResourceNotFoundException"


@dataclass
class QueryError(Exception):
    """A query that fails.

    Attributes:
        name: Trino's error name, for example `COLUMN_NOT_FOUND`; the message that clients see begins with it. Empty
            for what Athena itself says, outside of its engine.
        text: what is wrong, where, and what to do.
        line, column: where in the query, from 1; 0 when it is not about a place.
        category: 1 the service's fault, 2 the user's.
        retryable: whether the same query may succeed later.
    """

    name: str
    text: str
    line: int = 0
    column: int = 0
    category: int = USER
    retryable: bool = False

    def __str__(self) -> str:
        place = f"line {self.line}:{self.column}: " if self.line else ""
        return f"{self.name}: {place}{self.text}" if self.name else self.text

    @property
    def error_type(self) -> int:
        """AthenaError.ErrorType of this error name."""
        return ERROR_TYPES.get(self.name, 1999 if self.category == SYSTEM else 1000)


# From Athena's error reference: 1xxx are the user's, 2xx and 4xx the service's.
ERROR_TYPES = {
    "": 0,
    "SYNTAX_ERROR": 1006,
    "NOT_SUPPORTED": 1301,
    "TABLE_NOT_FOUND": 1006,
    "SCHEMA_NOT_FOUND": 1006,
    "COLUMN_NOT_FOUND": 1006,
    "FUNCTION_NOT_FOUND": 1006,
    "TYPE_MISMATCH": 1006,
    "HIVE_PATH_ALREADY_EXISTS": 1400,
    "HIVE_BAD_DATA": 1200,
    "HIVE_CURSOR_ERROR": 233,
    "BYTES_SCANNED_LIMIT": 1600,
    "GENERIC_INTERNAL_ERROR": 1999,
}


def exhausted() -> QueryError:
    """The query needs more memory, disk or stack than one execution may have."""
    return QueryError("", "Query exhausted resources at this scale factor")


def refused(what: str, remedy: str, line: int = 0, column: int = 0) -> QueryError:
    """What Athena can do and the local endpoint cannot: refused before it runs."""
    return QueryError(
        "NOT_SUPPORTED", f"{what} is not supported by the local endpoint. {remedy}", line, column
    )

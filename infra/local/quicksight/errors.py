"""The refusals of the QuickSight API, by its names and HTTP status codes."""


class QuickSightError(Exception):
    """An API error: `code` is the exception's name in the service model, `status` its HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def not_found(what: str, name: str) -> QuickSightError:
    """ResourceNotFoundException."""
    return QuickSightError("ResourceNotFoundException", f"{what} {name} is not found.", 404)


def exists(what: str, name: str) -> QuickSightError:
    """ResourceExistsException."""
    return QuickSightError("ResourceExistsException", f"{what} {name} already exists.", 409)


def conflict(what: str, name: str, status: str) -> QuickSightError:
    """ConflictException: the asset is busy."""
    return QuickSightError("ConflictException", f"{what} {name} is in status {status}. Try again later.", 409)


def invalid(message: str) -> QuickSightError:
    """InvalidParameterValueException."""
    return QuickSightError("InvalidParameterValueException", message, 400)


def limit(message: str) -> QuickSightError:
    """LimitExceededException."""
    return QuickSightError("LimitExceededException", message, 409)

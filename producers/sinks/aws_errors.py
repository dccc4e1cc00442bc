"""AWS's error codes by what they mean to a sender (no AWS library)."""

RETRYABLE = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestTimeout",
        "ResourceInUseException",  # the stream is being made or changed
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    }
)
SKEWED = frozenset({"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"})
SIGNATURE = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch"})
CONTENT = frozenset(
    {"InvalidArgumentException", "RequestEntityTooLarge", "SerializationException", "ValidationException"}
)


def is_retryable(code: str, status: int) -> bool:
    """Whether the same call can succeed later without anybody changing anything."""
    return code in RETRYABLE or status >= 500 or status == 429


def is_content(code: str, status: int) -> bool:
    """Whether it is the request itself that is refused, so that sending it again cannot help."""
    return code in CONTENT or status == 413

"""The kinds of field that an event may have: each a type with its bounds, and what becomes of personal data.

A field is declared once, as an annotation. Decoder, validator, JSON Schema, Glue columns and Arrow schema
are all derived from it (see `transforms.contracts`).
"""

import types
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import Meta

# JSON readers that keep numbers as doubles are exact up to here (RFC 8259, section 6); no integer is larger.
LARGEST_INTEGER = 2**53 - 1

Identifier = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*\Z")]
"""A name that is safe in a path, a log line or SQL: letters, digits, `.`, `_`, `:`, `-`."""

ShortText = Annotated[str, Meta(min_length=1, max_length=256)]
Count = Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]
Minor = Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]
"""An amount of money in the currency's minor unit (cents), so that sums are exact."""
Milliseconds = Annotated[int, Meta(ge=0, le=86_400_000)]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
"""ISO 4217 code."""
HttpStatus = Annotated[int, Meta(ge=100, le=599)]

# `personal` names the lake column that stands in the field's place, a pseudonym if the name ends with `_key`.
# The raw value never reaches the lake.
ClientAddress = Annotated[str, Meta(min_length=2, max_length=253, extra={"personal": "client_key"})]
"""IPv4 or IPv6 address of the client, or its host name; the lake holds its pseudonym `client_key`."""
UserId = Annotated[str, Meta(min_length=1, max_length=64, extra={"personal": "user_key"})]
"""The account's id; the lake holds its pseudonym `user_key`."""
UserAgent = Annotated[str, Meta(max_length=1024, extra={"personal": "user_agent_class"})]
"""The `User-Agent` header; the lake holds the class that it falls into, `user_agent_class`."""

CAMPAIGN_PARAMETERS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
"""What a site writes into its own links to tell campaigns apart: the same for everybody who follows one.

Not among them: ids of clicks (`gclid`, `fbclid`, `msclkid`). Each stands for one click of one person, and who
gave it out can say whose.
"""

# `query` names the parameters of an address that the lake keeps. The others, which carry tokens, e-mail
# addresses and searches, its fragment, and user name and password are removed on the way there.
Url = Annotated[str, Meta(min_length=1, max_length=4096, extra={"query": CAMPAIGN_PARAMETERS})]
"""An address; the lake holds it with the campaign's parameters only."""
PageUrl = Annotated[
    str,
    Meta(min_length=1, max_length=4096, extra={"query": CAMPAIGN_PARAMETERS, "derive": {"path": "url_path"}}),
]
"""The address of a page; the payload in the lake gains its `path`, without query and fragment."""


def bare_type(hint: Any) -> Any:
    """The annotation without bounds and without None."""
    if get_origin(hint) is Annotated:
        return bare_type(hint.__origin__)
    if get_origin(hint) in (Union, types.UnionType):
        inner = [argument for argument in get_args(hint) if argument is not type(None)]
        if len(inner) == 1:
            return bare_type(inner[0])
    return hint

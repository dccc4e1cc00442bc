"""Which columns look personal: by what they are called, and by what their values look like (pure)."""

from producers.inference.model import Profile
from producers.inference.names import snake, words_of

_WORDS = frozenset(
    {
        "email", "mail", "phone", "mobile", "telephone", "fax", "ip", "iban", "ssn", "passport", "surname",
        "firstname", "lastname", "fullname", "username", "userid", "birthday", "birthdate", "dob",
        "useragent", "street", "msisdn", "imei", "mac",
    }
)  # fmt: skip
_NAMES = frozenset(
    {
        "first_name", "last_name", "given_name", "family_name", "middle_name", "full_name", "user_name",
        "customer_name", "contact_name", "person", "user_id", "user", "address", "home_address", "user_agent",
        "remote_addr", "remote_address", "client_address", "account_number", "card_number", "credit_card",
        "date_of_birth", "customer", "client_ip",
    }
)  # fmt: skip
_PLACES = frozenset({"city", "town", "place", "location", "region", "state", "country", "county", "airport"})
_LIKE = {
    "email": "addresses of mail",
    "address": "addresses of machines",
    "phone": "telephone numbers",
    "iban": "account numbers",
    "person": "names of people",
}
_SHARE = 0.8


def looks_personal(profile: Profile) -> str:
    """Why the column looks personal; nothing where it does not."""
    words, name = {*words_of(profile.name)}, snake(profile.name)
    if words & _WORDS or name in _NAMES or any(name.endswith(f"_{each}") for each in _NAMES):
        return "its name"
    if profile.type != "VARCHAR" or words & _PLACES:
        return ""
    for what, said in _LIKE.items():
        if profile.present and profile.like[what] >= profile.present * _SHARE:
            return f"its values look like {said}"
    return ""

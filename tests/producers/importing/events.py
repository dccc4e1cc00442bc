"""Events that tests import."""

from tests.shop import WEB

VIEWED = WEB.latest["page_viewed"]

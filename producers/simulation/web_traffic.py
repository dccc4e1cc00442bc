"""Plausible traffic of the `web` stream: visitors come, browse, fill carts and sometimes order.

Everything follows from the random source that is passed in. Addresses come from ranges that are reserved for
tests and documentation (RFC 2544, RFC 3849), so that no real person's address is ever made up.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, pi, sin
from operator import attrgetter
from random import Random
from typing import NamedTuple

from producers.contracts.envelope import EventType, Payload
from producers.contracts.shop.web import (
    CART_UPDATED,
    HEARTBEAT,
    ORDER_PLACED,
    PAGE_VIEWED,
    PRODUCT_VIEWED,
    CartUpdated,
    Heartbeat,
    OrderItem,
    OrderPlaced,
    PageViewed,
    ProductViewed,
)
from producers.simulation.traffic import Happening

DAY_MS = 86_400_000
BUSIEST_MS = 20 * 3_600_000  # eight in the evening, UTC
SWING = 0.6  # the quietest hour has a quarter of the busiest hour's visitors
EVENTS_PER_HEARTBEAT = 80
TOGETHER = 500  # events that are put in order at a time, and as many as are open besides
SHOP = "https://shop.example.com"

# (share of visitors, currency, price in its minor unit per euro cent)
MARKETS = (
    (0.46, "EUR", 1.0),
    (0.72, "USD", 1.08),
    (0.86, "GBP", 0.86),
    (0.94, "SEK", 11.3),
    (1.0, "JPY", 1.6),
)
CATEGORIES = ("lamps", "chairs", "tables", "rugs", "kitchen", "garden", "storage", "textiles")
SEARCHES = ("oak+table", "desk+lamp", "wool+rug", "garden+chair", "knife", "storage+box", "caf%C3%A9+cups")
REFERRERS = (
    None,
    None,
    "https://www.google.com/",
    "https://www.google.com/",
    "https://duckduckgo.com/",
    "https://www.bing.com/search?q=oak+table",
    "https://news.example.org/2026/11/living-rooms",
    "https://m.facebook.com/",
    "https://mail.example.net/newsletter?utm_source=newsletter&utm_campaign=autumn",
)
UNUSUAL_STATUSES = ((0.97, 304), (0.99, 404), (0.997, 301), (1.0, 500))  # (share of pages up to it, status)
_WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1"
_BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
USER_AGENTS = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_BLINK} Safari/537.36",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_BLINK} Safari/537.36 Edg/142.0.0.0",
    f"Mozilla/5.0 (Linux; Android 10; K) {_BLINK} Mobile Safari/537.36",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Safari/605.1.15",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) {_WEBKIT} Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
)
BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
)


class Product(NamedTuple):
    """Something on sale; its price in euro cents."""

    product_id: str
    category: str
    cents: int


PRODUCTS = tuple(
    Product(f"{category[:3]}-{number:03d}", category, 490 + (number * 7919 + len(category) * 431) % 48_000)
    for number in range(40)
    for category in CATEGORIES
)


_TIME = attrgetter("time_ms")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with an address, a browser and a currency; some are logged in."""

    address: str
    cart_id: str
    user_agent: str
    user_id: str | None
    currency: str
    price_factor: float
    is_bot: bool


def traffic(random: Random, count: int, start_ms: int, span_ms: int) -> Iterator[Happening]:
    """At least `count` happenings in order of time; see `producers.contracts.stream.Traffic`."""
    end_ms = start_ms + span_ms
    waiting: list[Happening] = []
    enough = TOGETHER
    pool = _Visitors(random, max(40, count // 30))
    daylight = _daylight(start_ms, end_ms)
    time, made, beats = float(start_ms), 0, 0
    while True:
        session = _Session(random, pool.draw(), int(time), end_ms).events()
        waiting += session
        made += len(session)
        if made >= (beats + 1) * EVENTS_PER_HEARTBEAT:
            beats += 1
            made += 1
            beat = Heartbeat(
                host=f"web-{beats % 4 + 1}", uptime_seconds=86_400 + (int(time) - start_ms) // 1000
            )
            waiting.append(Happening(int(time), HEARTBEAT, beat))
        # The next visitor comes when the share of events that is due by then has been made.
        time = min(time + (len(session) / count) * daylight / _density(time), end_ms - 1)
        if len(waiting) < enough and made < count:
            continue
        # Visits overlap. To sort many at once takes less than a heap; of two at the same time the one that
        # was made first stays the first.
        waiting.sort(key=_TIME)
        due = len(waiting) if made >= count else bisect_right(waiting, time, key=_TIME)
        yield from waiting[:due]
        del waiting[:due]
        enough = 2 * len(waiting) + TOGETHER


def _density(time_ms: float) -> float:
    return 1 + SWING * cos(2 * pi * (time_ms - BUSIEST_MS) / DAY_MS)


def _daylight(start_ms: float, end_ms: float) -> float:
    """The density's integral over the span."""
    turn = 2 * pi / DAY_MS
    wave = sin(turn * (end_ms - BUSIEST_MS)) - sin(turn * (start_ms - BUSIEST_MS))
    return end_ms - start_ms + SWING / turn * wave


class _Visitors:
    """A crowd of which some come again and again."""

    def __init__(self, random: Random, size: int) -> None:
        self._random = random
        self._size = size
        self._known: dict[int, Visitor] = {}

    def draw(self) -> Visitor:
        number = int(self._size * self._random.random() ** 2)
        visitor = self._known.get(number)
        if visitor is None:
            visitor = self._known[number] = self._make(number)
        return visitor

    def _make(self, number: int) -> Visitor:
        random = self._random
        is_bot = random.random() < 0.04
        ipv6 = random.random() < 0.15
        share = random.random()
        _, currency, factor = next(market for market in MARKETS if share <= market[0])
        spread = (
            number * 40_503 % 131_072
        )  # a bijection onto the range while there are fewer visitors than addresses
        if ipv6:
            address = f"2001:db8:{number >> 16:x}:{number & 65_535:x}::{random.randrange(1, 65_536):x}"
        else:
            address = f"198.{18 + (spread >> 16)}.{spread >> 8 & 255}.{spread & 255}"
        return Visitor(
            address=address,
            cart_id=f"c-{number:06d}",
            user_agent=random.choice(BOTS if is_bot else USER_AGENTS),
            user_id=f"u{number:06d}" if not is_bot and random.random() < 0.3 else None,
            currency=currency,
            price_factor=factor,
            is_bot=is_bot,
        )


class _Session:
    """One visit, step by step."""

    def __init__(self, random: Random, visitor: Visitor, time_ms: int, end_ms: int) -> None:
        self._random, self._draw = random, random.random
        self._visitor = visitor
        self._time = time_ms
        self._end = end_ms
        self._referrer = REFERRERS[int(len(REFERRERS) * random.random())]
        self._found: list[Happening] = []

    def events(self) -> list[Happening]:
        if self._visitor.is_bot:
            self._crawl()
        else:
            self._browse()
        return self._found

    def _crawl(self) -> None:
        self._page("/robots.txt", 120)
        for _ in range(1 + int(12 * self._draw())):
            product = self._product()
            self._page(f"/{product.category}/{product.product_id}", 31_000)
            self._time += 1_000

    def _browse(self) -> None:
        draw = self._draw
        self._page(self._landing(), 24_000)
        cart: dict[Product, int] = {}
        # Each further step is taken by fewer visitors: a third look at one page only.
        while draw() < 0.7:
            self._think(4_000, 90_000)
            chance = draw()
            if chance < 0.45:
                self._look_at_product(cart)
            elif chance < 0.75:
                self._page(f"/{CATEGORIES[int(len(CATEGORIES) * draw())]}", 38_000)
            elif chance < 0.93:
                self._page(f"/search?q={SEARCHES[int(len(SEARCHES) * draw())]}", 17_000)
            else:
                self._page("/about", 9_000)
        if cart:
            self._check_out(cart)

    def _landing(self) -> str:
        chance = self._draw()
        if chance < 0.5:
            return "/"
        if chance < 0.6:
            return "/?utm_source=newsletter&utm_medium=email&utm_campaign=autumn"
        product = self._product()
        return f"/{product.category}/{product.product_id}" if chance < 0.8 else f"/{product.category}"

    def _look_at_product(self, cart: dict[Product, int]) -> None:
        product, visitor = self._product(), self._visitor
        self._page(f"/{product.category}/{product.product_id}", 31_000)
        self._add(
            PRODUCT_VIEWED,
            ProductViewed(
                product_id=product.product_id,
                client_address=visitor.address,
                category=product.category,
                price_minor=self._price(product),
                currency=visitor.currency,
                user_id=visitor.user_id,
            ),
        )
        if self._draw() < 0.3:
            self._think(2_000, 30_000)
            quantity = 1 + int(3 * self._draw() ** 3)
            cart[product] = cart.get(product, 0) + quantity
            self._cart(product, "added", quantity)

    def _check_out(self, cart: dict[Product, int]) -> None:
        random, visitor = self._random, self._visitor
        self._page("/cart", 14_000)
        if len(cart) > 1 and random.random() < 0.25:
            product = next(iter(cart))
            self._think(2_000, 20_000)
            self._cart(product, "removed", cart.pop(product))
        if random.random() < 0.5:
            return
        self._think(20_000, 240_000)
        self._page("/checkout", 16_000)
        items = [
            OrderItem(product_id=product.product_id, quantity=quantity, price_minor=self._price(product))
            for product, quantity in cart.items()
        ]
        self._add(
            ORDER_PLACED,
            OrderPlaced(
                order_id=f"o-{random.getrandbits(48):012x}",
                client_address=visitor.address,
                items=items,
                total_minor=sum(item.price_minor * item.quantity for item in items),
                currency=visitor.currency,
                user_id=visitor.user_id,
            ),
        )

    def _cart(self, product: Product, action: str, quantity: int) -> None:
        visitor = self._visitor
        self._add(
            CART_UPDATED,
            CartUpdated(
                cart_id=visitor.cart_id,
                product_id=product.product_id,
                client_address=visitor.address,
                action="added" if action == "added" else "removed",
                quantity=quantity,
                user_id=visitor.user_id,
            ),
        )

    def _page(self, path: str, size: int) -> None:
        draw, visitor = self._draw, self._visitor
        status, url = 200, SHOP + path
        if (chance := draw()) >= 0.93:
            status = next(status for share, status in UNUSUAL_STATUSES if chance < share)
        page = PageViewed(
            url=url,
            client_address=visitor.address,
            status=status,
            referrer=self._referrer,
            user_agent=visitor.user_agent,
            user_id=visitor.user_id,
            bytes_sent=None if status == 304 else int(size * (0.8 + 0.4 * draw())),
            # Most answers are quick and a few are slow.
            duration_ms=int(18 + 30 * draw() / (1.02 - draw())),
        )
        self._referrer = url
        self._add(PAGE_VIEWED, page)

    def _product(self) -> Product:
        return PRODUCTS[int(len(PRODUCTS) * self._draw() ** 2)]

    def _price(self, product: Product) -> int:
        return int(product.cents * self._visitor.price_factor)

    def _think(self, least_ms: int, most_ms: int) -> None:
        self._time += least_ms + int((most_ms - least_ms) * self._draw() ** 2)

    def _add(self, event_type: EventType, payload: Payload) -> None:
        # A visit that would outlast the span ends with it.
        self._found.append(Happening(min(self._time, self._end - 1), event_type, payload))

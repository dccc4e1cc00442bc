"""The collector's places in its sequence: taken when events are acknowledged, and not before (pure)."""

import msgspec

from producers.collector.prepared import Prepared
from producers.contracts import PRODUCER_AUDITED, ProducerAudited

AUDIT_REQUESTS = 20
AUDIT_SECONDS = 5.0


class Sequence:
    """One execution environment as a producer.

    An audit rides along with the first request, then with every 20th or after 5 s: environments end
    silently, and what they told last is what they sent.

    Attributes:
        last_seq: the last place that is taken, 0 before the first.
    """

    def __init__(self, producer_id: str, epoch: int) -> None:
        self.producer_id, self.epoch, self.last_seq = producer_id, epoch, 0
        self._requests, self._audited_at = AUDIT_REQUESTS, 0.0

    def place(self, events: list[Prepared]) -> list[bytes]:
        """The bytes of events at the next places, which are not taken yet."""
        found, seq = [], self.last_seq
        whose = b',"producer_id":"%b","epoch":%d,"seq":' % (self.producer_id.encode(), self.epoch)
        for head, tail, _, _ in events:
            if tail:
                seq += 1
                found.append(b"%b%b%d%b" % (head, whose, seq, tail))
            else:
                found.append(head)
        return found

    def took(self, events: list[Prepared]) -> None:
        """The events are safe at the places that `place` gave them."""
        self.last_seq += _numbered(events)

    def lost_track(self, now_ms: int) -> None:
        """It is not known whether places were taken: begin another sequence, so that none is given twice."""
        self.epoch, self.last_seq = max(now_ms, self.epoch + 1), 0
        self.audit_lost()

    def audit_lost(self) -> None:
        """The audit did not arrive: the next request carries one."""
        self._requests = AUDIT_REQUESTS

    def audit(self, events: list[Prepared], event_id: str, time: str, now: float) -> bytes:
        """The audit that rides along with these events, or nothing when none is due. `now` is monotonic.

        It tells the last place as it is once they are taken: it arrives with them, or not at all.
        """
        numbered = _numbered(events)
        if not numbered:
            return b""
        self._requests += 1
        if self._requests <= AUDIT_REQUESTS and now - self._audited_at < AUDIT_SECONDS:
            return b""
        self._requests, self._audited_at = 0, now
        payload = ProducerAudited(producer=self.producer_id, last_seq=self.last_seq + numbered)
        return msgspec.json.encode(
            {
                "event_type": PRODUCER_AUDITED.name,
                "event_id": event_id,
                "schema_version": PRODUCER_AUDITED.version,
                "event_time": time,
                "source": "collector",
                "producer_id": self.producer_id,
                "epoch": self.epoch,
                "seq": 0,
                "payload": payload,
            }
        )


def _numbered(events: list[Prepared]) -> int:
    """How many of them need a place."""
    return sum(1 for event in events if event.tail)

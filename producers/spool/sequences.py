"""The sequences that went into a spool folder: of the producer that uses it, and of killed ones."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

from producers.spool.sequence import Sequence, SequenceNote, read_sequence, sequence_paths

_log = logging.getLogger(__name__)
_TRIES_APART = 1_000


class Sequences:
    """See the module.

    Attributes:
        appended: events that were written to the spool since it was opened.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._folder = folder
        self._note: SequenceNote | None = None
        self._name: tuple[str, int] | None = None
        self._noted = self._try_at = self.appended = 0

    def begin(self, producer_id: str, epoch: int) -> None:
        """From now on this sequence goes into the spool. Nothing is written before an event of it is."""
        self._name = producer_id, epoch
        self._noted = self.appended

    def took(self, last_seq: int) -> None:
        """Notes how far the sequence went if an event has been written since the last time."""
        if self.appended == self._noted:
            return
        self._noted = self.appended
        with self._lock:
            if self._note is None and self._name is not None and self.appended >= self._try_at:
                self._make_note(*self._name)
            if self._note is not None:
                self._note.note(last_seq)

    def _make_note(self, producer_id: str, epoch: int) -> None:
        try:
            self._note = SequenceNote(self._folder, producer_id, epoch)
        except OSError as error:
            if not self._try_at:
                _log.warning("How far the sequence went cannot be noted in %s: %s.", self._folder, error)
            self._try_at = self.appended + _TRIES_APART

    def sync(self) -> None:
        """Makes it safe from a power cut. Raises OSError."""
        with self._lock:
            if self._note is not None:
                self._note.sync()

    def end(self, is_told: bool) -> None:
        """Lets go of the note. `is_told`: the stream knows how far the sequence went, or will by the spool,
        so that nobody else has to tell it.
        """
        with self._lock:
            note, self._note, self._name = self._note, None, None
        if note is None:
            return
        try:
            if is_told:
                note.delete()
            else:
                note.close()
        except OSError as error:  # the next process tells it once more
            _log.warning("How far the sequence went is still noted in %s: %s.", self._folder, error)

    def left(self) -> Iterator[Sequence]:
        """What producers that were killed have left. Going on says that it was reported: then it is removed.

        To be called before `took`. Raises OSError.
        """
        for path in sequence_paths(self._folder):
            found = read_sequence(path)
            if found is None:
                _log.warning("%s does not say how far a producer that was killed went.", path)
            else:
                yield found
            path.unlink(missing_ok=True)

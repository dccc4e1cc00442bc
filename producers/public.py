"""What a program uses: the names that `from penstock import ...` and `from producers import ...` give.

Each is listed here and nowhere else.
"""

# ruff: noqa: PLC0414  (an alias of the same name is how a module hands a name on)

from producers.async_producer import AsyncProducer as AsyncProducer
from producers.errors import BadKeyError as BadKeyError
from producers.errors import BufferFullError as BufferFullError
from producers.errors import ClosedError as ClosedError
from producers.errors import ContractError as ContractError
from producers.errors import DeadLetterError as DeadLetterError
from producers.errors import NotEncodableError as NotEncodableError
from producers.errors import ProducerError as ProducerError
from producers.errors import SchemaViolationError as SchemaViolationError
from producers.errors import SpoolError as SpoolError
from producers.errors import SpoolFullError as SpoolFullError
from producers.errors import StateError as StateError
from producers.errors import StreamRefusedError as StreamRefusedError
from producers.errors import TooLargeError as TooLargeError
from producers.producer import Producer as Producer
from producers.sending.dead_letters import DeadLetterFile as DeadLetterFile
from producers.sending.settled import Settled as Settled
from producers.sending.stats import Stats as Stats
from producers.spool.folder import Spool as Spool

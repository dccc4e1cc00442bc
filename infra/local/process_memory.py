"""What every process of the local cloud does about its memory and its threads."""

import asyncio
import ctypes
import gc
import sys

ENVIRONMENT = {
    # Each thread would keep an arena of its own, and with it what its largest request once took.
    "MALLOC_ARENA_MAX": "2",
    # Bodies of some MB come and go all the time: taken from the system each time, their pages cost more than
    # what is done with them.
    "MALLOC_MMAP_THRESHOLD_": "8388608",
    "MALLOC_TRIM_THRESHOLD_": "16777216",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
"""Variables that a process must be started with."""
_SWITCH_SECONDS = 0.001
_GIVE_BACK_SECONDS = 20.0


def settle() -> None:
    """Leave loaded code out of garbage collection, collect less often, and let waiting threads in sooner.

    The stock interval of 5 ms is what a thread waits after each read of a socket while another one computes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    sys.setswitchinterval(_SWITCH_SECONDS)


async def keep_small() -> None:
    """Give back what is freed, every now and then, until cancelled.

    Large bodies that come and go between small ones that stay would make the heap grow without end.
    """
    while True:
        await asyncio.sleep(_GIVE_BACK_SECONDS)
        give_back()


def give_back() -> None:
    """Return memory that was freed to the system, which glibc does by itself at the end of its heap only."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

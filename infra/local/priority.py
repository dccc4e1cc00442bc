"""Which processes of the local cloud give way: everything behind the stream.

On AWS the pipeline takes no processor time from whoever runs a producer or looks at a page. On one machine it
does, so what nobody waits for takes only what others leave. The endpoints of MiniStack keep their priority.
"""

import contextlib
import os
from pathlib import Path

NICE = 10
_SESSION = Path("/proc/self/autogroup")  # Linux; absent where the kernel does not weigh sessions


def give_way() -> None:
    """Take processor time after other programs, from now on and for processes started from here."""
    os.nice(NICE)
    if os.getsid(0) == os.getpid():
        # Kernels that share out time by session first know a nice value of the session only. Not of one that
        # others belong to as well, such as a terminal's.
        with contextlib.suppress(OSError):
            _SESSION.write_text(str(NICE))

"""Connections that a forked process has from its parent.

A thread of the parent may have held their locks at that moment, and is not in the child to release them:
closing the connections there, or collecting them, could wait for ever. So they are left alone.
"""

from copy import copy
from typing import Any

_LEFT: list[Any] = []
"""Kept, so that nothing collects them."""


def leave(connections: Any) -> None:
    """From now on nobody touches these connections."""
    _LEFT.append(connections)


def leave_those_of(client: Any) -> None:
    """Gives a botocore client connections of its own. botocore has no public way to replace them."""
    endpoint = getattr(client, "_endpoint", None)
    session = getattr(endpoint, "http_session", None)
    if endpoint is None or session is None:  # a client that is not botocore's
        return
    from urllib3 import PoolManager

    leave(session)
    fresh = copy(session)
    fresh._proxy_managers = {}
    fresh._manager = PoolManager(**fresh._get_pool_manager_kwargs())
    fresh._manager.pool_classes_by_scheme = fresh._pool_classes_by_scheme
    endpoint.http_session = fresh

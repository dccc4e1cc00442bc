"""MiniStack keeps queues by their URL, and its event source mappings look them up by the URL of today.

After a restart on another port, or with TLS where there was none, its restored queues fill and nobody reads
them. This gives every restored queue the URL that it has now.
"""

from typing import Any


def readdress(queues: Any, name_of: Any, address: Any) -> None:
    """Key each queue by `address(account, name)`.

    `queues` is MiniStack's dictionary by (account, region, URL); `name_of(key, queue)` gives account, region,
    name and URL, or None for what is not a queue.
    """
    for key, queue in queues.all_items():
        found = name_of(key, queue)
        if found is None:
            continue
        account, region, name, url = found
        now = address(account, name)
        if url != now:
            queues.pop_scoped(account, region, url)
            queues.set_scoped(account, region, now, queue | {"url": now})


def install() -> None:
    """Do it whenever MiniStack has read its state. `expire.install` has checked the version."""
    from ministack.services import sqs

    restore = sqs._restore_state

    def restore_here(data: Any) -> None:
        restore(data)
        readdress(sqs._queues, sqs._queue_scope_from_record, sqs._queue_url_for_account)
        sqs._queue_name_to_url.clear()
        sqs._rebuild_queue_name_index()

    sqs._restore_state = restore_here

"""Puts the page into its bucket: what it names first, then what it reads of its deployment, then the page."""

import json
from typing import Any

from dashboards.site.shell import INDEX, shell

CONFIG = "config.json"


POLL_SECONDS = 5.0
"""Between two polls of a page that is in sight."""


def page_config(
    login: str, client_id: str, address: str, poll_seconds: float = POLL_SECONDS
) -> dict[str, Any]:
    """What the page reads of its deployment: where to sign in and out, as whom, and back to where; and how
    often it asks what is new.
    """
    return {
        "login": login,
        "client_id": client_id,
        "redirect": address,
        "logout": f"{login}/logout",
        "live": None,
        "poll_seconds": poll_seconds,
    }


def put_shell(s3: Any, bucket: str, config: dict[str, Any]) -> list[str]:
    """Put every file that is not there as it is; the keys of those. Raises ClientError."""
    files = dict(shell())
    page = files.pop(INDEX)
    wanted = [(key, file.text.encode(), file.media_type, file.cache_control) for key, file in files.items()]
    settings = json.dumps(config, sort_keys=True).encode()
    wanted.append((CONFIG, settings, "application/json", "no-cache"))
    wanted.append((INDEX, page.text.encode(), page.media_type, page.cache_control))
    there = _tags(s3, bucket)
    done = []
    for key, body, media_type, cache_control in wanted:
        if there.get(key) != _tag(body):
            s3.put_object(
                Bucket=bucket, Key=key, Body=body, ContentType=media_type, CacheControl=cache_control
            )
            done.append(key)
    return done


def _tags(s3: Any, bucket: str) -> dict[str, str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {each["Key"]: each["ETag"].strip('"') for page in pages for each in page.get("Contents", [])}


def _tag(body: bytes) -> str:
    """What S3 calls an object of this content, under its own encryption."""
    import hashlib

    return hashlib.md5(body, usedforsecurity=False).hexdigest()

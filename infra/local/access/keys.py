"""The keys of one local cloud: made when it is first started, known to nobody who may not read its folder."""

import hashlib
import hmac
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Keys:
    """An access key as AWS's are made, never a real one.

    Attributes:
        access_key_id: names the key; no secret.
        secret_access_key: signs every call.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)

    @classmethod
    def of(cls, file: Path) -> "Keys":
        """The keys that are kept in this file, readable by its owner only; made when there are none.

        Raises OSError.
        """
        with suppress(FileNotFoundError):
            return _read(file)
        made = {
            "access_key_id": "AKIA" + "".join(secrets.choice(_ALPHABET) for _ in range(16)),
            "secret_access_key": secrets.token_urlsafe(30),
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            json.dump(made, opened)
        with suppress(FileExistsError):  # another process was first
            os.link(draft, file)
        draft.unlink()
        return _read(file)

    def derived(self, purpose: str) -> str:
        """A secret for one purpose, which reveals nothing of the keys themselves."""
        return hmac.new(self.secret_access_key.encode(), purpose.encode(), hashlib.sha256).hexdigest()

    @property
    def token(self) -> str:
        """What our own programs show where no AWS client asks: `Authorization: Bearer <token>`."""
        return self.derived("control")

    @property
    def bearer(self) -> dict[str, str]:
        """The header with it."""
        return {"Authorization": f"Bearer {self.token}"}


def _read(file: Path) -> Keys:
    found = json.loads(file.read_text(encoding="utf-8"))
    return Keys(found["access_key_id"], found["secret_access_key"])

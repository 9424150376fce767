"""Pure: the keys that sign frames, found again by the id that a frame carries.

In version 1 an id has one byte: one pair of keys in 256 has the same, so that all keys of an id
are tried. In version 2 it has eight bytes, which no two keys share by chance.
"""

import hashlib
import hmac

MAC_BYTES = 16
_PURPOSE = b"havpn key id"
_ID_BYTES = {1: 1, 2: 8}


class Keyring:
    """Signs with one key and accepts several.

    :param keys: the first signs, all are accepted.
    """

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._signing = keys[0]
        self._keys: dict[bytes, list[bytes]] = {}
        for key in dict.fromkeys(keys):
            for version in _ID_BYTES:
                self._keys.setdefault(key_id(key, version), []).append(key)

    def signing_id(self, version: int) -> bytes:
        """Give the id of the key that signs."""
        return key_id(self._signing, version)

    def sign(self, body: bytes) -> bytes:
        """Make the signature of a body."""
        return _signature(self._signing, body)

    def known(self, number: bytes) -> bool:
        """Whether there is a key with this id."""
        return number in self._keys

    def verify(self, number: bytes, body: bytes, signature: bytes) -> bool:
        """Whether one of the keys with this id made the signature."""
        keys = self._keys.get(number, [])
        return any(hmac.compare_digest(signature, _signature(key, body)) for key in keys)


def key_id(key: bytes, version: int) -> bytes:
    """Make the id by which frames of a version name a key."""
    return hashlib.sha256(_PURPOSE + key).digest()[: _ID_BYTES[version]]


def _signature(key: bytes, body: bytes) -> bytes:
    """HMAC-SHA256, the first 16 bytes of it (RFC 2104, RFC 4868)."""
    return hmac.digest(key, body, "sha256")[:MAC_BYTES]

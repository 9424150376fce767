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
        self._signing = _Mac(keys[0])
        self._signing_ids = {version: key_id(keys[0], version) for version in _ID_BYTES}
        self._keys: dict[bytes, list[_Mac]] = {}
        for key in dict.fromkeys(keys):
            for version in _ID_BYTES:
                self._keys.setdefault(key_id(key, version), []).append(_Mac(key))

    def signing_id(self, version: int) -> bytes:
        """Give the id of the key that signs."""
        return self._signing_ids[version]

    def sign(self, body: bytes) -> bytes:
        """Make the signature of a body."""
        return self._signing.of(body)

    def known(self, number: bytes) -> bool:
        """Whether there is a key with this id."""
        return number in self._keys

    def verify(self, number: bytes, body: bytes, signature: bytes) -> bool:
        """Whether one of the keys with this id made the signature."""
        for key in self._keys.get(number, ()):
            if hmac.compare_digest(signature, key.of(body)):
                return True
        return False


def key_id(key: bytes, version: int) -> bytes:
    """Make the id by which frames of a version name a key."""
    return hashlib.sha256(_PURPOSE + key).digest()[: _ID_BYTES[version]]


class _Mac:
    """HMAC-SHA256 with one key, the first 16 bytes of it (RFC 2104, RFC 4868).

    What the key makes of both hashes is kept, as RFC 2104 section 4 advises: thousands of packets
    a second are signed with it.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = hashlib.sha256().block_size
        whole = (key if len(key) <= block else hashlib.sha256(key).digest()).ljust(block, b"\0")
        self._inner = hashlib.sha256(bytes(each ^ 0x36 for each in whole))
        self._outer = hashlib.sha256(bytes(each ^ 0x5C for each in whole))

    def of(self, body: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(body)
        outer.update(inner.digest())
        return outer.digest()[:MAC_BYTES]

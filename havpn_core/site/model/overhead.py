"""Pure: what ESP makes of the size of a packet, by its proposal."""

from dataclasses import dataclass

from havpn_core.site.model.model import Line
from havpn_core.site.model.options import TunnelOptions
from havpn_core.site.model.proposals import Kind, parsed, words_of

IP = {4: 20, 6: 40}
"""Header of the packet outside: RFC 791 section 3.1, RFC 8200 section 3."""
UDP = 8  #: header that NAT traversal puts before ESP, RFC 3948 section 2.1
HEAD = 8  #: SPI and sequence number, RFC 4303 section 2
USUAL = 1400
"""Bytes of the large probe that no line of the usual MTU is too small for."""
TRAILER = 2  #: pad length and next header, RFC 4303 section 2

ICVS = {
    "md5_128": 16, "md5": 12, "sha1_160": 20, "sha1": 12, "sha": 12,  # RFC 2403, RFC 2404
    "sha256_96": 12, "sha2_256_96": 12,
    "sha256": 16, "sha2_256": 16, "sha384": 24, "sha2_384": 24,  # RFC 4868 section 2
    "sha512": 32, "sha2_512": 32,
    "aesxcbc": 12, "camelliaxcbc": 12, "aescmac": 12,  # RFC 3566, RFC 4494
}  # fmt: skip
"""Bytes of the integrity check value, by the word for the algorithm."""


@dataclass(frozen=True)
class Way:
    """What a combination of algorithms adds.

    :param iv: bytes of the initialization vector.
    :param block: what the payload with its trailer is padded to a multiple of.
    :param icv: bytes of the integrity check value.
    """

    iv: int
    block: int
    icv: int


DEFAULT = Way(16, 16, 32)
"""The most that strongSwan's own proposals take: AES in CBC with HMAC-SHA-512."""


def overheads(esp: str) -> list[Way]:
    """Give what each combination of a proposal for ESP adds; none if it is malformed."""
    found = [DEFAULT] if "default" in words_of(esp) else []
    for proposal in parsed(esp):
        checks = [ICVS[word] for word in proposal.of(Kind.INTEGRITY) if word in ICVS]
        for word in (*proposal.of(Kind.CIPHER), *proposal.of(Kind.AEAD)):
            iv, block, own = _cipher(word)
            found.append(Way(iv, block, own or max(checks, default=0)))
    return found


def fitting(line: Line, esp: str) -> int | None:
    """Give the largest packet that passes a line whole in its tunnel.

    :param esp: the proposals for ESP; ``None`` is given for those that are malformed.
    """
    ways = overheads(esp)
    version = next((end.address.version for end in line.ends if end.address), 6)
    nat = any(end.dynamic for end in line.ends)
    found = [largest(line.options.mtu, version, way, encapsulated=nat) for way in ways]
    return min(found, default=None)


def probe_size(line: Line, tunnel: TunnelOptions) -> int:
    """Give the bytes of the large probe: what is written, or as much as passes, up to a limit."""
    if tunnel.size is not None:
        return tunnel.size
    most = fitting(line, tunnel.esp)
    return USUAL if most is None else min(USUAL, most)


def largest(mtu: int, version: int, way: Way, *, encapsulated: bool) -> int:
    """Give the largest packet that passes whole through the tunnel.

    :param mtu: that of the line.
    :param version: the family of the line, 4 or 6.
    :param encapsulated: whether the tunnel may have to pass a NAT.
    """
    room = mtu - IP[version] - (UDP if encapsulated else 0) - HEAD - way.iv - way.icv
    return room // way.block * way.block - TRAILER


def _cipher(word: str) -> tuple[int, int, int]:
    """Give the bytes of IV and block, and of the check value of what has its own."""
    if word.startswith("chacha20poly1305") or "gmac" in word:
        return 8, 4, 16  # RFC 7634 section 2, RFC 4543 section 3
    mode = next((mode for mode in ("gcm", "ccm") if mode in word), "")
    if mode:  # RFC 4106 sections 3 and 6, RFC 4309 section 3
        return 8, 4, {"8": 8, "64": 8, "12": 12, "96": 12}.get(word.partition(mode)[2], 16)
    if word.endswith("ctr") or word == "null":
        return 0 if word == "null" else 8, 4, 0  # RFC 3686 section 3, RFC 2410
    if word.startswith(("des", "3des", "blowfish", "cast")):
        return 8, 8, 0  # RFC 2451
    return 16, 16, 0  # AES in CBC, RFC 3602, and what has blocks as long

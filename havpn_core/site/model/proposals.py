"""Pure: proposals of algorithms, in the words of ``swanctl.conf``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum


class Kind(Enum):
    """What a word of a proposal stands for."""

    CIPHER = "encryption"
    AEAD = "encryption with its own integrity check"
    INTEGRITY = "an integrity check"
    PRF = "a pseudo-random function"
    EXCHANGE = "a key exchange"
    NUMBERS = "sequence numbers"


_AES = r"(aes|camellia)(128|192|256)"
_WORDS: tuple[tuple[Kind, str], ...] = (
    (Kind.AEAD, rf"aes(128|192|256)gcm(8|12|16|64|96|128)?|{_AES}ccm(8|12|16|64|96|128)?"),
    (Kind.AEAD, r"chacha20poly1305(compat)?|aes(128|192|256)gmac"),
    (Kind.CIPHER, rf"{_AES}(ctr)?|aes|camellia|null|des|3des|cast128"),
    (Kind.CIPHER, r"(blowfish|serpent|twofish)(128|192|256)?"),
    (Kind.INTEGRITY, r"sha|sha1|sha1_160|sha(2_)?(256|384|512)|sha(2_)?256_96|md5|md5_128"),
    (Kind.INTEGRITY, r"aesxcbc|camelliaxcbc|aescmac"),
    (Kind.PRF, r"prf(sha1|sha256|sha384|sha512|md5|aesxcbc|camelliaxcbc|aescmac)"),
    (Kind.EXCHANGE, r"(ke[1-7]_)?(none|modp(none|null|768|1024|1536|2048|3072|4096|6144|8192))"),
    (Kind.EXCHANGE, r"(ke[1-7]_)?(modp1024s160|modp2048s(224|256)|ecp(192|224|256|384|521))"),
    (Kind.EXCHANGE, r"(ke[1-7]_)?(ecp(224|256|384|512)bp|(curve|x)(25519|448))"),
    (Kind.EXCHANGE, r"(ke[1-7]_)?(mlkem(512|768|1024)|ntru(112|128|192|256))"),
    (Kind.EXCHANGE, r"(ke[1-7]_)?((kyber|frodo[as]|bike|hqc|saber)[135])"),
    (Kind.NUMBERS, r"(no)?esn"),
)  # fmt: skip
_KNOWN = tuple((kind, re.compile(rf"({pattern})\Z")) for kind, pattern in _WORDS)
USUAL = (
    "aes128gcm16", "aes256gcm16", "aes128", "aes256", "chacha20poly1305", "sha256", "sha384",
    "sha512", "prfsha256", "prfsha384", "prfsha512", "ecp256", "ecp384", "ecp521", "curve25519",
    "x25519", "modp2048", "modp3072", "modp4096", "mlkem768", "esn", "noesn",
)  # fmt: skip
WEAK = frozenset(
    {"des", "3des", "null", "blowfish", "cast128", "md5", "md5_128", "prfmd5", "modp768",
     "modp1024", "modp1536", "modpnull", "modp1024s160", "none", "modpnone"}
)  # fmt: skip
"""What RFC 8221 and RFC 8247 say MUST NOT or SHOULD NOT of, and what is none at all."""


@dataclass(frozen=True)
class Proposal:
    """One proposal.

    :param words: each with what it stands for; ``None``: nothing that is known.
    """

    text: str
    words: tuple[tuple[str, Kind | None], ...]

    def of(self, *kinds: Kind) -> list[str]:
        """Give the words of some kinds."""
        return [word for word, kind in self.words if kind in kinds]


def parsed(text: str) -> list[Proposal]:
    """Read proposals, of which a comma divides several; ``default`` is none to judge."""
    return [
        Proposal(one, tuple((word, _kind(word)) for word in one.split("-")))
        for one in words_of(text)
        if one != "default"
    ]


def words_of(text: str) -> list[str]:
    """Divide several proposals."""
    return [each.strip() for each in text.split(",")]


def faults(text: str, *, ike: bool) -> Iterator[tuple[str, str]]:
    """Give what is wrong with proposals, each with its remedy.

    :param ike: whether they are for the IKE SA, and not for ESP.
    """
    for proposal in parsed(text):
        unknown = [word for word, kind in proposal.words if kind is None]
        for word in unknown:
            near = get_close_matches(word.lower(), USUAL, n=1)
            yield (
                f"{word!r} in {proposal.text!r} is no algorithm that swanctl knows",
                f"write {near[0]}" if near else f"write words as {', '.join(USUAL[:4])}",
            )
        if not unknown:
            yield from _combined(proposal, ike=ike)


def _kind(word: str) -> Kind | None:
    return next((kind for kind, pattern in _KNOWN if pattern.match(word)), None)


def _combined(proposal: Proposal, *, ike: bool) -> Iterator[tuple[str, str]]:
    text = repr(proposal.text)
    aead, plain = proposal.of(Kind.AEAD), proposal.of(Kind.CIPHER)
    checks, exchange = proposal.of(Kind.INTEGRITY), proposal.of(Kind.EXCHANGE)
    if not aead and not plain:
        yield f"{text} has no encryption", "begin with one, as aes128gcm16"
    if aead and plain:
        yield (
            f"{text} has {aead[0]}, which checks integrity itself, beside {plain[0]}, which "
            "does not",
            "write two proposals with a comma between them",
        )
    elif aead and checks:
        yield (
            f"{text} has {checks[0]} beside {aead[0]}, which checks integrity itself",
            f"leave {checks[0]} out" + (f", or write prf{checks[0]}" if ike else ""),
        )
    elif plain and not checks:
        yield f"{text} has no integrity check", f"add one, as {plain[0]}-sha256"
    if ike:
        yield from _of_ike(proposal, aead, exchange)
    else:
        for word in proposal.of(Kind.PRF):
            yield f"{text} has {word}, and ESP has no such function", f"leave {word} out"


def _of_ike(proposal: Proposal, aead: list[str], exchange: list[str]) -> Iterator[tuple[str, str]]:
    text = repr(proposal.text)
    if aead and not proposal.of(Kind.PRF):
        yield (
            f"{text} has no pseudo-random function, which nothing else gives where {aead[0]} "
            "checks integrity itself (RFC 5282 section 8)",
            "add one, as prfsha256",
        )
    if not exchange:
        yield f"{text} has no key exchange", "add one, as ecp256"
    for word in proposal.of(Kind.NUMBERS):
        yield f"{text} has {word}, which is for ESP", f"leave {word} out"
    for word in proposal.of(Kind.AEAD, Kind.CIPHER):
        if "gmac" in word or word == "null":
            yield f"{text} has {word}, which encrypts nothing", "write one that does"

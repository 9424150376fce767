"""Pure: addresses and networks as the site file writes them, and what is wrong with those."""

from ipaddress import ip_address, ip_interface, ip_network

from havpn_core.site.model.model import Address, Interface, Network


def is_name(text: str) -> bool:
    """Whether it is a name of DNS and no address that is miswritten."""
    return any(letter.isalpha() for letter in text) and ":" not in text and "/" not in text


def address(key: str, text: str, problems: list[str]) -> Address | None:
    """Read an address.

    :param problems: gets what is wrong; ``None`` is returned then.
    """
    try:
        return ip_address(text)
    except ValueError:
        bare = text.partition("/")[0]
        remedy = f"write {bare}" if _is_address(bare) else "write it as 192.0.2.1 or 2001:db8::1"
        problems.append(f"{key}: {text!r} is no address: {remedy}")
        return None


def network(key: str, text: str, problems: list[str]) -> Network | None:
    """Read a network; one with bits of a host is a problem, and read as what was meant.

    :returns: ``None`` if it cannot be read at all.
    """
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        problems.append(f"{key}: {text!r} is no network: write it as 10.1.0.0/16")
        return None
    problems.append(f"{key}: {text} has bits of a host: write {meant}")
    return meant


def interface(
    key: str, text: str, networks: tuple[Network, ...], problems: list[str]
) -> Interface | None:
    """Read an address, with the length of the network that it is in or with its own.

    :param networks: those of its site.
    :param problems: gets what is wrong; ``None`` is returned then.
    """
    try:
        given = ip_interface(text)
    except ValueError:
        problems.append(f"{key}: {text!r} is no address: write it as 10.1.255.254")
        return None
    if "/" in text:
        return given
    around = [n for n in networks if n.version == given.version and given.ip in n]
    length = max((n.prefixlen for n in around), default=given.max_prefixlen)
    return ip_interface(f"{given.ip}/{length}")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

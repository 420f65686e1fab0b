"""Which addresses are of the public internet. Lists of our own: what Python calls global changes with its version."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

# Special purposes of IPv4 (IANA), and two metadata services that stand outside of them or are worth a name.
_CLOSED_V4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers; 100.100.100.200 is a metadata service
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host, a public address that leads inside
        "169.254.0.0/16",  # link-local; 169.254.169.254 is the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]
# Global unicast is all of IPv6 that is open: outside of it are loopback, IPv4 in IPv6 (mapped, compatible, NAT64),
# unique local (fd00:ec2::254 among them), link-local, site-local and multicast.
_OPEN_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = [
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocols: Teredo, ORCHID, benchmarks
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",
    )
]


def is_public(address: Address) -> bool:
    """Whether a tenant may have us connect to the address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    return address in _OPEN_V6 and not any(address in network for network in _CLOSED_V6)

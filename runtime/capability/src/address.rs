use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Why an address may not be connected to. It names the address, so it is for the operator, not for a plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address} is refused ({kind}); to allow it, add to the plugin's grant: private_networks = [\"{cure}\"]")]
pub struct AddressDenied {
    /// The address.
    pub address: IpAddr,
    /// What kind of address it is.
    pub kind: &'static str,
    cure: IpNet,
}

/// The IPv4 blocks that are no global unicast, after IANA's special-purpose registry, and the one public address behind
/// which a cloud keeps its metadata.
const SPECIAL_V4: [(Ipv4Net, &str); 17] = [
    (v4([0, 0, 0, 0], 8), "this network"),
    (v4([10, 0, 0, 0], 8), "private network"),
    (v4([100, 64, 0, 0], 10), "carrier-grade NAT"),
    (v4([127, 0, 0, 0], 8), "loopback"),
    (v4([169, 254, 0, 0], 16), "link-local, where clouds keep their metadata"),
    (v4([172, 16, 0, 0], 12), "private network"),
    (v4([192, 0, 0, 0], 24), "protocol assignments"),
    (v4([192, 0, 2, 0], 24), "documentation"),
    (v4([192, 31, 196, 0], 24), "AS112"),
    (v4([192, 52, 193, 0], 24), "automatic multicast tunnelling"),
    (v4([192, 88, 99, 0], 24), "6to4 relay"),
    (v4([192, 168, 0, 0], 16), "private network"),
    (v4([192, 175, 48, 0], 24), "AS112"),
    (v4([198, 18, 0, 0], 15), "benchmarking"),
    (v4([198, 51, 100, 0], 24), "documentation"),
    (v4([203, 0, 113, 0], 24), "documentation"),
    (v4([168, 63, 129, 16], 32), "cloud metadata"),
];

/// Multicast and everything above it, broadcast included.
const BEYOND_UNICAST_V4: Ipv4Net = v4([224, 0, 0, 0], 3);

/// The only block from which global IPv6 unicast is assigned; everything outside it is refused.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// What is no global unicast inside [`GLOBAL_V6`].
const SPECIAL_V6: [(Ipv6Net, &str); 5] = [
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "protocol assignments, Teredo among them"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "documentation"),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "6to4"),
    (v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), "AS112"),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "documentation"),
];

/// The rest, for the words only.
const OUTSIDE_V6: [(Ipv6Net, &str); 10] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "unspecified"),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "loopback"),
    (v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96), "IPv4-mapped"),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 96), "IPv4-compatible"),
    (v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96), "NAT64"),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), "NAT64"),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "unique local"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "link-local"),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "multicast"),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 0), "not assigned as global unicast"),
];

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

/// Whether a plugin with these granted networks may connect to `address`. Global unicast needs no grant, everything else
/// does; an address that carries an IPv4 address inside needs a grant itself, and the inner one must pass as well.
pub fn check_address(address: IpAddr, private_networks: &[IpNet]) -> Result<(), AddressDenied> {
    let Some((_, kind)) = special_block(address) else { return Ok(()) };
    if !private_networks.iter().any(|network| network.contains(&address)) {
        return Err(AddressDenied { address, kind, cure: address.into() });
    }
    match embedded(address) {
        Some(inner) => check_address(inner.into(), private_networks),
        None => Ok(()),
    }
}

/// The network as a grant may name it: it lies within a block that is refused otherwise.
pub(crate) fn parse_private_network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network = network.map_err(|_| format!("`{text}` is not a network such as 10.1.0.0/16"))?.trunc();
    match special_block(network.network()) {
        Some((block, _)) if block.contains(&network) => Ok(network),
        _ => Err(format!("`{text}` reaches into public addresses, which need no grant: name the private network only")),
    }
}

/// The block that makes an address other than global unicast, and what it is called.
fn special_block(address: IpAddr) -> Option<(IpNet, &'static str)> {
    match address {
        IpAddr::V4(address) if BEYOND_UNICAST_V4.contains(&address) => {
            let kind = if address.is_multicast() { "multicast" } else { "reserved" };
            Some((BEYOND_UNICAST_V4.into(), kind))
        }
        IpAddr::V4(address) => {
            let block = SPECIAL_V4.iter().find(|(block, _)| block.contains(&address));
            block.map(|&(block, kind)| (block.into(), kind))
        }
        IpAddr::V6(address) => {
            let table: &[(Ipv6Net, _)] = if GLOBAL_V6.contains(&address) { &SPECIAL_V6 } else { &OUTSIDE_V6 };
            let block = table.iter().find(|(block, _)| block.contains(&address));
            block.map(|&(block, kind)| (block.into(), kind))
        }
    }
}

/// The IPv4 address that a router or a kernel would take out of an IPv6 address.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let [a, b, c, d, e, f, g, h] = address.segments();
    let inner = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match [a, b, c, d, e, f] {
        // `::` and `::1` are addresses of their own.
        [0, 0, 0, 0, 0, 0] if g == 0 && h <= 1 => None,
        [0, 0, 0, 0, 0, 0 | 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => inner(g, h),
        // Of the local-use prefix a site takes 48, 56, 64 or 96 bits; RFC 6052 gives each its place for the inner address.
        // 96 is what implementations use.
        [0x64, 0xff9b, 1, ..] => inner(g, h),
        [0x2002, high, low, ..] => inner(high, low),
        // Teredo keeps the client's address with every bit turned over (RFC 4380, section 4).
        [0x2001, 0, ..] => inner(!g, !h),
        _ => None,
    }
}

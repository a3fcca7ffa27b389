//! What lies inside the network is reached by no name, no notation and no redirect, whichever way out a guest takes.

use std::fmt::Write as _;

use connection::Connection;
use engine::PluginCaller;
use host::Limits;

use crate::destination::Destination;
use crate::support::{Names, action_call, connector_manifest, granting, guest, set_knowing};

/// Names whose addresses a plugin may not reach, although it is granted the names.
const NAMES: &[(&str, &[&str])] = &[
    ("loopback.test", &["127.0.0.2"]),
    ("private.test", &["10.0.0.1"]),
    ("private-twelve.test", &["172.16.0.1"]),
    ("private-sixteen.test", &["192.168.0.1"]),
    ("shared.test", &["100.64.0.1"]),
    ("metadata.test", &["169.254.169.254"]),
    ("this-network.test", &["0.0.0.0"]),
    ("broadcast.test", &["255.255.255.255"]),
    ("multicast.test", &["224.0.0.1"]),
    ("reserved.test", &["240.0.0.1"]),
    ("loopback-six.test", &["::1"]),
    ("unspecified-six.test", &["::"]),
    ("unique-local.test", &["fd00::1"]),
    ("link-local.test", &["fe80::1"]),
    ("multicast-six.test", &["ff02::1"]),
    ("mapped.test", &["::ffff:127.0.0.2"]),
    // The plain address is granted; in this notation it is another one.
    ("mapped-ally.test", &["::ffff:127.0.0.1"]),
    ("compatible.test", &["::127.0.0.2"]),
    ("translated.test", &["::ffff:0:127.0.0.2"]),
    ("nat64.test", &["64:ff9b::127.0.0.2"]),
    ("nat64-local.test", &["64:ff9b:1::127.0.0.2"]),
    ("six-to-four.test", &["2002:7f00:2::1"]),
    ("teredo.test", &["2001:0:4136:e378:8000:63bf:80ff:fffd"]),
    ("isatap.test", &["fe80::5efe:127.0.0.2"]),
    ("ally-first.test", &["127.0.0.1", "10.0.0.1"]),
    ("ally-last.test", &["::ffff:127.0.0.2", "127.0.0.1"]),
];

/// Hosts that are addresses in their one plain form: only the address itself can be the reason to refuse them.
const PLAIN: &[&str] = &[
    "127.0.0.2",
    "10.0.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[fd00::1]",
    "[fe80::1]",
    "[::7f00:2]",
    "[64:ff9b::7f00:2]",
    "[2002:7f00:2::1]",
];

/// The same address, 127.0.0.2, as only some parsers read it, or as not all of them write it.
const ODD: &[&str] = &[
    "2130706434",
    "0x7f000002",
    "017700000002",
    "0x7f.0.0.2",
    "0177.0.0.2",
    "127.2",
    "127.0.2",
    "127.0.0.2.",
    "127.000.000.002",
    "[::ffff:127.0.0.2]",
    "[::ffff:7f00:2]",
    "[::ffff:7f00:0002]",
    "[0:0:0:0:0:ffff:7f00:2]",
    "[::127.0.0.2]",
    "[64:ff9b::127.0.0.2]",
    "[::1%25lo]",
];

/// How a try may end: at the address, or before it because the notation is refused as such.
fn refusals(way: &str, host: &str) -> &'static [&'static str] {
    match way {
        "http" if ODD.contains(&host) => &["weir.http.url", "weir.http.address", "weir.http.redirect"],
        "http" => &["weir.http.address"],
        _ => &["ErrorCode::HttpRequestDenied"],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_inside_is_reached_by_no_name_no_notation_and_no_redirect() {
    let (ally, inside) = (Destination::start().await, Destination::everywhere().await);
    let names: Vec<_> = NAMES.iter().copied().chain([("ally.test", &["127.0.0.1"][..])]).collect();
    let set = set_knowing(Names::new(&names), |_| {});
    set.install_good().await;
    // All of them are granted, as the connection's, so that nothing but the address can be the reason.
    let granted: Vec<_> = NAMES.iter().map(|(name, _)| *name).chain(PLAIN.iter().copied()).collect();
    let origins: Vec<_> = granted.iter().map(|host| inside.called(host)).chain([ally.called("ally.test")]).collect();
    let mut connection = Connection::new("inside");
    connection.origins = origins.iter().map(|origin| origin.parse().expect("an origin")).collect();
    connection.plugins = vec!["crm".to_owned()];
    set.connections.add(connection);
    let limits = Limits { http_requests: 1_000, log_lines: 1_000, log_bytes: 1 << 20, ..Limits::default() };
    let component = guest("reach-inside", &connector_manifest(&["connection"]));
    set.install("crm", component, &granting(&["connection"], limits)).await;

    let hosts: Vec<_> = granted.iter().chain(ODD).copied().collect();
    let mut input = ally.called("ally.test");
    for host in &hosts {
        write!(input, "\n{}/latest/meta-data", inside.called(host)).expect("memory");
    }
    let mut call = action_call("crm", "look", &input);
    call.context.connection = "inside".to_owned();
    let host = set.host.clone();
    let called = set.beside("reach-inside", 256, async move { host.invoke(call).await }).await.expect("is served");
    let told = String::from_utf8(called.answer.expect("it tells").output.data.to_vec()).expect("text");
    let mut wrong = Vec::new();
    for (line, host) in told.lines().zip(hosts.iter().flat_map(|host| [host; 4])) {
        let words: Vec<_> = line.split(' ').collect();
        if !refusals(words[0], host).contains(&words[words.len() - 1]) {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((told.lines().count(), called.report.requests.len()), (hosts.len() * 4, hosts.len() * 4));
    // By both ways the ally was asked to redirect, and nothing that lies inside has seen even a connection.
    assert_eq!((inside.accepted(), ally.requests()), (0, hosts.len() * 2));
    println!("{} hosts, each by two ways, straight and by a redirect; none reached", hosts.len());
}

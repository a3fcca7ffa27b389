//! The attacks on URLs and addresses, as data: `urls.json` and `addresses.json`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use capability::{Grant, GrantText, HttpRuleText, check_address};
use model::Origin;

#[derive(serde::Deserialize)]
struct Urls {
    refused: Vec<Refused>,
    /// Method, URL, and the URL in its normal form.
    allowed: Vec<(String, String, String)>,
}

#[derive(serde::Deserialize)]
struct Refused {
    why: String,
    code: String,
    /// Method and URL.
    requests: Vec<(String, String)>,
}

#[derive(serde::Deserialize)]
struct Addresses {
    /// By what they are called.
    refused: BTreeMap<String, Vec<IpAddr>>,
    public: Vec<IpAddr>,
}

fn rule(origin: &str, methods: &[&str], paths: &[&str]) -> HttpRuleText {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    HttpRuleText { origin: origin.to_owned(), methods: owned(methods), paths: owned(paths) }
}

#[test]
fn urls_are_refused_and_allowed_as_the_table_says() {
    let urls: Urls = serde_json::from_str(include_str!("urls.json")).expect("a table of URLs");
    let http = vec![
        rule("https://api.example.com", &["GET", "POST"], &["/v1/*", "/health"]),
        rule("https://*.files.example.com", &["GET"], &["/*"]),
        rule("connection", &["GET", "POST"], &["/hooks/*"]),
    ];
    let grant = Grant::parse("crm", &GrantText { http, private_networks: Vec::new() }).expect("a grant");
    let origins: Vec<Origin> = vec!["https://crm.example.net:8443".parse().expect("an origin")];
    let mut wrong = Vec::new();
    let mut count = 0;
    for Refused { why, code, requests } in &urls.refused {
        for (method, url) in requests {
            count += 1;
            match grant.check(method, url, &origins) {
                Err(denied) if denied.code() == code => {}
                other => wrong.push(format!("{why}: {method:?} {url:?}: {other:?}")),
            }
        }
    }
    for (method, url, normal) in &urls.allowed {
        match grant.check(method, url, &origins) {
            Ok(checked) if checked.as_str() == normal => {}
            other => wrong.push(format!("to be allowed: {method:?} {url:?}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    println!("{count} attacks refused, {} requests allowed", urls.allowed.len());
    assert!(count >= 300, "only {count} attacks in the table");
}

#[test]
fn addresses_are_refused_and_allowed_as_the_table_says() {
    let addresses: Addresses = serde_json::from_str(include_str!("addresses.json")).expect("a table of addresses");
    let mut wrong = Vec::new();
    for (kind, refused) in &addresses.refused {
        for &address in refused {
            match check_address(address, &[]) {
                Err(denied) if denied.kind == kind => {}
                other => wrong.push(format!("{kind}: {address}: {other:?}")),
            }
        }
    }
    for &address in &addresses.public {
        if let Err(denied) = check_address(address, &[]) {
            wrong.push(format!("to be allowed: {denied}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let count: usize = addresses.refused.values().map(Vec::len).sum();
    println!("{count} addresses refused, {} allowed", addresses.public.len());
}

/// The standard library's own judgement, where it has one, must not be kinder than ours.
#[test]
fn every_private_ipv4_address_is_refused_in_every_ipv6_coat() {
    let mut checked = 0_u32;
    for seed in 0..=u16::MAX {
        // A different low half for each of the 65,536 high halves.
        let inner = Ipv4Addr::from(u32::from(seed) << 16 | u32::from(seed.wrapping_mul(40_503)));
        let is_special = inner.is_private() || inner.is_loopback() || inner.is_link_local() || inner.is_multicast();
        if is_special || inner.is_broadcast() || inner.is_unspecified() {
            check_address(inner.into(), &[]).expect_err("a special address");
            checked += 1;
        }
        let [a, b, c, d] = inner.octets();
        let coats = [
            format!("::ffff:{a:02x}{b:02x}:{c:02x}{d:02x}"),
            format!("64:ff9b::{a:02x}{b:02x}:{c:02x}{d:02x}"),
            format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1"),
        ];
        for coat in coats {
            let address: IpAddr = coat.parse().expect("an address");
            check_address(address, &[]).expect_err("an address within an address");
        }
    }
    assert!(checked > 1000);
}

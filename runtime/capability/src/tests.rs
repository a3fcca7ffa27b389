use super::*;

fn rule(origin: &str, methods: &[&str], paths: &[&str]) -> HttpRuleText {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    HttpRuleText { origin: origin.to_owned(), methods: owned(methods), paths: owned(paths) }
}

fn grant(http: Vec<HttpRuleText>, private_networks: &[&str]) -> Result<Grant, InvalidGrant> {
    let private_networks = private_networks.iter().map(|&network| network.to_owned()).collect();
    Grant::parse("crm", &GrantText { http, private_networks })
}

#[test]
fn a_refusal_shows_a_grant_that_cures_it() {
    let nothing = Grant::nothing("crm");
    let denied = nothing.check("GET", "https://api.example.com/v1/contacts?limit=1", &[]).expect_err("no grant");
    assert_eq!(
        denied.to_string(),
        "plugin `crm` may not reach api.example.com:443; to allow it, add to its grant: \
         http = [{ origin = \"https://api.example.com\", methods = [\"GET\"], paths = [\"/v1/*\"] }]"
    );
    let cured = grant(vec![rule("https://api.example.com", &["GET"], &["/v1/*"])], &[]).expect("the cure");
    cured.check("GET", "https://api.example.com/v1/contacts?limit=1", &[]).expect("cured");

    let unasked = cured.limited_to(&[]).expect("a manifest that asks for nothing");
    let denied = unasked.check("GET", "https://api.example.com/v1/contacts", &[]).expect_err("not asked for");
    assert_eq!(
        denied.to_string(),
        "plugin `crm` does not ask to reach api.example.com:443; to ask for it, add to its weir-plugin.toml: \
         http = [{ origin = \"https://api.example.com\", methods = [\"GET\"], paths = [\"/v1/*\"] }]"
    );
}

#[test]
fn only_the_overlap_of_grant_and_manifest_works() {
    let granted = grant(vec![rule("https://api.example.com", &["GET", "DELETE"], &["/v1/*"])], &[]).expect("a grant");
    let both = granted.limited_to(&[rule("https://*.example.com", &["GET", "POST"], &["/v1/a/*"])]).expect("rules");
    both.check("GET", "https://api.example.com/v1/a/1", &[]).expect("in both");
    for (method, url) in [
        ("GET", "https://api.example.com/v1/b"),
        ("DELETE", "https://api.example.com/v1/a/1"),
        ("POST", "https://api.example.com/v1/a/1"),
        ("GET", "https://www.example.com/v1/a/1"),
    ] {
        both.check(method, url, &[]).expect_err(url);
    }
}

#[test]
fn what_a_manifest_asks_beyond_the_grant_is_said_in_words() {
    let granted = grant(
        vec![
            rule("https://api.example.com", &["GET", "POST"], &["/v1/*", "/health"]),
            rule("https://*.files.example.com", &["GET"], &["/*"]),
            rule("connection", &["GET"], &["/a/*"]),
        ],
        &[],
    )
    .expect("a grant");
    let excess = |asked: HttpRuleText| granted.excess(&[asked]).expect("a rule");
    for covered in [
        rule("https://api.example.com", &["POST", "GET"], &["/v1/a/*", "/v1/*", "/v1/a", "/health"]),
        rule("https://a.files.example.com", &["GET"], &["/x"]),
        rule("https://*.files.example.com", &["GET"], &["/x/*"]),
        rule("connection", &["GET"], &["/a/b"]),
    ] {
        assert_eq!(excess(covered), [""; 0]);
    }
    for (asked, words) in [
        (
            rule("https://api.example.com", &["GET", "DELETE"], &["/v1/*", "/health", "/admin"]),
            "https://api.example.com: DELETE on /v1/*, /health; GET, DELETE on /admin",
        ),
        (rule("https://api.example.com", &["GET"], &["/*"]), "https://api.example.com: GET on /*"),
        (rule("https://api.example.com", &["GET"], &["/health*"]), "https://api.example.com: GET on /health*"),
        (rule("https://*.example.com", &["GET"], &["/v1/*"]), "https://*.example.com: GET on /v1/*"),
        (rule("http://api.example.com", &["GET"], &["/v1/*"]), "http://api.example.com: GET on /v1/*"),
        (rule("connection", &["POST"], &["/a/b"]), "the origins of its connection: POST on /a/b"),
    ] {
        assert_eq!(excess(asked), [words]);
    }
}

#[test]
fn all_faults_of_a_grant_are_reported() {
    let InvalidGrant(faults) = grant(
        vec![
            rule("https://*.com", &["get", "*"], &["v1", "/a*b", "/../x"]),
            rule("https://a*.example.com", &[], &[]),
            rule("ftp://example.com", &["CONNECT"], &["/a?b"]),
        ],
        &["10.0.0.0/8", "0.0.0.0/0", "8.8.8.8", "::/0", "fd00::/8", "nonsense", "127.0.0.1"],
    )
    .expect_err("a grant full of faults");
    assert_eq!(faults.len(), 16, "{faults:#?}");
}

#[test]
fn an_address_within_an_address_needs_both_grants() {
    let networks = |texts: &[&str]| grant(Vec::new(), texts).expect("networks").private_networks().to_vec();
    let check = |address: &str, granted: &[&str]| {
        check_address(address.parse().expect("an address"), &networks(granted)).map_err(|denied| denied.to_string())
    };
    assert_eq!(
        check("10.1.2.3", &[]),
        Err("10.1.2.3 is refused (private network); to allow it, add to the plugin's grant: \
             private_networks = [\"10.1.2.3/32\"]"
            .to_owned())
    );
    assert_eq!(check("10.1.2.3", &["10.1.0.0/16"]), Ok(()));
    assert_eq!(check("127.0.0.1", &["127.0.0.1"]), Ok(()));
    assert_eq!(check("64:ff9b::808:808", &["64:ff9b::/96"]), Ok(()));
    check("64:ff9b::a01:203", &["64:ff9b::/96"]).expect_err("the inner address is private");
    check("64:ff9b::a01:203", &["10.1.0.0/16"]).expect_err("the outer address is not granted");
    assert_eq!(check("64:ff9b::a01:203", &["64:ff9b::/96", "10.1.0.0/16"]), Ok(()));
    check("10.2.0.1", &["10.1.0.0/16"]).expect_err("another network");
}

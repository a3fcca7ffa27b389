//! A guest that hunts for the credential of its connection finds nothing of it, and takes it nowhere.

use connection::{Connection, Credential, Secret, Slot};
use engine::PluginCaller;
use host::Limits;

use crate::destination::Destination;
use crate::support::{Names, Set, action_call, connector_manifest, fault, granting, guest, set_knowing};

const SECRET: &str = "s3cret-Key/42+x";

/// The secret as it is, percent-encoded, in hexadecimal and in base64.
const FORMS: [&str; 4] = [SECRET, "s3cret-Key%2F42%2Bx", "7333637265742d4b65792f34322b78", "czNjcmV0LUtleS80Mit4"];

fn has_secret(text: &str) -> bool {
    FORMS.iter().any(|form| text.contains(form))
}

/// A connection whose credentials go to `own.test` alone.
fn connection(own: &Destination) -> Connection {
    let mut connection = Connection::new("crm");
    connection.base_url = Some(own.called("own.test"));
    connection.origins = vec![own.called("own.test").parse().expect("an origin")];
    connection.settings = r#"{"region":"eu"}"#.to_owned();
    connection.credential = Credential::Bearer { secret: Secret::new(SECRET) };
    let slot = Slot { name: "token".into(), secret: Secret::new(SECRET), raw: false, body: true };
    connection.named.insert("slots".into(), Credential::Slots { slots: vec![slot] });
    let query = Credential::ApiKeyQuery { name: "key".into(), secret: Secret::new(SECRET) };
    connection.named.insert("query".into(), query);
    connection.plugins = vec!["crm".to_owned()];
    connection
}

async fn hunting(own: &Destination, ally: &Destination) -> Set {
    let set = set_knowing(Names::new(&[("own.test", &["127.0.0.1"]), ("ally.test", &["127.0.0.1"])]), |_| {});
    set.install_good().await;
    set.connections.add(connection(own));
    // The ally is granted, so that nothing but the connection's origins keeps the credential from it.
    let origins = [own.called("own.test"), ally.called("ally.test")];
    let origins = origins.each_ref().map(String::as_str);
    let limits = Limits { http_requests: 1_000, log_lines: 1_000, log_bytes: 1 << 20, ..Limits::default() };
    set.install("crm", guest("credential-hunt", &connector_manifest(&origins)), &granting(&origins, limits)).await;
    set
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hunt_for_the_credential_finds_nothing_and_takes_it_nowhere() {
    let (own, ally) = (Destination::start().await, Destination::start().await);
    let set = hunting(&own, &ally).await;
    let mut call = action_call("crm", "look", &format!("{}\n{}", own.called("own.test"), ally.called("ally.test")));
    call.context.connection = "crm".to_owned();
    let (host, asked) = (set.host.clone(), call.clone());
    let called = set.beside("credential-hunt", 256, async move { host.invoke(asked).await }).await.expect("is served");
    let found = String::from_utf8(called.answer.clone().expect("it tells").output.data.to_vec()).expect("text");
    // Whatever is kept of the call, and whatever it says of itself as a fault, is searched.
    assert!(!has_secret(&format!("{called:?}")), "{found}");
    let told: Vec<_> = called.report.logs.iter().filter(|line| line.fields.is_empty()).collect();
    assert!(told.iter().any(|line| line.message.contains("authorization: Bearer [redacted]")), "it echoed its own log");
    call.action = "shrug".to_owned();
    let shrugged = set.invoke(call).await;
    assert!(!has_secret(&format!("{shrugged:?}")) && fault(&shrugged).message.contains("[redacted]"));

    let (at_own, at_ally) = (own.seen(), ally.seen());
    assert!(at_own.iter().any(|request| request.contains(&format!("authorization: Bearer {SECRET}"))));
    assert!(at_own.iter().any(|request| request.contains("s3cret-Key%2F42%2Bx")));
    assert!(at_own.iter().all(|request| request.contains(&format!("host: own.test:{}", own.port))));
    assert!(!at_ally.is_empty());
    for request in at_ally {
        assert!(!has_secret(&request), "the ally was told: {request}");
    }
    check_endings(&found);
    println!("{} tries; the destination got the credential, and nobody else", found.lines().count());
}

/// How tries ended, by the connection's own credential and by the one with slots, for which a guest can ask by name.
fn check_endings(found: &str) {
    for (try_and_way, ending) in [
        ("environment", "[]"),
        ("arguments", "[]"),
        ("context", "None {\"region\":\"eu\"} []"),
        ("file connections.toml", "Err("),
        ("echo http/default", "200 "),
        ("echo http/guessed", "weir.http.credential "),
        ("echo wasi", "200 "),
        ("slot-in-path http/default", "weir.http.credential "),
        ("slot-in-path http/slots", "200 "),
        ("slot-in-path wasi", "ErrorCode::HttpRequestDenied"),
        ("guessed-slot http/slots", "weir.http.credential "),
        ("slot-in-host http/slots", "weir.http.url "),
        ("slot-in-header wasi", "ErrorCode::HttpRequestDenied"),
        ("slot-in-path-of-ally http/slots", "weir.http.credential "),
        ("slot-in-query-of-ally http/slots", "weir.http.credential "),
        ("slot-in-header-to-ally http/slots", "weir.http.credential "),
        ("slot-in-authorization-to-ally http/slots", "weir.http.credential "),
        ("slot-in-body-to-ally http/slots", "200 "),
        ("redirect-to-ally http/default", "200 "),
        ("redirect-to-ally http/query", "weir.http.redirect "),
        ("redirect-to-ally wasi", "200 "),
        ("redirect-to-ally-with-slot http/slots", "weir.http.redirect "),
        ("redirect-of-header http/slots", "200 "),
        ("redirect-of-body http/slots", "200 "),
        ("redirect-by-ally http/slots", "weir.http.credential "),
        ("own-authorization http/default", "weir.http.header "),
        ("own-authorization http/anonymous", "weir.http.header "),
        ("own-authorization wasi", "ErrorCode::HttpRequestDenied"),
        ("own-cookie http/default", "weir.http.header "),
        ("host http/default", "weir.http.header "),
        ("host wasi", "HeaderError::Forbidden"),
        ("framing http/default", "weir.http.header "),
        ("second-line http/default", "weir.http.header "),
        ("second-line wasi", "HeaderError::InvalidSyntax"),
        ("user-in-url http/default", "weir.http.url "),
        ("user-in-url wasi", "ErrorCode::HttpRequestDenied"),
        ("dot-behind-name http/default", "weir.http.url "),
        ("dot-behind-name wasi", "ErrorCode::HttpRequestDenied"),
    ] {
        let line = found.lines().find_map(|line| line.strip_prefix(try_and_way)?.strip_prefix(' '));
        let line = line.unwrap_or_else(|| panic!("{try_and_way} was not tried"));
        assert!(line.starts_with(ending), "{try_and_way}: {line}");
    }
}

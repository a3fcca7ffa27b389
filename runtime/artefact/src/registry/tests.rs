use std::io::{BufRead, BufReader, Read as _, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use super::*;
use crate::oci::{Annotations, EMPTY, Image, to_json};
use crate::{Place, Publisher, SigningKey, generate};

/// A request, as much of it as is looked at.
struct Asked {
    target: String,
    head: Vec<String>,
    body: String,
}

impl Asked {
    fn has(&self, header: &str) -> bool {
        self.head.iter().any(|line| line.eq_ignore_ascii_case(header))
    }

    fn authorization(&self) -> Option<&str> {
        self.head.iter().find(|line| line.to_ascii_lowercase().starts_with("authorization:")).map(String::as_str)
    }
}

/// An answer: its status, its headers and its body.
type Said = (u16, Vec<String>, Vec<u8>);

fn ok(body: impl Into<Vec<u8>>) -> Said {
    (200, Vec::new(), body.into())
}

fn status(status: u16) -> Said {
    (status, Vec::new(), Vec::new())
}

/// A server without TLS that says what it is told to; it knows its own host, and keeps who asked it for what.
struct StandIn {
    host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    fn start(says: impl Fn(&str, &Asked) -> Said + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("has one").to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, own) = (asked.clone(), host.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut reader = BufReader::new(&stream);
                let mut head = Vec::new();
                let lines = reader.by_ref().split(b'\n').map_while(Result::ok);
                head.extend(
                    lines
                        .map(|line| String::from_utf8_lossy(&line).trim().to_owned())
                        .take_while(|line| !line.is_empty() && !line.starts_with('\u{16}')),
                );
                let length = head
                    .iter()
                    .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                let _ = reader.read_exact(&mut body);
                let target = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
                let request = Asked { target, head, body: String::from_utf8_lossy(&body).into_owned() };
                // What is no HTTP wants TLS.
                let (code, headers, body) = if request.head.is_empty() { status(400) } else { says(&own, &request) };
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {code} X\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n");
                // Whoever has seen enough may have gone away.
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            }
        });
        Self { host, asked }
    }

    fn authorizations(&self) -> Vec<Option<String>> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked
            .iter()
            .filter(|asked| !asked.head.is_empty())
            .map(|asked| asked.authorization().map(str::to_owned))
            .collect()
    }

    /// The repository `a/b` there, for who is logged in with what stands behind the host.
    async fn open(&self, login: &serde_json::Value) -> Registry {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.json");
        let text = json!({ "auths": { self.host.as_str(): login } }).to_string();
        std::fs::write(&file, text).expect("writes");
        let access = Access { plain_http: false, logins: vec![file] };
        Registry::open(&self.host, "a/b", &access).await.expect("is there")
    }
}

/// `ada` with the password `secret`.
fn ada() -> serde_json::Value {
    json!({ "auth": "YWRhOnNlY3JldA==" })
}

fn challenge(realm: &str) -> Said {
    let bearer = format!("www-authenticate: Bearer realm=\"{realm}\",service=\"s\",scope=\"repository:a/b:pull\"");
    (401, vec!["www-authenticate: Basic realm=\"r\"".to_owned(), bearer], Vec::new())
}

/// Gives its tags with a token, and the token with what `is_known` says.
fn guarded(token: &'static str, is_known: fn(&Asked) -> bool) -> StandIn {
    StandIn::start(move |host, asked| match asked.target.as_str() {
        target if target.starts_with("/token") => {
            if is_known(asked) {
                ok(token)
            } else {
                status(401)
            }
        }
        "/v2/a/b/tags/list?n=1000" if asked.has("authorization: Bearer t") => {
            let next = "link: </v2/a/b/tags/list?n=1000&last=1.0.0>; rel=\"next\"".to_owned();
            (200, vec![next], br#"{"tags":["1.0.0"]}"#.to_vec())
        }
        "/v2/a/b/tags/list?n=1000&last=1.0.0" if asked.has("authorization: Bearer t") => ok(r#"{"tags":["1.1.0"]}"#),
        _ => challenge(&format!("http://{host}/token")),
    })
}

#[tokio::test]
async fn a_token_is_fetched_with_the_account_and_pages_are_followed() {
    let by_password: fn(&Asked) -> bool = |asked| {
        asked.target == "/token?service=s&scope=repository%3Aa%2Fb%3Apull"
            && asked.has("authorization: Basic YWRhOnNlY3JldA==")
    };
    let by_identity: fn(&Asked) -> bool = |asked| {
        asked.body
            == "grant_type=refresh_token&client_id=weir&refresh_token=i&service=s&scope=repository%3Aa%2Fb%3Apull"
            && asked.authorization().is_none()
    };
    let identity = json!({ "auth": "YWRhOg==", "identitytoken": "i" });
    for (token, login, is_known) in [
        (r#"{"token":"t"}"#, ada(), by_password),
        (r#"{"access_token":"t"}"#, ada(), by_password),
        (r#"{"token":"t","access_token":"t","expires_in":300}"#, ada(), by_password),
        (r#"{"access_token":"t"}"#, identity, by_identity),
    ] {
        let stand_in = guarded(token, is_known);
        let tags = stand_in.open(&login).await.tags().await.unwrap_or_else(|error| panic!("{token}: {error}"));
        assert_eq!(tags, ["1.0.0", "1.1.0"], "{token}");
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why() {
    let all: fn(&Asked) -> bool = |_| true;
    for (token, login, expected) in [
        ("{}", json!({}), "gives no token"),
        (r#"{"token":"other"}"#, json!({}), "nobody is logged in"),
        (r#"{"token":"other"}"#, ada(), "the account is not known there, or may not do this"),
    ] {
        let refused = guarded(token, all).open(&login).await.tags().await.expect_err("is not let in");
        assert!(refused.code() == "weir.artefact.login" && refused.to_string().contains(expected), "{refused}");
    }
}

#[tokio::test]
async fn credentials_go_to_the_registry_and_to_nobody_to_whom_it_leads() {
    // Where it leads: it asks for credentials itself, as a registry would.
    let elsewhere = StandIn::start(|host, asked| match asked.authorization() {
        Some(_) => ok("got them"),
        None => challenge(&format!("http://{host}/token")),
    });
    let target = format!("location: http://{}/blob", elsewhere.host);
    let stand_in = StandIn::start(move |_, asked| match asked.has("authorization: Basic YWRhOnNlY3JldA==") {
        true => (307, vec![target.clone()], Vec::new()),
        false => (401, vec!["www-authenticate: Basic realm=\"r\"".to_owned()], Vec::new()),
    });
    let mut registry = stand_in.open(&ada()).await;
    let refused = registry.blob(&Digest::of(b""), 10).await.expect_err("is nowhere");
    assert_eq!(refused.code(), "weir.artefact.registry", "{refused}");
    assert_eq!(elsewhere.authorizations(), [None]);
    // Logged in by now, it goes along with the first request; and not behind it.
    let refused = registry.blob(&Digest::of(b""), 10).await.expect_err("is nowhere");
    assert_eq!(refused.code(), "weir.artefact.registry", "{refused}");
    assert_eq!(elsewhere.authorizations(), [None, None]);
}

#[tokio::test]
async fn only_the_machine_of_a_registry_without_tls_is_spoken_to_without() {
    let url = |text: &str| Url::parse(text).expect("a URL");
    for (registry, other, is_sent) in [
        (None, "http://127.0.0.1:1/", false),
        (Some("http://127.0.0.1:2/v2/"), "http://127.0.0.1:1/", true),
        (Some("http://localhost:2/v2/"), "http://[::1]:1/", true),
        (Some("http://127.0.0.1:2/v2/"), "http://10.0.0.1:1/", false),
        (Some("http://127.0.0.1:2/v2/"), "http://localhost.example.com/", false),
        (Some("http://registry.example.com/v2/"), "http://127.0.0.1:1/", false),
        (Some("http://registry.example.com/v2/"), "http://auth.example.com/", false),
    ] {
        let mut wire = Wire::new();
        registry.into_iter().for_each(|registry| wire.allow_plain(&url(registry)));
        let sent = wire.send(&url(other), Method::GET, &HeaderMap::new(), Bytes::new(), 10).await;
        let reason = sent.err().map(|failure| failure.to_string()).unwrap_or_default();
        assert_eq!(!reason.contains("is not safe"), is_sent, "{registry:?} {other}: {reason}");
    }
}

#[tokio::test]
async fn a_list_without_end_is_not_read_to_its_end() {
    let link = |target: &str| vec![format!("link: <{target}>; rel=\"next\"")];
    let page = r#"{"tags":[]}"#;
    for (kind, expected) in [
        ("self", "leads to itself"),
        ("endless", "is longer than 100 pages"),
        ("large", "is longer than"),
        ("away", "goes on elsewhere: https://example.com/"),
    ] {
        let stand_in = StandIn::start(move |_, asked| match kind {
            "self" => (200, link(&asked.target), page.into()),
            "endless" => (200, link(&format!("{}0", asked.target)), page.into()),
            "large" => (200, link(&format!("{}0", asked.target)), format!("{page}{}", " ".repeat(3 << 20)).into()),
            _ => (200, link("https://example.com/"), page.into()),
        });
        let refused = stand_in.open(&json!({})).await.tags().await.expect_err("ends");
        assert!(refused.to_string().contains(expected), "{kind}: {refused}");
    }
    let stand_in = StandIn::start(|_, _| ok(vec![b' '; 100]));
    let refused = stand_in.open(&json!({})).await.blob(&Digest::of(b""), 10).await.expect_err("is too large");
    assert_eq!(refused.code(), "weir.artefact.too-large", "{refused}");
}

/// A release with what is attached to it, behind a registry that keeps a list of that by itself, in two pages.
struct Shelf {
    key: SigningKey,
    publisher: Publisher,
    image: Vec<u8>,
    blobs: Vec<Vec<u8>>,
    listed: Vec<serde_json::Value>,
    tagged: Vec<serde_json::Value>,
}

impl Shelf {
    fn new() -> Self {
        Self::with(&[])
    }

    /// Whose release names these papers.
    fn with(papers: &[(String, &[u8])]) -> Self {
        let (secret, public) = generate(None).expect("a pair");
        let key = SigningKey::open(&secret, None).expect("opens");
        let publisher = Publisher::read(&public).expect("reads");
        let (config, layer) = (b"{}".to_vec(), b"component".to_vec());
        let annotations = [
            (crate::oci::TITLE, "crm".to_owned()),
            (crate::oci::VERSION, "1.0.0".to_owned()),
            (crate::release::PUBLISHER, publisher.to_string()),
        ];
        let named = papers
            .iter()
            .map(|(name, bytes)| (format!("{}{name}", crate::release::PAPER), Digest::of(bytes).to_string()));
        let image = to_json(&Image {
            schema_version: 2,
            media_type: IMAGE.to_owned(),
            artifact_type: None,
            config: Descriptor::of(crate::oci::WASM_CONFIG, &config),
            layers: vec![Descriptor::of(crate::oci::WASM, &layer)],
            subject: None,
            annotations: annotations.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(named).collect(),
        });
        let blobs = vec![config, layer, image.clone()];
        Self { key, publisher, image, blobs, listed: Vec::new(), tagged: Vec::new() }
    }

    fn attach(&mut self, kind: &str, papers: &[(&str, &[u8])]) -> serde_json::Value {
        let layer = |(title, bytes): &(&str, &[u8])| Descriptor::titled("text/plain", title, bytes);
        let image = to_json(&Image {
            schema_version: 2,
            media_type: IMAGE.to_owned(),
            artifact_type: Some(kind.to_owned()),
            config: Descriptor::of(EMPTY, b"{}"),
            layers: papers.iter().map(layer).collect(),
            subject: Some(Descriptor::of(IMAGE, &self.image)),
            annotations: Annotations::new(),
        });
        self.blobs.extend(papers.iter().map(|(_, bytes)| bytes.to_vec()));
        let listed = Descriptor { artifact_type: Some(kind.to_owned()), ..Descriptor::of(IMAGE, &image) };
        self.blobs.push(image);
        serde_json::to_value(listed).expect("JSON")
    }

    fn sign(&mut self) -> serde_json::Value {
        let signature = self.key.sign(&self.image, "a release").expect("signs");
        self.attach(crate::release::RELEASE, &[(crate::release::SIGNATURE, signature.as_bytes())])
    }

    fn yank(&mut self, reason: &str) -> serde_json::Value {
        let release = Digest::of(&self.image);
        let notice = json!({ "notice": "yanked", "id": "crm", "version": "1.0.0", "release": release, "reason": reason, "made": "now" });
        let bytes = notice.to_string();
        let signature = self.key.sign(bytes.as_bytes(), "a notice").expect("signs");
        let papers = [("notice.json", bytes.as_bytes()), ("notice.json.minisig", signature.as_bytes())];
        self.attach(crate::notice::NOTICE, &papers)
    }

    async fn fetch(self) -> Result<crate::Fetched, ArtefactError> {
        let Self { publisher, image, blobs, listed, tagged, .. } = self;
        let subject = Digest::of(&image);
        let (list, fallback) =
            (format!("/v2/a/b/referrers/{subject}"), format!("/v2/a/b/manifests/sha256-{}", subject.hex()));
        let index = |manifests: &[serde_json::Value]| {
            json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }).to_string().into_bytes()
        };
        let stand_in = StandIn::start(move |_, asked| {
            let (first, second) = listed.split_at(listed.len() / 2);
            match asked.target.as_str() {
                "/v2/a/b/manifests/1.0.0" => ok(image.clone()),
                target if target == list && listed.is_empty() => status(404),
                target if target == list => (200, vec![format!("link: <{list}?page=2>; rel=\"next\"")], index(first)),
                target if target.starts_with(&list) => ok(index(second)),
                target if target == fallback && tagged.is_empty() => status(404),
                target if target == fallback => ok(index(&tagged)),
                target => {
                    let named = |blob: &&Vec<u8>| target.ends_with(&Digest::of(blob).to_string());
                    blobs.iter().find(named).map_or(status(404), |blob| ok(blob.clone()))
                }
            }
        });
        let location = crate::Location::Registry { host: stand_in.host.clone(), repository: "a/b".to_owned() };
        let mut place = Place::Registry(Box::new(stand_in.open(&json!({})).await));
        let pins = crate::Pins::default();
        let mut wanted = crate::Wanted::new(Some(Target::Tag("1.0.0".to_owned())), &pins);
        wanted.publisher = Some(publisher);
        crate::fetch(&mut place, &location, &wanted).await
    }
}

#[tokio::test]
async fn what_others_attach_hides_nothing_and_stops_nothing() {
    let mut shelf = Shelf::new();
    let cut = shelf.key.sign(&shelf.image, "a release").expect("signs");
    let cut = [cut.lines().take(3).collect::<Vec<_>>().join("\n"), "AAAA".to_owned()].join("\n");
    for index in 0..100_u8 {
        let foreign = shelf.attach("application/vnd.example.sbom", &[("sbom", &[index])]);
        shelf.listed.push(foreign);
    }
    // No digest of ours, no attachment at all, and signatures that are none or have nothing behind them.
    shelf.listed.push(json!({ "mediaType": IMAGE, "digest": "sha512:00", "size": 1 }));
    shelf.listed.push(json!({ "mediaType": IMAGE, "digest": Digest::of(b"gone"), "size": 1 }));
    shelf.blobs.push(b"no manifest".to_vec());
    shelf.listed.push(json!({ "mediaType": IMAGE, "digest": Digest::of(b"no manifest"), "size": 11 }));
    let broken = shelf.attach(crate::release::RELEASE, &[(crate::release::SIGNATURE, cut.as_bytes())]);
    shelf.listed.push(broken);
    let missing = shelf.attach(crate::release::RELEASE, &[(crate::release::SIGNATURE, b"is not there")]);
    shelf.blobs.retain(|blob| blob != b"is not there");
    shelf.listed.push(missing);
    let missing =
        shelf.attach(crate::notice::NOTICE, &[("notice.json", b"is not there"), ("notice.json.minisig", b"")]);
    shelf.blobs.retain(|blob| blob != b"is not there");
    shelf.listed.push(missing);
    let signed = shelf.sign();
    shelf.listed.push(signed);
    assert_eq!(shelf.fetch().await.expect("is believed").id, "crm");
}

#[tokio::test]
async fn a_notice_counts_in_whichever_list_it_stands() {
    for (is_signed_in_list, is_yanked_in_list) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut shelf = Shelf::new();
        for (is_in_list, attached) in [(is_signed_in_list, shelf.sign()), (is_yanked_in_list, shelf.yank("loses"))] {
            if is_in_list { shelf.listed.push(attached) } else { shelf.tagged.push(attached) }
        }
        let refused = shelf.fetch().await.expect_err("is yanked");
        assert_eq!(refused.code(), "weir.artefact.yanked", "{is_signed_in_list} {is_yanked_in_list}: {refused}");
    }
}

#[tokio::test]
async fn more_signatures_and_notices_than_are_read_hide_no_yank() {
    let mut shelf = Shelf::new();
    let signed = shelf.sign();
    shelf.listed.push(signed);
    for index in 0..100_u8 {
        let junk = shelf.attach(crate::notice::NOTICE, &[("notice.json", &[index])]);
        shelf.listed.push(junk);
    }
    let yanked = shelf.yank("loses");
    shelf.listed.push(yanked);
    let refused = shelf.fetch().await.expect_err("is not looked through");
    assert!(refused.to_string().contains("more than 64 signatures and notices"), "{refused}");
}

#[tokio::test]
async fn documents_without_measure_are_not_read() {
    let (small, large) = (b"x".to_vec(), vec![b'x'; 4 << 20]);
    for (count, paper, expected) in [
        (16, &small, ""),
        (17, &small, "weir.artefact.malformed"),
        (3, &large, ""),
        (4, &large, "weir.artefact.too-large"),
    ] {
        let named: Vec<_> = (0..count).map(|index| (format!("{index}.txt"), paper.as_slice())).collect();
        let mut shelf = Shelf::with(&named);
        let signature = shelf.key.sign(&shelf.image, "a release").expect("signs");
        let mut papers = vec![(crate::release::SIGNATURE, signature.as_bytes())];
        papers.extend(named.iter().map(|(name, bytes)| (name.as_str(), *bytes)));
        let attached = shelf.attach(crate::release::RELEASE, &papers);
        shelf.listed.push(attached);
        let code = shelf.fetch().await.err().map_or("", |error| error.code());
        assert_eq!(code, expected, "{count} of {} bytes", paper.len());
    }
}

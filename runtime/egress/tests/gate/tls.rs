//! TLS: configured authorities are trusted, unknown ones and other names are not.

use std::sync::{Arc, Mutex};

use egress::{Config, HttpFaultKind};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::support::{Answer, Bench, Seen, Server, get, ok, post, serve_http, status};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// A server whose certificate is for `a.test`.
async fn serving<A>(issuer: &Issuer, seen: Arc<Mutex<Vec<Seen>>>, answer: A) -> Server
where
    A: Fn(&Seen) -> Answer + Send + Sync + 'static,
{
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["a.test".to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, issuer).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .expect("a configuration");
    let (acceptor, answer) = (TlsAcceptor::from(Arc::new(config)), Arc::new(answer));
    Server::raw("127.0.0.1", move |stream: TcpStream, connection| {
        let (acceptor, seen, answer) = (acceptor.clone(), seen.clone(), answer.clone());
        async move {
            // A client that does not trust the certificate leaves during the handshake.
            if let Ok(stream) = acceptor.accept(stream).await {
                serve_http(TokioIo::new(stream), connection, seen, answer).await;
            }
        }
    })
    .await
}

fn trusting(roots: Vec<CertificateDer<'static>>) -> Bench {
    Bench::with(Config { extra_roots: roots, ..Config::default() })
}

#[tokio::test]
async fn only_certificates_of_known_authorities_for_the_right_name_are_trusted() {
    let (known, unknown) = (authority(), authority());
    let seen = Arc::default();
    let server = serving(&known, Arc::clone(&seen), |_| ok("hello")).await;
    let bench = trusting(vec![known.der().clone()]);
    let url = format!("https://a.test:{}/", server.address.port());
    for _ in 0..3 {
        assert_eq!(bench.response(post(&url, "body")).await.body.as_ref(), b"hello");
    }
    assert_eq!(server.accepted(), 1, "TLS connections are kept too");
    let noted = seen.lock().expect("no panic")[0].clone();
    assert_eq!((noted.header("host"), noted.body.as_ref()), (&url[8..url.len() - 1], &b"body"[..]));

    let other_name = format!("https://b.test:{}/", server.address.port());
    let stranger = trusting(vec![unknown.der().clone()]);
    let nobody = trusting(Vec::new());
    for (bench, url) in [(&bench, &other_name), (&stranger, &url), (&nobody, &url)] {
        let fault = bench.fault(get(url)).await;
        assert_eq!((fault.kind, fault.code, fault.request_sent), (HttpFaultKind::Tls, "weir.http.tls", false));
    }
    assert_eq!(seen.lock().expect("no panic").len(), 3);

    let plain = Server::answering("127.0.0.1", |_| ok("")).await;
    let fault = bench.fault(get(&format!("https://a.test:{}/", plain.address.port()))).await;
    assert_eq!((fault.kind, fault.request_sent), (HttpFaultKind::Tls, false));
}

#[tokio::test]
async fn a_redirect_never_leads_from_https_to_http() {
    let issuer = authority();
    let plain = Server::answering("127.0.0.1", |_| ok("")).await;
    let target = plain.url("b.test", "/");
    let server = serving(&issuer, Arc::default(), move |_| status(307, &[("location", &target)])).await;
    let origin = format!("https://a.test:{}", server.address.port());
    let request = egress::Request {
        grant: crate::support::grant("crm", &[&origin, &plain.url("b.test", "")]),
        ..get(&format!("{origin}/"))
    };
    let fault = trusting(vec![issuer.der().clone()]).fault(request).await;
    assert_eq!((fault.kind, fault.code, fault.request_sent), (HttpFaultKind::Denied, "weir.http.redirect", true));
    assert_eq!(plain.accepted(), 0);
}

#[test]
fn a_root_that_is_no_certificate_is_refused() {
    let config = Config {
        system_roots: false,
        extra_roots: vec![CertificateDer::from(b"nonsense".to_vec())],
        ..Config::default()
    };
    let error = egress::Egress::build(config, Arc::new(lifecycle::SystemClock)).err().expect("a refusal");
    assert_eq!(error.to_string(), "configured certificate authority number 1 cannot be used");
}

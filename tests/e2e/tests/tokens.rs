//! A registry that lets nobody in without a token of its token server, as the public ones do.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::published::{Registry, Stall};

/// Signs a token for whom it names: `$1` is the scope as a claim, `$2` the folder with the key. RS256 by the program
/// openssl, with the certificate in the token's head, which the registry knows.
const SIGN: &str = r#"
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
now=$(date +%s)
certificate=$(openssl x509 -in "$2/token.pem" -outform DER | openssl base64 -A)
head=$(printf '{"typ":"JWT","alg":"RS256","x5c":["%s"]}' "$certificate" | base64url)
claims=$(printf '{"iss":"weir-test","sub":"ada","aud":"registry","iat":%s,"nbf":%s,"exp":%s,"jti":"%s","access":[%s]}' \
  $now $((now - 10)) $((now + 300)) $$ "$1" | base64url)
signature=$(printf '%s.%s' "$head" "$claims" | openssl dgst -sha256 -sign "$2/token.key" -binary | base64url)
printf '%s.%s.%s' "$head" "$claims" "$signature"
"#;

/// What stands for `ada` with her password, and what for her after a login through a browser.
const PASSWORD: &str = "Basic YWRhOnNlY3JldA==";
const REFRESH: &str = "refresh_token=ada-was-here";

/// A token server: everybody may pull, and who is known may push. Gives its port.
fn token_server(folder: PathBuf) -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // The test says what is wrong where no token came.
            let _ = stream.map_err(anyhow::Error::from).and_then(|stream| answer(stream, &folder));
        }
    });
    Ok(port)
}

fn answer(mut stream: TcpStream, folder: &Path) -> anyhow::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = Vec::new();
    for line in reader.by_ref().lines() {
        match line? {
            line if line.is_empty() => break,
            line => head.push(line),
        }
    }
    let header = |name: &str| {
        let mut lines = head.iter().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let mut body = vec![0; header("content-length").map_or(Ok(0), |length| length.parse())?];
    reader.read_exact(&mut body)?;
    let target = head.first().and_then(|line| line.split(' ').nth(1)).context("no target")?;
    let asked = format!("{target}&{}", String::from_utf8(body)?);
    let authorization = header("authorization");
    let (is_known, is_wrong) = (
        authorization.as_deref() == Some(PASSWORD) || asked.contains(REFRESH),
        authorization.is_some_and(|sent| sent != PASSWORD),
    );
    let scope = asked.split(['&', '?']).find_map(|pair| pair.strip_prefix("scope=")).unwrap_or_default();
    let scope = scope.replace("%3A", ":").replace("%2C", ",").replace("%2F", "/");
    let access = match scope.split(':').collect::<Vec<_>>().as_slice() {
        [kind, name, actions] => {
            let actions: Vec<_> = actions.split(',').filter(|action| is_known || *action == "pull").collect();
            json!({ "type": kind, "name": name, "actions": actions }).to_string()
        }
        _ => String::new(),
    };
    let signed = Command::new("sh").args(["-c", SIGN, "sign", &access]).arg(folder).output()?.stdout;
    let token = String::from_utf8(signed)?;
    // Both names, as Docker Hub gives.
    let body = json!({ "token": token, "access_token": token, "expires_in": 300 }).to_string();
    let status = if is_wrong { "401 Unauthorized" } else { "200 OK" };
    let length = body.len();
    Ok(write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")?)
}

#[tokio::test]
async fn a_registry_that_asks_for_tokens_is_used_by_who_gets_them() -> anyhow::Result<()> {
    let stall = Stall::open("lead-mapper")?;
    let folder = stall.desk.path(".");
    let make = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=weir-test -keyout token.key -out token.pem";
    stall.desk.must(".", &format!("{make} 2>made || {{ cat made; exit 1; }}"))?;
    let port = token_server(folder.clone())?;
    let registry = Registry::start(&format!(
        "auth:\n  token:\n    realm: http://127.0.0.1:{port}/token\n    service: registry\n    issuer: weir-test\n    \
         rootcertbundle: {}\n",
        folder.join("token.pem").display()
    ))
    .await?;
    let repository = format!("oci://{}/acme/lead", registry.host);
    let as_who = |login: serde_json::Value, command: &str| -> anyhow::Result<String> {
        let config = json!({ "auths": { registry.host.as_str(): login } });
        fs::write(stall.desk.path("config.json"), config.to_string())?;
        Ok(format!("export DOCKER_CONFIG=$PWD; {command}"))
    };
    let publish = |version: &str| {
        format!("weir plugin publish {version}/p.wasm --report {version}/report.json {repository} --key own.key")
    };
    let ada = || json!({ "auth": PASSWORD.trim_start_matches("Basic ") });
    for version in ["1.0.0", "1.1.0"] {
        stall.write(version, version, "- New.", |_| {})?;
    }

    let (code, message) = stall.refusal(&as_who(json!({}), &publish("1.0.0"))?)?;
    ensure!(code == "weir.artefact.login" && message.contains("nobody is logged in"), "{message}");
    let (code, message) = stall.refusal(&as_who(json!({ "auth": "YWRhOndyb25n" }), &publish("1.0.0"))?)?;
    ensure!(code == "weir.artefact.login" && message.contains("its token server says 401"), "{message}");
    stall.desk.must(".", &as_who(ada(), &publish("1.0.0"))?)?;
    // After a login through a browser; the name in the file says nothing then.
    let identity = json!({ "auth": "YWRhOg==", "identitytoken": REFRESH.trim_start_matches("refresh_token=") });
    stall.desk.must(".", &as_who(identity, &publish("1.1.0"))?)?;
    let pull = format!("weir --json --dir taken plugin pull {repository} -o taken/lead.wasm");
    let pulled = stall.json(&as_who(json!({}), &pull)?)?;
    ensure!(pulled["version"] == "1.1.0", "{pulled}");
    Ok(())
}

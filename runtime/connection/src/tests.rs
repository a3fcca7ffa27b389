use std::collections::BTreeMap;

use bytes::Bytes;

use super::*;

fn slot(name: &str, secret: &str) -> Slot {
    Slot { name: name.to_owned(), secret: Secret::new(secret), raw: false, body: false }
}

fn raw(name: &str, secret: &str) -> Slot {
    Slot { raw: true, ..slot(name, secret) }
}

fn in_body(name: &str, secret: &str) -> Slot {
    Slot { body: true, ..slot(name, secret) }
}

fn slots(slots: impl Into<Vec<Slot>>) -> Credential {
    Credential::Slots { slots: slots.into() }
}

/// URL, header fields and body after the credential has been put in, one to a line.
fn check(credential: &Credential, url: &str, headers: &[(&str, &str)], body: &str) -> Result<String, ApplyFault> {
    let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut request = Outgoing { url: url.to_owned(), headers, body: Bytes::copy_from_slice(body.as_bytes()) };
    apply(credential, &mut request)?;
    let mut lines = vec![request.url];
    lines.extend(request.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.push(String::from_utf8(request.body.to_vec()).expect("a text"));
    Ok(lines.join("\n").trim_end().to_owned())
}

const URL: &str = "https://api.example.com/v1/x";

#[test]
fn each_scheme_puts_its_secret_where_it_belongs() {
    let secret = || Secret::new("s3cret/+");
    let key = Credential::ApiKeyHeader { name: "X-Api-Key".into(), prefix: String::new(), secret: secret() };
    let token = Credential::ApiKeyHeader { name: "authorization".into(), prefix: "Token ".into(), secret: secret() };
    let query = Credential::ApiKeyQuery { name: "key".into(), secret: secret() };
    // RFC 7617, section 2.
    let basic = Credential::Basic { user: "Aladdin".into(), secret: Secret::new("open sesame") };
    let bearer = Credential::Bearer { secret: secret() };
    for (credential, url, expected) in [
        (&Credential::None, URL, "https://api.example.com/v1/x"),
        (&key, URL, "https://api.example.com/v1/x\nx-api-key: s3cret/+"),
        (&token, URL, "https://api.example.com/v1/x\nauthorization: Token s3cret/+"),
        (&query, URL, "https://api.example.com/v1/x?key=s3cret%2F%2B"),
        (&query, "https://a.test/x?b=1&key=old&c", "https://a.test/x?b=1&c&key=s3cret%2F%2B"),
        (&basic, URL, "https://api.example.com/v1/x\nauthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        (&bearer, URL, "https://api.example.com/v1/x\nauthorization: Bearer s3cret/+"),
    ] {
        assert_eq!(check(credential, url, &[], "").as_deref(), Ok(expected));
    }
    let replaced = check(&bearer, URL, &[("Authorization", "Bearer guest")], "").expect("a request");
    assert_eq!(replaced, "https://api.example.com/v1/x\nauthorization: Bearer s3cret/+");
}

#[test]
fn an_hmac_covers_the_final_bytes() {
    // RFC 4231, test case 2, and RFC 2202, test case 2.
    let text = "what do ya want for nothing?";
    let hmac = |algorithm, encoding, prefix: &str| Credential::Hmac {
        header: "X-Signature".into(),
        algorithm,
        encoding,
        prefix: prefix.into(),
        secret: Secret::new("Jefe"),
    };
    for (credential, expected) in [
        (
            hmac(Algorithm::Sha256, Encoding::Hex, "sha256="),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (hmac(Algorithm::Sha1, Encoding::Hex, ""), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (hmac(Algorithm::Sha1, Encoding::Base64, "v1,"), "v1,7/zfauXrL6LSdBbV8YTfnCWafHk="),
    ] {
        let signed = check(&credential, URL, &[], text).expect("a request");
        assert_eq!(signed, format!("{URL}\nx-signature: {expected}\n{text}"));
    }
}

#[test]
fn slots_are_filled_in_url_header_and_body_and_stay_what_they_are() {
    let both = [slot("token", "a/b c&d\"é"), raw("hook", "T01/B02/x-y")];
    for (url, expected) in [
        ("https://a.test/bot{{token}}/send", "https://a.test/bota%2Fb%20c%26d%22%C3%A9/send"),
        ("https://a.test/x?key={{token}}", "https://a.test/x?key=a%2Fb%20c%26d%22%C3%A9"),
        ("https://a.test/services/{{hook}}", "https://a.test/services/T01/B02/x-y"),
        ("https://a.test/{{hook}}/{{hook}}", "https://a.test/T01/B02/x-y/T01/B02/x-y"),
    ] {
        assert_eq!(check(&slots(both.clone()), url, &[], "").as_deref(), Ok(expected));
    }
    let header = check(&slots(both), URL, &[("authorization", "Key {{hook}}; v=1")], "{{hook}}");
    assert_eq!(header.expect("a request"), format!("{URL}\nauthorization: Key T01/B02/x-y; v=1\n{{{{hook}}}}"));

    let token = slots([in_body("token", "a&\"b")]);
    for (content_type, body, expected) in [
        ("application/json", r#"{"token":"{{token}}","other":"{{x}}"}"#, r#"{"token":"a&\"b","other":"{{x}}"}"#),
        ("application/vnd.api+json; charset=utf-8", r#"["{{token}}"]"#, r#"["a&\"b"]"#),
        ("application/x-www-form-urlencoded", "a={{token}}&b=1", "a=a%26%22b&b=1"),
        ("text/plain", "{{token}}{{token}}", "a&\"ba&\"b"),
    ] {
        let filled = check(&token, URL, &[("content-type", content_type)], body).expect("a request");
        assert_eq!(filled, format!("{URL}\ncontent-type: {content_type}\n{expected}"));
    }
}

#[test]
fn a_secret_cannot_break_out_of_its_place() {
    let fault = |credential: &Credential, url: &str| check(credential, url, &[], "").expect_err(url);
    for host in ["https://{{hook}}.test/x", "https://{{hook}}/x", "https://a.test:{{hook}}/x", "https://{{hook}}"] {
        assert_eq!(fault(&slots([raw("hook", "evil")]), host), ApplyFault::SlotInHost);
    }
    for secret in
        ["", "..", "a/../b", "./a", "a/.", "a?b", "a#b", "a\\b", "a b", "a\r\nb", "%2e%2e", "a/..;/b", "ä", "{{hook}}"]
    {
        let hook = slots([raw("hook", secret)]);
        assert_eq!(fault(&hook, "https://a.test/{{hook}}"), ApplyFault::NotRaw("hook".into()), "{secret:?}");
    }
    for url in ["https://a.test/{{other}}", "https://a.test/{{hook", "https://a.test/{{ hook }}"] {
        assert!(matches!(fault(&slots([raw("hook", "x")]), url), ApplyFault::NoSuchSlot(_)), "{url}");
        assert!(matches!(fault(&Credential::None, url), ApplyFault::NoSuchSlot(_)), "{url}");
    }
    for secret in ["a\nb", "a\r\nX-Injected: 1", "a\0"] {
        let secret = || Secret::new(secret);
        for credential in [
            Credential::Bearer { secret: secret() },
            Credential::Basic { user: "u".into(), secret: secret() },
            Credential::ApiKeyQuery { name: "k".into(), secret: secret() },
            Credential::ApiKeyHeader { name: "k".into(), prefix: String::new(), secret: secret() },
        ] {
            assert_eq!(fault(&credential, URL), ApplyFault::ControlCharacter);
        }
        let in_header = check(&slots([slot("s", "a\nb")]), URL, &[("x", "{{s}}")], "");
        assert_eq!(in_header, Err(ApplyFault::ControlCharacter));
    }
    assert_eq!(fault(&Credential::Bearer { secret: Secret::default() }, URL), ApplyFault::Empty);
}

#[test]
fn a_secret_is_hidden_in_every_form() {
    let secret = "p@ss \"word\"/+?ÿ end";
    let redactor = Redactor::new(&[Credential::Basic { user: "me".into(), secret: Secret::new(secret) }]);
    let base64 = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let base64_url = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text);
    let json = serde_json::to_string(secret).expect("JSON");
    let forms = [
        secret.to_owned(),
        json[1..json.len() - 1].to_owned(),
        hex::encode(secret),
        hex::encode_upper(secret),
        base64(secret),
        base64(&format!("me:{secret}")),
        base64_url(secret),
        "p%40ss%20%22word%22%2F%2B%3F%C3%BF%20end".to_owned(),
        "p%40ss%20%22word%22%2f%2b%3f%c3%bf%20end".to_owned(),
        "p%40ss+%22word%22%2F%2B%3F%C3%BF+end".to_owned(),
    ];
    for form in &forms {
        let text = format!("before {form} after {form}");
        let clean = redactor.text(&text);
        assert!(
            clean.starts_with("before ") && clean.contains("[redacted]") && !clean.contains(form.as_str()),
            "{form}"
        );
        assert_eq!(redactor.bytes(text.as_bytes()).as_deref(), Some(clean.as_bytes()));
    }
    // Wherever it begins within something that is encoded as a whole, no more than the two characters at its ends is left.
    for lead in ["", "a", "ab", "abc", "Bearer "] {
        for tail in ["", "z", "zz", "zzz"] {
            let encoded = base64(&format!("{lead}{secret}{tail}"));
            let clean = redactor.text(&encoded).into_owned();
            assert!(clean.contains("[redacted]"), "{lead:?} {tail:?}");
            assert!(clean.replace("[redacted]", "").len() <= lead.len() * 4 / 3 + tail.len() * 4 / 3 + 8, "{clean}");
        }
    }
    assert_eq!(redactor.text("nothing here"), "nothing here");
    assert_eq!(redactor.bytes(b"nothing \xff here"), None);
    let short = Redactor::new(&[Credential::Bearer { secret: Secret::new("abc") }]);
    assert_eq!(short.text("abc"), "abc");
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let mut connection = Connection::new("crm");
    connection.credential = Credential::Basic { user: "me".into(), secret: Secret::new("hunter2hunter2") };
    connection.named.insert("other".into(), slots([slot("s", "hunter2hunter2")]));
    let _ = connection.redactor();
    let shown = format!("{connection:?} {:?}", MasterKey::new([0x68; 32]));
    assert!(!shown.contains("hunter2") && shown.contains("[secret]"), "{shown}");
    assert!(shown.contains("[redactor]") && shown.contains("[master key]"), "{shown}");
}

#[test]
fn a_sealed_secret_opens_with_its_key_and_name_only() {
    let (key, other) = (MasterKey::new([1; 32]), MasterKey::new([2; 32]));
    let secret = Secret::new("hunter2");
    let sealed = seal(&key, "crm", &secret).expect("randomness");
    assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
    assert_eq!(open(&key, "crm", &sealed).expect("the secret").expose(), "hunter2");
    assert_eq!(open(&other, "crm", &sealed).err(), Some(OpenError::Refused));
    assert_eq!(open(&key, "chat", &sealed).err(), Some(OpenError::Refused));
    assert_ne!(sealed, seal(&key, "crm", &secret).expect("randomness"));
    for at in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[at] ^= 1;
        open(&key, "crm", &damaged).expect_err("damage is noticed");
        open(&key, "crm", &sealed[..at]).expect_err("a torn record is noticed");
    }
    // The wrapped key of one record with the secret of another: each opens alone, together they do not.
    let second = seal(&key, "crm", &Secret::new("other")).expect("randomness");
    let mixed = [&sealed[..73], &second[73..]].concat();
    assert_eq!(open(&key, "crm", &mixed).err(), Some(OpenError::Refused));
}

#[test]
fn a_record_sealed_by_version_1_still_opens() {
    // Made with libsodium.
    let sealed = hex::decode(include_str!("golden/sealed-1.hex").trim()).expect("hexadecimal digits");
    let secret = open(&MasterKey::new([7; 32]), "crm", &sealed).expect("the secret");
    assert_eq!(secret.expose(), "a secret of version 1");
}

struct Known(BTreeMap<String, &'static str>);

impl SecretSource for Known {
    fn read(&self, reference: &SecretRef) -> Result<Secret, Unresolved> {
        let known = self.0.get(&reference.to_string());
        known.map(|text| Secret::new(*text)).ok_or_else(|| Unresolved::missing(reference))
    }
}

#[test]
fn credentials_are_data_until_their_secrets_are_read() {
    let written = r#"{ "scheme": "slots", "slots": [
        { "name": "a", "secret": { "env": "A" } },
        { "name": "b", "secret": { "file": "/run/b" }, "raw": true },
        { "name": "c", "secret": { "store": "c" } } ] }"#;
    let credential: Credential<SecretRef> = serde_json::from_str(written).expect("a credential");
    let mut source = Known(BTreeMap::from([("{ env = \"A\" }".to_owned(), "1")]));
    let missing = credential.resolve(&source).expect_err("two secrets are missing");
    let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
    assert_eq!(
        missing,
        [
            "there is no secret at { file = \"/run/b\" }; write it into /run/b",
            "there is no secret at { store = \"c\" }; set it: weir secret set c",
        ]
    );
    source.0.extend([("{ file = \"/run/b\" }".to_owned(), "2"), ("{ store = \"c\" }".to_owned(), "3")]);
    let resolved = credential.resolve(&source).expect("all secrets");
    assert_eq!(check(&resolved, "https://a.test/{{a}}{{b}}{{c}}", &[], "").as_deref(), Ok("https://a.test/123"));

    for wrong in [
        r#"{ "scheme": "bearer" }"#,
        r#"{ "scheme": "bearer", "secret": "plain text" }"#,
        r#"{ "scheme": "bearer", "secret": { "env": "A", "file": "b" } }"#,
        r#"{ "scheme": "bearer", "secret": { "env": "A" }, "extra": 1 }"#,
        r#"{ "scheme": "magic" }"#,
    ] {
        serde_json::from_str::<Credential<SecretRef>>(wrong).expect_err(wrong);
    }
}

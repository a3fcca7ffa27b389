//! Every scheme against what its senders publish, and against requests that were tampered with.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use signature::{Algorithm, BadSecret, Encoding, HmacHeader, Rejected, Scheme, Signer, TOLERANCE, Verifier};

type Fields = Vec<(String, Vec<u8>)>;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn hmac(algorithm: Algorithm, encoding: Encoding, prefix: &str) -> Scheme {
    Scheme::Hmac(HmacHeader { header: "X-Signature".into(), algorithm, encoding, prefix: prefix.into() })
}

fn verifier(scheme: Scheme, secrets: &[&str]) -> Verifier {
    Verifier::new(scheme, secrets, TOLERANCE).unwrap()
}

/// The example of Slack's page on verifying requests.
const SLACK_BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow\
    &channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
    &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
    &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

#[test]
fn published_examples_are_verified_and_signed_alike() {
    // RFC 2202 and RFC 4231, test case 2.
    let rfc = ("Jefe", "what do ya want for nothing?");
    for (scheme, secret, body, fields) in [
        // Standard Webhooks: the vector that its libraries share.
        (
            Scheme::StandardWebhooks,
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            r#"{"test": 2432232314}"#,
            &[
                ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
                ("webhook-timestamp", "1614265330"),
                ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            ][..],
        ),
        // GitHub: the example of its page on validating deliveries.
        (
            Scheme::GitHub,
            "It's a Secret to Everybody",
            "Hello, World!",
            &[
                ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
                ("x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"),
            ],
        ),
        (
            Scheme::Slack,
            "8f742231b10e8888abcd99yyyzzz85a5",
            SLACK_BODY,
            &[
                ("x-slack-request-timestamp", "1531420618"),
                ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
            ],
        ),
        // Stripe and Shopify publish no example with its secret: these are from Python's hmac module.
        (
            Scheme::Stripe,
            "whsec_test_secret",
            r#"{"id":"evt_1","type":"charge.succeeded"}"#,
            &[("stripe-signature", "t=1700000000,v1=c0475716eb2200f1fe97fcf35a3c05d1fd4f8ba9a07a596730c8d18bb87c0672")],
        ),
        (
            Scheme::Shopify,
            "hush",
            r#"{"order":1}"#,
            &[
                ("x-shopify-webhook-id", "b54557e4"),
                ("x-shopify-hmac-sha256", "mD+EOWlUivlg/MgRt6x8FEO/vRgCAanwed+6s2hvL7A="),
            ],
        ),
        (
            hmac(Algorithm::Sha1, Encoding::Hex, "sha1="),
            rfc.0,
            rfc.1,
            &[("X-Signature", "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")],
        ),
        (
            hmac(Algorithm::Sha256, Encoding::Base64, ""),
            rfc.0,
            rfc.1,
            &[("X-Signature", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=")],
        ),
        (
            hmac(Algorithm::Sha512, Encoding::Hex, ""),
            rfc.0,
            rfc.1,
            &[(
                "X-Signature",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
                 9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            )],
        ),
        // RFC 7617, section 2.
        (Scheme::Basic, "Aladdin:open sesame", "", &[("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")]),
        (Scheme::Bearer, "mF_9.B5f-4.1JqM", "", &[("authorization", "Bearer mF_9.B5f-4.1JqM")]),
        (Scheme::ApiKey { header: "X-Key".into() }, "k", "", &[("X-Key", "k")]),
    ] {
        let signed_at = fields.iter().find_map(|(_, value)| {
            let digits = value.strip_prefix("t=").map_or(*value, |list| list.split(',').next().unwrap_or_default());
            digits.parse().ok()
        });
        let now = at(signed_at.unwrap_or(1));
        let verified = verifier(scheme.clone(), &[secret]).verify(fields, body.as_bytes(), now).unwrap();
        assert_eq!(verified.time, signed_at.map(at), "{scheme:?}");

        let id = verified.id.unwrap_or_default();
        let signed = Signer::new(scheme, secret.as_bytes()).unwrap().sign(&id, now, body.as_bytes());
        let signed: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(signed, fields);
    }
}

/// One signed request of each scheme.
fn requests() -> Vec<(Verifier, Fields)> {
    [
        (Scheme::StandardWebhooks, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        (Scheme::GitHub, "hush"),
        (Scheme::Stripe, "hush"),
        (Scheme::Slack, "hush"),
        (Scheme::Shopify, "hush"),
        (hmac(Algorithm::Sha1, Encoding::Hex, ""), "hush"),
        (hmac(Algorithm::Sha512, Encoding::Base64, "sha512="), "hush"),
        (Scheme::Basic, "user:password"),
        (Scheme::Bearer, "hush"),
        (Scheme::ApiKey { header: "x-key".into() }, "hush"),
    ]
    .into_iter()
    .map(|(scheme, secret)| {
        let signer = Signer::new(scheme.clone(), secret.as_bytes()).unwrap();
        let fields =
            signer.sign("id-1", NOW, BODY).into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        (verifier(scheme, &[secret]), fields)
    })
    .collect()
}

const BODY: &[u8] = b"{\"amount\":100}";
const NOW: SystemTime = UNIX_EPOCH;

fn sends_secret(verifier: &Verifier) -> bool {
    matches!(verifier.scheme(), Scheme::Basic | Scheme::Bearer | Scheme::ApiKey { .. })
}

/// Whether a header is believed only because of the signature. GitHub and Shopify do not sign the id.
fn is_signed(verifier: &Verifier, name: &str) -> bool {
    *verifier.scheme() == Scheme::StandardWebhooks || !name.ends_with("-id") && !name.ends_with("-delivery")
}

/// Whether the letter at `place` means the same in upper and lower case: a hexadecimal digit, or in the word `Basic`.
fn has_no_case(verifier: &Verifier, value: &[u8], place: usize) -> bool {
    let is_hex = match verifier.scheme() {
        Scheme::GitHub | Scheme::Stripe | Scheme::Slack => true,
        Scheme::Hmac(header) => header.encoding == Encoding::Hex,
        _ => false,
    };
    let word = value.iter().position(|byte| *byte == b' ').filter(|_| sends_secret(verifier));
    let behind_prefix = value.iter().rposition(|byte| *byte == b'=').is_none_or(|equals| place > equals);
    value[place].is_ascii_alphabetic() && (is_hex && behind_prefix || word.is_some_and(|end| place < end))
}

#[test]
fn no_tampered_request_is_believed() {
    let mut tampered = 0;
    for (verifier, fields) in requests() {
        let mut refuse = |what: &str, fields: &Fields, body: &[u8]| {
            let verified = verifier.verify(&fields[..], body, NOW);
            assert!(verified.is_err(), "{:?}: {what} was believed: {fields:?}", verifier.scheme());
            tampered += 1;
        };
        assert!(verifier.verify(&fields[..], BODY, NOW).is_ok());
        refuse("nothing", &Vec::new(), BODY);
        for (index, (name, value)) in fields.iter().enumerate().filter(|(_, (name, _))| is_signed(&verifier, name)) {
            let with = |changed: Vec<u8>| {
                let mut fields = fields.clone();
                fields[index].1 = changed;
                fields
            };
            for (place, bit) in (0..value.len()).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
                let mut changed = value.clone();
                changed[place] ^= 1 << bit;
                if bit != 5 || !has_no_case(&verifier, value, place) {
                    refuse("a changed header", &with(changed), BODY);
                }
            }
            for length in 0..value.len() {
                refuse("a shortened header", &with(value[..length].to_vec()), BODY);
            }
            let doubled = fields.iter().cloned().chain([(name.to_uppercase(), value.clone())]).collect();
            refuse("a doubled header", &doubled, BODY);
            let without = fields.iter().filter(|(other, _)| other != name).cloned().collect();
            refuse("a missing header", &without, BODY);
        }
        if sends_secret(&verifier) {
            continue;
        }
        for (place, bit) in (0..BODY.len()).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
            let mut changed = BODY.to_vec();
            changed[place] ^= 1 << bit;
            refuse("a changed body", &fields, &changed);
        }
        for length in 0..BODY.len() {
            refuse("a shortened body", &fields, &BODY[..length]);
        }
        refuse("a lengthened body", &fields, &[BODY, b" "].concat());
    }
    println!("{tampered} tampered requests refused");
    assert!(tampered > 5_000);
}

#[test]
fn borders_between_the_signed_parts_cannot_be_moved() {
    let body = b"1700000000.{}";
    let [id, time, signature] = <[_; 3]>::try_from(Signer::new(Scheme::StandardWebhooks, b"aHVzaA==").unwrap().sign(
        "msg",
        at(1_600_000_000),
        body,
    ))
    .unwrap();
    let verifier = verifier(Scheme::StandardWebhooks, &["aHVzaA=="]);
    // The same bytes are signed: `msg.1600000000` `1700000000` `{}`.
    let moved = [
        ("webhook-id", format!("{}.{}", id.1, time.1)),
        ("webhook-timestamp", "1700000000".to_owned()),
        ("webhook-signature", signature.1.clone()),
    ];
    assert_eq!(
        verifier.verify(&moved[..], b"{}", at(1_700_000_000)).unwrap_err().to_string(),
        "header `webhook-id` is not an id without a full stop"
    );
    let swapped = [
        ("webhook-id", time.1.clone()),
        ("webhook-timestamp", id.1.clone()),
        ("webhook-signature", signature.1.clone()),
    ];
    assert_eq!(
        verifier.verify(&swapped[..], body, at(1_600_000_000)).unwrap_err().to_string(),
        "header `webhook-timestamp` is not a time in seconds since 1970"
    );
}

#[test]
fn time_is_tolerated_to_the_second_in_both_directions() {
    for (scheme, secret) in [(Scheme::StandardWebhooks, "aHVzaA=="), (Scheme::Stripe, "hush"), (Scheme::Slack, "hush")]
    {
        let fields = Signer::new(scheme.clone(), secret.as_bytes()).unwrap().sign("msg", at(1000), BODY);
        let verifier = verifier(scheme, &[secret]);
        for good in [700, 1000, 1300] {
            verifier.verify(&fields[..], BODY, at(good)).unwrap();
        }
        assert_eq!(
            verifier.verify(&fields[..], BODY, at(1301)).unwrap_err().to_string(),
            "signed 301 s ago, which is more than the 300 s allowed"
        );
        assert_eq!(
            verifier.verify(&fields[..], BODY, at(699)).unwrap_err().to_string(),
            "signed 301 s in the future, which is more than the 300 s allowed"
        );
        // Whoever does not know the secret is not told the time.
        let stranger = Rejected::Mismatch(verifier.scheme().header().to_owned());
        assert_eq!(verifier.verify(&fields[..], b"other", at(1301)), Err(stranger));
    }
}

#[test]
fn any_active_secret_and_any_signature_of_a_list_will_do() {
    let sign = |scheme: Scheme, secret: &str| Signer::new(scheme, secret.as_bytes()).unwrap().sign("msg", NOW, BODY);
    let old_and_new = ["b2xk", "bmV3"];
    for secret in old_and_new {
        let fields = sign(Scheme::StandardWebhooks, secret);
        verifier(Scheme::StandardWebhooks, &old_and_new).verify(&fields[..], BODY, NOW).unwrap();
    }

    let mut fields = sign(Scheme::StandardWebhooks, "bmV3");
    fields[2].1 = format!("v1a,bm90IG91cnM= v1,bm90IG91cnM= {} v2,bm90IG91cnM=", fields[2].1);
    verifier(Scheme::StandardWebhooks, &["bmV3"]).verify(&fields[..], BODY, NOW).unwrap();

    let fields = sign(Scheme::Stripe, "new");
    let signature = fields[0].1.replace(",v1=", &format!(",v1={},v0=00,v1=", "00".repeat(32)));
    verifier(Scheme::Stripe, &["new"]).verify(&[("Stripe-Signature", &signature)][..], BODY, NOW).unwrap();
    let two_times = format!("{signature},t=1");
    verifier(Scheme::Stripe, &["new"]).verify(&[("Stripe-Signature", &two_times)][..], BODY, NOW).unwrap_err();
}

#[test]
fn secrets_that_cannot_work_are_refused_without_being_shown() {
    for (scheme, secret, expected) in [
        (Scheme::GitHub, "", BadSecret::Empty),
        (Scheme::StandardWebhooks, "whsec_", BadSecret::Empty),
        (Scheme::StandardWebhooks, "whsec_not base64", BadSecret::NotBase64),
        (Scheme::Basic, "password", BadSecret::NotBasic),
    ] {
        assert_eq!(Verifier::new(scheme, [secret], TOLERANCE).unwrap_err(), expected);
    }
    assert_eq!(Verifier::new::<&str>(Scheme::GitHub, [], TOLERANCE).unwrap_err(), BadSecret::None);
    assert_eq!(
        format!("{:?}", verifier(Scheme::Bearer, &["hush"])),
        "Verifier { scheme: Bearer, secrets: 1, tolerance: 300s }"
    );
}

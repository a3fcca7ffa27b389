//! Leads from a web form, signed as Standard Webhooks wants it.

use bytes::Bytes;
use lifecycle::{Clock as _, SystemClock};
use signature::{Scheme, Signer};

/// The secret that the events are signed with.
pub const SECRET: &str = "whsec_ZXZlbnRzLW9mLWRlbW8tYW5kLWJlbmNo";

/// Makes events. The same number gives the same event.
pub struct Events {
    signer: Signer,
    body_bytes: usize,
}

/// One event, ready to be sent.
pub struct Event {
    /// The header fields.
    pub headers: Vec<(String, String)>,
    /// The body: JSON.
    pub body: Bytes,
}

impl Events {
    /// Events with bodies of so many bytes, or a little over 100 if that is less.
    ///
    /// # Errors
    /// None in practice: the secret is ours and valid.
    pub fn new(body_bytes: usize) -> anyhow::Result<Self> {
        Ok(Self { signer: Signer::new(Scheme::StandardWebhooks, SECRET.as_bytes())?, body_bytes })
    }

    /// The event of that number, signed now.
    pub fn event(&self, number: u64) -> Event {
        let company = if is_large(number) { "Large Example" } else { "Example" };
        let start = format!(
            r#"{{"email":"{}","first_name":"Lead","last_name":"{number}","company":"{company}","message":""#,
            email(number)
        );
        let padding = self.body_bytes.saturating_sub(start.len() + 2);
        let body = Bytes::from(format!(r#"{start}{}"}}"#, "x".repeat(padding)));
        let mut headers = self.signer.sign(&format!("msg_{number:010}"), SystemClock.now(), &body);
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        Event { headers, body }
    }
}

/// Whether the lead of that number comes from a large company, of which the team wants to hear: one in 25.
pub fn is_large(number: u64) -> bool {
    number.is_multiple_of(25)
}

/// The address in the event of that number: it comes through every mapping.
pub fn email(number: u64) -> String {
    format!("lead-{number}@example.com")
}

/// The number of the event that a delivered body was made of.
pub fn number_in(body: &[u8]) -> Option<u64> {
    let start = body.windows(5).position(|window| window == b"lead-")? + 5;
    let digits = body[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&body[start..start + digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_its_size_and_its_number_can_be_read_back() {
        let event = Events::new(1024).unwrap().event(4711);
        assert_eq!(event.body.len(), 1024);
        assert!(serde_json::from_slice::<serde_json::Value>(&event.body).is_ok());
        assert_eq!(number_in(&event.body), Some(4711));
        assert!(event.headers.iter().any(|(name, _)| name == "webhook-signature"));
    }
}

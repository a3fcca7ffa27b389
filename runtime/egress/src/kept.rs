//! What is kept of an answer for whoever has to find out why a call failed.

use connection::is_proof;
use model::{Exchange, Pairs, Reply};

use crate::{HttpFault, Response};

/// Fields that say nothing about an answer that has been read to its end.
const SAYS_NOTHING: [&str; 3] = ["content-length", "date", "alt-svc"];

/// What came back, as the plugin saw it, bounded.
pub(crate) fn reply(answer: &Result<Response, HttpFault>) -> Reply {
    match answer {
        Ok(response) => Reply::Answer {
            status: response.status,
            headers: headers(&response.headers),
            body: beginning(&response.body),
            body_bytes: response.body.len() as u64,
        },
        Err(fault) => Reply::Fault { fault: fault.kind.as_str().to_owned(), sent: fault.request_sent },
    }
}

fn headers(all: &[(String, String)]) -> Pairs {
    let mut left = Exchange::HEADERS_BYTES_MAX;
    let says_something = |name: &str| !SAYS_NOTHING.contains(&name) && !is_proof(name);
    let fits = |(name, value): &&(String, String)| {
        let rest = left.checked_sub(name.len() + value.len());
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    all.iter().filter(|(name, _)| says_something(name)).filter(fits).cloned().collect()
}

/// As much of a text as is kept; none of what is no text.
fn beginning(body: &[u8]) -> Option<String> {
    let begin = &body[..body.len().min(Exchange::BODY_BYTES_MAX)];
    match std::str::from_utf8(begin) {
        Ok(text) => Some(text.to_owned()),
        // Cut within a character, and a text up to there.
        Err(error) if begin.len() < body.len() && error.error_len().is_none() => {
            String::from_utf8(begin[..error.valid_up_to()].to_vec()).ok()
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn answer(headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        reply(&Ok(Response { status: 422, url: String::new(), headers, body: body.into() }))
    }

    #[test]
    fn what_is_kept_is_bounded_and_proves_nothing() {
        let long = "é".repeat(Exchange::BODY_BYTES_MAX);
        let fields = [("content-type", "text/plain"), ("set-cookie", "s=1"), ("x-auth-token", "t"), ("date", "today")];
        let Reply::Answer { status: 422, headers, body: Some(body), body_bytes } = answer(&fields, format!("x{long}"))
        else {
            panic!("no answer")
        };
        assert_eq!(headers, [("content-type".to_owned(), "text/plain".to_owned())]);
        assert_eq!((body.len(), body_bytes), (Exchange::BODY_BYTES_MAX - 1, 2 * Exchange::BODY_BYTES_MAX as u64 + 1));
        let many: Vec<_> = (0..100).map(|_| ("x-long", "0123456789012345678901234567890123456789")).collect();
        let Reply::Answer { headers, body, .. } = answer(&many, vec![0xff, 0xfe]) else { panic!("no answer") };
        let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(bytes <= Exchange::HEADERS_BYTES_MAX && body.is_none(), "{bytes} {body:?}");
    }
}

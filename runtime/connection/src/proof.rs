/// Words in a name by which its value proves who somebody is.
const WORDS: [&str; 18] = [
    "apikey",
    "auth",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "csrf",
    "hmac",
    "jwt",
    "otp",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "signature",
    "token",
    "xsrf",
];

/// Words that make a proof of a `key` or an `id` behind them: `api-key`, `session_id`.
const BEFORE: [(&str, &str); 5] =
    [("api", "key"), ("access", "key"), ("private", "key"), ("secret", "key"), ("session", "id")];

/// Whether the value of a header field, a query parameter or a field of a document with this name most likely proves who
/// somebody is: `x-auth-token`, `apiKey`, and not `author`.
pub fn is_proof(name: &str) -> bool {
    let words = words(name);
    words.iter().any(|word| WORDS.contains(&word.as_str()))
        || words.windows(2).any(|pair| BEFORE.contains(&(pair[0].as_str(), pair[1].as_str())))
}

/// The words of a name, in lower case: it may be written with dashes, underscores or capitals.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for char in name.chars() {
        if (char.is_uppercase() && was_lower) || !char.is_alphanumeric() {
            words.push(String::new());
        }
        was_lower = char.is_lowercase();
        if let (true, Some(word)) = (char.is_alphanumeric(), words.last_mut()) {
            word.extend(char.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_proofs_are_told_from_others() {
        for name in
            ["Set-Cookie", "x-auth-token", "apiKey", "api_key", "X-Hub-Signature-256", "accessToken", "sessionId"]
        {
            assert!(is_proof(name), "{name}");
        }
        for name in
            ["author", "content-type", "key", "idempotency-key", "sessions", "x-request-id", "monkey", "authority"]
        {
            assert!(!is_proof(name), "{name}");
        }
    }
}

/// How a sender proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Standard Webhooks 1.0, symmetric: `v1` signatures over `id.timestamp.body`. A secret is base64, with or without
    /// `whsec_` before it.
    StandardWebhooks,
    /// GitHub: `X-Hub-Signature-256` over the body. It signs no time, so repeats are known by `X-GitHub-Delivery` only.
    GitHub,
    /// Stripe: the `v1` signatures of `Stripe-Signature`, over `t.body`.
    Stripe,
    /// Slack: `X-Slack-Signature` over `v0:timestamp:body`.
    Slack,
    /// Shopify: `X-Shopify-Hmac-Sha256` over the body. It signs no time, so repeats are known by `X-Shopify-Webhook-Id`
    /// only.
    Shopify,
    /// An HMAC over the body in a header of the sender's choice.
    Hmac(HmacHeader),
    /// HTTP basic authentication (RFC 7617). A secret is `user:password`.
    Basic,
    /// A bearer token (RFC 6750).
    Bearer,
    /// A secret in a header.
    ApiKey {
        /// The name of the header.
        header: String,
    },
}

/// Where and how a plain HMAC is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HmacHeader {
    /// The name of the header.
    pub header: String,
    /// The hash function.
    pub algorithm: Algorithm,
    /// How the bytes are written.
    pub encoding: Encoding,
    /// What stands before them: `sha256=`, often nothing.
    pub prefix: String,
}

/// A hash function for an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-1: for senders that offer nothing better. An HMAC does not need what SHA-1 has lost.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How bytes are written in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal digits of either case.
    Hex,
    /// Base64 with padding (RFC 4648, section 4).
    Base64,
}

impl Scheme {
    /// The header that carries the proof. It belongs in no record of a request.
    pub fn header(&self) -> &str {
        match self {
            Self::StandardWebhooks => "webhook-signature",
            Self::GitHub => "x-hub-signature-256",
            Self::Stripe => "stripe-signature",
            Self::Slack => "x-slack-signature",
            Self::Shopify => "x-shopify-hmac-sha256",
            Self::Hmac(HmacHeader { header, .. }) | Self::ApiKey { header } => header,
            Self::Basic | Self::Bearer => "authorization",
        }
    }

    /// The header with the time of signing, where it has one of its own.
    pub(crate) fn time_header(&self) -> Option<&'static str> {
        match self {
            Self::StandardWebhooks => Some("webhook-timestamp"),
            Self::Slack => Some("x-slack-request-timestamp"),
            _ => None,
        }
    }

    /// The header with the sender's id of the delivery.
    pub(crate) fn id_header(&self) -> Option<&'static str> {
        match self {
            Self::StandardWebhooks => Some("webhook-id"),
            Self::GitHub => Some("x-github-delivery"),
            Self::Shopify => Some("x-shopify-webhook-id"),
            _ => None,
        }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hmac(HmacHeader { algorithm, .. }) => *algorithm,
            _ => Algorithm::Sha256,
        }
    }

    pub(crate) fn encoding(&self) -> Encoding {
        match self {
            Self::StandardWebhooks | Self::Shopify => Encoding::Base64,
            Self::Hmac(HmacHeader { encoding, .. }) => *encoding,
            _ => Encoding::Hex,
        }
    }

    /// What stands before a signature.
    pub(crate) fn prefix(&self) -> &str {
        match self {
            Self::StandardWebhooks => "v1,",
            Self::GitHub => "sha256=",
            Self::Stripe => "v1=",
            Self::Slack => "v0=",
            Self::Hmac(HmacHeader { prefix, .. }) => prefix,
            Self::Shopify | Self::Basic | Self::Bearer | Self::ApiKey { .. } => "",
        }
    }

    /// Whether the proof is the secret itself instead of a signature made with it.
    pub(crate) fn sends_secret(&self) -> bool {
        matches!(self, Self::Basic | Self::Bearer | Self::ApiKey { .. })
    }
}

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use model::Event;
use signature::Verifier;

/// A path at which events arrive, and what is done with them before they are events.
#[derive(Clone, Debug)]
pub struct Route {
    /// The path as it is sent, percent-encoded: `/leads`. With `/*` at the end it stands for all that begin with what is
    /// before it; the longest one that fits is taken.
    pub path: String,
    /// The methods that bring events.
    pub methods: Vec<Method>,
    /// The name of the source that the events belong to.
    pub source: String,
    /// Proves who sent them; none: anybody may.
    pub verifier: Option<Verifier>,
    /// What a body must be.
    pub decode: Decode,
    /// When the sender is answered.
    pub reply: Reply,
    /// The most bytes that a body may have.
    pub body_bytes_max: usize,
    /// How repeats are known.
    pub dedupe: DedupeRule,
    /// The header that says the kind of an event, for senders that are not known for one.
    pub kind_header: Option<String>,
}

/// What a body must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decode {
    /// JSON, at most 64 deep and no name twice in an object. The event's data are the bytes as they came.
    Json,
    /// `application/x-www-form-urlencoded`. The event's data are a JSON object; a name that comes more than once has an
    /// array.
    Form,
    /// Anything; the content type goes with it.
    Bytes,
}

/// When the sender is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// When the event is durable, with its id.
    Async,
    /// When its flow has ended, with the flow's output; after this time with the event's id. A batch is answered as with
    /// [`Async`](Self::Async).
    Sync {
        /// How long the sender may wait.
        within: Duration,
    },
}

/// How a repeat of an event is known.
#[derive(Clone)]
pub enum DedupeRule {
    /// Not at all.
    None,
    /// By the id that the sender gave: as a CloudEvent, in a header or in the body, as its scheme has it. Without one,
    /// every event is new.
    SenderId {
        /// For how long.
        window: Duration,
    },
    /// By what is computed from the event.
    By {
        /// Gives the key, none if this event has no repeats, or says why it cannot.
        key: Arc<Identify>,
        /// For how long.
        window: Duration,
    },
}

/// Gives the key by which repeats of an event are known.
pub type Identify = dyn Fn(&Event) -> Result<Option<String>, String> + Send + Sync;

impl fmt::Debug for DedupeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::SenderId { window } => f.debug_struct("SenderId").field("window", window).finish(),
            Self::By { window, .. } => f.debug_struct("By").field("window", window).finish_non_exhaustive(),
        }
    }
}

/// Why a set of routes cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRoute {
    /// Two routes have the same path.
    #[error("sources `{first}` and `{second}` both have the path `{path}`: give one of them another")]
    Twice {
        /// The path.
        path: String,
        /// A source.
        first: String,
        /// The other.
        second: String,
    },
    /// The path is none.
    #[error("path `{0}` does not begin with `/`, or has a `*` that is not a `/*` at its end")]
    Path(String),
    /// The route can never be used.
    #[error("path `{0}` has no methods: POST is usual")]
    NoMethods(String),
}

/// The routes by path.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    exact: HashMap<String, Arc<Route>>,
    /// Without the `*`, the longest first.
    below: Vec<(String, Arc<Route>)>,
}

impl Routes {
    pub(crate) fn new(routes: Vec<Route>) -> Result<Self, BadRoute> {
        let mut paths: HashMap<String, String> = HashMap::new();
        let mut table = Self::default();
        for route in routes {
            let prefix = route.path.strip_suffix('*').filter(|prefix| prefix.ends_with('/'));
            if !route.path.starts_with('/') || prefix.unwrap_or(&route.path).contains('*') {
                return Err(BadRoute::Path(route.path));
            }
            if route.methods.is_empty() {
                return Err(BadRoute::NoMethods(route.path));
            }
            if let Some(first) = paths.insert(route.path.clone(), route.source.clone()) {
                return Err(BadRoute::Twice { path: route.path, first, second: route.source });
            }
            match prefix.map(str::to_owned) {
                Some(prefix) => table.below.push((prefix, Arc::new(route))),
                None => drop(table.exact.insert(route.path.clone(), Arc::new(route))),
            }
        }
        table.below.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(table)
    }

    pub(crate) fn find(&self, path: &str) -> Option<&Arc<Route>> {
        let below = || self.below.iter().find(|(prefix, _)| path.starts_with(prefix.as_str())).map(|(_, route)| route);
        self.exact.get(path).or_else(below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str) -> Route {
        Route {
            path: path.to_owned(),
            methods: vec![Method::POST],
            source: format!("source of {path}"),
            verifier: None,
            decode: Decode::Bytes,
            reply: Reply::Async,
            body_bytes_max: 1,
            dedupe: DedupeRule::None,
            kind_header: None,
        }
    }

    #[test]
    fn an_exact_path_comes_before_the_longest_beginning() {
        let routes = Routes::new(["/*", "/a/*", "/a/b", "/a/b/*"].map(route).into()).unwrap();
        for (path, expected) in [
            ("/", "/*"),
            ("/ab", "/*"),
            ("/a", "/*"),
            ("/a/", "/a/*"),
            ("/a/x", "/a/*"),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b/*"),
            ("/a/b/c/d", "/a/b/*"),
            ("/A/b", "/*"),
        ] {
            assert_eq!(routes.find(path).unwrap().path, expected, "{path}");
        }
        assert!(Routes::new(vec![route("/a")]).unwrap().find("/b").is_none());
    }

    #[test]
    fn routes_that_cannot_work_are_refused() {
        for wrong in ["", "a", "*", "/a*", "/*/b", "/a/**"] {
            assert_eq!(Routes::new(vec![route(wrong)]).unwrap_err(), BadRoute::Path(wrong.to_owned()));
        }
        let silent = Route { methods: Vec::new(), ..route("/a") };
        assert_eq!(Routes::new(vec![silent]).unwrap_err(), BadRoute::NoMethods("/a".into()));
        assert_eq!(
            Routes::new(vec![route("/a"), Route { source: "other".into(), ..route("/a") }]).unwrap_err().to_string(),
            "sources `source of /a` and `other` both have the path `/a`: give one of them another"
        );
    }
}

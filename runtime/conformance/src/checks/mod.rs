//! The checks, a file for each group.

mod declared;
mod effects;
mod faults;
mod input;
mod listing;
mod pure;
mod reach;
mod resources;
mod verification;

use crate::bench::Act;
use crate::suite::{Check, Look};

macro_rules! check {
    ($id:literal $name:literal, $title:literal, $cure:literal, $look:expr) => {
        Check {
            id: $id,
            title: $title,
            cure: $cure,
            page: include_str!(concat!("../../../../tests/conformance/", $id, "-", $name, "/README.md")),
            look: $look,
        }
    };
}

macro_rules! calls {
    ($look:path) => {
        Look::Calls(|bench| Box::pin($look(bench)))
    };
}

pub(crate) const CHECKS: &[Check] = &[
    check!(
        "W001" "manifest",
        "carries a manifest that is valid",
        "mend `weir-plugin.toml` and build the component with `weir plugin build`",
        Look::Load
    ),
    check!(
        "W002" "contract-version",
        "speaks a version of the contract that is served",
        "build it with an SDK of the version that this Weir serves",
        Look::Load
    ),
    check!(
        "W003" "roles",
        "exports exactly the roles that its manifest names",
        "make `roles` in the manifest and the exports of the component the same",
        Look::Load
    ),
    check!(
        "W004" "imports",
        "imports nothing that it may not have",
        "remove the import with the flag of the toolchain that the message names",
        Look::Load
    ),
    check!(
        "W005" "loads",
        "compiles, starts and has the types of the contract",
        "build it with the SDK of this version; do nothing long while it starts",
        Look::Load
    ),
    check!(
        "W006" "schemas",
        "has schemas that are JSON Schema and complete in themselves",
        "mend the schema, and put what `$ref` refers to under its `$defs`",
        Look::Manifest(declared::schemas)
    ),
    check!(
        "W007" "samples",
        "says of every action what goes in and comes out, with a sample that fits",
        "add `input`, `output` and `sample` to the action in `weir-plugin.toml`, and make the sample fit its schema",
        Look::Manifest(declared::samples)
    ),
    check!(
        "W008" "sample-works",
        "does with its sample what it says",
        "mend the sample, the schema of the output, or the code",
        calls!(declared::sample_works)
    ),
    check!(
        "W009" "statuses",
        "makes of each status the kind of fault that it means",
        "use the SDK's check of the response, or say the kind by the table of statuses",
        calls!(faults::statuses)
    ),
    check!(
        "W010" "lost-answers",
        "makes of a missing answer the kind of fault that it means",
        "let the SDK make the fault of a request without an answer; after a POST whose answer was lost say `unknown-outcome`",
        calls!(faults::lost_answers)
    ),
    check!(
        "W011" "retry-after",
        "passes on how long the destination asks to wait",
        "put `Retry-After` into the fault's `retry-after-ms`; the SDK's check of the response does it",
        calls!(faults::retry_after)
    ),
    check!(
        "W012" "honest-egress",
        "makes no request outside what the manifest asks for",
        "add to the manifest what is missing, or do not make the request",
        calls!(reach::honest)
    ),
    check!(
        "W013" "no-credentials",
        "carries no credential of its own",
        "leave the field out: the connection's credential is added by the host; declare its scheme under `[auth]`",
        calls!(reach::no_credentials)
    ),
    check!(
        "W014" "key-is-sent",
        "sends the idempotency key where the effect is `keyed`",
        "send `context.idempotency-key` along, or say `effect = \"unsafe\"`",
        calls!(effects::key_is_sent)
    ),
    check!(
        "W015" "same-key-same-requests",
        "sends the same requests for the same key",
        "make the request from the input and the key alone: no clock, no random numbers, no number of the attempt",
        calls!(effects::same_key)
    ),
    check!(
        "W016" "reads-change-nothing",
        "changes nothing where the effect is `read`",
        "send GET or HEAD, or say the effect that the action has",
        calls!(effects::reads)
    ),
    check!(
        "W017" "verify-changes-nothing",
        "changes nothing when it verifies",
        "look for what the call would have made; never make the call again",
        calls!(verification::changes_nothing)
    ),
    check!(
        "W018" "verify-settles",
        "settles what it is asked to verify",
        "export `verification` only with code for an action, or take the role out of the manifest",
        calls!(verification::settles)
    ),
    check!(
        "W019" "verify-does-not-guess",
        "does not settle what it could not ask",
        "give the fault of the answer; say `absent` or `happened` only when the destination has said so",
        calls!(verification::does_not_guess)
    ),
    check!(
        "W020" "listings-end",
        "lists on from its cursor, and ends",
        "send the cursor along, and leave `next` out when the destination gives no further one",
        calls!(listing::ends)
    ),
    check!(
        "W021" "no-retries",
        "leaves retrying to Weir",
        "send the request once and give the fault: Weir repeats the step with backoff and the same key",
        calls!(effects::no_retries)
    ),
    check!(
        "W022" "resources",
        "stays well within the limits with its sample",
        "do less in one call, hold less at once, log less",
        calls!(resources::sample)
    ),
    check!(
        "W023" "large-input",
        "takes an input of 1 MiB without a trap or a limit",
        "do not copy the input again and again; refuse what is too large with `invalid-input`",
        calls!(resources::large)
    ),
    check!(
        "W024" "hostile-input",
        "answers any input, or refuses it by the right kind of fault",
        "check the input before it is used, and give `invalid-input` with the field at fault",
        calls!(input::hostile)
    ),
    check!(
        "W025" "hostile-answers",
        "survives any answer of its destination",
        "check the answer before it is used, and give a fault where it is not what was expected",
        calls!(input::hostile_answers)
    ),
    check!(
        "W026" "determinism",
        "gives the same output for the same input, however often and in whatever order",
        "keep nothing between calls; take the time from the event, and sort what has no order",
        calls!(pure::same_output)
    ),
];

/// What the plugin has, counted.
fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// What to do about actions that cannot be tried with an empty connection.
fn needs_settings(actions: &[&str]) -> String {
    let named = actions.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    format!("{named} needs settings of its connection: give them with `--settings`")
}

/// An entry point of a connector, in words.
fn entry(action: &str, verify: bool) -> String {
    if verify { format!("verifying `{action}`") } else { format!("action `{action}`") }
}

/// Why nothing could be tried on a plugin of this kind.
const NO_ACTIONS: &str = "the plugin has no actions";

/// Names the actions that send no request, if there are any.
fn aside(silent: &[&str]) -> String {
    match silent {
        [] => String::new(),
        names => format!("; no request is sent for the sample of {}", names.join(", ")),
    }
}

/// The actions that send requests, and the names of those that do not.
fn sending<'a>(acts: impl IntoIterator<Item = &'a Act>) -> (Vec<&'a Act>, Vec<&'a str>) {
    let (sending, silent): (Vec<_>, Vec<_>) = acts.into_iter().partition(|act| !act.shot.requests.is_empty());
    (sending, silent.into_iter().map(|act| act.name.as_str()).collect())
}

//! What becomes of an execution whose call fails, by kind of fault, through store and time.

use expect_test::expect;

use crate::script::check;

const SEND: &str = "flow: send
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
steps:
  - { id: send, action: crm@1.create, connection: crm, retry: { attempts: 3, first: 1ms, max: 1ms } }
";

const PARKING: &str = "flow: parking
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
steps:
  - { id: send, action: crm@1.create, connection: crm, retry: { attempts: 2, first: 1ms, max: 1ms } }
on_failure: { park: true }
";

const MAP: &str = "flow: map
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
steps:
  - { id: map, mapper: lead@1, retry: { first: 1ms, max: 1ms } }
";

/// A flow whose one action repeats as its name says.
macro_rules! effect {
    ($action:literal) => {
        concat!(
            "flow: effect\nowner: a@example.com\nsource: { webhook: { path: /in, verify: none } }\nsteps:\n",
            "  - { id: send, action: crm@1.",
            $action,
            ", connection: crm, retry: { attempts: 5, within: 1h, first: 1ms, max: 1ms } }\n"
        )
    };
}

#[test]
fn what_may_pass_is_repeated_until_it_is_over() {
    check(
        &[SEND],
        r#"
        answer a-0.send: unavailable, timeout, ok
        answer b-0.send: timeout, timeout, timeout
        send a,b /in {}
        settle
        "#,
        expect![[r#"
            > answer a-0.send: unavailable, timeout, ok
            > answer b-0.send: timeout, timeout, timeout
            > send a,b /in {}
            send a-0 #1 a-0.send {}: unavailable
            send b-0 #1 b-0.send {}: timeout
              a-0 waits: retry after unavailable [open#1]
              b-0 waits: retry after timeout [open#1]
            > settle
            send b-0 #2 b-0.send {}: timeout
            send a-0 #2 a-0.send {}: timeout
            send b-0 #3 b-0.send {}: timeout
            send a-0 #3 a-0.send {}: ok
              a-0 finished [done#3]
              b-0 dead: timeout [open#3]
        "#]],
    );
}

#[test]
fn the_destination_s_wish_is_honoured() {
    check(
        &[SEND],
        r#"
        answer send: rate-limited after 60000, unavailable after 120000, ok
        send a /in {}
        wait 59
        wait 1.2
        wait 119
        wait 1.4
        "#,
        expect![[r#"
            > answer send: rate-limited after 60000, unavailable after 120000, ok
            > send a /in {}
            send a-0 #1 a-0.send {}: rate-limited after 60000
              a-0 waits: retry after rate-limited [open#1]
            > wait 59
            > wait 1.2
            send a-0 #2 a-0.send {}: unavailable after 120000
              a-0 waits: retry after unavailable [open#2]
            > wait 119
            > wait 1.4
            send a-0 #3 a-0.send {}: ok
              a-0 finished [done#3]
        "#]],
    );
}

#[test]
fn each_kind_has_its_end() {
    check(
        &[SEND],
        r#"
        answer a-0.send: unauthorized
        answer b-0.send: forbidden
        answer c-0.send: not-found
        answer d-0.send: conflict
        answer e-0.send: rejected
        answer f-0.send: invalid-input
        answer g-0.send: internal, internal, internal
        send a,b,c,d,e,f,g /in {}
        settle
        "#,
        expect![[r#"
            > answer a-0.send: unauthorized
            > answer b-0.send: forbidden
            > answer c-0.send: not-found
            > answer d-0.send: conflict
            > answer e-0.send: rejected
            > answer f-0.send: invalid-input
            > answer g-0.send: internal, internal, internal
            > send a,b,c,d,e,f,g /in {}
            send a-0 #1 a-0.send {}: unauthorized
            send b-0 #1 b-0.send {}: forbidden
            send c-0 #1 c-0.send {}: not-found
            send d-0 #1 d-0.send {}: conflict
            send e-0 #1 e-0.send {}: rejected
            send f-0 #1 f-0.send {}: invalid-input
            send g-0 #1 g-0.send {}: internal
              a-0 parked: Credential [open#1]
              b-0 dead: forbidden [open#1]
              c-0 dead: not-found [open#1]
              d-0 dead: conflict [open#1]
              e-0 dead: rejected [open#1]
              f-0 parked: Data [open#1]
              g-0 waits: retry after internal [open#1]
            > settle
            send g-0 #2 g-0.send {}: internal
            send g-0 #3 g-0.send {}: internal
              g-0 parked: Plugin [open#3]
        "#]],
    );
}

#[test]
fn a_flow_may_ask_that_what_would_die_waits_for_a_person() {
    check(
        &[PARKING],
        r#"
        answer a-0.send: rejected
        answer b-0.send: unavailable, unavailable, ok
        send a,b /in {}
        settle
        retry b-0
        "#,
        expect![[r#"
            > answer a-0.send: rejected
            > answer b-0.send: unavailable, unavailable, ok
            > send a,b /in {}
            send a-0 #1 a-0.send {}: rejected
            send b-0 #1 b-0.send {}: unavailable
              a-0 parked: Failure [open#1]
              b-0 waits: retry after unavailable [open#1]
            > settle
            send b-0 #2 b-0.send {}: unavailable
              b-0 parked: Failure [open#2]
            > retry b-0
            send b-0 #3 b-0.send {}: ok
              b-0 finished [done#3]
        "#]],
    );
}

#[test]
fn a_mapper_is_tried_a_few_times() {
    check(
        &[MAP],
        r#"
        answer lead: internal, unknown-outcome, ok, internal, internal, internal, invalid-input
        send a /in {}
        settle
        send b /in {}
        settle
        send c /in {}
        "#,
        expect![[r#"
            > answer lead: internal, unknown-outcome, ok, internal, internal, internal, invalid-input
            > send a /in {}
            map lead a: internal
              a-0 waits: retry after internal [-]
            > settle
            map lead a: unknown-outcome
            map lead a: ok
              a-0 finished [done#3]
            > send b /in {}
            map lead b: internal
              b-0 waits: retry after internal [-]
            > settle
            map lead b: internal
            map lead b: internal
              b-0 parked: Plugin [-]
            > send c /in {}
            map lead c: invalid-input
              c-0 parked: Data [-]
        "#]],
    );
}

#[test]
fn an_open_breaker_holds_back_and_lets_one_probe_through() {
    check(
        &["flow: send
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
steps:
  - { id: send, action: crm@1.create, connection: crm, retry: { first: 1ms, max: 1ms } }
"],
        r#"
        answer send: timeout, timeout, timeout, timeout, timeout, timeout, timeout, timeout
        send a,b,c,d,e,f,g,h /in {}
        stats
        send i,j /in {}
        answer send: unavailable
        wait 1
        stats
        wait 0.8
        answer send: hold
        wait 1.4
        stats
        release j-0.send: ok
        wait 1.2
        stats
        "#,
        expect![[r#"
            > answer send: timeout, timeout, timeout, timeout, timeout, timeout, timeout, timeout
            > send a,b,c,d,e,f,g,h /in {}
            send a-0 #1 a-0.send {}: timeout
            send b-0 #1 b-0.send {}: timeout
            send c-0 #1 c-0.send {}: timeout
            send d-0 #1 d-0.send {}: timeout
            send e-0 #1 e-0.send {}: timeout
            send f-0 #1 f-0.send {}: timeout
            send g-0 #1 g-0.send {}: timeout
            send h-0 #1 h-0.send {}: timeout
              a-0 waits: retry after timeout [open#1]
              b-0 waits: retry after timeout [open#1]
              c-0 waits: retry after timeout [open#1]
              d-0 waits: retry after timeout [open#1]
              e-0 waits: retry after timeout [open#1]
              f-0 waits: retry after timeout [open#1]
              g-0 waits: retry after timeout [open#1]
              h-0 waits: retry after timeout [open#1]
            > stats
            queued 0, running 0, breakers open ["crm"]
            calls at once: {"connection crm": 1, "step send": 1}
            > send i,j /in {}
              i-0 waits for Connection("crm"): BreakerOpen [-]
              j-0 waits for Connection("crm"): BreakerOpen [-]
            > answer send: unavailable
            > wait 1
            send j-0 #1 j-0.send {}: unavailable
              a-0 waits for Connection("crm"): BreakerOpen [open#1]
              b-0 waits for Connection("crm"): BreakerOpen [open#1]
              c-0 waits for Connection("crm"): BreakerOpen [open#1]
              d-0 waits for Connection("crm"): BreakerOpen [open#1]
              e-0 waits for Connection("crm"): BreakerOpen [open#1]
              f-0 waits for Connection("crm"): BreakerOpen [open#1]
              g-0 waits for Connection("crm"): BreakerOpen [open#1]
              h-0 waits for Connection("crm"): BreakerOpen [open#1]
              j-0 waits: retry after unavailable [open#1]
            > stats
            queued 0, running 0, breakers open ["crm"]
            calls at once: {"connection crm": 1, "step send": 1}
            > wait 0.8
              j-0 waits for Connection("crm"): BreakerOpen [open#1]
            > answer send: hold
            > wait 1.4
            send j-0 #2 j-0.send {}: hold
              j-0 ready [open#2]
            > stats
            queued 0, running 1, breakers open ["crm"]
            calls at once: {"connection crm": 1, "step send": 1}
            > release j-0.send: ok
              j-0 finished [done#2]
            > wait 1.2
            send h-0 #2 h-0.send {}: ok
            send g-0 #2 g-0.send {}: ok
            send f-0 #2 f-0.send {}: ok
            send e-0 #2 e-0.send {}: ok
            send d-0 #2 d-0.send {}: ok
            send c-0 #2 c-0.send {}: ok
            send b-0 #2 b-0.send {}: ok
            send a-0 #2 a-0.send {}: ok
            send i-0 #1 i-0.send {}: ok
              a-0 finished [done#2]
              b-0 finished [done#2]
              c-0 finished [done#2]
              d-0 finished [done#2]
              e-0 finished [done#2]
              f-0 finished [done#2]
              g-0 finished [done#2]
              h-0 finished [done#2]
              i-0 finished [done#1]
            > stats
            queued 0, running 0, breakers open []
            calls at once: {"connection crm": 1, "step send": 1}
        "#]],
    );
}

/// Whoever is let through to find out whether the destination is there may never get as far as the destination.
#[test]
fn a_probe_that_finds_nothing_out_is_followed_by_another() {
    check(
        &[PARKING],
        r#"
        answer send: timeout, timeout, timeout, timeout, timeout, timeout, timeout, timeout
        send a,b,c,d,e,f,g,h /in {}
        answer send: gone
        wait 1.2
        answer send: internal
        wait 3
        settle
        stats
        "#,
        expect![[r#"
            > answer send: timeout, timeout, timeout, timeout, timeout, timeout, timeout, timeout
            > send a,b,c,d,e,f,g,h /in {}
            send a-0 #1 a-0.send {}: timeout
            send b-0 #1 b-0.send {}: timeout
            send c-0 #1 c-0.send {}: timeout
            send d-0 #1 d-0.send {}: timeout
            send e-0 #1 e-0.send {}: timeout
            send f-0 #1 f-0.send {}: timeout
            send g-0 #1 g-0.send {}: timeout
            send h-0 #1 h-0.send {}: timeout
              a-0 waits: retry after timeout [open#1]
              b-0 waits: retry after timeout [open#1]
              c-0 waits: retry after timeout [open#1]
              d-0 waits: retry after timeout [open#1]
              e-0 waits: retry after timeout [open#1]
              f-0 waits: retry after timeout [open#1]
              g-0 waits: retry after timeout [open#1]
              h-0 waits: retry after timeout [open#1]
            > answer send: gone
            > wait 1.2
            send h-0 #2 h-0.send {}: gone
            send g-0 #2 g-0.send {}: ok
              a-0 waits for Connection("crm"): BreakerOpen [open#1]
              b-0 waits for Connection("crm"): BreakerOpen [open#1]
              c-0 waits for Connection("crm"): BreakerOpen [open#1]
              d-0 waits for Connection("crm"): BreakerOpen [open#1]
              e-0 waits for Connection("crm"): BreakerOpen [open#1]
              f-0 waits for Connection("crm"): BreakerOpen [open#1]
              g-0 finished [done#2]
              h-0 waits for Plugin("crm"): PluginUnavailable [open#1]
            > answer send: internal
            > wait 3
            send f-0 #2 f-0.send {}: internal
            send e-0 #2 e-0.send {}: ok
            send d-0 #2 d-0.send {}: ok
            send c-0 #2 c-0.send {}: ok
            send b-0 #2 b-0.send {}: ok
            send a-0 #2 a-0.send {}: ok
              a-0 finished [done#2]
              b-0 finished [done#2]
              c-0 finished [done#2]
              d-0 finished [done#2]
              e-0 finished [done#2]
              f-0 parked: Failure [open#2]
            > settle
            send h-0 #2 h-0.send {}: ok
              h-0 finished [done#2]
            > stats
            queued 0, running 0, breakers open []
            calls at once: {"connection crm": 1, "step send": 1}
        "#]],
    );
}

#[test]
fn an_unknown_outcome_is_verified() {
    check(
        &[effect!("unsafe")],
        r#"
        answer send: unknown-outcome
        answer verify send: undecided, happened
        send a /in {}
        settle
        answer send: unknown-outcome, ok
        answer verify send: absent
        send b /in {}
        settle
        "#,
        expect![[r#"
            > answer send: unknown-outcome
            > answer verify send: undecided, happened
            > send a /in {}
            send a-0 #1 a-0.send {}: unknown-outcome
            verify send a-0 #1 a-0.send {}: undecided
              a-0 waits: Verifying [open#1]
            > settle
            verify send a-0 #1 a-0.send {}: happened
              a-0 finished [done#1]
            > answer send: unknown-outcome, ok
            > answer verify send: absent
            > send b /in {}
            send b-0 #1 b-0.send {}: unknown-outcome
            verify send b-0 #1 b-0.send {}: absent
            send b-0 #2 b-0.send {}: ok
              b-0 finished [done#2]
            > settle
        "#]],
    );
}

#[test]
fn an_outcome_that_stays_unknown_waits_for_a_person() {
    check(
        &[effect!("unsafe")],
        r#"
        answer send: unknown-outcome, ok
        answer verify send: undecided, unavailable after 3600000, undecided
        send a /in {}
        settle
        retry a-0
        "#,
        expect![[r#"
            > answer send: unknown-outcome, ok
            > answer verify send: undecided, unavailable after 3600000, undecided
            > send a /in {}
            send a-0 #1 a-0.send {}: unknown-outcome
            verify send a-0 #1 a-0.send {}: undecided
              a-0 waits: Verifying [open#1]
            > settle
            verify send a-0 #1 a-0.send {}: unavailable after 3600000
            verify send a-0 #1 a-0.send {}: undecided
              a-0 parked: UnknownOutcome [open#1]
            > retry a-0
            send a-0 #2 a-0.send {}: ok
              a-0 finished [done#2]
        "#]],
    );
}

#[test]
fn what_cannot_be_verified_is_repeated_if_that_does_no_harm() {
    let moves = r#"
        answer send: unknown-outcome, ok
        send a /in {}
        settle
        "#;
    let repeated = expect![[r#"
        > answer send: unknown-outcome, ok
        > send a /in {}
        send a-0 #1 a-0.send {}: unknown-outcome
        verify send a-0 #1 a-0.send {}: cannot
          a-0 waits: retry after unknown-outcome [open#1]
        > settle
        send a-0 #2 a-0.send {}: ok
          a-0 finished [done#2]
    "#]];
    let repeated_too = expect![[r#"
        > answer send: unknown-outcome, ok
        > send a /in {}
        send a-0 #1 a-0.send {}: unknown-outcome
        verify send a-0 #1 a-0.send {}: cannot
          a-0 waits: retry after unknown-outcome [open#1]
        > settle
        send a-0 #2 a-0.send {}: ok
          a-0 finished [done#2]
    "#]];
    let repeated_with_its_key = expect![[r#"
        > answer send: unknown-outcome, ok
        > send a /in {}
        send a-0 #1 a-0.send {}: unknown-outcome
        verify send a-0 #1 a-0.send {}: cannot
          a-0 waits: retry after unknown-outcome [open#1]
        > settle
        send a-0 #2 a-0.send {}: ok
          a-0 finished [done#2]
    "#]];
    let parked = expect![[r#"
        > answer send: unknown-outcome
        > send a /in {}
        send a-0 #1 a-0.send {}: unknown-outcome
        verify send a-0 #1 a-0.send {}: cannot
          a-0 parked: UnknownOutcome [open#1]
        > settle
    "#]];
    check(&[effect!("read")], moves, repeated);
    check(&[effect!("create")], moves, repeated_too);
    check(&[effect!("keyed")], moves, repeated_with_its_key);
    let moves = moves.replace(", ok", "");
    check(&[effect!("unsafe")], &moves, parked);
}

/// The destination honours a key for a minute.
#[test]
fn an_expired_key_is_no_key() {
    check(
        &[effect!("keyed")],
        r#"
        answer send: hold
        send a /in {}
        wait 61
        release a-0.send: unknown-outcome
        answer send: unknown-outcome, unavailable after 61000
        send b /in {}
        settle
        "#,
        expect![[r#"
            > answer send: hold
            > send a /in {}
            send a-0 #1 a-0.send {}: hold
              a-0 ready [open#1]
            > wait 61
            > release a-0.send: unknown-outcome
            verify send a-0 #1 a-0.send {}: cannot
              a-0 parked: UnknownOutcome [open#1]
            > answer send: unknown-outcome, unavailable after 61000
            > send b /in {}
            send b-0 #1 b-0.send {}: unknown-outcome
            verify send b-0 #1 b-0.send {}: cannot
              b-0 waits: retry after unknown-outcome [open#1]
            > settle
            send b-0 #2 b-0.send {}: unavailable after 61000
            verify send b-0 #2 b-0.send {}: cannot
              b-0 parked: UnknownOutcome [open#2]
        "#]],
    );
}

#[test]
fn a_call_under_way_when_weir_is_killed_is_an_unknown_outcome() {
    check(
        &[effect!("unsafe")],
        r#"
        answer send: hold, hold, hold
        send a,b,c /in {}
        power
        answer verify a-0.send: happened
        answer verify b-0.send: absent
        start
        settle
        "#,
        expect![[r#"
            > answer send: hold, hold, hold
            > send a,b,c /in {}
            send a-0 #1 a-0.send {}: hold
            send b-0 #1 b-0.send {}: hold
            send c-0 #1 c-0.send {}: hold
              a-0 ready [open#1]
              b-0 ready [open#1]
              c-0 ready [open#1]
            > power
            > answer verify a-0.send: happened
            > answer verify b-0.send: absent
            > start
            verify send c-0 #1 c-0.send {}: cannot
            verify send b-0 #1 b-0.send {}: absent
            verify send a-0 #1 a-0.send {}: happened
            send b-0 #2 b-0.send {}: ok
              a-0 finished [done#1]
              b-0 finished [done#2]
              c-0 parked: UnknownOutcome [open#1]
            > settle
        "#]],
    );
}

/// Nobody can be asked for as long as the plugin does not serve, and what cannot be asked is not repeated.
#[test]
fn a_verification_waits_for_its_plugin() {
    check(
        &[effect!("unsafe")],
        r#"
        answer send: hold, unknown-outcome
        send a /in {}
        kill
        answer verify send: gone, gone, happened
        start
        kill
        start
        wait 20
        answer verify send: gone, undecided, happened
        send b /in {}
        settle
        "#,
        expect![[r#"
            > answer send: hold, unknown-outcome
            > send a /in {}
            send a-0 #1 a-0.send {}: hold
              a-0 ready [open#1]
            > kill
            > answer verify send: gone, gone, happened
            > start
            verify send a-0 #1 a-0.send {}: gone
              a-0 waits for Plugin("crm"): Verifying [open#1]
            > kill
            > start
            > wait 20
            verify send a-0 #1 a-0.send {}: gone
            verify send a-0 #1 a-0.send {}: happened
              a-0 finished [done#1]
            > answer verify send: gone, undecided, happened
            > send b /in {}
            send b-0 #1 b-0.send {}: unknown-outcome
            verify send b-0 #1 b-0.send {}: gone
              b-0 waits for Plugin("crm"): Verifying [open#1]
            > settle
            verify send b-0 #1 b-0.send {}: undecided
            verify send b-0 #1 b-0.send {}: happened
              b-0 finished [done#1]
        "#]],
    );
}

#[test]
fn a_plugin_that_does_not_serve_is_waited_for_and_no_attempt_is_counted() {
    check(
        &[SEND, MAP],
        r#"
        answer send: gone, unavailable, gone, ok
        answer lead: gone, ok
        send a /in {}
        settle
        "#,
        expect![[r#"
            > answer send: gone, unavailable, gone, ok
            > answer lead: gone, ok
            > send a /in {}
            map lead a: gone
            send a-0 #1 a-0.send {}: gone
              a-0 waits for Plugin("crm"): PluginUnavailable [-]
              a-1 waits for Plugin("lead"): PluginUnavailable [-]
            > settle
            map lead a: ok
            send a-0 #1 a-0.send {}: unavailable
            send a-0 #2 a-0.send {}: gone
            send a-0 #2 a-0.send {}: ok
              a-0 finished [done#2]
              a-1 finished [done#1]
        "#]],
    );
}

#[test]
fn a_plugin_that_lacks_the_action_is_a_matter_of_configuration() {
    check(
        &[SEND],
        r#"
        answer send: lacking, ok
        send a /in {}
        retry a-0
        "#,
        expect![[r#"
            > answer send: lacking, ok
            > send a /in {}
            send a-0 #1 a-0.send {}: lacking
              a-0 parked: Configuration [-]
            > retry a-0
            send a-0 #1 a-0.send {}: ok
              a-0 finished [done#1]
        "#]],
    );
}

//! What runs at once, and what waits in the store because memory holds no more.

use engine::Config;
use expect_test::expect;

use crate::script::check_with;

const NARROW: &str = "flow: narrow
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
concurrency: 2
steps:
  - { id: narrow, action: crm@1.create, connection: crm, retry: { first: 1ms, max: 1ms } }
";

const WIDE: &str = "flow: wide
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
steps:
  - { id: wide, action: crm@1.create, connection: crm, retry: { first: 1ms, max: 1ms } }
";

#[test]
fn a_flow_has_no_more_at_once_than_it_says() {
    check_with(
        Config::default(),
        &[NARROW],
        r#"
        answer narrow: hold, hold, hold, unavailable, ok
        send a,b,c,d /in {}
        stats
        release b-0.narrow: ok
        release a-0.narrow: ok
        release c-0.narrow: ok
        settle
        stats
        "#,
        expect![[r#"
            > answer narrow: hold, hold, hold, unavailable, ok
            > send a,b,c,d /in {}
            narrow a-0 #1 a-0.narrow {}: hold
            narrow b-0 #1 b-0.narrow {}: hold
              a-0 ready [open#1]
              b-0 ready [open#1]
              c-0 ready [-]
              d-0 ready [-]
            > stats
            queued 2, running 2, breakers open []
            calls at once: {"connection crm": 2, "step narrow": 2}
            > release b-0.narrow: ok
            narrow c-0 #1 c-0.narrow {}: hold
              b-0 finished [done#1]
              c-0 ready [open#1]
            > release a-0.narrow: ok
            narrow d-0 #1 d-0.narrow {}: unavailable
              a-0 finished [done#1]
              d-0 waits: retry after unavailable [open#1]
            > release c-0.narrow: ok
              c-0 finished [done#1]
            > settle
            narrow d-0 #2 d-0.narrow {}: ok
              d-0 finished [done#2]
            > stats
            queued 0, running 0, breakers open []
            calls at once: {"connection crm": 2, "step narrow": 2}
        "#]],
    );
}

#[test]
fn a_connection_has_no_more_at_once_than_is_set() {
    check_with(
        Config { connection_calls_max: 2, ..Config::default() },
        &[WIDE],
        r#"
        answer wide: hold, hold, hold, hold
        send a,b,c,d /in {}
        release a-0.wide: ok
        release b-0.wide: ok
        release d-0.wide: unavailable
        release c-0.wide: ok
        settle
        stats
        "#,
        expect![[r#"
            > answer wide: hold, hold, hold, hold
            > send a,b,c,d /in {}
            wide a-0 #1 a-0.wide {}: hold
            wide b-0 #1 b-0.wide {}: hold
              a-0 ready [open#1]
              b-0 ready [open#1]
              c-0 ready [-]
              d-0 ready [-]
            > release a-0.wide: ok
            wide c-0 #1 c-0.wide {}: hold
              a-0 finished [done#1]
              c-0 ready [open#1]
            > release b-0.wide: ok
            wide d-0 #1 d-0.wide {}: hold
              b-0 finished [done#1]
              d-0 ready [open#1]
            > release d-0.wide: unavailable
              d-0 waits: retry after unavailable [open#1]
            > release c-0.wide: ok
              c-0 finished [done#1]
            > settle
            wide d-0 #2 d-0.wide {}: ok
              d-0 finished [done#2]
            > stats
            queued 0, running 0, breakers open []
            calls at once: {"connection crm": 2, "step wide": 2}
        "#]],
    );
}

/// After a kill, everything that was under way is asked after at once.
#[test]
fn verifications_are_calls_too() {
    check_with(
        Config { connection_calls_max: 2, ..Config::default() },
        &[WIDE],
        r#"
        answer wide: hold, hold
        send a,b /in {}
        kill
        answer verify wide: hold, hold
        answer wide: hold
        start
        send c /in {}
        release verify a-0.wide: happened
        release verify b-0.wide: happened
        release c-0.wide: ok
        "#,
        expect![[r#"
            > answer wide: hold, hold
            > send a,b /in {}
            wide a-0 #1 a-0.wide {}: hold
            wide b-0 #1 b-0.wide {}: hold
              a-0 ready [open#1]
              b-0 ready [open#1]
            > kill
            > answer verify wide: hold, hold
            > answer wide: hold
            > start
            verify wide b-0 #1 b-0.wide {}: hold
            verify wide a-0 #1 a-0.wide {}: hold
            > send c /in {}
              c-0 ready [-]
            > release verify a-0.wide: happened
            wide c-0 #1 c-0.wide {}: hold
              a-0 finished [done#1]
              c-0 ready [open#1]
            > release verify b-0.wide: happened
              b-0 finished [done#1]
            > release c-0.wide: ok
              c-0 finished [done#1]
        "#]],
    );
}

#[test]
fn what_does_not_fit_into_memory_waits_in_the_store() {
    check_with(
        Config { flow_queue_max: 2, ..Config::default() },
        &[NARROW],
        r#"
        answer narrow: hold, hold
        send a,b /in {}
        send c,d /in {}
        send e,f,g,h /in {}
        wait 1
        stats
        release a-0.narrow: ok
        release b-0.narrow: ok
        settle
        stats
        "#,
        expect![[r#"
            > answer narrow: hold, hold
            > send a,b /in {}
            narrow a-0 #1 a-0.narrow {}: hold
            narrow b-0 #1 b-0.narrow {}: hold
              a-0 ready [open#1]
              b-0 ready [open#1]
            > send c,d /in {}
              c-0 ready [-]
              d-0 ready [-]
            > send e,f,g,h /in {}
              e-0 waits for Flow("narrow"): Concurrency [-]
              f-0 waits for Flow("narrow"): Concurrency [-]
              g-0 waits for Flow("narrow"): Concurrency [-]
              h-0 waits for Flow("narrow"): Concurrency [-]
            > wait 1
            > stats
            queued 2, running 2, breakers open []
            calls at once: {"connection crm": 2, "step narrow": 2}
            > release a-0.narrow: ok
            narrow c-0 #1 c-0.narrow {}: ok
            narrow d-0 #1 d-0.narrow {}: ok
            narrow h-0 #1 h-0.narrow {}: ok
            narrow g-0 #1 g-0.narrow {}: ok
            narrow f-0 #1 f-0.narrow {}: ok
            narrow e-0 #1 e-0.narrow {}: ok
              a-0 finished [done#1]
              c-0 finished [done#1]
              d-0 finished [done#1]
              e-0 finished [done#1]
              f-0 finished [done#1]
              g-0 finished [done#1]
              h-0 finished [done#1]
            > release b-0.narrow: ok
              b-0 finished [done#1]
            > settle
            > stats
            queued 0, running 0, breakers open []
            calls at once: {"connection crm": 2, "step narrow": 2}
        "#]],
    );
}

#[test]
fn what_does_not_fit_survives_a_restart() {
    check_with(
        Config { flow_queue_max: 1, ..Config::default() },
        &[NARROW],
        r#"
        pause
        send a /in {}
        send b /in {}
        send c /in {}
        kill
        start
        settle
        wait 6
        "#,
        expect![[r#"
            > pause
            > send a /in {}
              a-0 ready [-]
            > send b /in {}
              b-0 waits for Flow("narrow"): Concurrency [-]
            > send c /in {}
              c-0 waits for Flow("narrow"): Concurrency [-]
            > kill
            > start
            narrow a-0 #1 a-0.narrow {}: ok
            narrow c-0 #1 c-0.narrow {}: ok
            narrow b-0 #1 b-0.narrow {}: ok
              a-0 finished [done#1]
              b-0 finished [done#1]
              c-0 finished [done#1]
            > settle
            > wait 6
        "#]],
    );
}

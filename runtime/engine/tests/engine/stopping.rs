//! Pause, stop and start.

use std::time::Duration;

use engine::Config;
use expect_test::expect;

use crate::script::{check, check_with};

const LEADS: &str = "flow: leads
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
steps:
  - { id: contact, mapper: lead@1 }
  - { id: create, action: crm@1.create, connection: crm, retry: { first: 1ms, max: 1ms } }
  - { id: tell, action: chat@1.create, connection: chat, retry: { first: 1ms, max: 1ms } }
";

#[test]
fn a_paused_engine_takes_events_in_and_ends_what_is_under_way() {
    check(
        &[LEADS],
        r#"
        answer create: hold
        send a /in {}
        pause
        release a-0.create: ok
        send b /in {}
        wait 10
        resume
        "#,
        expect![[r#"
            > answer create: hold
            > send a /in {}
            map lead a: ok
            create a-0 #1 a-0.create {}: hold
              a-0 ready [done#1 open#1 -]
            > pause
            > release a-0.create: ok
            tell a-0 #1 a-0.tell {"id":"c-1"}: ok
              a-0 finished [done#1 done#1 done#1]
            > send b /in {}
              b-0 ready [- - -]
            > wait 10
            > resume
            map lead b: ok
            create b-0 #1 b-0.create {}: ok
            tell b-0 #1 b-0.tell {"id":"c-1"}: ok
              b-0 finished [done#1 done#1 done#1]
        "#]],
    );
}

#[test]
fn a_paused_engine_forgets_nothing_over_a_restart() {
    check(
        &[LEADS],
        r#"
        answer create: unavailable
        send a /in {}
        pause
        send b /in {}
        wait 5
        stop
        start
        settle
        "#,
        expect![[r#"
            > answer create: unavailable
            > send a /in {}
            map lead a: ok
            create a-0 #1 a-0.create {}: unavailable
              a-0 waits: retry after unavailable [done#1 open#1 -]
            > pause
            > send b /in {}
              b-0 ready [- - -]
            > wait 5
            > stop
            > start
            map lead b: ok
            create b-0 #1 b-0.create {}: ok
            create a-0 #2 a-0.create {}: ok
            tell b-0 #1 b-0.tell {"id":"c-1"}: ok
            tell a-0 #1 a-0.tell {"id":"c-1"}: ok
              a-0 finished [done#1 done#2 done#1]
              b-0 finished [done#1 done#1 done#1]
            > settle
        "#]],
    );
}

#[test]
fn a_stop_lets_calls_end_and_the_rest_goes_on_at_the_next_start() {
    check(
        &[LEADS],
        r#"
        answer create: hold
        send a /in {}
        stopping
        release a-0.create: ok
        stop
        start
        settle
        "#,
        expect![[r#"
            > answer create: hold
            > send a /in {}
            map lead a: ok
            create a-0 #1 a-0.create {}: hold
              a-0 ready [done#1 open#1 -]
            > stopping
            > release a-0.create: ok
            tell a-0 #1 a-0.tell {"id":"c-1"}: ok
              a-0 finished [done#1 done#1 done#1]
            > stop
            > start
            > settle
        "#]],
    );
}

#[test]
fn a_call_that_outlives_the_grace_is_an_unknown_outcome() {
    check_with(
        Config { stop_grace: Duration::ZERO, ..Config::default() },
        &[LEADS],
        r#"
        answer create: hold, ok
        send a /in {}
        stop
        answer verify create: absent
        start
        settle
        "#,
        expect![[r#"
            > answer create: hold, ok
            > send a /in {}
            map lead a: ok
            create a-0 #1 a-0.create {}: hold
              a-0 ready [done#1 open#1 -]
            > stop
            > answer verify create: absent
            > start
            verify create a-0 #1 a-0.create {}: absent
            create a-0 #2 a-0.create {}: ok
            tell a-0 #1 a-0.tell {"id":"c-1"}: ok
              a-0 finished [done#1 done#2 done#1]
            > settle
        "#]],
    );
}

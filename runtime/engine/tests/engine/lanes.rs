//! Executions with one key keep their order.

use expect_test::expect;

use crate::script::check;

const ORDERS: &str = "flow: orders
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
lane: event.data.key
steps:
  - { id: send, action: crm@1.create, connection: crm, retry: { attempts: 3, first: 1ms, max: 1ms } }
";

const SPLIT_ORDERS: &str = "flow: orders
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
lane: event.data.key
steps:
  - { id: lines, mapper: split@1 }
  - { id: send, action: crm@1.create, connection: crm, retry: { attempts: 3, first: 1ms, max: 1ms } }
";

/// Ids of one instant are in the opposite order of their arrival: what counts is the arrival.
#[test]
fn one_at_a_time_in_the_order_of_arrival_and_other_lanes_beside() {
    check(
        &[ORDERS],
        r#"
        answer a-0.send: hold
        answer c-0.send: unavailable, ok
        send a,b,c,d /in {"key":"x"}
        send e /in {"key":"y"}
        wait 10
        release a-0.send: ok
        settle
        "#,
        expect![[r#"
            > answer a-0.send: hold
            > answer c-0.send: unavailable, ok
            > send a,b,c,d /in {"key":"x"}
            send a-0 #1 a-0.send {"key":"x"}: hold
              a-0 ready [open#1]
              b-0 waits for Lane("orders", "x"): Lane [-]
              c-0 waits for Lane("orders", "x"): Lane [-]
              d-0 waits for Lane("orders", "x"): Lane [-]
            > send e /in {"key":"y"}
            send e-0 #1 e-0.send {"key":"y"}: ok
              e-0 finished [done#1]
            > wait 10
            > release a-0.send: ok
            send b-0 #1 b-0.send {"key":"x"}: ok
            send c-0 #1 c-0.send {"key":"x"}: unavailable
              a-0 finished [done#1]
              b-0 finished [done#1]
              c-0 waits: retry after unavailable [open#1]
            > settle
            send c-0 #2 c-0.send {"key":"x"}: ok
            send d-0 #1 d-0.send {"key":"x"}: ok
              c-0 finished [done#2]
              d-0 finished [done#1]
        "#]],
    );
}

#[test]
fn a_parked_head_blocks_and_goes_on_first() {
    check(
        &[ORDERS],
        r#"
        answer a-0.send: unauthorized, ok
        send a,b /in {"key":"x"}
        settle
        retry b-0
        retry a-0
        "#,
        expect![[r#"
            > answer a-0.send: unauthorized, ok
            > send a,b /in {"key":"x"}
            send a-0 #1 a-0.send {"key":"x"}: unauthorized
              a-0 parked: Credential [open#1]
              b-0 waits for Lane("orders", "x"): Lane [-]
            > settle
            > retry b-0
            refused: execution `b-0` is waiting: it goes on as soon as the executions before it in its lane have ended
            > retry a-0
            send a-0 #2 a-0.send {"key":"x"}: ok
            send b-0 #1 b-0.send {"key":"x"}: ok
              a-0 finished [done#2]
              b-0 finished [done#1]
        "#]],
    );
}

#[test]
fn a_dead_letter_releases_and_its_retry_goes_beside_those_that_came_later() {
    check(
        &[ORDERS],
        r#"
        answer a-0.send: rejected, hold
        answer b-0.send: hold
        send a,b,c /in {"key":"x"}
        retry a-0
        release b-0.send: ok
        release a-0.send: ok
        "#,
        expect![[r#"
            > answer a-0.send: rejected, hold
            > answer b-0.send: hold
            > send a,b,c /in {"key":"x"}
            send a-0 #1 a-0.send {"key":"x"}: rejected
            send b-0 #1 b-0.send {"key":"x"}: hold
              a-0 dead: rejected [open#1]
              b-0 ready [open#1]
              c-0 waits for Lane("orders", "x"): Lane [-]
            > retry a-0
            send a-0 #2 a-0.send {"key":"x"}: hold
              a-0 ready [open#2]
            > release b-0.send: ok
              b-0 finished [done#1]
            > release a-0.send: ok
            send c-0 #1 c-0.send {"key":"x"}: ok
              a-0 finished [done#2]
              c-0 finished [done#1]
        "#]],
    );
}

#[test]
fn a_parked_head_that_is_discarded_lets_the_next_go() {
    check(
        &[ORDERS],
        r#"
        answer a-0.send: unauthorized
        send a,b /in {"key":"x"}
        discard a-0
        "#,
        expect![[r#"
            > answer a-0.send: unauthorized
            > send a,b /in {"key":"x"}
            send a-0 #1 a-0.send {"key":"x"}: unauthorized
              a-0 parked: Credential [open#1]
              b-0 waits for Lane("orders", "x"): Lane [-]
            > discard a-0
            send b-0 #1 b-0.send {"key":"x"}: ok
              a-0 discarded [open#1]
              b-0 finished [done#1]
        "#]],
    );
}

#[test]
fn one_that_waits_behind_is_cancelled_and_nobody_misses_it() {
    check(
        &[ORDERS],
        r#"
        answer a-0.send: hold
        send a,b,c /in {"key":"x"}
        cancel b-0
        release a-0.send: ok
        send d /in {"key":"x"}
        "#,
        expect![[r#"
            > answer a-0.send: hold
            > send a,b,c /in {"key":"x"}
            send a-0 #1 a-0.send {"key":"x"}: hold
              a-0 ready [open#1]
              b-0 waits for Lane("orders", "x"): Lane [-]
              c-0 waits for Lane("orders", "x"): Lane [-]
            > cancel b-0
              b-0 cancelled [-]
            > release a-0.send: ok
            send c-0 #1 c-0.send {"key":"x"}: ok
              a-0 finished [done#1]
              c-0 finished [done#1]
            > send d /in {"key":"x"}
            send d-0 #1 d-0.send {"key":"x"}: ok
              d-0 finished [done#1]
        "#]],
    );
}

#[test]
fn a_head_is_cancelled_while_its_call_is_under_way() {
    check(
        &[ORDERS],
        r#"
        answer a-0.send: hold
        send a,b /in {"key":"x"}
        cancel a-0
        release a-0.send: unavailable
        "#,
        expect![[r#"
            > answer a-0.send: hold
            > send a,b /in {"key":"x"}
            send a-0 #1 a-0.send {"key":"x"}: hold
              a-0 ready [open#1]
              b-0 waits for Lane("orders", "x"): Lane [-]
            > cancel a-0
            > release a-0.send: unavailable
            send b-0 #1 b-0.send {"key":"x"}: ok
              a-0 cancelled [open#1]
              b-0 finished [done#1]
        "#]],
    );
}

#[test]
fn the_order_survives_restarts() {
    check(
        &[ORDERS],
        r#"
        answer a-0.send: unavailable, unauthorized, ok
        send a,b,c /in {"key":"x"}
        kill
        start
        settle
        send d /in {"key":"x"}
        power
        start
        settle
        retry a-0
        "#,
        expect![[r#"
            > answer a-0.send: unavailable, unauthorized, ok
            > send a,b,c /in {"key":"x"}
            send a-0 #1 a-0.send {"key":"x"}: unavailable
              a-0 waits: retry after unavailable [open#1]
              b-0 waits for Lane("orders", "x"): Lane [-]
              c-0 waits for Lane("orders", "x"): Lane [-]
            > kill
            > start
            send a-0 #2 a-0.send {"key":"x"}: unauthorized
              a-0 parked: Credential [open#2]
            > settle
            > send d /in {"key":"x"}
              d-0 waits for Lane("orders", "x"): Lane [-]
            > power
            > start
            > settle
            > retry a-0
            send a-0 #3 a-0.send {"key":"x"}: ok
            send b-0 #1 b-0.send {"key":"x"}: ok
            send c-0 #1 c-0.send {"key":"x"}: ok
            send d-0 #1 d-0.send {"key":"x"}: ok
              a-0 finished [done#3]
              b-0 finished [done#1]
              c-0 finished [done#1]
              d-0 finished [done#1]
        "#]],
    );
}

#[test]
fn those_behind_wait_for_every_child_of_the_head() {
    check(
        &[SPLIT_ORDERS],
        r#"
        answer split: 2 documents
        answer a-0-0-0.send: hold
        answer a-0-0-1.send: unauthorized, ok
        send a,b /in {"key":"x"}
        kill
        start
        settle
        retry a-0-0-1
        "#,
        expect![[r#"
            > answer split: 2 documents
            > answer a-0-0-0.send: hold
            > answer a-0-0-1.send: unauthorized, ok
            > send a,b /in {"key":"x"}
            map split a: 2 documents
            send a-0-0-0 #1 a-0-0-0.send {"index":0}: hold
            send a-0-0-1 #1 a-0-0-1.send {"index":1}: unauthorized
              a-0 finished [split:2 -]
              a-0-0-0 ready [done#0 open#1]
              a-0-0-1 parked: Credential [done#0 open#1]
              b-0 waits for Lane("orders", "x"): Lane [- -]
            > kill
            > start
            verify send a-0-0-0 #1 a-0-0-0.send {"index":0}: cannot
              a-0-0-0 waits: retry after unknown-outcome [done#0 open#1]
            > settle
            send a-0-0-0 #2 a-0-0-0.send {"index":0}: ok
              a-0-0-0 finished [done#0 done#2]
            > retry a-0-0-1
            send a-0-0-1 #2 a-0-0-1.send {"index":1}: ok
            map split b: ok
            send b-0 #1 b-0.send {"key":"x"}: ok
              a-0-0-1 finished [done#0 done#2]
              b-0 finished [done#1 done#1]
        "#]],
    );
}

#[test]
fn a_replay_keeps_out_of_the_lane() {
    check(
        &[ORDERS],
        r#"
        send a /in {"key":"x"}
        answer b-0.send: hold
        send b,c /in {"key":"x"}
        replay a-0
        release b-0.send: ok
        "#,
        expect![[r#"
            > send a /in {"key":"x"}
            send a-0 #1 a-0.send {"key":"x"}: ok
              a-0 finished [done#1]
            > answer b-0.send: hold
            > send b,c /in {"key":"x"}
            send b-0 #1 b-0.send {"key":"x"}: hold
              b-0 ready [open#1]
              c-0 waits for Lane("orders", "x"): Lane [-]
            > replay a-0
            again: send crm@1.create at crm, Some("c-1")
            send a-1 #1 a-1.send {"key":"x"}: ok
              a-1 (again a-0) finished [done#1]
            > release b-0.send: ok
            send c-0 #1 c-0.send {"key":"x"}: ok
              b-0 finished [done#1]
              c-0 finished [done#1]
        "#]],
    );
}

#[test]
fn a_key_that_cannot_be_told_parks_its_event_alone() {
    check(
        &[ORDERS],
        r#"
        send a /in {}
        send b /in {"key":"x"}
        "#,
        expect![[r#"
            > send a /in {}
              a-0 parked: Data [-]
            > send b /in {"key":"x"}
            send b-0 #1 b-0.send {"key":"x"}: ok
              b-0 finished [done#1]
        "#]],
    );
}

/// A server takes events in while the engine still looks for what an earlier life has left.
#[test]
fn nobody_overtakes_during_a_start() {
    check(
        &[ORDERS],
        r#"
        answer a-0.send: unauthorized, ok
        send a,b /in {"key":"x"}
        kill
        open
        send c /in {"key":"x"}
        run
        retry a-0
        "#,
        expect![[r#"
            > answer a-0.send: unauthorized, ok
            > send a,b /in {"key":"x"}
            send a-0 #1 a-0.send {"key":"x"}: unauthorized
              a-0 parked: Credential [open#1]
              b-0 waits for Lane("orders", "x"): Lane [-]
            > kill
            > open
            > send c /in {"key":"x"}
              c-0 waits for Lane("orders", "x"): Lane [-]
            > run
            > retry a-0
            send a-0 #2 a-0.send {"key":"x"}: ok
            send b-0 #1 b-0.send {"key":"x"}: ok
            send c-0 #1 c-0.send {"key":"x"}: ok
              a-0 finished [done#2]
              b-0 finished [done#1]
              c-0 finished [done#1]
        "#]],
    );
}

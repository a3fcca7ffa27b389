//! What people order: retry, replay, cancel, discard.

use engine::Config;
use expect_test::expect;

use crate::script::{check, check_with};

const LEADS: &str = r#"flow: leads
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
steps:
  - { id: contact, mapper: lead@1 }
  - { id: create, action: crm@1.create, connection: crm, retry: { attempts: 2, first: 1ms, max: 1ms } }
  - { id: tell, action: chat@1.unsafe, connection: chat, with: { text: "${steps.create.output.id}" }, retry: { attempts: 2, first: 1ms, max: 1ms } }
"#;

/// The same with other text, and a step in front of the last.
const LEADS_2: &str = r#"flow: leads
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
steps:
  - { id: contact, mapper: lead@1 }
  - { id: create, action: crm@1.create, connection: crm, retry: { attempts: 2, first: 1ms, max: 1ms } }
  - { id: note, set: { text: "${steps.create.output.id}!" } }
  - { id: tell, action: chat@1.unsafe, connection: chat, retry: { attempts: 2, first: 1ms, max: 1ms } }
"#;

#[test]
fn a_retry_of_a_dead_letter_keeps_its_keys_and_what_it_has_done() {
    check(
        &[LEADS],
        r#"
        answer tell: unavailable, unavailable, unavailable, ok
        send a /in {"name":"Ada"}
        settle
        retry a-0
        settle
        retry a-0
        "#,
        expect![[r#"
            > answer tell: unavailable, unavailable, unavailable, ok
            > send a /in {"name":"Ada"}
            map lead a: ok
            create a-0 #1 a-0.create {"name":"Ada"}: ok
            tell a-0 #1 a-0.tell {"text":"c-1"}: unavailable
              a-0 waits: retry after unavailable [done#1 done#1 open#1]
            > settle
            tell a-0 #2 a-0.tell {"text":"c-1"}: unavailable
              a-0 dead: unavailable [done#1 done#1 open#2]
            > retry a-0
            tell a-0 #3 a-0.tell {"text":"c-1"}: unavailable
              a-0 waits: retry after unavailable [done#1 done#1 open#3]
            > settle
            tell a-0 #4 a-0.tell {"text":"c-1"}: ok
              a-0 finished [done#1 done#1 done#4]
            > retry a-0
            refused: execution `a-0` is finished: only what is parked, dead or waiting can be retried; to run it once more, replay it
        "#]],
    );
}

#[test]
fn a_retry_of_one_that_waits_goes_at_once() {
    check(
        &["flow: slow
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
steps:
  - { id: send, action: crm@1.create, connection: crm }
"],
        r#"
        answer send: rate-limited after 3600000, ok
        send a /in {}
        wait 60
        retry a-0
        "#,
        expect![[r#"
            > answer send: rate-limited after 3600000, ok
            > send a /in {}
            send a-0 #1 a-0.send {}: rate-limited after 3600000
              a-0 waits: retry after rate-limited [open#1]
            > wait 60
            > retry a-0
            send a-0 #2 a-0.send {}: ok
              a-0 finished [done#2]
        "#]],
    );
}

#[test]
fn a_retry_of_one_whose_outcome_is_being_verified_verifies_at_once() {
    check(
        &[LEADS],
        r#"
        answer tell: unknown-outcome, ok
        answer verify tell: unavailable after 3600000, unauthorized, absent
        send a /in {}
        retry a-0
        retry a-0
        settle
        "#,
        expect![[r#"
            > answer tell: unknown-outcome, ok
            > answer verify tell: unavailable after 3600000, unauthorized, absent
            > send a /in {}
            map lead a: ok
            create a-0 #1 a-0.create {}: ok
            tell a-0 #1 a-0.tell {"text":"c-1"}: unknown-outcome
            verify tell a-0 #1 a-0.tell {"text":"c-1"}: unavailable after 3600000
              a-0 waits: Verifying [done#1 done#1 open#1]
            > retry a-0
            verify tell a-0 #1 a-0.tell {"text":"c-1"}: unauthorized
              a-0 parked: Credential [done#1 done#1 open#1]
            > retry a-0
            verify tell a-0 #1 a-0.tell {"text":"c-1"}: absent
            tell a-0 #2 a-0.tell {"text":"c-1"}: ok
              a-0 finished [done#1 done#1 done#2]
            > settle
        "#]],
    );
}

#[test]
fn a_replay_from_the_start_has_new_keys() {
    check(
        &[LEADS],
        r#"
        send a /in {"name":"Ada"}
        replay a-0
        replay a-1
        "#,
        expect![[r#"
            > send a /in {"name":"Ada"}
            map lead a: ok
            create a-0 #1 a-0.create {"name":"Ada"}: ok
            tell a-0 #1 a-0.tell {"text":"c-1"}: ok
              a-0 finished [done#1 done#1 done#1]
            > replay a-0
            again: create crm@1.create at crm, Some("c-1")
            again: tell chat@1.unsafe at chat, Some("c-1")
            map lead a: ok
            create a-1 #1 a-1.create {"name":"Ada"}: ok
            tell a-1 #1 a-1.tell {"text":"c-1"}: ok
              a-1 (again a-0) finished [done#1 done#1 done#1]
            > replay a-1
            again: create crm@1.create at crm, Some("c-1")
            again: tell chat@1.unsafe at chat, Some("c-1")
            map lead a: ok
            create a-2 #1 a-2.create {"name":"Ada"}: ok
            tell a-2 #1 a-2.tell {"text":"c-1"}: ok
              a-2 (again a-1) finished [done#1 done#1 done#1]
        "#]],
    );
}

#[test]
fn a_replay_from_a_step_keeps_what_was_given_before_it() {
    check(
        &[LEADS],
        r#"
        send a /in {"name":"Ada"}
        replay a-0 from=tell
        replay a-0 from=nowhere
        "#,
        expect![[r#"
            > send a /in {"name":"Ada"}
            map lead a: ok
            create a-0 #1 a-0.create {"name":"Ada"}: ok
            tell a-0 #1 a-0.tell {"text":"c-1"}: ok
              a-0 finished [done#1 done#1 done#1]
            > replay a-0 from=tell
            again: tell chat@1.unsafe at chat, Some("c-1")
            tell a-1 #1 a-1.tell {"text":"c-1"}: ok
              a-1 (again a-0) finished [done#0 done#0 done#1]
            > replay a-0 from=nowhere
            refused: flow `leads` has no step `nowhere`; its steps are contact, create, tell
        "#]],
    );
}

#[test]
fn a_replay_on_the_current_version_and_on_the_old_one() {
    check(
        &[LEADS, LEADS_2],
        r#"
        send a /in {"name":"Ada"}
        install 1
        replay a-0 from=tell
        replay a-0 from=note
        replay a-0 from=note current
        replay a-0 current
        kill
        start
        replay a-0 from=tell
        "#,
        expect![[r#"
            > send a /in {"name":"Ada"}
            map lead a: ok
            create a-0 #1 a-0.create {"name":"Ada"}: ok
            tell a-0 #1 a-0.tell {"text":"c-1"}: ok
              a-0 finished [done#1 done#1 done#1]
            > install 1
            > replay a-0 from=tell
            again: tell chat@1.unsafe at chat, Some("c-1")
            tell a-1 #1 a-1.tell {"text":"c-1"}: ok
              a-1 (again a-0) finished [done#0 done#0 done#1]
            > replay a-0 from=note
            refused: flow `leads` has no step `note`; its steps are contact, create, tell
            > replay a-0 from=note current
            tell a-2 #1 a-2.tell {"text":"c-1!"}: ok
              a-2 (again a-0) finished [done#0 done#0 done#0 done#1]
            > replay a-0 current
            again: create crm@1.create at crm, Some("c-1")
            map lead a: ok
            create a-3 #1 a-3.create {"name":"Ada"}: ok
            tell a-3 #1 a-3.tell {"text":"c-1!"}: ok
              a-3 (again a-0) finished [done#1 done#1 done#0 done#1]
            > kill
            > start
            > replay a-0 from=tell
            again: tell chat@1.unsafe at chat, Some("c-1")
            tell a-4 #1 a-4.tell {"text":"c-1"}: ok
              a-4 (again a-0) finished [done#0 done#0 done#1]
        "#]],
    );
}

/// The destination may have had one of its calls, and knows them by their keys.
#[test]
fn a_replay_of_a_dead_letter_keeps_its_keys_on_its_own_version_only() {
    check(
        &[LEADS, LEADS_2],
        r#"
        answer tell: rejected, rejected, ok, ok
        send a /in {"name":"Ada"}
        replay a-0
        replay a-1 from=tell
        install 1
        replay a-0 current
        "#,
        expect![[r#"
            > answer tell: rejected, rejected, ok, ok
            > send a /in {"name":"Ada"}
            map lead a: ok
            create a-0 #1 a-0.create {"name":"Ada"}: ok
            tell a-0 #1 a-0.tell {"text":"c-1"}: rejected
              a-0 dead: rejected [done#1 done#1 open#1]
            > replay a-0
            again: create crm@1.create at crm, Some("c-1")
            map lead a: ok
            create a-1 #1 a-0.create {"name":"Ada"}: ok
            tell a-1 #1 a-0.tell {"text":"c-1"}: rejected
              a-1 (again a-0) dead: rejected [done#1 done#1 open#1]
            > replay a-1 from=tell
            tell a-2 #1 a-0.tell {"text":"c-1"}: ok
              a-2 (again a-1) finished [done#0 done#0 done#1]
            > install 1
            > replay a-0 current
            again: create crm@1.create at crm, Some("c-1")
            map lead a: ok
            create a-3 #1 a-3.create {"name":"Ada"}: ok
            tell a-3 #1 a-3.tell {"text":"c-1!"}: ok
              a-3 (again a-0) finished [done#1 done#1 done#0 done#1]
        "#]],
    );
}

#[test]
fn a_version_under_way_goes_on_with_its_own_steps() {
    check(
        &[LEADS, LEADS_2],
        r#"
        answer a-0.create: hold
        send a /in {"name":"Ada"}
        install 1
        send b /in {"name":"Bob"}
        kill
        start
        settle
        "#,
        expect![[r#"
            > answer a-0.create: hold
            > send a /in {"name":"Ada"}
            map lead a: ok
            create a-0 #1 a-0.create {"name":"Ada"}: hold
              a-0 ready [done#1 open#1 -]
            > install 1
            > send b /in {"name":"Bob"}
            map lead b: ok
            create b-0 #1 b-0.create {"name":"Bob"}: ok
            tell b-0 #1 b-0.tell {"text":"c-1!"}: ok
              b-0 finished [done#1 done#1 done#0 done#1]
            > kill
            > start
            verify create a-0 #1 a-0.create {"name":"Ada"}: cannot
              a-0 waits: retry after unknown-outcome [done#1 open#1 -]
            > settle
            create a-0 #2 a-0.create {"name":"Ada"}: ok
            tell a-0 #1 a-0.tell {"text":"c-1"}: ok
              a-0 finished [done#1 done#2 done#1]
        "#]],
    );
}

#[test]
fn cancel_while_waiting_and_while_a_call_is_under_way() {
    check(
        &[LEADS],
        r#"
        answer a-0.create: unavailable
        send a /in {}
        cancel a-0
        answer b-0.create: hold
        send b /in {}
        cancel b-0
        release b-0.create: ok
        answer c-0.tell: hold
        send c /in {}
        cancel c-0
        release c-0.tell: ok
        cancel c-0
        answer d-0.tell: hold
        send d /in {}
        cancel d-0
        release d-0.tell: rejected
        settle
        "#,
        expect![[r#"
            > answer a-0.create: unavailable
            > send a /in {}
            map lead a: ok
            create a-0 #1 a-0.create {}: unavailable
              a-0 waits: retry after unavailable [done#1 open#1 -]
            > cancel a-0
              a-0 cancelled [done#1 open#1 -]
            > answer b-0.create: hold
            > send b /in {}
            map lead b: ok
            create b-0 #1 b-0.create {}: hold
              b-0 ready [done#1 open#1 -]
            > cancel b-0
            > release b-0.create: ok
              b-0 cancelled [done#1 done#1 -]
            > answer c-0.tell: hold
            > send c /in {}
            map lead c: ok
            create c-0 #1 c-0.create {}: ok
            tell c-0 #1 c-0.tell {"text":"c-1"}: hold
              c-0 ready [done#1 done#1 open#1]
            > cancel c-0
            > release c-0.tell: ok
              c-0 finished [done#1 done#1 done#1]
            > cancel c-0
            refused: execution `c-0` is finished: it has ended already
            > answer d-0.tell: hold
            > send d /in {}
            map lead d: ok
            create d-0 #1 d-0.create {}: ok
            tell d-0 #1 d-0.tell {"text":"c-1"}: hold
              d-0 ready [done#1 done#1 open#1]
            > cancel d-0
            > release d-0.tell: rejected
              d-0 dead: rejected [done#1 done#1 open#1]
            > settle
        "#]],
    );
}

#[test]
fn cancel_while_waiting_for_a_place_at_the_connection() {
    check_with(
        Config { connection_calls_max: 1, ..Config::default() },
        &[LEADS],
        r#"
        answer a-0.create: hold
        send a,b,c /in {}
        cancel b-0
        release a-0.create: ok
        "#,
        expect![[r#"
            > answer a-0.create: hold
            > send a,b,c /in {}
            map lead a: ok
            map lead b: ok
            map lead c: ok
            create a-0 #1 a-0.create {}: hold
              a-0 ready [done#1 open#1 -]
              b-0 ready [- - -]
              c-0 ready [- - -]
            > cancel b-0
            > release a-0.create: ok
            tell a-0 #1 a-0.tell {"text":"c-1"}: ok
            create c-0 #1 c-0.create {}: ok
            tell c-0 #1 c-0.tell {"text":"c-1"}: ok
              a-0 finished [done#1 done#1 done#1]
              b-0 cancelled [done#1 - -]
              c-0 finished [done#1 done#1 done#1]
        "#]],
    );
}

#[test]
fn discard_takes_what_is_parked_or_dead_only() {
    check(
        &[LEADS],
        r#"
        answer a-0.create: rejected
        send a /in {}
        discard a-0
        answer b-0.create: invalid-input
        send b /in {}
        discard b-0
        retry b-0
        send c /in {}
        discard c-0
        retry c-0
        cancel c-0
        answer d-0.create: invalid-input
        send d /in {}
        cancel d-0
        "#,
        expect![[r#"
            > answer a-0.create: rejected
            > send a /in {}
            map lead a: ok
            create a-0 #1 a-0.create {}: rejected
              a-0 dead: rejected [done#1 open#1 -]
            > discard a-0
              a-0 discarded [done#1 open#1 -]
            > answer b-0.create: invalid-input
            > send b /in {}
            map lead b: ok
            create b-0 #1 b-0.create {}: invalid-input
              b-0 parked: Data [done#1 open#1 -]
            > discard b-0
              b-0 discarded [done#1 open#1 -]
            > retry b-0
            refused: execution `b-0` is discarded: only what is parked, dead or waiting can be retried; to run it once more, replay it
            > send c /in {}
            map lead c: ok
            create c-0 #1 c-0.create {}: ok
            tell c-0 #1 c-0.tell {"text":"c-1"}: ok
              c-0 finished [done#1 done#1 done#1]
            > discard c-0
            refused: execution `c-0` is finished: only what is parked or dead can be discarded; to end it, cancel it
            > retry c-0
            refused: execution `c-0` is finished: only what is parked, dead or waiting can be retried; to run it once more, replay it
            > cancel c-0
            refused: execution `c-0` is finished: it has ended already
            > answer d-0.create: invalid-input
            > send d /in {}
            map lead d: ok
            create d-0 #1 d-0.create {}: invalid-input
              d-0 parked: Data [done#1 open#1 -]
            > cancel d-0
              d-0 cancelled [done#1 open#1 -]
        "#]],
    );
}

#[test]
fn a_retry_of_a_parked_one_after_a_restart() {
    check(
        &[LEADS],
        r#"
        answer create: unauthorized, ok
        send a /in {}
        stop
        start
        retry a-0
        "#,
        expect![[r#"
            > answer create: unauthorized, ok
            > send a /in {}
            map lead a: ok
            create a-0 #1 a-0.create {}: unauthorized
              a-0 parked: Credential [done#1 open#1 -]
            > stop
            > start
            > retry a-0
            create a-0 #2 a-0.create {}: ok
            tell a-0 #1 a-0.tell {"text":"c-1"}: ok
              a-0 finished [done#1 done#2 done#1]
        "#]],
    );
}

#[test]
fn an_order_to_cancel_that_comes_at_the_last_moment_is_not_forgotten() {
    check(
        &[LEADS],
        r#"
        answer create: hold, hold, hold
        send a,b,c /in {}
        late a-0.create: unavailable
        late b-0.create: invalid-input
        late c-0.create: ok
        settle
        "#,
        expect![[r#"
            > answer create: hold, hold, hold
            > send a,b,c /in {}
            map lead a: ok
            map lead b: ok
            map lead c: ok
            create a-0 #1 a-0.create {}: hold
            create b-0 #1 b-0.create {}: hold
            create c-0 #1 c-0.create {}: hold
              a-0 ready [done#1 open#1 -]
              b-0 ready [done#1 open#1 -]
              c-0 ready [done#1 open#1 -]
            > late a-0.create: unavailable
              a-0 cancelled [done#1 open#1 -]
            > late b-0.create: invalid-input
              b-0 cancelled [done#1 open#1 -]
            > late c-0.create: ok
            tell c-0 #1 c-0.tell {"text":"c-1"}: ok
              c-0 finished [done#1 done#1 done#1]
            > settle
        "#]],
    );
}

#[test]
fn an_execution_that_has_ended_meanwhile_is_not_taken_up_again() {
    check(
        &[LEADS],
        r#"
        answer create: rejected, rejected
        send a /in {}
        slow retry a-0
        settle
        "#,
        expect![[r#"
            > answer create: rejected, rejected
            > send a /in {}
            map lead a: ok
            create a-0 #1 a-0.create {}: rejected
              a-0 dead: rejected [done#1 open#1 -]
            > slow retry a-0
            create a-0 #2 a-0.create {}: rejected
              a-0 dead: rejected [done#1 open#2 -]
            > settle
        "#]],
    );
}

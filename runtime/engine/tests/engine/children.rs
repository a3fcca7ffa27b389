//! Several documents from a mapper go on as children.

use expect_test::expect;

use crate::script::check;

const SPLIT: &str = r#"flow: split
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
steps:
  - { id: head, set: { from: "${event.data.from}" } }
  - { id: lines, mapper: split@1 }
  - { id: send, action: crm@1.create, connection: crm, with: { from: "${steps.head.output.from}", index: "${steps.lines.output.index}" }, retry: { attempts: 2, first: 1ms, max: 1ms } }
"#;

const TWICE: &str = "flow: twice
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
steps:
  - { id: pages, mapper: pages@1 }
  - { id: lines, mapper: lines@1 }
  - { id: send, action: crm@1.create, connection: crm }
";

const EXPECTING: &str = "flow: expecting
owner: a@example.com
source: { webhook: { path: /in, verify: none } }
steps:
  - { id: lines, mapper: split@1, expect: { type: object, properties: { index: { maximum: 0 } } } }
  - { id: send, action: crm@1.create, connection: crm }
";

#[test]
fn each_goes_on_with_its_own_document_and_ends_for_itself() {
    check(
        &[SPLIT],
        r#"
        answer split: 4 documents
        answer a-0-1-1.send: rejected
        answer a-0-1-2.send: invalid-input, ok
        answer a-0-1-3.send: unavailable, ok
        send a /in {"from":"shop"}
        settle
        retry a-0-1-2
        retry a-0
        cancel a-0
        "#,
        expect![[r#"
            > answer split: 4 documents
            > answer a-0-1-1.send: rejected
            > answer a-0-1-2.send: invalid-input, ok
            > answer a-0-1-3.send: unavailable, ok
            > send a /in {"from":"shop"}
            map split a: 4 documents
            send a-0-1-0 #1 a-0-1-0.send {"from":"shop","index":0}: ok
            send a-0-1-1 #1 a-0-1-1.send {"from":"shop","index":1}: rejected
            send a-0-1-2 #1 a-0-1-2.send {"from":"shop","index":2}: invalid-input
            send a-0-1-3 #1 a-0-1-3.send {"from":"shop","index":3}: unavailable
              a-0 finished [done#0 split:4 -]
              a-0-1-0 finished [done#0 done#0 done#1]
              a-0-1-1 dead: rejected [done#0 done#0 open#1]
              a-0-1-2 parked: Data [done#0 done#0 open#1]
              a-0-1-3 waits: retry after unavailable [done#0 done#0 open#1]
            > settle
            send a-0-1-3 #2 a-0-1-3.send {"from":"shop","index":3}: ok
              a-0-1-3 finished [done#0 done#0 done#2]
            > retry a-0-1-2
            send a-0-1-2 #2 a-0-1-2.send {"from":"shop","index":2}: ok
              a-0-1-2 finished [done#0 done#0 done#2]
            > retry a-0
            refused: execution `a-0` is finished: only what is parked, dead or waiting can be retried; to run it once more, replay it
            > cancel a-0
            refused: execution `a-0` is finished: it has ended already
        "#]],
    );
}

#[test]
fn a_restart_between_the_split_and_the_work() {
    check(
        &[SPLIT],
        r#"
        answer split: 3 documents
        answer send: hold, hold, hold
        send a /in {"from":"shop"}
        power
        answer verify send: absent, happened, cannot
        start
        settle
        "#,
        expect![[r#"
            > answer split: 3 documents
            > answer send: hold, hold, hold
            > send a /in {"from":"shop"}
            map split a: 3 documents
            send a-0-1-0 #1 a-0-1-0.send {"from":"shop","index":0}: hold
            send a-0-1-1 #1 a-0-1-1.send {"from":"shop","index":1}: hold
            send a-0-1-2 #1 a-0-1-2.send {"from":"shop","index":2}: hold
              a-0 finished [done#0 split:3 -]
              a-0-1-0 ready [done#0 done#0 open#1]
              a-0-1-1 ready [done#0 done#0 open#1]
              a-0-1-2 ready [done#0 done#0 open#1]
            > power
            > answer verify send: absent, happened, cannot
            > start
            verify send a-0-1-0 #1 a-0-1-0.send {"from":"shop","index":0}: absent
            verify send a-0-1-1 #1 a-0-1-1.send {"from":"shop","index":1}: happened
            verify send a-0-1-2 #1 a-0-1-2.send {"from":"shop","index":2}: cannot
            send a-0-1-0 #2 a-0-1-0.send {"from":"shop","index":0}: ok
              a-0-1-0 finished [done#0 done#0 done#2]
              a-0-1-1 finished [done#0 done#0 done#1]
              a-0-1-2 waits: retry after unknown-outcome [done#0 done#0 open#1]
            > settle
            send a-0-1-2 #2 a-0-1-2.send {"from":"shop","index":2}: ok
              a-0-1-2 finished [done#0 done#0 done#2]
        "#]],
    );
}

#[test]
fn children_have_children() {
    check(
        &[TWICE],
        r#"
        answer pages: 2 documents
        answer lines: 2 documents, ok
        send a /in {}
        kill
        start
        settle
        "#,
        expect![[r#"
            > answer pages: 2 documents
            > answer lines: 2 documents, ok
            > send a /in {}
            map pages a: 2 documents
            map lines a: 2 documents
            map lines a: ok
            send a-0-0-1 #1 a-0-0-1.send {"index":1}: ok
            send a-0-0-0-1-0 #1 a-0-0-0-1-0.send {"index":0}: ok
            send a-0-0-0-1-1 #1 a-0-0-0-1-1.send {"index":1}: ok
              a-0 finished [split:2 - -]
              a-0-0-0 finished [done#0 split:2 -]
              a-0-0-0-1-0 finished [done#0 done#0 done#1]
              a-0-0-0-1-1 finished [done#0 done#0 done#1]
              a-0-0-1 finished [done#0 done#1 done#1]
            > kill
            > start
            > settle
        "#]],
    );
}

#[test]
fn no_document_ends_it_and_a_thousand_are_the_most() {
    check(
        &[SPLIT],
        r#"
        answer split: none, 1001 documents, 1001 documents, 1001 documents
        send a /in {"from":"shop"}
        send b /in {"from":"shop"}
        settle
        "#,
        expect![[r#"
            > answer split: none, 1001 documents, 1001 documents, 1001 documents
            > send a /in {"from":"shop"}
            map split a: none
              a-0 filtered [done#0 done#1 -]
            > send b /in {"from":"shop"}
            map split b: 1001 documents
              b-0 waits: retry after internal [done#0 - -]
            > settle
            map split b: 1001 documents
            map split b: 1001 documents
              b-0 parked: Plugin [done#0 - -]
        "#]],
    );
}

#[test]
fn one_document_that_is_not_as_expected_parks_them_all() {
    check(
        &[EXPECTING],
        r#"
        answer split: 2 documents, 1 documents
        send a /in {}
        retry a-0
        "#,
        expect![[r#"
            > answer split: 2 documents, 1 documents
            > send a /in {}
            map split a: 2 documents
              a-0 parked: Data [- -]
            > retry a-0
            map split a: 1 documents
            send a-0 #1 a-0.send {"index":0}: ok
              a-0 finished [done#2 done#1]
        "#]],
    );
}

#[test]
fn the_replay_of_a_child_repeats_that_child_alone() {
    check(
        &[SPLIT],
        r#"
        answer split: 2 documents, 3 documents
        send a /in {"from":"shop"}
        replay a-0-1-1
        replay a-0-1-1 from=lines
        replay a-0 from=send
        replay a-0
        "#,
        expect![[r#"
            > answer split: 2 documents, 3 documents
            > send a /in {"from":"shop"}
            map split a: 2 documents
            send a-0-1-0 #1 a-0-1-0.send {"from":"shop","index":0}: ok
            send a-0-1-1 #1 a-0-1-1.send {"from":"shop","index":1}: ok
              a-0 finished [done#0 split:2 -]
              a-0-1-0 finished [done#0 done#0 done#1]
              a-0-1-1 finished [done#0 done#0 done#1]
            > replay a-0-1-1
            again: send crm@1.create at crm, Some("c-1")
            send a-1 #1 a-1.send {"from":"shop","index":1}: ok
              a-1 (again a-0-1-1) finished [done#0 done#0 done#1]
            > replay a-0-1-1 from=lines
            refused: execution `a-0-1-1` is finished: it goes on with one of its parent's documents; to repeat the steps before, replay the parent
            > replay a-0 from=send
            refused: execution `a-0` is finished: its documents have gone on as children; replay those, or it from the step that gave them
            > replay a-0
            again: send crm@1.create at crm, Some("c-1")
            again: send crm@1.create at crm, Some("c-1")
            map split a: 3 documents
            send a-2-1-0 #1 a-2-1-0.send {"from":"shop","index":0}: ok
            send a-2-1-1 #1 a-2-1-1.send {"from":"shop","index":1}: ok
            send a-2-1-2 #1 a-2-1-2.send {"from":"shop","index":2}: ok
              a-2 (again a-0) finished [done#0 split:3 -]
              a-2-1-0 (again a-0) finished [done#0 done#0 done#1]
              a-2-1-1 (again a-0) finished [done#0 done#0 done#1]
              a-2-1-2 (again a-0) finished [done#0 done#0 done#1]
        "#]],
    );
}

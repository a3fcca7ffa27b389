//! What expressions give, and that each of them ends.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use flow::{EvalError, Flow, Permissive, Scope, Set, StepKind, check};
use model::{Attributes, Document, Event, EventId, Timestamp};
use serde_json::{Value, json};

const DATA: &str = r#"{
    "name": "Ada Lovelace", "mail": "Ada@Example.com", "age": 36, "big": 9007199254740993, "huge": 18446744073709551615,
    "low": -9223372036854775808, "price": 12.5, "ratio": 0.1, "on": true, "off": false, "nothing": null,
    "umlaut": "Grüße", "zip": "01067", "words": ["c", "a", "b"], "none": [], "empty": {},
    "lines": [{"sku": "x", "n": 2}, {"sku": "y", "n": 0}, {"n": 1}],
    "zeta": 1, "nested": {"z": 1, "y": {"x": 2}, "a": [1, [2, {"b": null}]]}
}"#;

fn event(data: &str) -> Event {
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
    };
    Event {
        id: EventId::from_bytes([1; 16]),
        received: Timestamp::from_millis(1_795_397_672_000),
        attributes: Attributes {
            id: "msg-1".to_owned(),
            source: "/leads".to_owned(),
            kind: "lead.created".to_owned(),
            content_type: "application/json; charset=utf-8".to_owned(),
            extensions: pairs(&[("tenant", "acme")]),
            ..Attributes::default()
        },
        transport: pairs(&[
            ("method", "POST"),
            ("path", "/leads"),
            ("query", "page=2&page=3&q=a%20b"),
            ("header.x-tag", "one"),
            ("header.x-tag", "two"),
        ]),
        data: data.to_owned().into(),
    }
}

/// A flow whose last step has this `set`, behind `done`, which has an output, and `left`, which was skipped.
fn flow_with(set: &str) -> Flow {
    let text = format!(
        "flow: x\nowner: a@example.com\nsource: {{ webhook: {{ path: /x, verify: none }} }}\nsteps:\n  - {{ id: done, set: {{}} }}\n  - {{ id: left, set: {{}} }}\n  - id: last\n    set:\n{set}\n"
    );
    check("x", &text, &|_| None, &Permissive).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"))
}

fn apply(flow: &Flow, data: &str) -> Result<String, EvalError> {
    let (event, output) = (event(data), Document::json(r#"{"created": true, "id": 7}"#));
    let scope = Scope::new(&event).with_output("done", &output).with_skipped("left");
    let Some(StepKind::Set(set)) = flow.steps.last().map(|step| &step.kind) else { panic!("no set") };
    set.apply(&scope).map(|document| String::from_utf8(document.data.to_vec()).expect("JSON is UTF-8"))
}

/// A flow whose field `r` is one expression.
fn flow_of(expression: &str) -> Flow {
    let quoted = serde_json::to_string(&format!("${{{expression}}}")).expect("a text is JSON");
    flow_with(&format!("      r: {quoted}"))
}

fn evaluate(expression: &str) -> Result<Value, String> {
    let json = apply(&flow_of(expression), DATA).map_err(|fault| fault.message)?;
    let Value::Object(mut fields) = serde_json::from_str(&json).expect("JSON") else { panic!("{json}") };
    Ok(fields.remove("r").expect("the field"))
}

/// Prints each expression with what it gives.
#[track_caller]
fn check_values(expressions: &[&str], expected: Expect) {
    let lines: Vec<_> = expressions
        .iter()
        .map(|expression| match evaluate(expression) {
            Ok(value) => format!("{expression} = {value}\n"),
            Err(message) => format!("{expression} ! {message}\n"),
        })
        .collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn events_and_steps_can_be_seen() {
    check_values(
        &[
            "event.id",
            "event.source",
            "event.kind",
            "event.subject",
            "event.time",
            "event.received",
            "event.method",
            "event.path",
            "event.query",
            "event.headers['x-tag']",
            "event.extensions.tenant",
            "event.data.name",
            "event.data.nested",
            "steps.done.output",
            "steps.done.output.id",
            "steps.done.skipped",
            "steps.left.skipped",
            "steps.left.output",
            "has(steps.left.output)",
            "has(steps.done.output)",
            "has(event.subject)",
            "has(event.data)",
        ],
        expect![[r#"
            event.id = "msg-1"
            event.source = "/leads"
            event.kind = "lead.created"
            event.subject = null
            event.time = null
            event.received = "2026-11-23T01:34:32.000Z"
            event.method = "POST"
            event.path = "/leads"
            event.query = {"page":"2","q":"a b"}
            event.headers['x-tag'] = "one, two"
            event.extensions.tenant = "acme"
            event.data.name = "Ada Lovelace"
            event.data.nested = {"z":1,"y":{"x":2},"a":[1,[2,{"b":null}]]}
            steps.done.output = {"created":true,"id":7}
            steps.done.output.id = 7
            steps.done.skipped = false
            steps.left.skipped = true
            steps.left.output ! step `left` was skipped; ask for `steps.left.skipped` first
            has(steps.left.output) = false
            has(steps.done.output) = true
            has(event.subject) = false
            has(event.data) = true
        "#]],
    );
}

#[test]
fn missing_fields_are_faults_or_have_a_value() {
    check_values(
        &[
            "event.data.nme",
            "event.data.name.first",
            "event.data.nothing.x",
            "event.data['nme']",
            "event.data.words[3]",
            "event.data.words[-1]",
            "event.data.words['a']",
            "event.headers.host",
            "has(event.data.nme)",
            "has(event.data.name)",
            "has(event.data.nme.first)",
            "has(event.data.?nme.first)",
            "event.data.?nme.orValue('nobody')",
            "event.data.?name.orValue('nobody')",
            "event.data.?nested.y.x.orValue(0)",
            "event.data.?nested.q.x.orValue(0)",
            "event.data.?nothing.x.orValue(1)",
            "event.data.?name.first.orValue(1)",
        ],
        expect![[r#"
            event.data.nme ! there is no field `nme`
            event.data.name.first ! `.first` needs a map and got a text
            event.data.nothing.x ! `.x` needs a map and got null
            event.data['nme'] ! there is no field `nme`
            event.data.words[3] ! there is no item 3 in a list of 3
            event.data.words[-1] ! there is no item -1 in a list of 3
            event.data.words['a'] ! a text cannot be looked up in a list
            event.headers.host ! there is no field `host`
            has(event.data.nme) = false
            has(event.data.name) = true
            has(event.data.nme.first) ! there is no field `nme`
            has(event.data.?nme.first) = false
            event.data.?nme.orValue('nobody') = "nobody"
            event.data.?name.orValue('nobody') = "Ada Lovelace"
            event.data.?nested.y.x.orValue(0) = 2
            event.data.?nested.q.x.orValue(0) = 0
            event.data.?nothing.x.orValue(1) = 1
            event.data.?name.first.orValue(1) ! `.first` needs a map and got a text
        "#]],
    );
}

#[test]
fn numbers_keep_their_value() {
    check_values(
        &[
            "event.data.big",
            "event.data.huge",
            "event.data.low",
            "event.data.big + 1",
            "event.data.huge + 1",
            "event.data.low - 1",
            "-event.data.low",
            "9223372036854775807 * 9223372036854775807",
            "7 / 2",
            "-7 / 2",
            "7 % 3",
            "7 / 0",
            "7 % 0",
            "7.0 / 0.0",
            "7.5 % 2",
            "event.data.age * 1.5",
            "event.data.price + 1",
            "event.data.ratio",
            "event.data.big == 9007199254740992.0",
            "event.data.big > 9007199254740992.0",
            "1 == 1.0",
            "1u == 1",
            "int('42')",
            "int('4x')",
            "int(2.9)",
            "int(1e300)",
            "int(true)",
            "double('0.5')",
            "double('NaN')",
            "string(1.0)",
            "string(null)",
            "1 < 'a'",
            "2 in [1, 2.0]",
        ],
        expect![[r#"
            event.data.big = 9007199254740993
            event.data.huge = 18446744073709551615
            event.data.low = -9223372036854775808
            event.data.big + 1 = 9007199254740994
            event.data.huge + 1 ! the result is out of range: integers go from -2^63 to 2^64 - 1
            event.data.low - 1 ! the result is out of range: integers go from -2^63 to 2^64 - 1
            -event.data.low = 9223372036854775808
            9223372036854775807 * 9223372036854775807 ! the result is out of range: integers go from -2^63 to 2^64 - 1
            7 / 2 = 3
            -7 / 2 = -3
            7 % 3 = 1
            7 / 0 ! division by zero
            7 % 0 ! division by zero
            7.0 / 0.0 ! JSON has no number inf
            7.5 % 2 ! `%` needs two integers and got a decimal and an integer
            event.data.age * 1.5 = 54.0
            event.data.price + 1 = 13.5
            event.data.ratio = 0.1
            event.data.big == 9007199254740992.0 = false
            event.data.big > 9007199254740992.0 = true
            1 == 1.0 = true
            1u == 1 = true
            int('42') = 42
            int('4x') ! `4x` is no integer
            int(2.9) = 2
            int(1e300) ! a decimal is no integer
            int(true) ! a boolean is no integer
            double('0.5') = 0.5
            double('NaN') ! `NaN` is no number
            string(1.0) = "1"
            string(null) ! null has no text
            1 < 'a' ! an integer cannot be compared with a text
            2 in [1, 2.0] = true
        "#]],
    );
}

#[test]
fn texts_count_characters() {
    check_values(
        &[
            "size(event.data.umlaut)",
            "event.data.umlaut.size()",
            "event.data.umlaut.substring(2)",
            "event.data.umlaut.substring(0, 2)",
            "event.data.umlaut.substring(4, 9)",
            "event.data.mail.lowerAscii()",
            "event.data.umlaut.upperAscii()",
            "' a '.trim()",
            "'a,b,,c'.split(',')",
            "'äb'.split('')",
            "event.data.words.join('-')",
            "event.data.words.join()",
            "event.data.lines.join()",
            "event.data.name.replace('a', 'o')",
            "'ab'.replace('', '-')",
            "event.data.zip.matches('^[0-9]{5}$')",
            "matches(event.data.name, 'x')",
            "event.data.age.matches('3')",
            "event.data.age + 'x'",
            "'a' + event.data.name + \"'\"",
            "event.data.name.contains(1)",
            "event.data.zip",
        ],
        expect![[r#"
            size(event.data.umlaut) = 5
            event.data.umlaut.size() = 5
            event.data.umlaut.substring(2) = "üße"
            event.data.umlaut.substring(0, 2) = "Gr"
            event.data.umlaut.substring(4, 9) ! there are no characters 4 to 9 in a text of 5
            event.data.mail.lowerAscii() = "ada@example.com"
            event.data.umlaut.upperAscii() = "GRüßE"
            ' a '.trim() = "a"
            'a,b,,c'.split(',') = ["a","b","","c"]
            'äb'.split('') = ["ä","b"]
            event.data.words.join('-') = "c-a-b"
            event.data.words.join() = "cab"
            event.data.lines.join() ! `join` needs a list of texts, and item 0 is a map
            event.data.name.replace('a', 'o') = "Ado Loveloce"
            'ab'.replace('', '-') = "-a-b-"
            event.data.zip.matches('^[0-9]{5}$') = true
            matches(event.data.name, 'x') = false
            event.data.age.matches('3') ! `matches` needs a text and got an integer
            event.data.age + 'x' ! `+` cannot be applied to an integer and a text
            'a' + event.data.name + "'" = "aAda Lovelace'"
            event.data.name.contains(1) ! `contains` cannot be applied to a text and an integer
            event.data.zip = "01067"
        "#]],
    );
}

#[test]
fn loops_and_maps_keep_their_order() {
    check_values(
        &[
            "{'z': 1, 'a': 2, 'm': [3]}",
            "{'z': 1, 'z': 2}",
            "{1: 2}",
            "event.data.words.map(w, w + '!')",
            "event.data.lines.map(l, has(l.sku), l.sku)",
            "event.data.lines.filter(l, l.n > 0)",
            "event.data.lines.all(l, l.n >= 0)",
            "event.data.lines.all(l, l.sku != '')",
            "event.data.lines.exists(l, l.sku == 'y')",
            "event.data.lines.exists(l, l.sku == 'q')",
            "event.data.lines.exists_one(l, l.n == 0)",
            "event.data.nested.map(key, key)",
            "event.data.none.map(x, x)",
            "event.data.name.map(x, x)",
            "event.data.words.filter(w, w)",
            "[1, 2].map(event, event * 2)",
            "[1].map(x, [2].map(x, x))",
            "[[1, 2], [3]].map(x, x.map(y, y * 10))",
            "'name' in event.data",
            "event.data.words + ['d']",
            "[1] + {}",
        ],
        expect![[r#"
            {'z': 1, 'a': 2, 'm': [3]} = {"z":1,"a":2,"m":[3]}
            {'z': 1, 'z': 2} ! the key `z` occurs twice
            {1: 2} ! the keys of a map are texts
            event.data.words.map(w, w + '!') = ["c!","a!","b!"]
            event.data.lines.map(l, has(l.sku), l.sku) = ["x","y"]
            event.data.lines.filter(l, l.n > 0) = [{"sku":"x","n":2},{"n":1}]
            event.data.lines.all(l, l.n >= 0) = true
            event.data.lines.all(l, l.sku != '') ! there is no field `sku`
            event.data.lines.exists(l, l.sku == 'y') = true
            event.data.lines.exists(l, l.sku == 'q') ! there is no field `sku`
            event.data.lines.exists_one(l, l.n == 0) = true
            event.data.nested.map(key, key) = ["z","y","a"]
            event.data.none.map(x, x) = []
            event.data.name.map(x, x) ! a loop goes over a list or a map, not a text
            event.data.words.filter(w, w) ! a text is neither true nor false
            [1, 2].map(event, event * 2) = [2,4]
            [1].map(x, [2].map(x, x)) = [[2]]
            [[1, 2], [3]].map(x, x.map(y, y * 10)) = [[10,20],[30]]
            'name' in event.data = true
            event.data.words + ['d'] = ["c","a","b","d"]
            [1] + {} ! `+` cannot be applied to a list and a map
        "#]],
    );
}

#[test]
fn logic_is_lazy_and_absorbs_faults() {
    check_values(
        &[
            "event.data.on && event.data.off",
            "event.data.off && event.data.nme",
            "event.data.nme && event.data.off",
            "event.data.nme || event.data.on",
            "event.data.nme || event.data.off",
            "event.data.on ? 1 : event.data.nme",
            "event.data.age && true",
            "!event.data.on",
            "!event.data.age",
            "event.data.nested == event.data.nested",
            "event.data.nested == {'a': [1, [2, {'b': null}]], 'y': {'x': 2}, 'z': 1.0}",
            "[1, 2] == [2, 1]",
            "null == event.data.nothing",
            "1 == '1'",
        ],
        expect![[r#"
            event.data.on && event.data.off = false
            event.data.off && event.data.nme = false
            event.data.nme && event.data.off = false
            event.data.nme || event.data.on = true
            event.data.nme || event.data.off ! there is no field `nme`
            event.data.on ? 1 : event.data.nme = 1
            event.data.age && true ! an integer is neither true nor false
            !event.data.on = false
            !event.data.age ! an integer is neither true nor false
            event.data.nested == event.data.nested = true
            event.data.nested == {'a': [1, [2, {'b': null}]], 'y': {'x': 2}, 'z': 1.0} = true
            [1, 2] == [2, 1] = false
            null == event.data.nothing = true
            1 == '1' = false
        "#]],
    );
}

#[test]
fn texts_with_expressions_are_put_together() {
    let flow = flow_with(
        "      z: \"New: ${event.data.name} (${event.data.age}, ${event.data.on}, ${event.data.price})\"\n      a: $${event.data.name} costs $5 and ${'}' + '{'}\n      map: \"${ {'a': {'b': 1}} }\"\n      literal: [1, 2.50, true, null, ~, 007, \"8\", 1e400, -0]\n      nested: { z: { y: \"${event.data.zeta}\" }, a: [\"${event.data.words[0]}\"] }\n      raw: ${r'\\' + '''it's'''}",
    );
    expect![[r#"{"z":"New: Ada Lovelace (36, true, 12.5)","a":"${event.data.name} costs $5 and }{","map":{"a":{"b":1}},"literal":[1,2.5,true,null,null,"007","8","1e400",-0.0],"nested":{"z":{"y":1},"a":["c"]},"raw":"\\it's"}"#]].assert_eq(&apply(&flow, DATA).expect("a document"));

    let null = flow_with("      a: \"Dear ${event.data.nothing}\"");
    expect!["`event.data.nothing` (line 9, column 18): null has no text"]
        .assert_eq(&apply(&null, DATA).expect_err("null has no text").to_string());
}

#[test]
fn the_output_is_the_same_bytes_every_time() {
    let set =
        "      all: ${event.data}\n      made: \"${ {'b': event.headers, 'a': event.query, 'c': event.data.words} }\"";
    let first = apply(&flow_with(set), DATA).expect("a document");
    for _ in 0..100 {
        assert_eq!(apply(&flow_with(set), DATA).expect("a document"), first);
    }
    // What is only copied keeps the order of its keys and its integers.
    let copied = serde_json::from_str::<Value>(DATA).expect("JSON").to_string();
    assert!(first.contains(&copied), "{first}");
}

#[test]
fn decimals_are_copied_to_the_last_digit() {
    let set = flow_with("      r: ${event.data}");
    for decimal in ["0.1", "1.7976931348623157e308", "5e-324", "123456789.12345679", "0.30000000000000004", "2.5"] {
        let written: f64 = decimal.parse().expect("a number");
        let document: BTreeMap<String, f64> =
            serde_json::from_str(&apply(&set, decimal).expect("a document")).expect("JSON");
        assert_eq!(document["r"].to_bits(), written.to_bits(), "{decimal}");
    }
}

#[test]
fn payloads_that_are_no_json_are_told() {
    let data = flow_of("event.data");
    expect!["`event.data` (line 9, column 19): the data of the event is not valid JSON: EOF while parsing a value at line 1 column 6"].assert_eq(&apply(&data, "{\"a\": ").expect_err("no JSON").to_string());
    expect!["`event.data` (line 9, column 19): the data of the event is not valid JSON: recursion limit exceeded at line 1 column 128"].assert_eq(&apply(&data, &"[".repeat(100_000)).expect_err("too deep").to_string());

    for (content_type, expected) in [("text/csv", Ok("{\"r\":\"a;b\"}")), ("application/pdf", Err(()))] {
        let mut event = event("a;b");
        event.attributes.content_type = content_type.to_owned();
        let Some(StepKind::Set(set)) = data.steps.last().map(|step| &step.kind) else { panic!("no set") };
        let document = set.apply(&Scope::new(&event)).map_err(drop);
        assert_eq!(document.map(|document| document.data), expected.map(Into::into));
    }
}

/// The work that an expression may do is counted, so that these end where they would otherwise take hours and gigabytes.
#[test]
fn expressions_that_explode_end() {
    let digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    let nested = (0..9).fold("1".to_owned(), |inner, depth| format!("{digits}.map(v{depth}, {inner})"));
    let asked = (0..9).fold("true".to_owned(), |inner, depth| format!("{digits}.all(v{depth}, {inner})"));
    let quiet = (0..9).fold("event.data.nme".to_owned(), |inner, depth| format!("{digits}.exists(v{depth}, {inner})"));
    let doubled = |start: &str, times: usize| {
        (0..times).fold(start.to_owned(), |inner, depth| format!("[{inner}].map(v{depth}, v{depth} + v{depth})[0]"))
    };
    let paired = |start: &str, times: usize| {
        (0..times).fold(start.to_owned(), |inner, depth| format!("[{inner}].map(v{depth}, [v{depth}, v{depth}])[0]"))
    };
    let work = "takes more than 1000000 units of work; do it in a mapper";
    for (what, expression, message) in [
        ("loops in loops", nested, work),
        ("questions in loops", asked, work),
        ("faults in loops", quiet, work),
        ("a text that doubles", doubled("'0123456789abcdef'", 28), work),
        ("a list that doubles", doubled("[1]", 28), work),
        ("equality of what is shared", format!("{0} == {0}", paired("[1]", 28)), work),
        ("a replacement that grows", format!("{}.replace('0', event.data.name)", doubled("'0'", 24)), work),
        ("a text split into many", format!("{}.split('')", doubled("'0'", 21)), work),
        ("a pattern over much text", format!("{}.matches('(a|b|0)*x')", doubled("'0'", 21)), work),
        ("a document of what is shared", paired("[1]", 28), "the document becomes longer than 16777216 bytes"),
    ] {
        assert!(expression.len() < 4096, "{what}: too long");
        match evaluate(&expression) {
            Err(fault) => assert_eq!(fault, message, "{what}"),
            Ok(_) => panic!("{what} did not explode"),
        }
    }
}

/// The budget is that of the whole document, not of each of its fields.
#[test]
fn many_fields_share_one_budget() {
    let costly = "event.data.many.all(a, event.data.many.all(b, a + b >= 0))";
    let data = json!({"many": (0..300).collect::<Vec<_>>()}).to_string();
    apply(&flow_with(&format!("      a: ${{{costly}}}")), &data).expect("one is cheap enough");
    let fields: Vec<_> = (0..50).map(|field| format!("      f{field}: ${{{costly}}}")).collect();
    let fault = apply(&flow_with(&fields.join("\n")), &data).expect_err("fifty are not");
    assert!(fault.message.starts_with("takes more than"), "{fault}");
}

#[test]
fn a_copied_payload_costs_nothing_but_its_bytes() {
    let data = format!("[{}1]", "1,".repeat(2_000_000));
    apply(&flow_of("event.data"), &data).expect("four million bytes are no work");
    let fault = apply(&flow_with("      a: ${[event.data, event.data, event.data, event.data, event.data]}"), &data)
        .expect_err("twenty million are too many");
    expect!["the document becomes longer than 16777216 bytes"].assert_eq(&fault.message);
}

/// The interpreter of the crate `cel` as the judge, wherever it and this one mean the same.
#[test]
fn results_are_those_of_the_crate() {
    let expressions = [
        "1 + 2 * 3 - 4",
        "7 / 2",
        "-7 / 2",
        "-7 % 3",
        "1.5 * 2.0",
        "'a' + 'b'",
        "[1] + [2]",
        "1 < 2",
        "'a' < 'b'",
        "1 == 1.0",
        "1u == 1",
        "2 < 2.5",
        "[1, 2] == [1, 2]",
        "{'a': 1} == {'a': 1.0}",
        "true && false || true",
        "1 in [1, 2]",
        "'k' in {'k': 1}",
        "true ? 1 : 2",
        "[1, 2, 3].map(x, x * x)",
        "[1, 2, 3].filter(x, x > 1)",
        "[1, 2, 3].map(x, x > 1, x * 2)",
        "[1, 2].all(x, x > 0)",
        "[1, 2].exists(x, x > 1)",
        "[1, 2, 2].exists_one(x, x == 2)",
        "[0, 1].exists(x, 1 / x == 1)",
        "[0, 1].all(x, 1 / x == 2)",
        "[[1], [2, 3]].map(x, size(x))",
        "size('Grüße')",
        "size([1, 2])",
        "size({'a': 1})",
        "'abc'.contains('b')",
        "'abc'.startsWith('a')",
        "'abc'.endsWith('c')",
        "'abc'.matches('^a.c$')",
        "int('42')",
        "int(2.9)",
        "int(-2.9)",
        "double('0.5')",
        "double(2)",
        "string(42)",
        "string(1.5)",
        "has({'a': 1}.a)",
        "has({'a': 1}.b)",
        "{'a': {'b': 2}}.a.b",
        "[1, 2][1]",
        "{'a': 1}['a']",
        "!true",
        "-(3)",
        "null == null",
        "'\\u00fc' == 'ü'",
        "r'\\n' + '\\t'",
        "false && (1 / 0 == 1)",
        "(1 / 0 == 1) && false",
        "(1 / 0 == 1) || true",
        "1 / 0",
        "1 + 'a'",
        "[1][5]",
        "{'a': 1}.b",
        "9223372036854775807 > 9223372036854775806.0",
        "1 == 'a'",
        "2.0 in [1, 2]",
        "3 > 2 == true",
    ];
    for expression in expressions {
        let program = cel::Program::compile(expression).expect(expression);
        let theirs = program.execute(&cel::Context::default()).map(|value| to_json(&value)).ok();
        let ours = evaluate(expression).ok();
        let same = match (&ours, &theirs) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (None, None) => true,
            _ => false,
        };
        assert!(same, "{expression}: {ours:?} and not {theirs:?}");
    }
}

fn to_json(value: &cel::Value) -> Value {
    match value {
        cel::Value::Int(value) => (*value).into(),
        cel::Value::UInt(value) => (*value).into(),
        cel::Value::Float(value) => (*value).into(),
        cel::Value::Bool(value) => (*value).into(),
        cel::Value::String(value) => value.as_str().into(),
        cel::Value::List(items) => items.iter().map(to_json).collect(),
        other => panic!("{other:?}"),
    }
}

/// Conditions, lanes and dedupe keys.
#[test]
fn conditions_are_true_or_false_and_keys_are_texts() {
    let with = |when: &str, lane: &str| {
        let text = format!(
            "flow: x\nowner: a@example.com\nsource: {{ webhook: {{ path: /x, verify: none }} }}\nwhen: {when}\nlane: {lane}\nsteps: [{{ id: a, set: {{}} }}]\n"
        );
        check("x", &text, &|_| None, &Permissive).expect("no problems")
    };
    let event = event(DATA);
    let scope = Scope::new(&event);
    let holds =
        |when: &str| with(when, "event.id").when.map(|when| when.holds(&scope).map_err(|fault| fault.to_string()));
    let key = |lane: &str| with("true", lane).lane.map(|lane| lane.to_text(&scope).map_err(|fault| fault.to_string()));
    assert_eq!(holds("event.data.age > 30"), Some(Ok(true)));
    assert_eq!(holds("event.data.off"), Some(Ok(false)));
    expect![[r#"Some(Err("`event.data.age` (line 4, column 7): gives an integer, not true or false"))"#]]
        .assert_eq(&format!("{:?}", holds("event.data.age")));
    expect![[r#"Some(Err("`event.data.on && event.data.nme` (line 4, column 36): there is no field `nme`"))"#]]
        .assert_eq(&format!("{:?}", holds("\"event.data.on && event.data.nme\"")));
    assert_eq!(key("event.data.mail"), Some(Ok("Ada@Example.com".to_owned())));
    assert_eq!(key("event.data.big"), Some(Ok("9007199254740993".to_owned())));
    expect![[r#"Some(Err("`event.data.words` (line 5, column 7): a list has no text"))"#]]
        .assert_eq(&format!("{:?}", key("event.data.words")));
    let dedupe = with("true", "event.id").source.dedupe.map(|dedupe| dedupe.key.to_text(&scope));
    assert_eq!(dedupe, Some(Ok("msg-1".to_owned())));
}

#[test]
fn a_set_can_be_shared_between_tasks() {
    fn shared<T: Send + Sync>() {}
    shared::<Flow>();
    shared::<Set>();
    shared::<Scope<'_>>();
}

//! Documents and what becomes of them.

use document_mapper::Plugin;
use serde_json::{Value, json};
use weir_sdk::testing::origin;
use weir_sdk::{Document, Fault, FaultKind, Mapper};

fn write(input: &str, options: &Value) -> Result<String, Fault> {
    let documents = Plugin::transform(origin("test"), Document::new("application/json", input), &options.to_string())?;
    let [document] = &documents[..] else { panic!("one document") };
    Ok(String::from_utf8(document.data.clone()).expect("UTF-8"))
}

/// Columns with these pointers, and headings after them; `more` over the rest.
fn options(format: &str, pointers: &[&str], more: Value) -> Value {
    let heading = |pointer: &str| pointer.rsplit('/').next().unwrap_or_default().to_owned();
    let columns = pointers.iter().map(|pointer| json!({ "heading": heading(pointer), "value": pointer }));
    let mut options = json!({ "format": format, "columns": columns.collect::<Vec<_>>() });
    for (key, value) in more.as_object().expect("an object") {
        options[key] = value.clone();
    }
    options
}

#[track_caller]
fn check(input: &str, options: &Value, expected: &str) {
    assert_eq!(write(input, options).expect("a document"), expected);
}

#[test]
fn a_list_becomes_rows() {
    let input = r#"[{"a":1.10,"b":"x"},{"a":12345678901234567890.123,"b":null},{"a":-0,"c":[]},{"b":true,"b":1E+5}]"#;
    check(
        input,
        &options("csv", &["/a", "/b"], json!({})),
        "a,b\r\n1.10,x\r\n12345678901234567890.123,\r\n-0,\r\n,1E+5\r\n",
    );
    check(
        input,
        &options("xml", &["/a", "/b"], json!({})),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rows><row><a>1.10</a><b>x</b></row>\
         <row><a>12345678901234567890.123</a></row><row><a>-0</a></row><row><b>1E+5</b></row></rows>",
    );
}

#[test]
fn pointers_lead_anywhere() {
    let input = r#"{"id":7,"a/b":{"~":[{"x":[{"y":1},{"y":2}]},{"x":{"1":"z"}}]}}"#;
    let columns = json!([
        { "heading": "first", "value": "/x/0/y" },
        { "heading": "second", "value": "/x/1" , "join": "" },
        { "heading": "id", "value": "/id", "from": "document" },
    ]);
    let more = json!({ "rows": "/a~1b/~0", "columns": columns });
    let fault = write(input, &options("csv", &[], more.clone())).expect_err("an object in a cell");
    assert_eq!(fault.fields[0].pointer, "/a~1b/~0/0/x/1");
    let input = input.replace(r#"{"y":2}"#, "2");
    check(&input, &options("csv", &[], more), "first,second,id\r\n1,2,7\r\n,z,7\r\n");
    // An index has no leading zeros.
    check("[[5,6]]", &options("csv", &["/0", "/00", "/9"], json!({})), "0,00,9\r\n5,,\r\n");
    // Rows that are values themselves.
    check(
        "[1,\"b\",null]",
        &json!({ "format": "csv", "columns": [{ "heading": "v", "value": "" }] }),
        "v\r\n1\r\nb\r\n\"\"\r\n",
    );
}

#[test]
fn one_object_is_one_row_and_an_empty_list_none() {
    check(r#"{"a":{"b":1}}"#, &options("csv", &["/b"], json!({ "rows": "/a" })), "b\r\n1\r\n");
    check(r#"{"a":[]}"#, &options("csv", &["/b"], json!({ "rows": "/a" })), "b\r\n");
    check("[]", &options("csv", &["/b"], json!({ "csv": { "header": false } })), "");
    for (input, pointer) in [("{}", "/a"), (r#"{"a":null}"#, "/a"), (r#"{"a":5}"#, "/a"), ("[]", "/a")] {
        let fault = write(input, &options("csv", &["/b"], json!({ "rows": "/a" }))).expect_err(input);
        assert_eq!((fault.code.as_str(), fault.fields[0].pointer.as_str()), ("rows", pointer), "{input}");
    }
}

#[test]
fn csv_is_quoted_and_guarded() {
    let input =
        json!([{ "a": "x,y", "b": "say \"hi\"\r\n", "c": "" }, { "a": "=1+1", "b": "-5", "c": -5 }]).to_string();
    let guarded = |more: Value| options("csv", &["/a", "/b", "/c"], json!({ "csv": more }));
    check(&input, &guarded(json!({})), "a,b,c\r\n\"x,y\",\"say \"\"hi\"\"\r\n\",\r\n=1+1,-5,-5\r\n");
    check(
        &input,
        &guarded(json!({ "guard_formulas": true, "delimiter": "\t", "byte_order_mark": true })),
        "\u{feff}a\tb\tc\r\nx,y\t\"say \"\"hi\"\"\r\n\"\t\r\n'=1+1\t'-5\t-5\r\n",
    );
    for text in ["@a", "+a", "\ta", "\ra", "\na"] {
        let written = write(
            &json!([text]).to_string(),
            &json!({
                "format": "csv", "columns": [{ "heading": "v", "value": "" }], "csv": { "guard_formulas": true, "header": false },
            }),
        );
        assert!(written.expect("a document").trim_start_matches('"').starts_with(&format!("'{text}")), "{text:?}");
    }
}

#[test]
fn every_value_at_fault_is_named() {
    let input = r#"{"rows":[{"a":"\u0000"},{"a":["x",{"y":1},[2]]},{"a":"\uffff"},{"b":1}]}"#;
    let columns = json!([{ "heading": "a", "value": "/a", "join": "+", "required": true }]);
    let fault = write(input, &json!({ "format": "xml", "rows": "/rows", "columns": columns })).expect_err("faults");
    let fields: Vec<_> = fault.fields.iter().map(|field| (field.pointer.as_str(), field.message.as_str())).collect();
    assert_eq!(
        fields,
        [
            ("/rows/0/a", "holds U+0000, which XML cannot say"),
            ("/rows/1/a/1", "is an object, and a cell takes one value; name what is in it"),
            ("/rows/1/a/2", "is a list, and a cell takes one value; `join` makes one text of a list"),
            ("/rows/2/a", "holds U+FFFF, which XML cannot say"),
            ("/rows/3/a", "is missing, and column `a` needs it"),
        ]
    );
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::InvalidInput, "table"));
    assert!(fault.message.ends_with("; 4 more"), "{}", fault.message);
    let many = json!(vec![json!({ "a": {} }); 1000]).to_string();
    assert_eq!(write(&many, &options("csv", &["/a"], json!({}))).expect_err("faults").fields.len(), 100);
    let half = write(r#"[{"a":"\ud83d"}]"#, &options("csv", &["/a"], json!({}))).expect_err("half a pair");
    assert_eq!((half.kind, half.code.as_str()), (FaultKind::InvalidInput, "malformed-json"));
    check(r#"[{"a":1,"b":["\ud83d"]}]"#, &options("csv", &["/a"], json!({})), "a\r\n1\r\n");
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let columns = json!([{ "heading": "a", "value": "/a" }]);
    for (options, why) in [
        (json!({ "format": "csv" }), "missing field `columns`"),
        (json!({ "format": "csv", "columns": [] }), "`columns` is empty"),
        (json!({ "format": "pdf", "columns": columns }), "unknown variant `pdf`"),
        (json!({ "format": "csv", "columns": columns, "rows": "a" }), "did you mean `/a`?"),
        (json!({ "format": "csv", "columns": columns, "xml": {} }), "`xml` says nothing of format `csv`"),
        (json!({ "format": "xml", "columns": columns, "csv": {} }), "`csv` says nothing of format `xml`"),
        (json!({ "format": "csv", "columns": columns, "csv": { "delimiter": "\"" } }), "cannot stand between cells"),
        (json!({ "format": "csv", "columns": columns, "csv": { "delimiter": "é" } }), "cannot stand between cells"),
        (json!({ "format": "csv", "columns": columns, "csv": { "quote": "'" } }), "unknown field `quote`"),
        (json!({ "format": "csv", "columns": [{ "heading": "a", "value": "/a", "attribute": true }] }), "CSV has not"),
        (json!({ "format": "xml", "columns": [{ "heading": "a b", "value": "/a" }] }), "`a b` is no name of XML"),
        (json!({ "format": "xml", "columns": [{ "heading": "", "value": "/a" }] }), "is no name of XML"),
        (json!({ "format": "xml", "columns": [{ "heading": "xMlish", "value": "/a" }] }), "is no name of XML"),
        (json!({ "format": "xml", "columns": columns, "xml": { "root": "a:b" } }), "`a:b` is no name of XML"),
        (
            json!({ "format": "xml", "columns": columns, "xml": { "namespace": "\u{1}" } }),
            "`namespace` has a character",
        ),
        (
            json!({ "format": "xml", "columns": vec![json!({ "heading": "a", "value": "", "attribute": true }); 2] }),
            "attribute `a` is there twice",
        ),
    ] {
        let fault = write("[]", &options).expect_err("refused");
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::InvalidInput, "options"), "{options}");
        assert!(fault.message.contains(why), "{}", fault.message);
    }
}

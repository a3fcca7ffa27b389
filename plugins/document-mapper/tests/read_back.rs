//! Readers that nobody here wrote, those of Python's standard library, read back what went in.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use document_mapper::Plugin;
use serde_json::{Value, json};
use weir_sdk::testing::origin;
use weir_sdk::{Document, Mapper};

/// Documents of each format.
const DOCUMENTS: usize = 200;

/// Texts that are easy to write wrongly.
const TEXTS: [&str; 28] = [
    "",
    " ",
    "plain",
    " spaces ",
    ",",
    ";",
    "\t",
    "|",
    "\"",
    "\"\"",
    "a\"b",
    "'",
    "\r\n",
    "\n",
    "\r",
    "a\r\nb\nc\rd",
    "&",
    "<",
    ">",
    "]]>",
    "<![CDATA[x]]>",
    "&amp;",
    "<!-- x -->",
    "é",
    "😀",
    "\u{2028}",
    "\u{fffd}",
    "=1+1",
];

const NUMBERS: [&str; 8] = ["0", "-0", "19.90", "1E+5", "12345678901234567890.123456789", "-1", "1e-400", "true"];

/// The same numbers on every machine (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("it is below a usize")
    }

    fn text(&mut self) -> String {
        (0..self.below(4)).map(|_| TEXTS[self.below(TEXTS.len())]).collect()
    }
}

#[test]
fn python_reads_what_went_in() {
    let mut chance = Chance(20_261_126);
    let mut lines = String::new();
    for index in 0..2 * DOCUMENTS {
        lines += &(case(&mut chance, if index % 2 == 0 { "csv" } else { "xml" }).to_string() + "\n");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_back.py");
    let mut python = Command::new("python3");
    let mut python =
        python.arg("-I").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3");
    // Python says nothing before it has read everything.
    python.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("Python reads to the end");
    let output = python.wait_with_output().expect("Python ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), format!("{} documents read back", 2 * DOCUMENTS));
}

/// A document that the mapper wrote, with what must be read from it.
fn case(chance: &mut Chance, format: &str) -> Value {
    let is_xml = format == "xml";
    let headings: Vec<String> = (0..=chance.below(5)).map(|index| format!("c{index}")).collect();
    let attributes: Vec<bool> = headings.iter().map(|_| is_xml && chance.below(3) == 0).collect();
    let (mut rows, mut expected) = (Vec::new(), Vec::new());
    for _ in 0..chance.below(6) {
        let cells: Vec<_> = headings.iter().map(|_| cell(chance)).collect();
        rows.push(format!(
            "{{{}}}",
            headings
                .iter()
                .zip(&cells)
                .filter_map(|(heading, (json, _))| Some(format!("\"{heading}\":{}", json.as_ref()?)))
                .collect::<Vec<_>>()
                .join(",")
        ));
        expected.push(cells.into_iter().map(|(_, text)| text).collect::<Vec<_>>());
    }
    let columns: Vec<Value> = headings
        .iter()
        .zip(&attributes)
        .map(|(heading, attribute)| json!({ "heading": heading, "value": format!("/{heading}"), "attribute": attribute }))
        .collect();
    let delimiter = [",", ";", "\t", "|"][chance.below(4)];
    let mut options = json!({ "format": format, "rows": "/rows", "columns": columns });
    options[format] = match format {
        "csv" => json!({ "delimiter": delimiter, "byte_order_mark": chance.below(2) == 0 }),
        _ => json!({ "namespace": "urn:example:rows" }),
    };
    let input = format!("{{\"rows\":[{}]}}", rows.join(","));
    let written = Plugin::transform(origin("test"), Document::new("application/json", input), &options.to_string());
    let document = written.expect("a document").remove(0);
    json!({
        "format": format,
        "delimiter": delimiter,
        "document": String::from_utf8(document.data).expect("UTF-8"),
        "headings": headings,
        "attributes": headings.iter().zip(attributes).filter(|(_, is)| *is).map(|(heading, _)| heading).collect::<Vec<_>>(),
        "rows": expected,
    })
}

/// A value as JSON, none if it is missing, and as the text that must be read; none if there is none.
fn cell(chance: &mut Chance) -> (Option<String>, Option<String>) {
    match chance.below(6) {
        0 => (None, None),
        1 => (Some("null".to_owned()), None),
        2 => {
            let number = NUMBERS[chance.below(NUMBERS.len())];
            (Some(number.to_owned()), Some(number.to_owned()))
        }
        _ => {
            let text = chance.text();
            (Some(json!(text).to_string()), Some(text))
        }
    }
}

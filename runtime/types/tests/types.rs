//! What is written for samples and schemas, word for word. That the languages' own tools take it is tested in `tests/e2e`.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use types::{Lang, Model, SchemaError};

#[track_caller]
fn check(model: &Model, lang: Lang, expected: Expect) {
    expected.assert_eq(&model.write(lang, "a test"));
}

fn orders() -> Model {
    let first = json!({
        "id": 7,
        "serial": 12345678901234567890_u64,
        "total": 19.90,
        "buyer": { "name": "Ada", "e-mail": null },
        "lines": [{ "sku": "a", "count": 1 }, { "sku": "b", "count": 2, "note": "gift" }],
        "tags": [],
        "ref": "x",
    });
    let second = json!({
        "id": 8,
        "serial": 5,
        "total": 20,
        "buyer": { "name": "Bob", "e-mail": "bob@example.com" },
        "seller": { "name": "Bob", "e-mail": "bob@example.com" },
        "lines": [],
        "tags": ["new"],
        "ref": 5,
    });
    Model::of_samples("order", &[first, second])
}

/// Keys that no language takes as they are, and keys that become the same name.
fn odd() -> Model {
    let text = r#"{ "class": 1, "Class": 2, "a-b": 1, "a_b": 2, "": 3, "日本": 4, "__proto__": 5, "-": 6, "1st": 7,
        "a\"b\\c\n": 8, "self": { "type": 1 }, "option": { "None": true } }"#;
    Model::of_samples("String", &[serde_json::from_str(text).expect("JSON")])
}

fn ticket_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Ticket",
        "type": "object",
        "required": ["id", "state", "parent", "by"],
        "properties": {
            "id": { "type": "integer", "format": "int64", "description": "What the desk gave it.\n*/ \"\"\"" },
            "state": { "enum": ["open", "closed"] },
            "due": { "type": ["string", "null"], "format": "date-time" },
            "parent": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] },
            "by": { "$ref": "#/$defs/person" },
            "fields": { "type": "object", "additionalProperties": { "type": "number" } },
            "value": { "type": ["string", "integer"] },
        },
        "$defs": {
            "person": {
                "description": "Who wrote it.",
                "allOf": [{ "$ref": "#/$defs/named" }],
                "type": "object",
                "required": ["mail"],
                "properties": { "mail": { "type": "string" } },
            },
            "named": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } },
        },
    })
}

fn ticket() -> Model {
    Model::of_schema("x", &ticket_schema()).expect("a schema")
}

#[test]
fn samples_in_rust() {
    check(
        &orders(),
        Lang::Rust,
        expect![[r#"
        //! Types of a test, made by `weir plugin types`.

        use serde::{Deserialize, Serialize};

        /// `Order`.
        #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
        pub struct Order {
            pub id: i64,
            pub serial: weir_sdk::Number,
            pub total: weir_sdk::Number,
            pub buyer: Buyer,
            pub lines: Vec<Line>,
            pub tags: Vec<String>,
            #[serde(rename = "ref")]
            pub ref_: serde_json::Value,
            #[serde(skip_serializing_if = "Option::is_none")]
            pub seller: Option<Seller>,
        }

        /// `Seller`.
        #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
        pub struct Seller {
            pub name: String,
            #[serde(rename = "e-mail")]
            pub e_mail: String,
        }

        /// `Line`.
        #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
        pub struct Line {
            pub sku: String,
            pub count: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            pub note: Option<String>,
        }

        /// `Buyer`.
        #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
        pub struct Buyer {
            pub name: String,
            #[serde(rename = "e-mail")]
            pub e_mail: Option<String>,
        }
    "#]],
    );
}

#[test]
fn samples_in_typescript() {
    check(
        &orders(),
        Lang::TypeScript,
        expect![[r#"
        // Types of a test, made by `weir plugin types`.
        import { type Infer, shape } from "@weir/sdk";

        /** `Buyer`. */
        export const Buyer = shape.object({
          name: shape.text(),
          "e-mail": shape.nullable(shape.text()),
        });
        export type Buyer = Infer<typeof Buyer>;

        /** `Line`. */
        export const Line = shape.object({
          sku: shape.text(),
          count: shape.integer(),
          note: shape.optional(shape.text()),
        });
        export type Line = Infer<typeof Line>;

        /** `Seller`. */
        export const Seller = shape.object({
          name: shape.text(),
          "e-mail": shape.text(),
        });
        export type Seller = Infer<typeof Seller>;

        /** `Order`. */
        export const Order = shape.object({
          id: shape.integer(),
          serial: shape.exact(),
          total: shape.exact(),
          buyer: Buyer,
          lines: shape.list(Line),
          tags: shape.list(shape.text()),
          ref: shape.either(shape.integer(), shape.text()),
          seller: shape.optional(Seller),
        });
        export type Order = Infer<typeof Order>;
    "#]],
    );
}

#[test]
fn samples_in_python() {
    check(
        &orders(),
        Lang::Python,
        expect![[r#"
        """Types of a test, made by `weir plugin types`."""

        from __future__ import annotations

        from dataclasses import dataclass, field
        from decimal import Decimal


        @dataclass(kw_only=True)
        class Buyer:
            """`Buyer`."""

            name: str
            e_mail: str | None = field(metadata={"json": "e-mail"})


        @dataclass(kw_only=True)
        class Line:
            """`Line`."""

            sku: str
            count: int
            note: str | None = None


        @dataclass(kw_only=True)
        class Seller:
            """`Seller`."""

            name: str
            e_mail: str = field(metadata={"json": "e-mail"})


        @dataclass(kw_only=True)
        class Order:
            """`Order`."""

            id: int
            serial: int
            total: Decimal
            buyer: Buyer
            lines: list[Line]
            tags: list[str]
            ref: int | str
            seller: Seller | None = None
    "#]],
    );
}

#[test]
fn samples_in_go() {
    check(
        &orders(),
        Lang::Go,
        expect![[r#"
        // Types of a test, made by `weir plugin types`.

        package main

        import "encoding/json"

        // Order is an object.
        type Order struct {
        	ID     int64       `json:"id" weir:"required"`
        	Serial json.Number `json:"serial" weir:"required"`
        	Total  json.Number `json:"total" weir:"required"`
        	Buyer  Buyer       `json:"buyer" weir:"required"`
        	Lines  []Line      `json:"lines" weir:"required"`
        	Tags   []string    `json:"tags" weir:"required"`
        	Ref    any         `json:"ref" weir:"required"`
        	Seller *Seller     `json:"seller,omitzero"`
        }

        // Seller is an object.
        type Seller struct {
        	Name  string `json:"name" weir:"required"`
        	EMail string `json:"e-mail" weir:"required"`
        }

        // Line is an object.
        type Line struct {
        	Sku   string  `json:"sku" weir:"required"`
        	Count int64   `json:"count" weir:"required"`
        	Note  *string `json:"note,omitzero"`
        }

        // Buyer is an object.
        type Buyer struct {
        	Name  string  `json:"name" weir:"required"`
        	EMail *string `json:"e-mail" weir:"required"`
        }
    "#]],
    );
}

#[test]
fn a_schema_in_rust() {
    check(
        &ticket(),
        Lang::Rust,
        expect![[r#"
        //! Types of a test, made by `weir plugin types`.

        use serde::{Deserialize, Serialize};

        /// `Ticket`.
        #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
        pub struct Ticket {
            /// What the desk gave it. * / """
            pub id: weir_sdk::Number,
            pub state: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            pub due: Option<String>,
            pub parent: Option<Box<Ticket>>,
            pub by: Person,
            #[serde(skip_serializing_if = "Option::is_none")]
            pub fields: Option<std::collections::BTreeMap<String, weir_sdk::Number>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            pub value: Option<serde_json::Value>,
        }

        /// Who wrote it.
        #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
        pub struct Person {
            pub mail: String,
            pub name: String,
        }
    "#]],
    );
}

#[test]
fn a_schema_in_javascript() {
    check(
        &ticket(),
        Lang::JavaScript,
        expect![[r#"
        // Types of a test, made by `weir plugin types`.
        import { shape } from "@weir/sdk";

        /** Who wrote it. */
        export const Person = shape.object({
          mail: shape.text(),
          name: shape.text(),
        });

        /** `Ticket`. */
        export const Ticket = shape.object({
          /** What the desk gave it. * / """ */
          id: shape.exact(),
          state: shape.oneOf("open", "closed"),
          due: shape.optional(shape.text()),
          parent: shape.nullable(shape.any(/* Ticket */)),
          by: Person,
          fields: shape.optional(shape.record(shape.exact())),
          value: shape.optional(shape.either(shape.text(), shape.integer())),
        });
    "#]],
    );
}

#[test]
fn a_schema_in_python() {
    check(
        &ticket(),
        Lang::Python,
        expect![[r#"
        """Types of a test, made by `weir plugin types`."""

        from __future__ import annotations

        from dataclasses import dataclass
        from decimal import Decimal
        from typing import Literal


        @dataclass(kw_only=True)
        class Person:
            """Who wrote it."""

            mail: str
            name: str


        @dataclass(kw_only=True)
        class Ticket:
            """`Ticket`."""

            # What the desk gave it. * / """
            id: int
            state: Literal["open", "closed"]
            due: str | None = None
            parent: Ticket | None
            by: Person
            fields: dict[str, Decimal] | None = None
            value: str | int | None = None
    "#]],
    );
}

#[test]
fn a_schema_in_go() {
    check(
        &ticket(),
        Lang::Go,
        expect![[r#"
        // Types of a test, made by `weir plugin types`.

        package main

        import "encoding/json"

        // Ticket is an object.
        type Ticket struct {
        	// What the desk gave it. * / """
        	ID     json.Number            `json:"id" weir:"required"`
        	State  string                 `json:"state" weir:"required"`
        	Due    *string                `json:"due,omitzero"`
        	Parent *Ticket                `json:"parent" weir:"required"`
        	By     Person                 `json:"by" weir:"required"`
        	Fields map[string]json.Number `json:"fields,omitzero"`
        	Value  any                    `json:"value,omitzero"`
        }

        // Person is: Who wrote it.
        type Person struct {
        	Mail string `json:"mail" weir:"required"`
        	Name string `json:"name" weir:"required"`
        }
    "#]],
    );
}

#[test]
fn odd_keys_in_rust() {
    check(
        &odd(),
        Lang::Rust,
        expect![[r#"
        //! Types of a test, made by `weir plugin types`.

        use serde::{Deserialize, Serialize};

        /// `StringItem`.
        #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
        pub struct StringItem {
            pub class: i64,
            #[serde(rename = "Class")]
            pub class2: i64,
            #[serde(rename = "a-b")]
            pub a_b: i64,
            #[serde(rename = "a_b")]
            pub a_b2: i64,
            #[serde(rename = "")]
            pub nothing: i64,
            #[serde(rename = "日本")]
            pub nothing2: i64,
            #[serde(rename = "__proto__")]
            pub proto: i64,
            #[serde(rename = "-")]
            pub nothing3: i64,
            #[serde(rename = "1st")]
            pub n1st: i64,
            #[serde(rename = "a\"b\\c\n")]
            pub a_b_c: i64,
            #[serde(rename = "self")]
            pub self_: SelfItem,
            pub option: OptionItem,
        }

        /// `OptionItem`.
        #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
        pub struct OptionItem {
            #[serde(rename = "None")]
            pub none: bool,
        }

        /// `SelfItem`.
        #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
        pub struct SelfItem {
            #[serde(rename = "type")]
            pub type_: i64,
        }
    "#]],
    );
}

#[test]
fn odd_keys_in_typescript() {
    check(
        &odd(),
        Lang::TypeScript,
        expect![[r#"
        // Types of a test, made by `weir plugin types`.
        import { type Infer, shape } from "@weir/sdk";

        /** `SelfItem`. */
        export const SelfItem = shape.object({
          type: shape.integer(),
        });
        export type SelfItem = Infer<typeof SelfItem>;

        /** `OptionItem`. */
        export const OptionItem = shape.object({
          None: shape.boolean(),
        });
        export type OptionItem = Infer<typeof OptionItem>;

        /** `StringItem`. */
        export const StringItem = shape.object({
          class: shape.integer(),
          Class: shape.integer(),
          "a-b": shape.integer(),
          a_b: shape.integer(),
          "": shape.integer(),
          "日本": shape.integer(),
          ["__proto__"]: shape.integer(),
          "-": shape.integer(),
          "1st": shape.integer(),
          "a\"b\\c\n": shape.integer(),
          self: SelfItem,
          option: OptionItem,
        });
        export type StringItem = Infer<typeof StringItem>;
    "#]],
    );
}

#[test]
fn odd_keys_in_python() {
    check(
        &odd(),
        Lang::Python,
        expect![[r#"
        """Types of a test, made by `weir plugin types`."""

        from __future__ import annotations

        from dataclasses import dataclass, field


        @dataclass(kw_only=True)
        class SelfItem:
            """`SelfItem`."""

            type: int


        @dataclass(kw_only=True)
        class OptionItem:
            """`OptionItem`."""

            none: bool = field(metadata={"json": "None"})


        @dataclass(kw_only=True)
        class StringItem:
            """`StringItem`."""

            class_: int = field(metadata={"json": "class"})
            class_2: int = field(metadata={"json": "Class"})
            a_b: int = field(metadata={"json": "a-b"})
            a_b2: int = field(metadata={"json": "a_b"})
            nothing: int = field(metadata={"json": ""})
            nothing2: int = field(metadata={"json": "日本"})
            proto: int = field(metadata={"json": "__proto__"})
            nothing3: int = field(metadata={"json": "-"})
            n1st: int = field(metadata={"json": "1st"})
            a_b_c: int = field(metadata={"json": "a\"b\\c\n"})
            self: SelfItem
            option: OptionItem
    "#]],
    );
}

#[test]
fn odd_keys_in_go() {
    check(
        &odd(),
        Lang::Go,
        expect![[r#"
        // Types of a test, made by `weir plugin types`.

        package main

        // StringItem is an object.
        type StringItem struct {
        	Class    int64      `json:"class" weir:"required"`
        	Class2   int64      `json:"Class" weir:"required"`
        	AB       int64      `json:"a-b" weir:"required"`
        	AB2      int64      `json:"a_b" weir:"required"`
        	// No tag can name the key "": read it with weir.Object.
        	Nothing2 int64      `json:"日本" weir:"required"`
        	Proto    int64      `json:"__proto__" weir:"required"`
        	Nothing3 int64      `json:"-," weir:"required"`
        	N1st     int64      `json:"1st" weir:"required"`
        	// No tag can name the key "a\"b\\c": read it with weir.Object.
        	Self     SelfItem   `json:"self" weir:"required"`
        	Option   OptionItem `json:"option" weir:"required"`
        }

        // OptionItem is an object.
        type OptionItem struct {
        	None bool `json:"None" weir:"required"`
        }

        // SelfItem is an object.
        type SelfItem struct {
        	Type int64 `json:"type" weir:"required"`
        }
    "#]],
    );
}

#[test]
fn a_list_is_a_type_of_its_own() {
    let model = Model::of_samples("labels", &[json!([{ "name": "a" }, { "name": null }])]);
    check(
        &model,
        Lang::Go,
        expect![[r#"
        // Types of a test, made by `weir plugin types`.

        package main

        // Labels is the document.
        type Labels []Label

        // Label is an object.
        type Label struct {
        	Name *string `json:"name" weir:"required"`
        }
    "#]],
    );
}

#[test]
fn a_reference_that_leads_nowhere_is_named() {
    let schema = json!({ "properties": { "a": { "$ref": "other.json#/x" } } });
    let error = Model::of_schema("x", &schema).expect_err("no such place");
    assert_eq!(error, SchemaError::Reference("other.json#/x".to_owned()));
}

#[test]
fn a_circle_of_references_without_an_object_ends() {
    let schema =
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } });
    assert_eq!(Model::of_schema("x", &schema).expect("anything").root, types::Type::Any);
}

#[test]
fn what_refers_to_itself_in_many_places_is_written_once() {
    // A list of objects that hold such a list, found by a reference to the list.
    let tree = json!({
        "type": "object",
        "properties": { "children": { "$ref": "#/$defs/nodes" } },
        "$defs": { "nodes": { "type": "array", "items": {
            "type": "object",
            "properties": { "left": { "$ref": "#/$defs/nodes" }, "right": { "$ref": "#/$defs/nodes" } },
        } } },
    });
    let model = Model::of_schema("tree", &tree).expect("a model");
    assert_eq!(model.records.len(), 2, "{model:?}");
    // Any JSON, as schemas of forms and queries have it: each of these refers to all of them.
    let names: Vec<_> = (0..30).map(|index| format!("#/$defs/v{index}")).collect();
    let choices: Vec<_> = names.iter().map(|name| json!({ "type": "array", "items": { "$ref": name } })).collect();
    let values: serde_json::Map<_, _> =
        (0..30).map(|index| (format!("v{index}"), json!({ "anyOf": choices }))).collect();
    let any = json!({ "$ref": "#/$defs/v0", "$defs": values });
    let model = Model::of_schema("any", &any).expect("a model");
    assert!(model.write(Lang::Rust, "a test").len() < 1_000_000);
}

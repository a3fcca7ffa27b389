//! The reference of the contract, made of `wit/weir.wit`: every interface, function, type and field with its words, and
//! what the generated bindings of each SDK call it. Knows the format and not what the contract says. Start at
//! [`reference()`].

mod names;

use std::fmt::Write as _;

use anyhow::Context as _;
use names::{Names, camel, pascal, snake};
use wit_parser::{
    Docs, Function, Interface, Resolve, Result_, Type, TypeDef, TypeDefKind, TypeId, TypeOwner, World, WorldItem,
    WorldKey,
};

const HEAD: &str = "\
# Reference of the contract

Made of `weir.wit` by `cargo xtask codegen`; never edited. What the contract is for and how its versions follow one another
stands in [README.md](README.md), what becomes of statuses and faults in [FAULTS.md](FAULTS.md).

";

const NAMES: &str = "
## What each language calls it

The names beside the types are those of the generated bindings, which follow one rule for each language. The hand-written
layer of an SDK, described in its README, keeps the names of fields and adds what feels native; C has the bindings alone.

";

/// The reference, in Markdown, of the package that a text in WIT holds.
///
/// # Errors
/// The text is no WIT.
pub fn reference(wit: &str) -> anyhow::Result<String> {
    let mut resolve = Resolve::default();
    let id = resolve.push_str("weir.wit", wit).context("the contract cannot be read")?;
    let package = &resolve.packages[id];
    let mut page = Page { resolve: &resolve, text: HEAD.to_owned() };
    page.line(&format!("Package `{}`.\n\n{}", package.name, paragraphs(&package.docs)));
    page.line(NAMES.trim_end());
    page.rules();
    for interface in package.interfaces.values() {
        page.interface(&resolve.interfaces[*interface]);
    }
    for world in package.worlds.values() {
        page.world(&resolve.worlds[*world]);
    }
    Ok(page.text)
}

/// Markdown that grows.
struct Page<'a> {
    resolve: &'a Resolve,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.line("");
        self.line(&format!("| {} |", head.join(" | ")));
        self.line(&format!("|{}", " --- |".repeat(head.len())));
        for row in rows {
            self.line(&format!("| {} |", row.join(" | ")));
        }
    }

    fn rules(&mut self) {
        let row = |what: &str, Names { rust, javascript, python, go, c }: Names| {
            [what.to_owned()].into_iter().chain([rust, javascript, python, go, c].map(|name| code(&name))).collect()
        };
        let rows = [
            row("type `fault-kind` of `types`", Names::of_type("types", "fault-kind")),
            row("field `content-type`", Names::of_field("content-type")),
            row("case `rate-limited` of an enum", Names::of_enum_case("types", "fault-kind", "rate-limited")),
            row("case `named` of a variant", Names::of_variant_case("http", "auth", "named")),
            row("function `send-all` of `http`", Names::of_function("http", "send-all")),
        ];
        self.table(&["In WIT", "Rust", "JavaScript", "Python", "Go", "C"], &rows);
        self.line("");
        self.line("In C the types and functions of exported interfaces begin with `exports_`.");
    }

    fn interface(&mut self, interface: &Interface) {
        let name = interface.name.as_deref().unwrap_or_default();
        self.line(&format!("\n## Interface `{name}`\n"));
        self.line(&paragraphs(&interface.docs));
        let (used, own): (Vec<_>, Vec<_>) =
            interface.types.iter().partition(|(_, id)| matches!(self.resolve.types[**id].kind, TypeDefKind::Type(_)));
        if !used.is_empty() {
            let used: Vec<_> = used.into_iter().map(|(word, id)| code(&self.used(word, *id))).collect();
            self.line(&format!("\nUses {}.", used.join(", ")));
        }
        for (word, id) in own {
            self.definition(name, word, &self.resolve.types[*id]);
        }
        for function in interface.functions.values() {
            self.function(name, function);
        }
    }

    /// A type of another interface, with that interface's name before it.
    fn used(&self, word: &str, id: TypeId) -> String {
        let owner = match self.resolve.types[id].kind {
            TypeDefKind::Type(Type::Id(used)) => self.resolve.types[used].owner,
            _ => TypeOwner::None,
        };
        let TypeOwner::Interface(owner) = owner else { return word.to_owned() };
        format!("{}.{word}", self.resolve.interfaces[owner].name.as_deref().unwrap_or_default())
    }

    fn definition(&mut self, interface: &str, word: &str, definition: &TypeDef) {
        let kind = definition.kind.as_str();
        self.line(&format!("\n### {} `{word}`\n", pascal(kind)));
        self.line(&paragraphs(&definition.docs));
        match &definition.kind {
            TypeDefKind::Record(record) => {
                let rows: Vec<_> = record
                    .fields
                    .iter()
                    .map(|field| {
                        let (name, typed) = (field.name.as_str(), self.typed(&field.ty));
                        let names = [snake(name), camel(name), pascal(name)].map(|name| code(&name));
                        [code(name), code(&typed), one_line(&field.docs)].into_iter().chain(names).collect()
                    })
                    .collect();
                self.table(&["Field", "Type", "Means", "Rust, Python, C", "JavaScript", "Go"], &rows);
            }
            TypeDefKind::Enum(cases) => {
                let cases = cases.cases.iter().map(|case| {
                    let names = Names::of_enum_case(interface, word, &case.name);
                    case_row(code(&case.name), &case.docs, names)
                });
                let rows: Vec<_> = cases.collect();
                self.table(&["Case", "Means", "Rust", "JavaScript", "Python", "Go", "C"], &rows);
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| {
                    let typed = case.ty.as_ref().map(|ty| format!("({})", self.typed(ty))).unwrap_or_default();
                    let names = Names::of_variant_case(interface, word, &case.name);
                    case_row(code(&format!("{}{typed}", case.name)), &case.docs, names)
                });
                let rows: Vec<_> = cases.collect();
                self.table(&["Case", "Means", "Rust", "JavaScript", "Python", "Go", "C"], &rows);
            }
            _ => self.line(&format!("\n{}", code(&self.kind(&definition.kind)))),
        }
    }

    fn function(&mut self, interface: &str, function: &Function) {
        let params = function.params.iter().map(|param| format!("{}: {}", param.name, self.typed(&param.ty)));
        let params: Vec<_> = params.collect();
        let result = function.result.as_ref().map(|ty| format!(" -> {}", self.typed(ty))).unwrap_or_default();
        let name = &function.name;
        self.line(&format!("\n### Function `{name}`\n"));
        self.line(&paragraphs(&function.docs));
        self.line(&format!("\n```wit\n{name}: func({}){result}\n```\n", params.join(", ")));
        let Names { rust, javascript, python, go, c } = Names::of_function(interface, name);
        let names = [("Rust", rust), ("JavaScript", javascript), ("Python", python), ("Go", go), ("C", c)];
        let names = names.map(|(language, name)| format!("{language} {}", code(&name)));
        self.line(&format!("{}.", names.join(", ")));
    }

    fn world(&mut self, world: &World) {
        self.line(&format!("\n## World `{}`\n", world.name));
        self.line(&paragraphs(&world.docs));
        self.line("");
        for (word, items) in [("imports", &world.imports), ("exports", &world.exports)] {
            // A world imports whatever its interfaces use; only what can be called is worth a word.
            let callable = |(key, item): (&WorldKey, &WorldItem)| match item {
                WorldItem::Interface { id, .. } if self.resolve.interfaces[*id].functions.is_empty() => None,
                _ => Some(code(&self.resolve.name_world_key(key))),
            };
            let names: Vec<_> = items.iter().filter_map(callable).collect();
            self.line(&format!("- {word} {}", names.join(", ")));
        }
    }

    /// A type as WIT writes it.
    fn typed(&self, ty: &Type) -> String {
        match ty {
            Type::Id(id) => match &self.resolve.types[*id] {
                TypeDef { name: Some(name), .. } => name.clone(),
                TypeDef { kind, .. } => self.kind(kind),
            },
            plain => format!("{plain:?}").to_lowercase(),
        }
    }

    fn kind(&self, kind: &TypeDefKind) -> String {
        let part = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".to_owned(), |ty| self.typed(ty));
        match kind {
            TypeDefKind::Option(ty) => format!("option<{}>", self.typed(ty)),
            TypeDefKind::List(ty) => format!("list<{}>", self.typed(ty)),
            TypeDefKind::Tuple(tuple) => {
                let types: Vec<_> = tuple.types.iter().map(|ty| self.typed(ty)).collect();
                format!("tuple<{}>", types.join(", "))
            }
            TypeDefKind::Result(Result_ { ok, err }) => format!("result<{}, {}>", part(ok), part(err)),
            TypeDefKind::Type(ty) => self.typed(ty),
            other => other.as_str().to_owned(),
        }
    }
}

fn case_row(case: String, docs: &Docs, Names { rust, javascript, python, go, c }: Names) -> Vec<String> {
    let names = [rust, javascript, python, go, c].map(|name| code(&name));
    [case, one_line(docs)].into_iter().chain(names).collect()
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// The words as they are written.
fn paragraphs(docs: &Docs) -> String {
    docs.contents.as_deref().unwrap_or_default().trim().to_owned()
}

/// The words in one line, for a cell of a table.
fn one_line(docs: &Docs) -> String {
    let mut line = String::new();
    for (index, word) in paragraphs(docs).split_whitespace().enumerate() {
        let _ = write!(line, "{}{word}", if index > 0 { " " } else { "" });
    }
    line.replace('|', "\\|")
}

use std::sync::Arc;

use cel::common::ast::{CallExpr, EntryExpr, Expr, LiteralValue, SourceInfo, operators};
use cel::{Env, IdedExpr};
use regex::RegexBuilder;
use written::yaml::{list, suggest};

use super::expr::{EVENT_FIELDS, FUNCTIONS, Kind, Literal, Loop, LoopKind, MACROS, Node, Operator, Style};
use super::scan;

/// Characters of an expression. Longer ones belong in a mapper; the parser's stack is measured for this.
pub(crate) const EXPRESSION_CHARS_MAX: usize = 4096;
/// How deep brackets may lie in each other, measured before anything is parsed.
const BRACKETS_MAX: usize = 32;
/// How deep nodes may lie in each other: evaluation is recursive.
const DEPTH_MAX: usize = 128;
/// Bytes of a compiled pattern; bounds the time for a character of the text, too.
const PATTERN_BYTES_MAX: usize = 256 << 10;

/// The names that an expression may use beside `event`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Names<'n> {
    /// Steps that will have ended.
    pub(crate) ended: &'n [String],
    /// Steps of the flow, for messages.
    pub(crate) all: &'n [String],
}

/// A fault of an expression, found before it is evaluated.
#[derive(Debug)]
pub(crate) struct Finding {
    /// The index of the character it stands at.
    pub(crate) at: usize,
    pub(crate) message: String,
    pub(crate) fix: Option<String>,
}

/// Parses and resolves an expression.
pub(crate) fn compile(source: &str, names: Names<'_>) -> Result<Node, Vec<Finding>> {
    let refuse = |at, message: String, fix: &str| Err(vec![Finding { at, message, fix: Some(fix.to_owned()) }]);
    if source.trim().is_empty() {
        return refuse(0, "the expression is empty".to_owned(), "write CEL, such as `event.data.email`");
    }
    if source.chars().count() > EXPRESSION_CHARS_MAX {
        let message = format!("the expression is longer than {EXPRESSION_CHARS_MAX} characters");
        return refuse(0, message, "put it into a mapper, or into several steps");
    }
    if let Some(at) = scan::deeper_than(source, BRACKETS_MAX) {
        let message = format!("brackets lie more than {BRACKETS_MAX} deep");
        return refuse(at, message, "put it into several steps");
    }
    // An environment without macros leaves `x.map(…)` as it is written, so that loops can be bounded.
    let parser = Env::default().with_optional_support(true).parser();
    let (tree, places) = parser.parse_with_source_info(source).map_err(|faults| findings_of(source, faults))?;
    let mut compiler = Compiler { places, names, locals: Vec::new(), findings: Vec::new(), depth: 0 };
    match compiler.node(&tree) {
        Some(node) if compiler.findings.is_empty() => Ok(node),
        _ => Err(compiler.findings),
    }
}

/// The parser's own faults. It goes on behind one and then complains of what follows from it, so only the first is told.
fn findings_of(source: &str, faults: cel::ParseErrors) -> Vec<Finding> {
    let first = faults.errors.into_iter().next();
    let (line, column) = first.as_ref().map_or((1, 1), |fault| fault.pos);
    let before: usize = source.split_inclusive('\n').take(usize::try_from(line - 1).unwrap_or(0)).map(chars).sum();
    let at = (before + usize::try_from(column - 1).unwrap_or(0)).min(chars(source));
    let message = first.map_or_else(String::new, |fault| fault.msg);
    // What could have followed is a list of all that the grammar knows.
    let (message, _) = message.split_once(" expecting {").unwrap_or((&message, ""));
    let message = match message.trim_start_matches("Syntax error: ") {
        early if early.contains("<EOF>") => "it ends too early",
        other => other,
    };
    vec![Finding { at, message: format!("this is not CEL: {message}"), fix: None }]
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

struct Compiler<'n> {
    places: SourceInfo,
    names: Names<'n>,
    /// The variables of the loops around, the outermost first.
    locals: Vec<String>,
    findings: Vec<Finding>,
    depth: usize,
}

impl Compiler<'_> {
    /// None if something below has been found at fault.
    fn node(&mut self, expr: &IdedExpr) -> Option<Node> {
        self.deeper(expr, |compiler, at| Some(Node { at, kind: compiler.kind(expr, at)? }))
    }

    fn deeper(&mut self, expr: &IdedExpr, build: impl FnOnce(&mut Self, usize) -> Option<Node>) -> Option<Node> {
        let at = self.at(expr);
        if self.depth >= DEPTH_MAX {
            return self.refuse(at, "the expression is nested too deeply", "put it into several steps");
        }
        self.depth += 1;
        let node = build(self, at);
        self.depth -= 1;
        node
    }

    fn kind(&mut self, expr: &IdedExpr, at: usize) -> Option<Kind> {
        match &expr.expr {
            Expr::Literal(literal) => self.literal(literal, at),
            Expr::Ident(name) => self.identifier(name, at),
            Expr::Select(select) => self.select(&select.operand, &select.field, at),
            Expr::Call(call) => self.call(call, at),
            Expr::List(items) if items.optional_indices.is_empty() => Some(Kind::List(self.nodes(&items.elements)?)),
            Expr::Map(map) => {
                let mut entries = Vec::new();
                for entry in &map.entries {
                    match &entry.expr {
                        EntryExpr::MapEntry(entry) if !entry.optional => {
                            entries.push((self.node(&entry.key), self.node(&entry.value)));
                        }
                        _ => {
                            return self.refuse(
                                at,
                                "optional entries are not supported",
                                "use a condition: `a ? b : c`",
                            );
                        }
                    }
                }
                Some(Kind::Map(entries.into_iter().map(|(key, value)| Some((key?, value?))).collect::<Option<_>>()?))
            }
            Expr::List(_) => self.refuse(at, "optional items are not supported", "use `filter`"),
            Expr::Struct(_) => self.refuse(at, "there are no message types", "write a map: `{\"name\": value}`"),
            Expr::Comprehension(_) | Expr::Unspecified => {
                self.refuse(at, "this is not CEL", "look for a slip of the pen")
            }
        }
    }

    fn nodes(&mut self, exprs: &[IdedExpr]) -> Option<Vec<Node>> {
        // All of them before the first fault is looked at, so that all are found.
        let nodes: Vec<_> = exprs.iter().map(|expr| self.node(expr)).collect();
        nodes.into_iter().collect()
    }

    fn literal(&mut self, literal: &LiteralValue, at: usize) -> Option<Kind> {
        Some(Kind::Literal(match literal {
            LiteralValue::Null => Literal::Null,
            LiteralValue::Boolean(value) => Literal::Bool(*value.inner()),
            LiteralValue::Int(value) => Literal::Int((*value.inner()).into()),
            LiteralValue::UInt(value) => Literal::Int((*value.inner()).into()),
            LiteralValue::Double(value) => Literal::Double(*value.inner()),
            LiteralValue::String(value) => Literal::Text(value.inner().into()),
            LiteralValue::Bytes(_) => {
                return self.refuse(at, "JSON has no bytes", "leave out the `b` before the quote");
            }
        }))
    }

    fn identifier(&mut self, name: &str, at: usize) -> Option<Kind> {
        if let Some(local) = self.locals.iter().rposition(|local| local == name) {
            return Some(Kind::Local(local));
        }
        match name {
            "event" => {
                let fields = EVENT_FIELDS.map(|(name, _)| name);
                self.refuse(at, "`event` is no value by itself", &format!("name one of its members: {}", list(&fields)))
            }
            "steps" => {
                let example = self.names.ended.last().map_or("ID", String::as_str);
                self.refuse(at, "`steps` is no value by itself", &format!("write `steps.{example}.output`"))
            }
            _ => {
                let known: Vec<&str> = ["event", "steps"].into_iter().chain(self.names_of_locals()).collect();
                self.find(at, format!("there is no variable `{name}`"), suggest(name, &known))
            }
        }
    }

    fn names_of_locals(&self) -> impl Iterator<Item = &str> {
        self.locals.iter().map(String::as_str)
    }

    fn select(&mut self, operand: &IdedExpr, field: &str, at: usize) -> Option<Kind> {
        if self.is_root(operand, "event") {
            return match EVENT_FIELDS.iter().find(|(name, _)| *name == field) {
                Some((_, field)) => Some(Kind::Event(*field)),
                None => {
                    let fix = suggest(field, &EVENT_FIELDS.map(|(name, _)| name));
                    self.find(at, format!("`event` has no member `{field}`"), fix)
                }
            };
        }
        if self.is_root(operand, "steps") {
            self.step(field, at)?;
            return self.refuse(
                at,
                &format!("`steps.{field}` is no value by itself"),
                &format!("write `steps.{field}.output`"),
            );
        }
        if let Expr::Select(inner) = &operand.expr
            && self.is_root(&inner.operand, "steps")
        {
            let id = self.step(&inner.field, self.at(operand))?;
            return match field {
                "output" => Some(Kind::Output(id)),
                "skipped" => Some(Kind::Skipped(id)),
                _ => {
                    let fix = suggest(field, &["output", "skipped"]);
                    self.find(at, format!("`steps.{id}` has no member `{field}`"), fix)
                }
            };
        }
        Some(Kind::Select(Box::new(self.node(operand)?), field.into()))
    }

    /// Whether it is one of the variables that every expression has, and no loop hides it.
    fn is_root(&self, expr: &IdedExpr, root: &str) -> bool {
        matches!(&expr.expr, Expr::Ident(name) if name == root) && !self.names_of_locals().any(|local| local == root)
    }

    fn step(&mut self, id: &str, at: usize) -> Option<Arc<str>> {
        let Names { ended, all } = self.names;
        if ended.iter().any(|known| known == id) {
            return Some(id.into());
        }
        if all.iter().any(|known| known == id) {
            let fix = "use it in a step that comes after; the order in the file counts";
            return self.refuse(at, &format!("step `{id}` has not ended at this point"), fix);
        }
        self.find(at, format!("there is no step `{id}`"), suggest(id, ended))
    }

    fn call(&mut self, call: &CallExpr, at: usize) -> Option<Kind> {
        if let Some(kind) = self.operator(call) {
            return kind;
        }
        let name = call.func_name.as_str();
        match (name, call.target.as_deref(), call.args.as_slice()) {
            ("has", None, [field]) => self.has(field, at),
            (operators::OPT_SELECT, None, _) => self.refuse(
                at,
                "a field that may be missing needs a value for that case",
                "add `.orValue(…)` behind it",
            ),
            ("orValue", Some(target), [default]) => {
                let target = self.optional(target);
                let default = self.node(default);
                Some(Kind::OrValue(Box::new(target?), Box::new(default?)))
            }
            ("matches", Some(text), [pattern]) | ("matches", None, [text, pattern]) => self.matches(text, pattern),
            ("all", Some(range), [variable, body]) => self.each(LoopKind::All, range, variable, None, body),
            ("exists", Some(range), [variable, body]) => self.each(LoopKind::Exists, range, variable, None, body),
            ("exists_one", Some(range), [variable, body]) => {
                self.each(LoopKind::ExistsOne, range, variable, None, body)
            }
            ("filter", Some(range), [variable, body]) => self.each(LoopKind::Filter, range, variable, None, body),
            ("map", Some(range), [variable, body]) => self.each(LoopKind::Map, range, variable, None, body),
            ("map", Some(range), [variable, filter, body]) => {
                self.each(LoopKind::Map, range, variable, Some(filter), body)
            }
            _ => self.function(call, at),
        }
    }

    fn operator(&mut self, call: &CallExpr) -> Option<Option<Kind>> {
        let operator = match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_NOT, [operand]) => return Some(self.boxed(operand).map(Kind::Not)),
            (operators::NEGATE, [operand]) => return Some(self.boxed(operand).map(Kind::Negate)),
            (operators::LOGICAL_AND, [left, right]) => return Some(self.both(left, right, Kind::And)),
            (operators::LOGICAL_OR, [left, right]) => return Some(self.both(left, right, Kind::Or)),
            (operators::INDEX, [operand, index]) => return Some(self.both(operand, index, Kind::Index)),
            (operators::CONDITIONAL, arguments) => {
                let nodes = self.nodes(arguments).and_then(|nodes| nodes.try_into().ok());
                return Some(nodes.map(|nodes| Kind::Conditional(Box::new(nodes))));
            }
            (operators::ADD, _) => Operator::Add,
            (operators::SUBSTRACT, _) => Operator::Subtract,
            (operators::MULTIPLY, _) => Operator::Multiply,
            (operators::DIVIDE, _) => Operator::Divide,
            (operators::MODULO, _) => Operator::Remainder,
            (operators::EQUALS, _) => Operator::Equal,
            (operators::NOT_EQUALS, _) => Operator::NotEqual,
            (operators::LESS, _) => Operator::Less,
            (operators::LESS_EQUALS, _) => Operator::LessOrEqual,
            (operators::GREATER, _) => Operator::Greater,
            (operators::GREATER_EQUALS, _) => Operator::GreaterOrEqual,
            (operators::IN, _) => Operator::In,
            _ => return None,
        };
        let nodes = self.nodes(&call.args).and_then(|nodes| nodes.try_into().ok());
        Some(nodes.map(|nodes| Kind::Binary(operator, Box::new(nodes))))
    }

    fn boxed(&mut self, expr: &IdedExpr) -> Option<Box<Node>> {
        self.node(expr).map(Box::new)
    }

    fn both(&mut self, left: &IdedExpr, right: &IdedExpr, kind: impl Fn(Box<Node>, Box<Node>) -> Kind) -> Option<Kind> {
        let (left, right) = (self.boxed(left), self.boxed(right));
        Some(kind(left?, right?))
    }

    fn has(&mut self, field: &IdedExpr, at: usize) -> Option<Kind> {
        let node = self.optional(field)?;
        match &node.kind {
            Kind::Select(..) | Kind::OptionalSelect(..) | Kind::Event(_) | Kind::Output(_) => {
                Some(Kind::Has(Box::new(node)))
            }
            _ => self.refuse(at, "`has` asks for a field", "write `has(event.data.name)`"),
        }
    }

    /// A chain of selections in which `.?` may occur.
    fn optional(&mut self, expr: &IdedExpr) -> Option<Node> {
        if !self.has_optional(expr) {
            return self.node(expr);
        }
        self.deeper(expr, |compiler, at| compiler.optional_select(expr, at))
    }

    fn optional_select(&mut self, expr: &IdedExpr, at: usize) -> Option<Node> {
        match &expr.expr {
            Expr::Call(CallExpr { func_name, args, .. }) if func_name == operators::OPT_SELECT => {
                let [operand, IdedExpr { expr: Expr::Literal(LiteralValue::String(field)), .. }] = args.as_slice()
                else {
                    return self.refuse(at, "`.?` needs the name of a field", "write `event.data.?name`");
                };
                let field = field.inner().into();
                Some(Node { at, kind: Kind::OptionalSelect(Box::new(self.optional(operand)?), field) })
            }
            Expr::Select(select) => {
                let operand = Box::new(self.optional(&select.operand)?);
                // Behind one `.?` every selection is optional, too.
                Some(Node { at, kind: Kind::OptionalSelect(operand, select.field.as_str().into()) })
            }
            _ => self.node(expr),
        }
    }

    fn has_optional(&self, expr: &IdedExpr) -> bool {
        match &expr.expr {
            Expr::Call(call) => call.func_name == operators::OPT_SELECT,
            Expr::Select(select) => self.has_optional(&select.operand),
            _ => false,
        }
    }

    fn matches(&mut self, text: &IdedExpr, pattern: &IdedExpr) -> Option<Kind> {
        let at = self.at(pattern);
        let text = self.node(text);
        let Expr::Literal(LiteralValue::String(pattern)) = &pattern.expr else {
            return self.refuse(at, "the pattern of `matches` must be written out", "give it as a text in quotes");
        };
        match RegexBuilder::new(pattern.inner()).size_limit(PATTERN_BYTES_MAX).build() {
            Ok(pattern) => Some(Kind::Matches(Box::new(text?), pattern)),
            Err(regex::Error::CompiledTooBig(_)) => {
                self.refuse(at, "the pattern is too big", "use fewer or smaller repetitions")
            }
            Err(fault) => {
                // The last line says it; those before point into the pattern.
                let fault = fault.to_string();
                let why = fault.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.find(at, format!("the pattern of `matches` is no regular expression: {why}"), None)
            }
        }
    }

    fn each(
        &mut self,
        kind: LoopKind,
        range: &IdedExpr,
        variable: &IdedExpr,
        filter: Option<&IdedExpr>,
        body: &IdedExpr,
    ) -> Option<Kind> {
        let range = self.node(range);
        let Expr::Ident(name) = &variable.expr else {
            return self.refuse(
                self.at(variable),
                "a loop needs a name for its variable",
                "write `items.all(item, …)`",
            );
        };
        self.locals.push(name.clone());
        let filter = filter.map(|filter| self.node(filter));
        let body = self.node(body);
        self.locals.pop();
        let filter = match filter {
            Some(filter) => Some(filter?),
            None => None,
        };
        Some(Kind::Loop(Box::new(Loop { kind, range: range?, filter, body: body? })))
    }

    fn function(&mut self, call: &CallExpr, at: usize) -> Option<Kind> {
        let name = call.func_name.as_str();
        let Some((_, function, style, least, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            if MACROS.contains(&name) {
                return self.find(at, format!("`{name}` is called in another way"), Some(usage(name)));
            }
            let known: Vec<_> = FUNCTIONS.iter().map(|(name, ..)| *name).chain(MACROS).collect();
            return self.find(at, format!("there is no function `{name}`"), suggest(name, &known));
        };
        let arguments = call.args.len() + usize::from(call.target.is_some());
        let fits = match style {
            Style::Both => true,
            Style::Global => call.target.is_none(),
            Style::Method => call.target.is_some(),
        };
        if !fits || !(*least..=*most).contains(&arguments) {
            return self.find(at, format!("`{name}` is called in another way"), Some(usage(name)));
        }
        let target = call.target.as_deref().map(|target| self.node(target));
        let arguments = self.nodes(&call.args);
        let mut nodes = Vec::from_iter(target.map_or(Some(None), |target| target.map(Some))?);
        nodes.extend(arguments?);
        Some(Kind::Call(*function, nodes))
    }

    /// Where a node stands. The parser notes the dot of a selection and the bracket of a call; names say more.
    fn at(&self, expr: &IdedExpr) -> usize {
        let bytes = self.places.offset_for(expr.id).map_or(0, |(start, _)| start as usize);
        let noted = self.places.source.get(..bytes).map_or(0, chars);
        match &expr.expr {
            Expr::Select(_) => noted + 1,
            Expr::Call(call) if call.func_name.starts_with(char::is_alphabetic) => {
                noted.saturating_sub(chars(&call.func_name))
            }
            _ => noted,
        }
    }

    fn refuse<T>(&mut self, at: usize, message: &str, fix: &str) -> Option<T> {
        self.find(at, message.to_owned(), Some(fix.to_owned()))
    }

    fn find<T>(&mut self, at: usize, message: String, fix: Option<String>) -> Option<T> {
        self.findings.push(Finding { at, message, fix });
        None
    }
}

/// How a function is called.
fn usage(name: &str) -> String {
    let form = match name {
        "size" => "size(x)",
        "contains" | "startsWith" | "endsWith" => return format!("write `text.{name}(\"part\")`"),
        "lowerAscii" | "upperAscii" | "trim" => return format!("write `text.{name}()`"),
        "split" => "text.split(\",\")",
        "join" => "list.join(\", \")",
        "replace" => "text.replace(\"old\", \"new\")",
        "substring" => "text.substring(0, 5)",
        "has" => "has(event.data.name)",
        "matches" => "text.matches(\"^[a-z]+$\")",
        "orValue" => "event.data.?name.orValue(\"unknown\")",
        "int" | "double" | "string" => return format!("write `{name}(x)`"),
        _ => return format!("write `list.{name}(item, …)`"),
    };
    format!("write `{form}`")
}

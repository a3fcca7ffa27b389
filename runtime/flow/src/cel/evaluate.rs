use std::rc::Rc;

use super::expr::{EventField, Kind, Literal, Loop, LoopKind, Node, Operator};
use super::functions;
use super::value::{INTEGERS, List, Map, Text, Value};
use crate::Scope;

/// The work of one evaluation: a unit is a node visited, an item made or compared, or [`BYTES_PER_UNIT`] of text made or
/// looked through. A unit takes some 20 ns and 50 bytes at most, so that an evaluation ends within tens of milliseconds
/// and tens of megabytes, whatever its expression and its data are.
pub(crate) const WORK_MAX: usize = 1_000_000;
pub(crate) const BYTES_PER_UNIT: usize = 32;

/// The work that is left for an evaluation.
pub(crate) struct Meter {
    left: usize,
}

impl Default for Meter {
    fn default() -> Self {
        Self { left: WORK_MAX }
    }
}

/// A fault while an expression is evaluated.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The index of the character it stands at.
    pub(crate) at: usize,
    pub(crate) message: String,
    /// No more work may be done: nothing absorbs it.
    exhausted: bool,
}

pub(crate) type Answer<'a> = Result<Value<'a>, Fault>;

pub(crate) fn fault<T>(at: usize, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { at, message: message.into(), exhausted: false })
}

/// Evaluates a checked expression.
pub(crate) fn evaluate<'a>(node: &'a Node, scope: &'a Scope<'a>, meter: &mut Meter) -> Answer<'a> {
    Run { scope, meter, locals: Vec::new() }.node(node)
}

impl Meter {
    /// Takes `units` of work, before they are done.
    pub(crate) fn spend(&mut self, at: usize, units: usize) -> Result<(), Fault> {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                let message = format!("takes more than {WORK_MAX} units of work; do it in a mapper");
                Err(Fault { at, message, exhausted: true })
            }
        }
    }

    /// Takes the work for so many bytes of text.
    pub(crate) fn spend_bytes(&mut self, at: usize, bytes: usize) -> Result<(), Fault> {
        self.spend(at, bytes / BYTES_PER_UNIT)
    }
}

struct Run<'a, 'm> {
    scope: &'a Scope<'a>,
    meter: &'m mut Meter,
    locals: Vec<Value<'a>>,
}

impl<'a> Run<'a, '_> {
    fn node(&mut self, node: &'a Node) -> Answer<'a> {
        let at = node.at;
        self.meter.spend(at, 1)?;
        match &node.kind {
            Kind::Literal(literal) => Ok(literal.value()),
            Kind::Event(field) => self.event(*field).or_else(|message| fault(at, message)),
            Kind::Output(id) => match self.scope.output(id) {
                Ok(Some(output)) => Ok(output.into()),
                Ok(None) => fault(at, format!("step `{id}` was skipped; ask for `steps.{id}.skipped` first")),
                Err(message) => fault(at, message),
            },
            Kind::Skipped(id) => match self.scope.output(id) {
                Ok(output) => Ok(Value::Bool(output.is_none())),
                // It has ended, and only its output cannot be read.
                Err(_) if self.scope.has_ended(id) => Ok(Value::Bool(false)),
                Err(message) => fault(at, message),
            },
            Kind::Local(place) => Ok(self.locals[*place].clone()),
            Kind::Select(operand, field) => {
                let value = self.node(operand)?;
                match self.field(at, &value, field)? {
                    Some(value) => Ok(value),
                    None => fault(at, format!("there is no field `{field}`")),
                }
            }
            // The compiler lets it stand below `orValue` and `has` only, which go through `optional`.
            Kind::OptionalSelect(..) => match self.optional(node)? {
                Some(value) => Ok(value),
                None => fault(at, "the field is missing"),
            },
            Kind::OrValue(optional, default) => match self.optional(optional)? {
                Some(value) => Ok(value),
                None => self.node(default),
            },
            Kind::Has(field) => self.has(field).map(Value::Bool),
            Kind::Index(operand, index) => self.index(at, operand, index),
            Kind::Not(operand) => Ok(Value::Bool(!self.boolean(operand)?)),
            Kind::Negate(operand) => {
                let value = self.node(operand)?;
                functions::subtract(at, &Value::Int(0), &value)
            }
            Kind::And(left, right) => self.either(left, right, false),
            Kind::Or(left, right) => self.either(left, right, true),
            Kind::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                if self.boolean(condition)? { self.node(yes) } else { self.node(no) }
            }
            Kind::Binary(operator, operands) => {
                let left = self.node(&operands[0])?;
                let right = self.node(&operands[1])?;
                self.binary(at, *operator, &left, &right)
            }
            Kind::Call(function, arguments) => {
                let values = arguments.iter().map(|argument| self.node(argument)).collect::<Result<Vec<_>, _>>()?;
                functions::call(at, *function, &values, self.meter)
            }
            Kind::Matches(text, pattern) => {
                let value = self.node(text)?;
                let Value::Text(text) = &value else {
                    return fault(at, format!("`matches` needs a text and got {}", value.kind()));
                };
                // The time for a byte grows with the pattern, so bytes cost what nodes cost.
                self.meter.spend(at, text.as_str().len())?;
                Ok(Value::Bool(pattern.is_match(text.as_str())))
            }
            Kind::List(items) => {
                Ok(Value::list(items.iter().map(|item| self.node(item)).collect::<Result<Vec<_>, _>>()?))
            }
            Kind::Map(entries) => self.map(at, entries),
            Kind::Loop(each) => self.each(at, each),
        }
    }

    fn event(&self, field: EventField) -> Result<Value<'a>, String> {
        let Scope { event, .. } = self.scope;
        let attributes = &event.attributes;
        let optional = |text: Option<&'a str>| text.map_or(Value::Null, Value::text);
        Ok(match field {
            EventField::Id => Value::text(&attributes.id),
            EventField::Source => Value::text(&attributes.source),
            EventField::Kind => Value::text(&attributes.kind),
            EventField::Subject => optional(attributes.subject.as_deref()),
            EventField::Time => optional(attributes.time.as_deref()),
            EventField::Received => Value::built(event.received.to_string()),
            EventField::Data => self.scope.data()?.into(),
            EventField::Headers => self.scope.headers().into(),
            EventField::Query => self.scope.query().into(),
            EventField::Method => optional(self.scope.transport("method")),
            EventField::Path => optional(self.scope.transport("path")),
            EventField::Extensions => self.scope.extensions().into(),
        })
    }

    fn field(&mut self, at: usize, value: &Value<'a>, field: &str) -> Result<Option<Value<'a>>, Fault> {
        let Value::Map(map) = value else {
            return fault(at, format!("`.{field}` needs a map and got {}", value.kind()));
        };
        self.meter.spend(at, map.lookup_units())?;
        Ok(map.get(field))
    }

    /// A value that may be missing: a chain of selections.
    fn optional(&mut self, node: &'a Node) -> Result<Option<Value<'a>>, Fault> {
        let (Kind::OptionalSelect(operand, field) | Kind::Select(operand, field)) = &node.kind else {
            return self.node(node).map(Some);
        };
        self.meter.spend(node.at, 1)?;
        match self.optional(operand)? {
            // What null has is missing, too: senders write `"address": null` for no address.
            None | Some(Value::Null) => Ok(None),
            Some(value) => self.field(node.at, &value, field),
        }
    }

    fn has(&mut self, field: &'a Node) -> Result<bool, Fault> {
        Ok(match &field.kind {
            Kind::Select(operand, name) => {
                let value = self.node(operand)?;
                self.field(field.at, &value, name)?.is_some()
            }
            Kind::Output(id) => match self.scope.output(id) {
                Ok(output) => output.is_some(),
                Err(message) => return fault(field.at, message),
            },
            Kind::Event(_) => !matches!(self.node(field)?, Value::Null),
            _ => self.optional(field)?.is_some(),
        })
    }

    fn index(&mut self, at: usize, operand: &'a Node, index: &'a Node) -> Answer<'a> {
        let (value, index) = (self.node(operand)?, self.node(index)?);
        match (&value, &index) {
            (Value::List(list), Value::Int(place)) => {
                let item = usize::try_from(*place).ok().and_then(|place| list.get(place));
                item.map_or_else(|| fault(at, format!("there is no item {place} in a list of {}", list.len())), Ok)
            }
            (Value::Map(_), Value::Text(key)) => match self.field(at, &value, key.as_str())? {
                Some(value) => Ok(value),
                None => fault(at, format!("there is no field `{}`", shortened(key.as_str()))),
            },
            _ => fault(at, format!("{} cannot be looked up in {}", index.kind(), value.kind())),
        }
    }

    fn boolean(&mut self, node: &'a Node) -> Result<bool, Fault> {
        match self.node(node)? {
            Value::Bool(value) => Ok(value),
            other => fault(node.at, format!("{} is neither true nor false", other.kind())),
        }
    }

    /// `&&` and `||`: one side that is `decisive` decides, even if the other has a fault.
    fn either(&mut self, left: &'a Node, right: &'a Node, decisive: bool) -> Answer<'a> {
        match self.boolean(left) {
            Ok(value) if value == decisive => Ok(Value::Bool(decisive)),
            Ok(_) => self.boolean(right).map(Value::Bool),
            Err(fault) if fault.exhausted => Err(fault),
            Err(fault) => match self.boolean(right) {
                Ok(value) if value == decisive => Ok(Value::Bool(decisive)),
                Err(other) if other.exhausted => Err(other),
                _ => Err(fault),
            },
        }
    }

    fn binary(&mut self, at: usize, operator: Operator, left: &Value<'a>, right: &Value<'a>) -> Answer<'a> {
        match operator {
            Operator::Add => functions::add(at, left, right, self.meter),
            Operator::Subtract => functions::subtract(at, left, right),
            Operator::Multiply => functions::multiply(at, left, right),
            Operator::Divide => functions::divide(at, left, right),
            Operator::Remainder => functions::remainder(at, left, right),
            Operator::Equal => functions::equal(at, left, right, self.meter).map(Value::Bool),
            Operator::NotEqual => functions::equal(at, left, right, self.meter).map(|equal| Value::Bool(!equal)),
            Operator::In => functions::is_in(at, left, right, self.meter).map(Value::Bool),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                functions::compare(at, operator, left, right, self.meter).map(Value::Bool)
            }
        }
    }

    fn map(&mut self, at: usize, entries: &'a [(Node, Node)]) -> Answer<'a> {
        let mut map: Vec<(Text<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let Value::Text(text) = self.node(key)? else {
                return fault(key.at, "the keys of a map are texts");
            };
            self.meter.spend(at, map.len())?;
            if map.iter().any(|(known, _)| known.as_str() == text.as_str()) {
                return fault(key.at, format!("the key `{}` occurs twice", shortened(text.as_str())));
            }
            map.push((text, self.node(value)?));
        }
        Ok(Value::Map(Map::Built(map.into())))
    }

    fn each(&mut self, at: usize, each: &'a Loop) -> Answer<'a> {
        let range = self.node(&each.range)?;
        let items = self.items(each.range.at, &range)?;
        let (mut kept, mut hits) = (Vec::new(), 0usize);
        let mut pending = None;
        for item in items {
            self.meter.spend(at, 1)?;
            self.locals.push(item.clone());
            let answer = self.item(each);
            self.locals.pop();
            match (each.kind, answer) {
                (_, Err(fault)) if fault.exhausted => return Err(fault),
                // A later item may decide in spite of a fault.
                (LoopKind::All | LoopKind::Exists, Err(fault)) => pending = pending.or(Some(fault)),
                (_, Err(fault)) => return Err(fault),
                (LoopKind::All, Ok(Some(Value::Bool(false)))) => return Ok(Value::Bool(false)),
                (LoopKind::Exists, Ok(Some(Value::Bool(true)))) => return Ok(Value::Bool(true)),
                (LoopKind::ExistsOne, Ok(Some(Value::Bool(true)))) => hits += 1,
                (LoopKind::Filter, Ok(Some(Value::Bool(true)))) => kept.push(item),
                (LoopKind::Map, Ok(Some(value))) => kept.push(value),
                (_, Ok(_)) => {}
            }
        }
        match (each.kind, pending) {
            (_, Some(fault)) => Err(fault),
            (LoopKind::All, None) => Ok(Value::Bool(true)),
            (LoopKind::Exists, None) => Ok(Value::Bool(false)),
            (LoopKind::ExistsOne, None) => Ok(Value::Bool(hits == 1)),
            (LoopKind::Filter | LoopKind::Map, None) => Ok(Value::list(kept)),
        }
    }

    /// The body for one item; none if `map` leaves it out. Every other loop asks a question.
    fn item(&mut self, each: &'a Loop) -> Result<Option<Value<'a>>, Fault> {
        if let Some(filter) = &each.filter
            && !self.boolean(filter)?
        {
            return Ok(None);
        }
        match each.kind {
            LoopKind::Map => self.node(&each.body).map(Some),
            _ => self.boolean(&each.body).map(|value| Some(Value::Bool(value))),
        }
    }

    /// What a loop goes over: the items of a list, the keys of a map.
    fn items(&mut self, at: usize, range: &Value<'a>) -> Result<Vec<Value<'a>>, Fault> {
        match range {
            Value::List(list) => {
                self.meter.spend(at, list.len())?;
                Ok(list.to_vec())
            }
            Value::Map(map) => {
                self.meter.spend(at, map.len())?;
                Ok(map.keys())
            }
            other => fault(at, format!("a loop goes over a list or a map, not {}", other.kind())),
        }
    }
}

impl Literal {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Double(value) => Value::Double(*value),
            Self::Text(text) => Value::text(text),
        }
    }
}

impl<'a> Value<'a> {
    fn list(items: Vec<Value<'a>>) -> Self {
        Self::List(List::Built(Rc::from(items)))
    }
}

/// An integer that is in range.
pub(crate) fn integer<'a>(at: usize, value: Option<i128>) -> Answer<'a> {
    match value {
        Some(value) if INTEGERS.contains(&value) => Ok(Value::Int(value)),
        _ => fault(at, "the result is out of range: integers go from -2^63 to 2^64 - 1"),
    }
}

/// A text from the data, as long as a message bears.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

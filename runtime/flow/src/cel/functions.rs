use std::cmp::Ordering;
use std::rc::Rc;

use super::evaluate::{Answer, Fault, Meter, fault, integer, shortened};
use super::expr::{Function, Operator};
use super::value::{INTEGERS, List, Text, Value};

/// Decimals below this are whole numbers beyond which every double is one.
const WHOLE_MAX: f64 = 18_446_744_073_709_551_616.0;

pub(crate) fn add<'a>(at: usize, left: &Value<'a>, right: &Value<'a>, meter: &mut Meter) -> Answer<'a> {
    match (left, right) {
        (Value::Text(a), Value::Text(b)) => {
            let (a, b) = (a.as_str(), b.as_str());
            meter.spend_bytes(at, a.len() + b.len())?;
            Ok(Value::built([a, b].concat()))
        }
        (Value::List(a), Value::List(b)) => {
            meter.spend(at, a.len() + b.len())?;
            let mut items = a.to_vec();
            items.extend(b.to_vec());
            Ok(Value::List(List::Built(items.into())))
        }
        _ => arithmetic(at, "+", left, right, i128::checked_add, |a, b| a + b),
    }
}

pub(crate) fn subtract<'a>(at: usize, left: &Value<'_>, right: &Value<'_>) -> Answer<'a> {
    arithmetic(at, "-", left, right, i128::checked_sub, |a, b| a - b)
}

pub(crate) fn multiply<'a>(at: usize, left: &Value<'_>, right: &Value<'_>) -> Answer<'a> {
    arithmetic(at, "*", left, right, i128::checked_mul, |a, b| a * b)
}

/// Of integers without the rest, rounded towards zero.
pub(crate) fn divide<'a>(at: usize, left: &Value<'_>, right: &Value<'_>) -> Answer<'a> {
    if let (Value::Int(_), Value::Int(0)) = (left, right) {
        return fault(at, "division by zero");
    }
    arithmetic(at, "/", left, right, i128::checked_div, |a, b| a / b)
}

pub(crate) fn remainder<'a>(at: usize, left: &Value<'_>, right: &Value<'_>) -> Answer<'a> {
    match (left, right) {
        (Value::Int(_), Value::Int(0)) => fault(at, "division by zero"),
        (Value::Int(a), Value::Int(b)) => integer(at, a.checked_rem(*b)),
        _ => fault(at, format!("`%` needs two integers and got {} and {}", left.kind(), right.kind())),
    }
}

fn arithmetic<'a>(
    at: usize,
    sign: &str,
    left: &Value<'_>,
    right: &Value<'_>,
    whole: impl Fn(i128, i128) -> Option<i128>,
    decimal: impl Fn(f64, f64) -> f64,
) -> Answer<'a> {
    if let (Value::Int(a), Value::Int(b)) = (left, right) {
        return integer(at, whole(*a, *b));
    }
    match (number(left), number(right)) {
        (Some(a), Some(b)) => Ok(Value::Double(decimal(a, b))),
        _ => fault(at, format!("`{sign}` cannot be applied to {} and {}", left.kind(), right.kind())),
    }
}

fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Double(value) => Some(*value),
        _ => None,
    }
}

pub(crate) fn compare(
    at: usize,
    operator: Operator,
    left: &Value<'_>,
    right: &Value<'_>,
    meter: &mut Meter,
) -> Result<bool, Fault> {
    if let (Value::Text(a), Value::Text(b)) = (left, right) {
        meter.spend_bytes(at, a.as_str().len().min(b.as_str().len()))?;
    }
    if matches!((left, right), (Value::Double(a), _) | (_, Value::Double(a)) if a.is_nan()) {
        return Ok(false);
    }
    let Some(order) = left.order(right) else {
        return fault(at, format!("{} cannot be compared with {}", left.kind(), right.kind()));
    };
    Ok(match operator {
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
        Operator::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

/// Values of different kinds are different; numbers are compared by their value, maps without their order.
pub(crate) fn equal(at: usize, left: &Value<'_>, right: &Value<'_>, meter: &mut Meter) -> Result<bool, Fault> {
    meter.spend(at, 1)?;
    match (left, right) {
        (Value::Null, Value::Null) => Ok(true),
        (Value::List(a), Value::List(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for place in 0..a.len() {
                if let (Some(a), Some(b)) = (a.get(place), b.get(place))
                    && !equal(at, &a, &b, meter)?
                {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Map(a), Value::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            meter.spend(at, a.len())?;
            for (key, value) in a.entries() {
                meter.spend(at, b.lookup_units())?;
                let Some(other) = b.get(key.as_str()) else { return Ok(false) };
                if !equal(at, &value, &other, meter)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Text(a), Value::Text(b)) => {
            meter.spend_bytes(at, a.as_str().len().min(b.as_str().len()))?;
            Ok(a.as_str() == b.as_str())
        }
        _ => Ok(left.order(right) == Some(Ordering::Equal)),
    }
}

pub(crate) fn is_in(at: usize, item: &Value<'_>, range: &Value<'_>, meter: &mut Meter) -> Result<bool, Fault> {
    match (item, range) {
        (_, Value::List(list)) => {
            for place in 0..list.len() {
                if let Some(other) = list.get(place)
                    && equal(at, item, &other, meter)?
                {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Value::Text(key), Value::Map(map)) => {
            meter.spend(at, map.lookup_units())?;
            Ok(map.get(key.as_str()).is_some())
        }
        _ => fault(at, format!("`in` cannot look for {} in {}", item.kind(), range.kind())),
    }
}

/// Calls a function with as many arguments as the compiler let through.
pub(crate) fn call<'a>(at: usize, function: Function, arguments: &[Value<'a>], meter: &mut Meter) -> Answer<'a> {
    let bytes: usize = arguments.iter().map(text_bytes).sum();
    meter.spend_bytes(at, bytes)?;
    match (function, arguments) {
        (Function::Size, [Value::Text(text)]) => Ok(count(text.as_str().chars().count())),
        (Function::Size, [Value::List(list)]) => Ok(count(list.len())),
        (Function::Size, [Value::Map(map)]) => Ok(count(map.len())),
        (Function::Contains, [Value::Text(text), Value::Text(part)]) => {
            Ok(Value::Bool(text.as_str().contains(part.as_str())))
        }
        (Function::StartsWith, [Value::Text(text), Value::Text(part)]) => {
            Ok(Value::Bool(text.as_str().starts_with(part.as_str())))
        }
        (Function::EndsWith, [Value::Text(text), Value::Text(part)]) => {
            Ok(Value::Bool(text.as_str().ends_with(part.as_str())))
        }
        (Function::LowerAscii, [Value::Text(text)]) => Ok(Value::built(text.as_str().to_ascii_lowercase())),
        (Function::UpperAscii, [Value::Text(text)]) => Ok(Value::built(text.as_str().to_ascii_uppercase())),
        (Function::Trim, [Value::Text(text)]) => Ok(Value::built(text.as_str().trim())),
        (Function::Split, [Value::Text(text), Value::Text(by)]) => split(at, text.as_str(), by.as_str(), meter),
        (Function::Join, [Value::List(list)]) => join(at, list, "", meter),
        (Function::Join, [Value::List(list), Value::Text(by)]) => join(at, list, by.as_str(), meter),
        (Function::Replace, [Value::Text(text), Value::Text(old), Value::Text(new)]) => {
            let (text, old, new) = (text.as_str(), old.as_str(), new.as_str());
            meter.spend_bytes(at, text.matches(old).count().saturating_mul(new.len()))?;
            Ok(Value::built(text.replace(old, new)))
        }
        (Function::Substring, [Value::Text(text), Value::Int(from)]) => substring(at, text, *from, None),
        (Function::Substring, [Value::Text(text), Value::Int(from), Value::Int(to)]) => {
            substring(at, text, *from, Some(*to))
        }
        (Function::Int, [value]) => to_int(at, value),
        (Function::Double, [value]) => to_double(at, value),
        (Function::String, [value]) => {
            let mut text = String::new();
            value.push_to(&mut text).or_else(|message| fault(at, message))?;
            Ok(Value::built(text))
        }
        _ => {
            let kinds: Vec<_> = arguments.iter().map(Value::kind).collect();
            fault(at, format!("`{}` cannot be applied to {}", function.name(), kinds.join(" and ")))
        }
    }
}

fn text_bytes(value: &Value<'_>) -> usize {
    match value {
        Value::Text(text) => text.as_str().len(),
        _ => 0,
    }
}

fn count<'a>(count: usize) -> Value<'a> {
    Value::Int(count as i128)
}

fn split<'a>(at: usize, text: &str, by: &str, meter: &mut Meter) -> Answer<'a> {
    // CEL splits by nothing into characters; Rust would add an empty text at both ends.
    let pieces: Vec<&str> = if by.is_empty() {
        text.split("").filter(|piece| !piece.is_empty()).collect()
    } else {
        text.split(by).collect()
    };
    meter.spend(at, pieces.len())?;
    let pieces: Rc<[Value<'a>]> = pieces.into_iter().map(Value::built).collect();
    Ok(Value::List(List::Built(pieces)))
}

fn join<'a>(at: usize, list: &List<'_>, by: &str, meter: &mut Meter) -> Answer<'a> {
    let mut joined = String::new();
    for place in 0..list.len() {
        let item = list.get(place).unwrap_or(Value::Null);
        let Value::Text(text) = &item else {
            return fault(at, format!("`join` needs a list of texts, and item {place} is {}", item.kind()));
        };
        meter.spend(at, 1)?;
        meter.spend_bytes(at, text.as_str().len() + by.len())?;
        if place > 0 {
            joined.push_str(by);
        }
        joined.push_str(text.as_str());
    }
    Ok(Value::built(joined))
}

/// Counts characters, not bytes.
fn substring<'a>(at: usize, text: &Text<'_>, from: i128, to: Option<i128>) -> Answer<'a> {
    let text = text.as_str();
    let length = text.chars().count() as i128;
    let to = to.unwrap_or(length);
    if !(0..=to).contains(&from) || to > length {
        return fault(at, format!("there are no characters {from} to {to} in a text of {length}"));
    }
    // Both lie between 0 and the length.
    let (from, to) = (from as usize, to as usize);
    Ok(Value::built(text.chars().skip(from).take(to - from).collect::<String>()))
}

fn to_int<'a>(at: usize, value: &Value<'_>) -> Answer<'a> {
    match value {
        Value::Int(value) => Ok(Value::Int(*value)),
        Value::Double(value) if value.is_finite() && value.abs() <= WHOLE_MAX => {
            integer(at, Some(value.trunc() as i128))
        }
        Value::Text(text) => match text.as_str().parse::<i128>() {
            Ok(value) if INTEGERS.contains(&value) => Ok(Value::Int(value)),
            _ => fault(at, format!("`{}` is no integer", shortened(text.as_str()))),
        },
        other => fault(at, format!("{} is no integer", other.kind())),
    }
}

fn to_double<'a>(at: usize, value: &Value<'_>) -> Answer<'a> {
    match value {
        Value::Text(text) => match text.as_str().parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Value::Double(value)),
            _ => fault(at, format!("`{}` is no number", shortened(text.as_str()))),
        },
        other => match number(other) {
            Some(value) => Ok(Value::Double(value)),
            None => fault(at, format!("{} is no number", other.kind())),
        },
    }
}

//! What the generators call what the contract names. `tests/fresh.rs` looks each name up in the bindings.

/// One name in each language.
pub(crate) struct Names {
    pub(crate) rust: String,
    pub(crate) javascript: String,
    pub(crate) python: String,
    pub(crate) go: String,
    pub(crate) c: String,
}

impl Names {
    pub(crate) fn of_type(interface: &str, name: &str) -> Self {
        Self {
            rust: pascal(name),
            javascript: pascal(name),
            python: pascal(name),
            go: pascal(name),
            c: format!("weir_plugin_{}_{}_t", snake(interface), snake(name)),
        }
    }

    pub(crate) fn of_field(name: &str) -> Self {
        Self { rust: snake(name), javascript: camel(name), python: snake(name), go: pascal(name), c: snake(name) }
    }

    pub(crate) fn of_enum_case(interface: &str, owner: &str, name: &str) -> Self {
        Self {
            rust: pascal(name),
            javascript: format!("\"{name}\""),
            python: snake(name).to_uppercase(),
            go: format!("{}_{}", pascal(owner), pascal(name)),
            c: constant(interface, owner, name),
        }
    }

    pub(crate) fn of_variant_case(interface: &str, owner: &str, name: &str) -> Self {
        Self {
            rust: pascal(name),
            javascript: format!("tag: \"{name}\""),
            python: format!("{}_{}", pascal(owner), pascal(name)),
            go: format!("Make{}{}", pascal(owner), pascal(name)),
            c: constant(interface, owner, name),
        }
    }

    pub(crate) fn of_function(interface: &str, name: &str) -> Self {
        Self {
            rust: snake(name),
            javascript: camel(name),
            python: snake(name),
            go: pascal(name),
            c: format!("weir_plugin_{}_{}", snake(interface), snake(name)),
        }
    }
}

fn constant(interface: &str, owner: &str, name: &str) -> String {
    format!("weir_plugin_{}_{}_{}", snake(interface), snake(owner), snake(name)).to_uppercase()
}

pub(crate) fn snake(name: &str) -> String {
    name.replace('-', "_")
}

pub(crate) fn pascal(name: &str) -> String {
    name.split('-').map(capital).collect()
}

pub(crate) fn camel(name: &str) -> String {
    let (first, rest) = name.split_once('-').unwrap_or((name, ""));
    format!("{first}{}", pascal(rest))
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

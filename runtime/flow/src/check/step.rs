use written::yaml::{Place, Yaml, YamlKind, list, suggest};

use super::fields::Fields;
use super::{Checker, is_name, settled};
use crate::cel::Names;
use crate::{ActionInfo, Expect, PluginName, Retry, Set, Step, StepKind, With};

const KINDS: [&str; 3] = ["mapper", "set", "action"];
/// What may be said of one kind of step only.
const PARTS: [(&str, &[&str]); 5] = [
    ("options", &["mapper"]),
    ("connection", &["action"]),
    ("with", &["action"]),
    ("retry", &["mapper", "action"]),
    ("timeout", &["mapper", "action"]),
];

/// Words that CEL keeps for itself, so that `steps.WORD` could not be written.
const RESERVED: [&str; 18] = [
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
    "null", "package", "true", "var", "while",
];

impl Checker<'_> {
    /// The id of a step, or nothing: the step itself says what is wrong with it.
    pub(super) fn step_id(&mut self, yaml: &Yaml) -> String {
        let YamlKind::Map(entries) = &yaml.kind else { return String::new() };
        match entries.iter().find(|entry| entry.key == "id").map(|entry| &entry.value.kind) {
            Some(YamlKind::Scalar(scalar)) => scalar.text.clone(),
            _ => String::new(),
        }
    }

    /// The step at `place`; `ids` are those of all steps.
    pub(super) fn step(&mut self, yaml: &Yaml, place: usize, ids: &[String]) -> Option<Step> {
        let mut fields = self.fields(yaml, "a step")?;
        let names = Names { ended: &ids[..place], all: ids };
        let id =
            self.required(&mut fields, "id", "add `id: NAME`").and_then(|yaml| self.checked_id(yaml, &ids[..place]));
        let when = fields.get("when").map(|yaml| self.condition(yaml, "`when`", names));
        let kind = self.kind(&mut fields, names);
        let expect = fields.get("expect").map(|yaml| self.expect(yaml));
        let retry = fields.get("retry").map(|yaml| self.retry(yaml));
        let timeout = fields.get("timeout").map(|yaml| self.duration(yaml, "`timeout`"));
        self.finish(fields);
        Some(Step {
            id: id?,
            after: place.checked_sub(1).into_iter().collect(),
            when: settled(when)?,
            kind: kind?,
            expect: settled(expect)?,
            retry: settled(retry)?.unwrap_or_default(),
            timeout: settled(timeout)?,
        })
    }

    fn checked_id(&mut self, yaml: &Yaml, before: &[String]) -> Option<String> {
        let id = self.text(yaml, "`id`")?;
        let fits = id.len() <= 64
            && id.starts_with(|first: char| first.is_ascii_alphabetic())
            && id.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        if !fits || RESERVED.contains(&id) {
            let fix = format!("use letters, digits and `_`, so that `steps.{}.output` can be written", identifier(id));
            return self.refuse(yaml.place, format!("`{id}` is no id for a step"), Some(fix));
        }
        if before.iter().any(|known| known == id) {
            let fix = Some("give every step an id of its own".to_owned());
            return self.refuse(yaml.place, format!("the id `{id}` occurs twice"), fix);
        }
        Some(id.to_owned())
    }

    fn kind(&mut self, fields: &mut Fields<'_>, names: Names<'_>) -> Option<StepKind> {
        let written: Vec<_> = KINDS.into_iter().filter(|kind| fields.has(kind)).collect();
        let [kind] = written.as_slice() else {
            let message = match written.as_slice() {
                [] => "a step needs one of `mapper`, `set` and `action`".to_owned(),
                several => format!("a step cannot have {}", list(several)),
            };
            for key in KINDS.into_iter().chain(PARTS.map(|(part, _)| part)) {
                fields.get(key);
            }
            let fix = (written.len() > 1).then(|| "make them steps of their own".to_owned());
            return self.refuse(fields.place, message, fix);
        };
        for (part, kinds) in PARTS {
            if !kinds.contains(kind) && fields.has(part) {
                let place = fields.get(part).map_or(fields.place, |yaml| yaml.place);
                self.problems.add(place, format!("`{part}` has no meaning beside `{kind}`"), "leave it out".to_owned());
            }
        }
        let yaml = KINDS.into_iter().filter_map(|kind| fields.get(kind)).next()?;
        match *kind {
            "mapper" => self.mapper(yaml, fields),
            "set" => match &yaml.kind {
                YamlKind::Map(_) => self.template(yaml, names).map(Set).map(StepKind::Set),
                _ => self.refuse(yaml.place, format!("`set` is a map of fields, not {}", yaml.kind_name()), None),
            },
            _ => self.action(yaml, fields, names),
        }
    }

    fn mapper(&mut self, yaml: &Yaml, fields: &mut Fields<'_>) -> Option<StepKind> {
        let options = fields.get("options");
        let text = self.text(yaml, "`mapper`")?;
        let plugin = self.plugin(yaml.place, text, "")?;
        let Some(info) = self.catalogue.mapper(&plugin) else {
            return self.missing_plugin(yaml.place, &plugin, "is no mapper");
        };
        let given = options.map_or_else(|| serde_json::json!({}), Yaml::to_json);
        if let Some(schema) = &info.options
            && let Ok(expect) = Expect::new(schema)
            && let Err(faults) = expect.check_value(&given)
        {
            let place = options.map_or(yaml.place, |options| options.place);
            for fault in faults {
                let message = format!("`options{}`: {}", fault.pointer.replace('/', "."), fault.message);
                self.problems.add(place, message, format!("see what `{plugin}` takes: `weir plugin inspect`"));
            }
        }
        Some(StepKind::Mapper { plugin, options: given.to_string().into() })
    }

    fn action(&mut self, yaml: &Yaml, fields: &mut Fields<'_>, names: Names<'_>) -> Option<StepKind> {
        let with = fields.get("with").map(|yaml| self.template(yaml, names).map(With));
        let connection = fields.get("connection");
        let named = self.named_action(yaml);
        let plugin = named.as_ref().map(|(plugin, ..)| plugin);
        let connection = connection.map(|yaml| self.connection(yaml, plugin));
        let (plugin, action, ActionInfo { effect, key_lifetime }) = named?;
        Some(StepKind::Action {
            plugin,
            action,
            connection: settled(connection)?,
            with: settled(with)?,
            effect,
            key_lifetime,
        })
    }

    fn named_action(&mut self, yaml: &Yaml) -> Option<(PluginName, String, ActionInfo)> {
        let text = self.text(yaml, "`action`")?;
        let Some((name, action)) = text.split_once('.').filter(|(_, action)| is_name(action)) else {
            let fix = "write `PLUGIN@MAJOR.ACTION`, such as `crm@1.create-contact`".to_owned();
            return self.refuse(yaml.place, format!("`{text}` names no action"), Some(fix));
        };
        let plugin = self.plugin(yaml.place, name, &format!(".{action}"))?;
        if let Some(info) = self.catalogue.action(&plugin, action) {
            return Some((plugin, action.to_owned(), info));
        }
        let actions = self.catalogue.actions(&plugin);
        if actions.is_empty() {
            return self.missing_plugin(yaml.place, &plugin, "offers no actions");
        }
        self.refuse(yaml.place, format!("plugin `{plugin}` has no action `{action}`"), suggest(action, &actions))
    }

    /// `NAME@MAJOR`. `behind` is what follows it in the file.
    fn plugin(&mut self, place: Place, text: &str, behind: &str) -> Option<PluginName> {
        let plugins = self.catalogue.plugins();
        let Some((name, major)) = text.split_once('@') else {
            let known: Vec<_> = plugins.iter().filter(|plugin| plugin.name == text).collect();
            let fix = match known.as_slice() {
                [] if plugins.is_empty() => format!("write `{text}@1{behind}`"),
                [] => suggest(text, &plugins.iter().map(PluginName::to_string).collect::<Vec<_>>()).unwrap_or_default(),
                known => format!(
                    "write {}",
                    known.iter().map(|plugin| format!("`{plugin}{behind}`")).collect::<Vec<_>>().join(" or ")
                ),
            };
            return self.refuse(place, format!("`{text}` lacks its major version"), Some(fix));
        };
        match major.parse() {
            Ok(major) if is_name(name) => Some(PluginName { name: name.to_owned(), major }),
            _ => {
                let fix = "write a name and a major version, such as `crm@1`".to_owned();
                self.refuse(place, format!("`{text}` names no plugin"), Some(fix))
            }
        }
    }

    /// `lacks` is said of a plugin that is installed.
    fn missing_plugin<T>(&mut self, place: Place, plugin: &PluginName, lacks: &str) -> Option<T> {
        let plugins = self.catalogue.plugins();
        if plugins.contains(plugin) {
            return self.refuse(place, format!("plugin `{plugin}` {lacks}"), None);
        }
        let installed: Vec<_> = plugins.iter().map(PluginName::to_string).collect();
        let fix = suggest(&plugin.to_string(), &installed);
        let fix = fix.unwrap_or_else(|| "install it with `weir install FILE`".to_owned());
        self.refuse(place, format!("plugin `{plugin}` is not installed"), Some(fix))
    }

    fn connection(&mut self, yaml: &Yaml, plugin: Option<&PluginName>) -> Option<String> {
        let name = self.text(yaml, "`connection`")?;
        let Some(info) = self.catalogue.connection(name) else {
            let fix = suggest(name, &self.catalogue.connections());
            let fix = fix.unwrap_or_else(|| format!("add `[connection.{name}]` to connections.toml"));
            return self.refuse(yaml.place, format!("there is no connection `{name}`"), Some(fix));
        };
        if let (Some(plugin), Some(allowed)) = (plugin, &info.plugins)
            && !allowed.contains(&plugin.name)
        {
            let message = format!("plugin `{}` may not use connection `{name}`", plugin.name);
            let fix = format!("add it to `plugins` of `[connection.{name}]`");
            return self.refuse(yaml.place, message, Some(fix));
        }
        Some(name.to_owned())
    }

    fn retry(&mut self, yaml: &Yaml) -> Option<Retry> {
        let mut fields = self.fields(yaml, "`retry`")?;
        let attempts = fields.get("attempts").map(|yaml| self.count(yaml, "`attempts`"));
        let within = fields.get("within").map(|yaml| self.duration(yaml, "`within`"));
        let first = fields.get("first").map(|yaml| self.duration(yaml, "`first`"));
        let max = fields.get("max").map(|yaml| self.duration(yaml, "`max`"));
        let place = fields.place;
        self.finish(fields);
        let default = Retry::default();
        let first = settled(first)?.unwrap_or(default.first);
        let longest = settled(max)?;
        if longest.is_some_and(|max| max < first) {
            let message = "the longest wait, `max`, is shorter than the first".to_owned();
            return self.refuse(place, message, Some("raise `max` or lower `first`".to_owned()));
        }
        Some(Retry {
            attempts: settled(attempts)?.unwrap_or(default.attempts),
            within: settled(within)?.unwrap_or(default.within),
            first,
            max: longest.unwrap_or(default.max.max(first)),
        })
    }

    /// A schema, or the path of a file with one.
    fn expect(&mut self, yaml: &Yaml) -> Option<Expect> {
        let schema = match &yaml.kind {
            YamlKind::Map(_) => yaml.to_json(),
            _ => {
                let path = self.text(yaml, "`expect`")?;
                let content = self.file(yaml.place, path)?;
                match serde_json::from_str(&content) {
                    Ok(schema) => schema,
                    Err(fault) => return self.refuse(yaml.place, format!("`{path}` is not valid JSON: {fault}"), None),
                }
            }
        };
        Expect::new(&schema)
            .map_or_else(|why| self.refuse(yaml.place, format!("this is no JSON Schema: {why}"), None), Some)
    }

    fn file(&mut self, place: Place, path: &str) -> Option<String> {
        if path.starts_with('/') || path.split(['/', '\\']).any(|segment| segment == "..") {
            let fix = "give its path below the project's folder".to_owned();
            return self.refuse(place, format!("`{path}` lies outside of the project"), Some(fix));
        }
        match (self.files)(path) {
            Some(content) => {
                self.read.insert(path.to_owned(), content.clone());
                Some(content)
            }
            None => {
                let fix = "paths count from the project's folder".to_owned();
                self.refuse(place, format!("there is no file `{path}`"), Some(fix))
            }
        }
    }
}

/// What could be an id.
fn identifier(text: &str) -> String {
    let id: String = text
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '_' })
        .take(64)
        .collect();
    if RESERVED.contains(&id.as_str()) || !id.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return format!("s_{id}");
    }
    id
}

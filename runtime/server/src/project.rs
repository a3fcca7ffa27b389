//! Reads a project: `weir.toml`, `plugins.toml`, `connections.toml`, `flows/`. Every fault in every file is found before
//! anything is done. A file that is not there says nothing, so that an empty folder is a project too.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capability::{Grant, GrantText, HttpRuleText};
use connection::{Credential, SecretRef};
use flow::Flow;
use manifest::Manifest;
use model::Origin;
use serde_json::Value;
use written::{Key, Written};

use crate::catalogue::{Catalogue, Faulty, Unfinished};
use crate::settings::{ConnectionSettings, PluginSettings, Settings, Table, limits};
use crate::shape;

/// The bytes of the largest component that is read; the host has the same limit.
pub const COMPONENT_BYTES_MAX: u64 = 32 << 20;

/// The flow of a project without flows: everything that comes is kept and can be looked at.
const INBOX: &str = "\
flow: inbox
description: Takes every event and keeps it
owner: operator@example.com
source:
  webhook: { path: /*, methods: [POST, PUT], verify: none, decode: bytes }
  dedupe: none
steps: []
";

/// Everything that a folder says.
#[derive(Clone, Debug)]
pub struct Project {
    /// The folder.
    pub root: PathBuf,
    /// `weir.toml`.
    pub settings: Settings,
    /// `plugins.toml`, with what the components say of themselves.
    pub plugins: Vec<ProjectPlugin>,
    /// `connections.toml`.
    pub connections: Vec<ConnectionSettings>,
    /// Where secrets are that flows name, as far as `connections.toml` says.
    pub secrets: BTreeMap<String, SecretRef>,
    /// The checked flows.
    pub flows: Vec<Flow>,
    /// What flows may name.
    pub catalogue: Arc<Catalogue>,
    /// Whether it is run by whoever writes its plugins.
    pub development: Option<Development>,
}

/// What is different for whoever writes plugins: those that are built from their project's folder are granted what they ask
/// for, and may run as programs of this machine.
#[derive(Clone)]
pub struct Development(Arc<ProgramOf>);

/// What runs the plugin whose project is in a folder.
type ProgramOf = dyn Fn(&Path) -> Option<host::Program> + Send + Sync;

impl Development {
    /// `program` gives what runs the plugin whose project is in a folder; none: its component does.
    pub fn new(program: impl Fn(&Path) -> Option<host::Program> + Send + Sync + 'static) -> Self {
        Self(Arc::new(program))
    }
}

impl fmt::Debug for Development {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Development")
    }
}

/// A plugin and what its component says of itself.
#[derive(Clone, Debug)]
pub struct ProjectPlugin {
    /// What the operator says.
    pub settings: PluginSettings,
    /// What the component says.
    pub manifest: Manifest,
    /// What runs it in the component's place.
    pub program: Option<host::Program>,
}

/// One fault of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblem {
    /// The file, relative to the project.
    pub file: PathBuf,
    /// Counts from 1.
    pub line: usize,
    /// Counts from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: Option<String>,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.message)?;
        self.fix.as_ref().map_or(Ok(()), |fix| write!(f, "; {fix}"))
    }
}

impl Project {
    /// Reads the project in a folder.
    ///
    /// # Errors
    /// Every fault of every file.
    pub fn read(root: &Path) -> Result<Self, Vec<FileProblem>> {
        Self::read_as(root, None)
    }

    fn read_as(root: &Path, development: Option<&Development>) -> Result<Self, Vec<FileProblem>> {
        let mut reader = Reader { development, ..Reader::new(root) };
        let settings = reader.settings();
        let plugins = reader.plugins();
        let (connections, secrets) = reader.connections();
        let catalogue = Arc::new(Catalogue::new(&plugins, &connections));
        let flows = reader.flows(&catalogue);
        if !reader.problems.is_empty() {
            return Err(in_their_order(reader.problems));
        }
        let (root, development) = (root.to_owned(), development.cloned());
        Ok(Self { root, settings, plugins, connections, secrets, flows, catalogue, development })
    }

    /// The same for whoever writes plugins.
    ///
    /// # Errors
    /// Every fault of every file.
    pub fn read_for_development(root: &Path, development: &Development) -> Result<Self, Vec<FileProblem>> {
        let mut project = Self::read_as(root, Some(development))?;
        for plugin in project.plugins.iter_mut().filter(|plugin| plugin.settings.project.is_some()) {
            let asks = plugin.manifest.http.iter().map(|ask| HttpRuleText {
                origin: ask.origin.clone(),
                methods: ask.methods.clone(),
                paths: ask.paths.clone(),
            });
            plugin.settings.grant.http.extend(asks);
        }
        Ok(project)
    }

    /// The folders of projects that `plugins.toml` names, as far as it can be read.
    pub fn plugin_folders(root: &Path) -> Vec<PathBuf> {
        let written = Reader::new(root).toml("plugins.toml", shape::PLUGINS);
        let plugins = written.as_ref().and_then(|written| written.value.get("plugin")?.as_object());
        let sources = plugins.into_iter().flatten().filter_map(|(_, plugin)| plugin.get("source")?.as_str());
        sources.map(|source| root.join(source)).filter(|source| source.is_dir()).collect()
    }

    /// Reads `weir.toml` alone: all that is needed to find the Weir that runs here, whatever the other files say.
    ///
    /// # Errors
    /// Every fault of it.
    pub fn read_settings(root: &Path) -> Result<Settings, Vec<FileProblem>> {
        let mut reader = Reader::new(root);
        let settings = reader.settings();
        if reader.problems.is_empty() { Ok(settings) } else { Err(in_their_order(reader.problems)) }
    }
}

/// A fault, and what to do about it.
type Told = (String, String);

struct Reader<'a> {
    root: &'a Path,
    development: Option<&'a Development>,
    problems: Vec<FileProblem>,
    faulty_plugins: Faulty,
    faulty_connections: Faulty,
}

impl<'a> Reader<'a> {
    fn new(root: &'a Path) -> Self {
        let (faulty_plugins, faulty_connections) = Default::default();
        Self { root, development: None, problems: Vec::new(), faulty_plugins, faulty_connections }
    }

    fn settings(&mut self) -> Settings {
        const FILE: &str = "weir.toml";
        let default = Settings { data: self.root.join("data"), ..Settings::default() };
        let Some(written) = self.toml(FILE, shape::WEIR) else { return default };
        let Some(table) = written.value.as_object().map(Table) else { return default };
        let (ingress, data) = (table.table("ingress"), table.table("data"));
        let listen = ingress.text("listen").map(|text| {
            text.parse().unwrap_or_else(|_| {
                let message = format!("`{text}` is not an address and a port");
                self.add(FILE, &written, &["ingress", "listen"], message, "write one such as `127.0.0.1:8080`");
                default.listen
            })
        });
        let tls = ingress.table("tls");
        let file = |text: &str| self.root.join(text);
        Settings {
            listen: listen.unwrap_or(default.listen),
            tls: tls.text("certificate").map(file).zip(tls.text("key").map(file)),
            body_bytes_max: ingress.size("body").map_or(default.body_bytes_max, |bytes| bytes as usize),
            connections_max: ingress.count("connections").map_or(default.connections_max, |count| count as usize),
            data: data.text("folder").map_or(default.data, file),
            retention: data.duration("retention").unwrap_or(default.retention),
            retention_bytes: data.size("retention_size").unwrap_or(default.retention_bytes),
            master_key: self.typed(FILE, &written, &["secrets", "key"], &table.table("secrets"), "key"),
            roots: table.table("egress").texts("roots").iter().map(|text| file(text)).collect(),
        }
    }

    fn plugins(&mut self) -> Vec<ProjectPlugin> {
        const FILE: &str = "plugins.toml";
        let known = self.problems.len();
        let Some(written) = self.toml(FILE, shape::PLUGINS) else {
            if self.problems.len() > known {
                self.faulty_plugins = Faulty::Anything;
            }
            return Vec::new();
        };
        let mut plugins = Vec::new();
        for (name, value) in written.value.get("plugin").and_then(Value::as_object).into_iter().flatten() {
            let Some(table) = value.as_object().map(Table) else { continue };
            match self.plugin(FILE, &written, name, &table) {
                Some(plugin) => plugins.push(plugin),
                None => self.faulty_plugins.add(name),
            }
        }
        plugins
    }

    fn plugin(&mut self, file: &str, written: &Written, name: &str, table: &Table<'_>) -> Option<ProjectPlugin> {
        let path = ["plugin", name, "grant"];
        let grant: GrantText = self.typed(file, written, &path, table, "grant").unwrap_or_default();
        if let Err(faults) = Grant::parse(name, &grant) {
            for fault in faults.0 {
                self.add(file, written, &path, fault, "mend the grant");
            }
        }
        let named = self.root.join(table.text("source")?);
        let project = named.is_dir().then(|| named.clone());
        let found = match &project {
            None => component_of(&named, None).map(|manifest| (named, manifest, None)),
            Some(folder) => self.in_folder(folder),
        };
        match found {
            Ok((source, manifest, program)) => {
                let limits = limits(&table.table("limits"));
                let settings = PluginSettings { name: name.to_owned(), source, project, grant, limits };
                Some(ProjectPlugin { settings, manifest, program })
            }
            Err((message, fix)) => {
                self.add(file, written, &["plugin", name, "source"], message, &fix);
                None
            }
        }
    }

    /// What is in a plugin's folder: its component, what it says of itself, and what runs in its place.
    fn in_folder(&self, folder: &Path) -> Result<(PathBuf, Manifest, Option<host::Program>), Told> {
        let written = manifest_of(folder).map_err(|message| {
            (message, format!("`weir plugin build {}` tells what is wrong with it", folder.display()))
        })?;
        let source = folder.join(format!("{}.wasm", written.id));
        let program = self.development.and_then(|development| development.0(folder));
        let manifest = if program.is_some() { written } else { component_of(&source, Some(folder))? };
        Ok((source, manifest, program))
    }

    fn connections(&mut self) -> (Vec<ConnectionSettings>, BTreeMap<String, SecretRef>) {
        const FILE: &str = "connections.toml";
        let known = self.problems.len();
        let Some(written) = self.toml(FILE, shape::CONNECTIONS) else {
            if self.problems.len() > known {
                self.faulty_connections = Faulty::Anything;
            }
            return Default::default();
        };
        let named = |key| written.value.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
        let secret_table = named("secret");
        let secret = |name: &String| {
            let read = self.typed(FILE, &written, &["secret", name], &Table(&secret_table), name);
            read.map(|reference| (name.clone(), reference))
        };
        let secrets = secret_table.keys().filter_map(secret).collect();
        let connections = named("connection")
            .iter()
            .filter_map(|(name, value)| {
                let connection = self.connection(FILE, &written, name, &Table(value.as_object()?));
                if !is_sound(&written, &["connection", name]) {
                    self.faulty_connections.add(name);
                }
                self.check_connection(FILE, &written, &connection);
                Some(connection)
            })
            .collect();
        (connections, secrets)
    }

    fn connection(&mut self, file: &str, written: &Written, name: &str, table: &Table<'_>) -> ConnectionSettings {
        let path = |key| ["connection", name, key];
        ConnectionSettings {
            name: name.to_owned(),
            owner: table.text("owner").unwrap_or_default().to_owned(),
            plugins: table.texts("plugins"),
            base_url: table.text("base_url").map(str::to_owned),
            origins: table.texts("origins"),
            account: table.text("account").map(str::to_owned),
            settings: table.0.get("settings").cloned().unwrap_or_else(|| Value::Object(serde_json::Map::new())),
            credential: self.typed(file, written, &path("credential"), table, "credential").unwrap_or(Credential::None),
            named: self.typed(file, written, &path("named"), table, "named").unwrap_or_default(),
        }
    }

    /// What stands under a key as its type. What has the right shape and still means nothing is a fault, never a default:
    /// a credential that is left out without a word would be worse than none. What has the wrong shape has been told.
    fn typed<T: serde::de::DeserializeOwned>(
        &mut self,
        file: &str,
        written: &Written,
        path: &[&str],
        table: &Table<'_>,
        key: &str,
    ) -> Option<T> {
        match serde_json::from_value(table.0.get(key)?.clone()) {
            Ok(value) => Some(value),
            Err(_) if !is_sound(written, path) => None,
            Err(error) => {
                self.add(file, written, path, error.to_string(), "write it as in the files of `weir init`");
                None
            }
        }
    }

    fn check_connection(&mut self, file: &str, written: &Written, connection: &ConnectionSettings) {
        let name = connection.name.as_str();
        if let Some(url) = &connection.base_url
            && let Err(message) = base_origin(url)
        {
            let fix = "write one such as `https://api.example.com/crm`";
            self.add(file, written, &["connection", name, "base_url"], message, fix);
        }
        for origin in &connection.origins {
            if let Err(error) = origin.parse::<Origin>() {
                let fix = "write one such as `https://api.example.com`";
                self.add(file, written, &["connection", name, "origins"], error.to_string(), fix);
            }
        }
        if !connection.settings.is_object() {
            let message = "the settings are not a table".to_owned();
            self.add(
                file,
                written,
                &["connection", name, "settings"],
                message,
                "write `{ tenant = \"acme\" }` or the like",
            );
        }
    }

    fn flows(&mut self, catalogue: &Catalogue) -> Vec<Flow> {
        let folder = self.root.join("flows");
        let mut files = match fs::read_dir(&folder) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_flow(path)).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                self.unreadable(Path::new("flows"), &error);
                return Vec::new();
            }
        };
        files.sort();
        if files.is_empty() {
            return self.flow(Path::new("inbox.yaml"), INBOX, catalogue).into_iter().collect();
        }
        let mut flows = Vec::new();
        for file in files {
            let relative = file.strip_prefix(self.root).unwrap_or(&file).to_owned();
            match fs::read_to_string(&file) {
                Ok(text) => flows.extend(self.flow(&relative, &text, catalogue)),
                Err(error) => self.unreadable(&relative, &error),
            }
        }
        self.check_sources(&flows);
        flows
    }

    fn flow(&mut self, file: &Path, text: &str, catalogue: &Catalogue) -> Option<Flow> {
        let name = file.file_stem()?.to_str()?.to_owned();
        let root = self.root;
        let read_schema = |path: &str| inside(root, path).and_then(|path| fs::read_to_string(path).ok());
        let (plugins, connections) = (&self.faulty_plugins, &self.faulty_connections);
        let catalogue = Unfinished { known: catalogue, plugins, connections };
        match flow::check(&name, text, &read_schema, &catalogue) {
            Ok(flow) => Some(flow),
            Err(problems) => {
                self.problems.extend(problems.into_iter().map(|problem| FileProblem {
                    file: file.to_owned(),
                    line: problem.line,
                    column: problem.column,
                    message: problem.message,
                    fix: problem.fix,
                }));
                None
            }
        }
    }

    /// Flows that listen to one path share the way in, so they must say the same of it.
    fn check_sources(&mut self, flows: &[Flow]) {
        for (index, flow) in flows.iter().enumerate() {
            let same = |other: &&Flow| other.source.name() == flow.source.name();
            let Some(first) = flows[..index].iter().find(same) else { continue };
            let flow::SourceKind::Webhook(one) = &flow.source.kind else { continue };
            let flow::SourceKind::Webhook(other) = &first.source.kind else { continue };
            if one != other {
                self.problems.push(FileProblem {
                    file: PathBuf::from(format!("flows/{}.yaml", flow.name)),
                    line: 1,
                    column: 1,
                    message: format!("flow `{}` listens to `{}` too and says other things of it", first.name, one.path),
                    fix: Some("write the same `webhook` in both, or choose another path".to_owned()),
                });
            }
        }
    }

    /// Reads a file against its shape, and notes its faults. None: it is not there, or cannot be read at all.
    fn toml(&mut self, file: &str, keys: &[Key]) -> Option<Written> {
        let text = match fs::read_to_string(self.root.join(file)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                self.unreadable(Path::new(file), &error);
                return None;
            }
        };
        let (written, problems) = written::read_partly(&text, keys, &|_| None);
        self.problems.extend(problems.into_iter().map(|problem| file_problem(file, problem)));
        written
    }

    fn add(&mut self, file: &str, written: &Written, path: &[&str], message: String, fix: &str) {
        let path: Vec<_> = path.iter().map(|part| (*part).to_owned()).collect();
        self.problems.push(file_problem(file, written.problem(&path, message, fix)));
    }

    fn unreadable(&mut self, file: &Path, error: &io::Error) {
        self.problems.push(FileProblem {
            file: file.to_owned(),
            line: 1,
            column: 1,
            message: format!("cannot be read: {error}"),
            fix: Some("make it readable for the user that runs Weir".to_owned()),
        });
    }
}

/// File by file, from the top of each to its end: faults of shape are found before those of meaning.
fn in_their_order(mut problems: Vec<FileProblem>) -> Vec<FileProblem> {
    let mut files: Vec<PathBuf> = Vec::new();
    for problem in &problems {
        if !files.contains(&problem.file) {
            files.push(problem.file.clone());
        }
    }
    let place = |file: &PathBuf| files.iter().position(|known| known == file);
    problems.sort_by_key(|problem| (place(&problem.file), problem.line, problem.column));
    problems
}

fn is_sound(written: &Written, path: &[&str]) -> bool {
    let path: Vec<_> = path.iter().map(|part| (*part).to_owned()).collect();
    written.is_sound(&path)
}

/// The origin of a base URL.
pub(crate) fn base_origin(url: &str) -> Result<Origin, String> {
    let authority_end = url.find("://").map_or(0, |scheme| scheme + 3);
    let path = url[authority_end..].find('/').map_or(url.len(), |slash| authority_end + slash);
    url[..path].parse::<Origin>().map_err(|error| error.to_string())
}

/// A component's bytes, its size judged before anything is read.
pub fn read_component(file: &Path) -> io::Result<Vec<u8>> {
    let bytes = fs::metadata(file)?.len();
    if bytes > COMPONENT_BYTES_MAX {
        let reason = format!("it has {bytes} bytes; at most {COMPONENT_BYTES_MAX} are taken");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    fs::read(file)
}

/// What a component says of itself. `project` is the folder that it is built from.
fn component_of(source: &Path, project: Option<&Path>) -> Result<Manifest, Told> {
    let component = read_component(source).map_err(|error| {
        let fix = match project {
            Some(folder) => format!("build it: weir plugin build {}", folder.display()),
            None => "build it, or write where it is".to_owned(),
        };
        (format!("component `{}` cannot be read: {error}", source.display()), fix)
    })?;
    manifest::extract(&component).map_err(|error| {
        let message = format!("component `{}`: {}", source.display(), chain(&error));
        (message, "build it with its manifest for this version of Weir".to_owned())
    })
}

/// What a plugin's project says of the plugin. The component that is built of it lies there as `ID.wasm`.
fn manifest_of(folder: &Path) -> Result<Manifest, String> {
    let unreadable = |why: &str| format!("the manifest of `{}` cannot be read: {why}", folder.display());
    let text = fs::read_to_string(folder.join("weir-plugin.toml")).map_err(|error| unreadable(&error.to_string()))?;
    let read = |path: &str| fs::read_to_string(folder.join(path)).ok();
    Manifest::from_toml(&text, &read).map_err(|_| unreadable("it has faults"))
}

fn is_flow(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
}

/// A path below the root; none if it leads out of it.
fn inside(root: &Path, path: &str) -> Option<PathBuf> {
    let parts = Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    parts.then(|| root.join(path))
}

fn file_problem(file: &str, problem: written::Problem) -> FileProblem {
    FileProblem {
        file: PathBuf::from(file),
        line: problem.line,
        column: problem.column,
        message: problem.message,
        fix: Some(problem.fix),
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

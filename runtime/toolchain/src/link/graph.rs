//! What a component instantiates, and where each core item comes from. Only what is at its top level.

use std::ops::Range;

use wasmparser::{CanonicalFunction, CanonicalOption, ComponentAlias, ExternalKind, Instance, Parser, Payload};

/// A core instance.
#[derive(Debug)]
pub(super) enum Instantiated {
    /// Of a module, with instances as arguments.
    Module { module: usize, arguments: Vec<(String, usize)> },
    /// A bundle of items that are there.
    Bundle(Vec<(String, ExternalKind, usize)>),
}

/// Where a core item comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// An export of an instance.
    Export { instance: usize, name: String },
    /// The component itself, of what it imports.
    Component,
}

/// Where an export is found.
pub(super) struct Origin<'a> {
    /// The instance of a module that has it, and its name there; none if the component made it of what it imports.
    pub(super) export: Option<(usize, &'a str)>,
    /// The function of the component that it is, if it has a number there.
    pub(super) function: Option<usize>,
}

/// The core side of a component.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Where each module's bytes lie.
    pub(super) modules: Vec<Range<usize>>,
    /// Where those of each component within lie.
    pub(super) components: Vec<Range<usize>>,
    pub(super) instances: Vec<Instantiated>,
    items: [Vec<Source>; 4],
    /// Items that the component itself uses: as functions that it lifts, as memories that it reads.
    pub(super) used: Vec<(ExternalKind, usize)>,
}

/// The place of a kind among the four that libraries share; none for any other.
fn space(kind: ExternalKind) -> Option<usize> {
    match kind {
        ExternalKind::Func => Some(0),
        ExternalKind::Table => Some(1),
        ExternalKind::Memory => Some(2),
        ExternalKind::Global => Some(3),
        _ => None,
    }
}

impl Graph {
    pub(super) fn read(component: &[u8]) -> Result<Self, String> {
        let mut graph = Self::default();
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(|error| error.to_string())? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ModuleSection { unchecked_range: Range { start, end }, .. } if depth == 1 => {
                    graph.modules.push(start as usize..end as usize);
                }
                Payload::ComponentSection { unchecked_range: Range { start, end }, .. } if depth == 1 => {
                    graph.components.push(start as usize..end as usize);
                }
                Payload::InstanceSection(section) if depth == 1 => {
                    for instance in section {
                        graph.instances.push(instantiated(instance.map_err(|error| error.to_string())?));
                    }
                }
                Payload::ComponentAliasSection(section) if depth == 1 => {
                    for alias in section {
                        graph.alias(alias.map_err(|error| error.to_string())?);
                    }
                }
                Payload::ComponentCanonicalSection(section) if depth == 1 => {
                    for function in section {
                        graph.canonical(function.map_err(|error| error.to_string())?)?;
                    }
                }
                _ => {}
            }
        }
        Ok(graph)
    }

    fn alias(&mut self, alias: ComponentAlias<'_>) {
        if let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = alias
            && let Some(space) = space(kind)
        {
            self.items[space].push(Source::Export { instance: instance_index as usize, name: name.to_owned() });
        }
    }

    fn canonical(&mut self, function: CanonicalFunction) -> Result<(), String> {
        let options = match function {
            CanonicalFunction::Lift { core_func_index, options, .. } => {
                self.used.push((ExternalKind::Func, core_func_index as usize));
                options
            }
            CanonicalFunction::Lower { options, .. } => {
                self.items[0].push(Source::Component);
                options
            }
            CanonicalFunction::ResourceNew { .. }
            | CanonicalFunction::ResourceDrop { .. }
            | CanonicalFunction::ResourceRep { .. } => {
                self.items[0].push(Source::Component);
                return Ok(());
            }
            // They may use functions and memories in ways of their own.
            other => return Err(format!("what {other:?} uses is not known here")),
        };
        for option in options {
            match option {
                CanonicalOption::Memory(index) => self.used.push((ExternalKind::Memory, index as usize)),
                CanonicalOption::Realloc(index)
                | CanonicalOption::PostReturn(index)
                | CanonicalOption::Callback(index) => self.used.push((ExternalKind::Func, index as usize)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Every item with the number of its kind.
    pub(super) fn sources(&self) -> impl Iterator<Item = (u8, &Source)> {
        (0..).zip(&self.items).flat_map(|(kind, sources)| sources.iter().map(move |source| (kind, source)))
    }

    /// Where an item comes from.
    pub(super) fn item(&self, kind: ExternalKind, index: usize) -> Option<&Source> {
        self.items[space(kind)?].get(index)
    }

    /// Where what is imported under these names comes from, given the arguments of an instance.
    pub(super) fn import<'a>(
        &'a self,
        arguments: &[(String, usize)],
        module: &str,
        name: &'a str,
    ) -> Option<Origin<'a>> {
        let (_, instance) = arguments.iter().find(|(argument, _)| argument == module)?;
        self.origin(*instance, name)
    }

    /// Where an export of an instance comes from in the end.
    fn origin<'a>(&'a self, instance: usize, name: &'a str) -> Option<Origin<'a>> {
        match self.instances.get(instance)? {
            Instantiated::Module { .. } => Some(Origin { export: Some((instance, name)), function: None }),
            Instantiated::Bundle(items) => {
                let (_, kind, index) = items.iter().find(|(item, ..)| item == name)?;
                let export = match self.item(*kind, *index)? {
                    Source::Export { instance, name } => self.origin(*instance, name)?.export,
                    Source::Component => None,
                };
                Some(Origin { export, function: (*kind == ExternalKind::Func).then_some(*index) })
            }
        }
    }
}

fn instantiated(instance: Instance<'_>) -> Instantiated {
    match instance {
        Instance::Instantiate { module_index, args } => Instantiated::Module {
            module: module_index as usize,
            arguments: args.iter().map(|argument| (argument.name.to_owned(), argument.index as usize)).collect(),
        },
        Instance::FromExports(items) => Instantiated::Bundle(
            items.iter().map(|item| (item.name.to_owned(), item.kind, item.index as usize)).collect(),
        ),
    }
}

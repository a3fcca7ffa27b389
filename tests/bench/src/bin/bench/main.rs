//! Figures of Weir, each beside a control of the same run where there is one.

mod figures;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use bench::control::{self, Control};
use clap::{Parser, Subcommand};

use crate::figures::{Bench, Figure, Figures, GROUPS};

/// Measures Weir.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Options {
    #[command(subcommand)]
    command: Option<Serve>,
    /// The binary to measure.
    #[arg(long)]
    weir: Option<PathBuf>,
    /// The folder with the built plugins.
    #[arg(long)]
    plugins: Option<PathBuf>,
    /// Also write the figures as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Executions that are stored when `rate_with_history` measures the rate a second time: fewer to try the bench itself.
    #[arg(long, default_value_t = 1_000_000, hide = true)]
    history: u64,
    /// Which figures; all if none is named.
    names: Vec<String>,
}

#[derive(Subcommand)]
enum Serve {
    /// Serves a control, for the bench that started it.
    #[command(hide = true)]
    Control {
        which: Control,
        #[arg(long)]
        sink: SocketAddr,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if let Some(Serve::Control { which, sink }) = options.command {
        return Ok(control::serve(which, sink, |address| println!("{address}")).await?);
    }
    let known: Vec<&str> = GROUPS.iter().flat_map(|group| group.names).copied().collect();
    if let Some(unknown) = options.names.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("there is no figure `{unknown}`; there are: {}", known.join(", "));
    }
    let bench = Bench::new(
        options.weir.context("name the binary to measure with --weir")?,
        options.plugins.context("name the folder of the plugins with --plugins")?,
        options.history,
    )?;
    let wanted = |name: &str| options.names.is_empty() || options.names.iter().any(|wanted| wanted == name);
    let mut figures = Figures::new();
    for group in GROUPS.iter().filter(|group| group.names.iter().any(|name| wanted(name))) {
        eprintln!("measuring {} …", group.names.join(", "));
        figures.extend((group.measure)(&bench).await?);
    }
    figures.retain(|name, _| wanted(name.split('.').next().unwrap_or_default()));
    print_tables(&figures);
    if let Some(path) = options.json {
        let json = serde_json::to_string_pretty(&figures)?;
        std::fs::write(&path, json).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn print_tables(figures: &Figures) {
    let shown = |number: Option<f64>, digits| number.map_or(String::new(), |number| format!("{number:.digits$}"));
    let (languages, others): (Vec<_>, Vec<_>) = figures.iter().partition(|(name, _)| name.starts_with("languages."));
    if !others.is_empty() {
        println!("{:<26} {:>12} {:<10} {:>12} {:>7}", "figure", "value", "unit", "control", "ratio");
    }
    for (name, Figure { value, unit, control, ratio }) in others {
        println!("{name:<26} {value:>12.2} {unit:<10} {:>12} {:>7}", shown(*control, 2), shown(*ratio, 2));
    }
    let named = |name: &str| languages.iter().filter(|(key, _)| key.ends_with(name)).collect::<Vec<_>>();
    let fresh = named(".fresh");
    if let Some((_, Figure { control: Some(native), .. })) = fresh.first() {
        println!("\na mapper of 1 KiB; the lead mapper as a function: {native:.2} µs");
        let [size, compile, load, memory] = ["size KiB", "compile ms", "load ms", "memory KiB"];
        println!(
            "{:<12} {size:>10} {compile:>11} {load:>9} {:>10} {:>10} {:>11} {memory:>11}",
            "language", "fresh µs", "warm µs", "page faults"
        );
    }
    for (key, _) in fresh {
        let language = key.split('.').nth(1).unwrap_or_default();
        let of =
            |name: &str| figures.get(&format!("languages.{language}.{name}")).map_or(f64::NAN, |figure| figure.value);
        let (size, compile, load) = (of("size"), of("compile"), of("load"));
        let (fresh, warm, memory) = (of("fresh"), of("warm"), of("memory"));
        let faults = of("page_faults");
        println!(
            "{language:<12} {size:>10.0} {compile:>11.1} {load:>9.2} {fresh:>10.1} {warm:>10.1} {faults:>11.1} {memory:>11.0}"
        );
    }
}

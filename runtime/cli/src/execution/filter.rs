//! Which executions are meant.

use std::str::FromStr;

use api::types::{ExecutionPage, ExecutionRow};
use clap::Args;
use form_urlencoded::Serializer;
use model::Timestamp;

use crate::client::Client;
use crate::screen::{Screen, parse};
use crate::stop::Stop;

/// Executions that are asked for at once.
const PAGE: usize = 500;

/// Conditions that hold together.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// In one of these states, separated by commas: ready, waiting, parked, dead, finished, cancelled, discarded.
    #[arg(long, value_name = "STATES")]
    state: Option<String>,
    /// Of this flow.
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// Of this event.
    #[arg(long, value_name = "ID")]
    event: Option<String>,
    /// Whose event came within this time, such as `2h`, or at or after one such as `2026-11-23T08:00:00Z`.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Whose event came before this: as for --since.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// `state=parked,flow=leads`: a value may have commas of its own, as `state=parked,dead` has.
impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        let mut name = None;
        for part in text.split(',') {
            match (part.split_once('='), name) {
                (Some((written, value)), _) => {
                    *filter.place(written.trim())? = Some(value.trim().to_owned());
                    name = Some(written.trim());
                }
                (None, Some(name)) => {
                    filter.place(name)?.get_or_insert_default().push_str(&format!(",{}", part.trim()))
                }
                (None, None) => return Err(format!("`{part}` is no condition such as `state=parked`")),
            }
        }
        Ok(filter)
    }
}

impl Filter {
    fn place(&mut self, name: &str) -> Result<&mut Option<String>, String> {
        match name {
            "state" => Ok(&mut self.state),
            "flow" => Ok(&mut self.flow),
            "event" => Ok(&mut self.event),
            "since" => Ok(&mut self.since),
            "until" => Ok(&mut self.until),
            _ => Err(format!("there is no condition `{name}`; known are: state, flow, event, since, until")),
        }
    }

    /// The query of the API for one page.
    pub(crate) fn query(&self, after: Option<&str>, limit: usize, now: Timestamp) -> Result<String, Stop> {
        let time = |text: &Option<String>| text.as_ref().map(|text| when(text, now)).transpose();
        let mut query = Serializer::new(String::new());
        let since = time(&self.since)?.map(|time| time.as_millis().to_string());
        let until = time(&self.until)?.map(|time| time.as_millis().to_string());
        let pairs = [
            ("state", self.state.as_deref()),
            ("flow", self.flow.as_deref()),
            ("event", self.event.as_deref()),
            ("since", since.as_deref()),
            ("until", until.as_deref()),
            ("after", after),
        ];
        query.extend_pairs(pairs.iter().filter_map(|(name, value)| Some((name, (*value)?))));
        query.append_pair("limit", &limit.to_string());
        Ok(query.finish())
    }

    /// The rows behind `after`, at most so many, and where to go on. A page may end before it is full: only its `next`
    /// tells whether there is more.
    pub(crate) async fn rows(
        &self,
        after: Option<String>,
        limit: usize,
        client: &mut Client,
        screen: &Screen,
    ) -> anyhow::Result<ExecutionPage> {
        let mut all = ExecutionPage { executions: Vec::new(), next: after };
        loop {
            let left = limit - all.executions.len();
            let query = self.query(all.next.as_deref(), left.min(PAGE), screen.now())?;
            let page: ExecutionPage = parse(&client.get(&format!("/executions?{query}")).await?)?;
            all.executions.extend(page.executions);
            all.next = page.next;
            if all.next.is_none() || all.executions.len() >= limit {
                return Ok(all);
            }
        }
    }
}

/// Executions by id, or by conditions.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// The executions.
    #[arg(value_name = "ID", required_unless_present = "conditions", conflicts_with = "conditions")]
    ids: Vec<String>,
    /// All for which these conditions hold, such as `state=parked,flow=leads,since=2h`.
    #[arg(long = "where", value_name = "CONDITIONS")]
    conditions: Option<Filter>,
}

impl Which {
    /// Whether they are named one by one.
    pub(crate) fn is_named(&self) -> bool {
        self.conditions.is_none()
    }

    /// The ids; looked up before anything is done, so that it is known how many they are.
    pub(crate) async fn ids(&self, client: &mut Client, screen: &Screen) -> anyhow::Result<Vec<String>> {
        let Some(conditions) = &self.conditions else { return Ok(self.ids.clone()) };
        let page = conditions.rows(None, usize::MAX, client, screen).await?;
        Ok(page.executions.into_iter().map(|ExecutionRow { id, .. }| id).collect())
    }
}

/// A time, or how long ago it was.
fn when(text: &str, now: Timestamp) -> Result<Timestamp, Stop> {
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(Timestamp::from(now.to_system_time() - ago));
    }
    humantime::parse_rfc3339_weak(text.trim_end_matches('Z')).map(Timestamp::from).map_err(|_| {
        Stop::usage(format!("`{text}` is no time: write how long ago, such as `2h`, or `2026-11-23T08:00:00Z`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_become_the_query_of_the_api() {
        let now = Timestamp::from_millis(1_795_397_672_000);
        for (conditions, query) in [
            ("state=parked", "state=parked&limit=7"),
            ("state=parked,dead, flow=leads & co", "state=parked%2Cdead&flow=leads+%26+co&limit=7"),
            ("since=2h,until=2026-11-23T01:34:32Z", "since=1795390472000&until=1795397672000&limit=7"),
        ] {
            let filter: Filter = conditions.parse().unwrap();
            assert_eq!(filter.query(None, 7, now).unwrap(), query, "{conditions}");
        }
    }

    #[test]
    fn conditions_that_make_no_sense_are_refused() {
        let refused = |text: &str| text.parse::<Filter>().unwrap_err();
        assert_eq!(refused("parked"), "`parked` is no condition such as `state=parked`");
        assert_eq!(
            refused("flow=a,stat=b"),
            "there is no condition `stat`; known are: state, flow, event, since, until"
        );
        let soon: Filter = "since=soon".parse().unwrap();
        let message = "`soon` is no time: write how long ago, such as `2h`, or `2026-11-23T08:00:00Z`";
        assert_eq!(soon.query(None, 1, Timestamp::default()).unwrap_err().to_string(), message);
    }
}

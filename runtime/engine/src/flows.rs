use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use flow::{Catalogue, Flow};
use model::FlowRef;
use store::{Commit, RowWrite, Store, StoreError, Table};

/// The flows that take events, and the versions that executions are pinned to.
pub(crate) struct Flows {
    store: Arc<dyn Store>,
    current: RwLock<Arc<Current>>,
    pinned: RwLock<HashMap<FlowRef, Arc<Flow>>>,
}

/// What takes events now.
pub(crate) struct Current {
    by_source: HashMap<String, Vec<Arc<Flow>>>,
    catalogue: Arc<dyn Catalogue + Send + Sync>,
}

impl Current {
    /// The flows that listen to a source.
    pub(crate) fn of_source(&self, source: &str) -> Option<&[Arc<Flow>]> {
        self.by_source.get(source).map(Vec::as_slice)
    }

    /// The flow of that name.
    pub(crate) fn named(&self, name: &str) -> Option<&Arc<Flow>> {
        self.all().find(|flow| flow.name == name)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Flow>> {
        self.by_source.values().flatten()
    }
}

impl Flows {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        let nothing = Current { by_source: HashMap::new(), catalogue: Arc::new(flow::Permissive) };
        Self { store, current: RwLock::new(Arc::new(nothing)), pinned: RwLock::default() }
    }

    pub(crate) fn current(&self) -> Arc<Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the flows that take events. Their texts are durable before the first event is pinned to them.
    pub(crate) async fn replace(
        &self,
        flows: Vec<Flow>,
        catalogue: Arc<dyn Catalogue + Send + Sync>,
    ) -> Result<(), StoreError> {
        let rows = flows.iter().map(|flow| RowWrite {
            table: Table::Flow,
            key: row_key(&flow.reference()),
            expected: None,
            value: Some(Bytes::copy_from_slice(flow.bundle().as_bytes())),
        });
        self.store.commit(Commit { executions: Vec::new(), rows: rows.collect() }).await?;
        let mut by_source = HashMap::<_, Vec<_>>::new();
        let mut pinned = self.pinned.write().unwrap_or_else(PoisonError::into_inner);
        for flow in flows.into_iter().map(Arc::new) {
            by_source.entry(flow.source.name().to_owned()).or_default().push(flow.clone());
            pinned.insert(flow.reference(), flow);
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Current { by_source, catalogue });
        Ok(())
    }

    /// The version that an execution is pinned to. None: it can no longer be checked against what is installed.
    pub(crate) async fn pinned(&self, reference: &FlowRef) -> Result<Option<Arc<Flow>>, StoreError> {
        if let Some(flow) = self.pinned.read().unwrap_or_else(PoisonError::into_inner).get(reference) {
            return Ok(Some(flow.clone()));
        }
        let Some(row) = self.store.row(Table::Flow, row_key(reference)).await? else { return Ok(None) };
        let catalogue = self.current().catalogue.clone();
        let bundle = String::from_utf8_lossy(&row.value).into_owned();
        let Ok(flow) = Flow::from_bundle(&reference.name, &bundle, &*catalogue) else { return Ok(None) };
        let flow = Arc::new(flow);
        self.pinned.write().unwrap_or_else(PoisonError::into_inner).insert(reference.clone(), flow.clone());
        Ok(Some(flow))
    }
}

fn row_key(reference: &FlowRef) -> Bytes {
    reference.to_string().into_bytes().into()
}

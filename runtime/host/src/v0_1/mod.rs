//! Contract 0.1: the generated bindings, and the shim between them and the words of the engine. It only translates:
//! what is allowed is decided by [`Gate`], [`Ledger`](crate::ledger::Ledger) and the state's limits.

mod imports;
mod values;

use std::time::Duration;

use engine::{ActionCall, Receipt, Settlement, TransformCall};
use manifest::Role;
use model::{Document, Fault};
use wasmtime::Store;
use wasmtime::component::{HasSelf, Instance, InstancePre, Linker};

use crate::gate::Gate;
use crate::state::CallState;
use bindings::exports::weir::plugin::{actions, connection, mapper, verification};
use bindings::weir::plugin::{http, log};

/// Written by the macro from `wit/`.
// The macro calls functions without checking their type a second time: it checks when it looks them up.
#[allow(unsafe_code, missing_docs, unreachable_pub)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "weir:plugin/host",
        imports: {
            "weir:plugin/http": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

/// The version, without the patch level, which changes no interface.
pub(crate) const VERSION: &str = "0.1";

/// Links what every plugin may import of the contract.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    log::add_to_linker::<_, HasSelf<CallState>>(linker, CallState::counted)
}

/// Links what connectors may import beside.
pub(crate) fn link_http(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    http::add_to_linker::<_, HasSelf<CallState>>(linker, CallState::counted)
}

/// Where the roles of a component are. Each is looked up by itself, because a component exports only some.
pub(crate) struct Exports {
    mapper: Option<mapper::GuestIndices>,
    actions: Option<actions::GuestIndices>,
    verification: Option<verification::GuestIndices>,
    connection: Option<connection::GuestIndices>,
}

impl Exports {
    pub(crate) fn of(component: &InstancePre<CallState>) -> Self {
        Self {
            mapper: mapper::GuestIndices::new(component).ok(),
            actions: actions::GuestIndices::new(component).ok(),
            verification: verification::GuestIndices::new(component).ok(),
            connection: connection::GuestIndices::new(component).ok(),
        }
    }

    /// Whether the functions of the role are there.
    pub(crate) fn has(&self, role: Role) -> bool {
        match role {
            Role::Mapper => self.mapper.is_some(),
            Role::Actions => self.actions.is_some(),
            Role::Verification => self.verification.is_some(),
            Role::Connection => self.connection.is_some(),
        }
    }

    /// Proves that every role that is there has the types of the contract: the lookup went by name alone.
    pub(crate) fn check_types(&self, store: &mut Store<CallState>, instance: &Instance) -> wasmtime::Result<()> {
        self.mapper.as_ref().map(|role| role.load(&mut *store, instance)).transpose()?;
        self.actions.as_ref().map(|role| role.load(&mut *store, instance)).transpose()?;
        self.verification.as_ref().map(|role| role.load(&mut *store, instance)).transpose()?;
        self.connection.as_ref().map(|role| role.load(&mut *store, instance)).transpose()?;
        Ok(())
    }

    pub(crate) async fn transform(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
        call: &TransformCall,
    ) -> wasmtime::Result<Result<Vec<Document>, Fault>> {
        let role = self.mapper.as_ref().ok_or_else(|| lacks("mapper"))?.load(&mut *store, instance)?;
        let received = call.event.received.to_string();
        let origin = values::OriginPairs::of(&call.event);
        let input = values::DocumentPairs::of(&call.input);
        let answer =
            role.call_transform(&mut *store, origin.origin(&received), input.document(), &call.options).await?;
        let documents = match answer {
            Ok(documents) => documents,
            Err(fault) => return Ok(Err(values::fault(fault))),
        };
        let documents: Vec<_> = documents.into_iter().map(values::document).collect();
        store.data().limits.check_documents(&documents)?;
        Ok(Ok(documents))
    }

    pub(crate) async fn invoke(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
        call: &ActionCall,
        gate: &Gate,
    ) -> wasmtime::Result<Result<Receipt, Fault>> {
        let role = self.actions.as_ref().ok_or_else(|| lacks("actions"))?.load(&mut *store, instance)?;
        let pairs = values::DocumentPairs::of(&call.input);
        let call = values::call(call, &pairs, gate);
        match role.call_invoke(&mut *store, call).await? {
            Ok(receipt) => {
                store.data().limits.check_output(receipt.output.data.len())?;
                Ok(Ok(values::receipt(receipt)))
            }
            Err(fault) => Ok(Err(values::fault(fault))),
        }
    }

    pub(crate) async fn verify(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
        call: &ActionCall,
        gate: &Gate,
    ) -> wasmtime::Result<Result<Settlement, Fault>> {
        let role = self.verification.as_ref().ok_or_else(|| lacks("verification"))?.load(&mut *store, instance)?;
        let pairs = values::DocumentPairs::of(&call.input);
        let call = values::call(call, &pairs, gate);
        Ok(match role.call_verify(&mut *store, call).await? {
            Ok(verification::Settlement::Happened(receipt)) => {
                store.data().limits.check_output(receipt.output.data.len())?;
                Ok(Settlement::Happened(values::receipt(receipt)))
            }
            Ok(verification::Settlement::Absent) => Ok(Settlement::Absent),
            Ok(verification::Settlement::Undecided(again_ms)) => {
                Ok(Settlement::Undecided(again_ms.map(|ms| Duration::from_millis(ms.into()))))
            }
            Err(fault) => Err(values::fault(fault)),
        })
    }
}

/// Roles are looked at before a call is made, so this is a fault of the host.
fn lacks(role: &str) -> wasmtime::Error {
    wasmtime::format_err!("the component has no role `{role}`")
}

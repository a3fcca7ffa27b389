package weir

import (
	"fmt"
	"time"
)

// Context is the circumstances of a connector's call.
type Context struct {
	// Execution is the execution's id.
	Execution string
	// Step is the step of the flow.
	Step string
	// IdempotencyKey is the same for every attempt of the step.
	IdempotencyKey string
	// Attempt counts from 1.
	Attempt int
	// Remaining is how long the call may still take.
	Remaining time.Duration
	// Connection is the name of the connection; empty if the step has none.
	Connection string
	// Account is whose account the connection is, as Check said.
	Account string
	// Settings are the connection's settings: a JSON object.
	Settings string
	// Extra is what later versions add.
	Extra []Pair
}

// ReadSettings reads the connection's settings, such as tenant and region.
func (c Context) ReadSettings(into any) error {
	settings := c.Settings
	if settings == "" {
		settings = "{}"
	}
	what := fmt.Sprintf("the settings of connection `%s`: ", c.Connection)
	if fault := about(what, "settings", readJSON([]byte(settings), into, false)); fault != nil {
		return fault
	}
	return nil
}

// Call is one call of an action, with its input read.
type Call[I any] struct {
	// Action is which, by the name in the manifest.
	Action string
	// Input is what to send.
	Input I
	// Cursor is where the page of a listing action begins; empty for the first.
	Cursor string
	// Context is the circumstances, with the idempotency key.
	Context Context
}

// Receipt is what an action gave, where that is more than its output.
type Receipt struct {
	// Output is written as JSON; a [Document] goes out as it is.
	Output any
	// ExternalID is the id that the destination gave to what was created or changed.
	ExternalID string
	// Next is the cursor of the following page of a listing action; empty after the last.
	Next string
	// Metadata is anything else worth keeping.
	Metadata []Pair
}

// Settlement is what became of an attempt whose answer was lost. Make one with [Happened], [Absent] or [Undecided].
type Settlement struct {
	// Outcome says which.
	Outcome Outcome
	// Receipt is what the action would have given, if it had its effect.
	Receipt Receipt
	// AskAfter is when to ask again, if it cannot be said yet; 0 if that is not known either.
	AskAfter time.Duration
}

// Outcome is what is known of an attempt.
type Outcome uint8

const (
	// OutcomeUndecided: it cannot be said yet.
	OutcomeUndecided Outcome = iota
	// OutcomeHappened: it had its effect.
	OutcomeHappened
	// OutcomeAbsent: it had none.
	OutcomeAbsent
)

// Happened says that the attempt had its effect. The receipt is what the action would have given.
func Happened(receipt Receipt) Settlement {
	return Settlement{Outcome: OutcomeHappened, Receipt: receipt}
}

// Absent says that the attempt had no effect, and may be repeated.
func Absent() Settlement {
	return Settlement{Outcome: OutcomeAbsent}
}

// Undecided says that it cannot be said yet. Ask again, after this time if it is not 0.
func Undecided(after time.Duration) Settlement {
	return Settlement{Outcome: OutcomeUndecided, AskAfter: after}
}

// Identity is whose connection it is.
type Identity struct {
	// Label is for people, such as "Example Ltd. (sandbox)".
	Label string
	// Account is the account at the destination; given to later calls as Context.Account.
	Account string
	// BaseURL is the address that requests should go to, where only the destination knows it.
	BaseURL string
	// Settings are added to those of the connection: written as a JSON object; nil for none.
	Settings any
}

// Act is an action, made by [Action].
type Act func(call Call[Document], http *HTTP) (Receipt, *Fault)

// Verify settles an action, made by [Verifier].
type Verify func(call Call[Document], http *HTTP) (Settlement, *Fault)

// Actions are actions by the names in the manifest.
type Actions map[string]Act

// Verifiers settle actions, by the names in the manifest.
type Verifiers map[string]Verify

// Option adds a role to a connector.
type Option func(*Plugin)

// Connector makes a connector of functions:
//
//	var plugin = weir.Connector(
//		weir.Actions{"create-contact": weir.Action(createContact), "find-contact": weir.Action(findContact)},
//		weir.WithVerify(weir.Verifiers{"create-contact": weir.Verifier(verifyCreate)}),
//		weir.WithCheck(check),
//	)
func Connector(actions Actions, options ...Option) Plugin {
	plugin := Plugin{actions: actions, host: hostHTTP}
	for _, option := range options {
		option(&plugin)
	}
	return plugin
}

// WithVerify adds the role verification.
func WithVerify(verifiers Verifiers) Option {
	return func(p *Plugin) { p.verifiers = verifiers }
}

// WithCheck adds the role connection.
func WithCheck(check func(Context, *HTTP) (Identity, error)) Option {
	return func(p *Plugin) { p.check = check }
}

// Action makes an action of a function. R is written as JSON and is the output; a [Receipt] can say more.
func Action[I, R any](action func(Call[I], *HTTP) (R, error)) Act {
	function := locate(action)
	return func(call Call[Document], http *HTTP) (Receipt, *Fault) {
		read, fault := readInput[I](call)
		if fault != nil {
			return Receipt{}, fault
		}
		result, err := action(read, http)
		if err != nil {
			return Receipt{}, toFault(err, function)
		}
		receipt, err := toReceipt(result)
		if err != nil {
			return Receipt{}, toFault(err, function)
		}
		return receipt, nil
	}
}

// Verifier makes what settles an action of a function. It changes nothing at the destination.
func Verifier[I any](verify func(Call[I], *HTTP) (Settlement, error)) Verify {
	function := locate(verify)
	return func(call Call[Document], http *HTTP) (Settlement, *Fault) {
		read, fault := readInput[I](call)
		if fault != nil {
			return Settlement{}, fault
		}
		settlement, err := verify(read, http)
		if err == nil && settlement.Outcome == OutcomeHappened {
			settlement.Receipt, err = toReceipt(settlement.Receipt)
		}
		if err != nil {
			return Settlement{}, toFault(err, function)
		}
		return settlement, nil
	}
}

func readInput[I any](call Call[Document]) (Call[I], *Fault) {
	read := Call[I]{Action: call.Action, Cursor: call.Cursor, Context: call.Context}
	fault := call.Input.read(&read.Input)
	return read, fault
}

// toReceipt takes what an action gave, and writes its output.
func toReceipt(given any) (Receipt, error) {
	receipt, ok := given.(Receipt)
	if !ok {
		receipt = Receipt{Output: given}
	}
	if _, ok := receipt.Output.(Document); ok {
		return receipt, nil
	}
	document, err := NewDocument(receipt.Output)
	receipt.Output = document
	return receipt, err
}

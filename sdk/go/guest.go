//go:build wasip1

package weir

import (
	"log/slog"
	"strings"
	"time"

	_ "github.com/weir-project/weir/sdk/go/internal/generated/exports/wit_exports" // The exported roles.
	actions "github.com/weir-project/weir/sdk/go/internal/generated/imports/weir_plugin_actions"
	connection "github.com/weir-project/weir/sdk/go/internal/generated/imports/weir_plugin_connection"
	"github.com/weir-project/weir/sdk/go/internal/generated/imports/weir_plugin_log"
	wire "github.com/weir-project/weir/sdk/go/internal/generated/imports/weir_plugin_types"
	verification "github.com/weir-project/weir/sdk/go/internal/generated/imports/weir_plugin_verification"
	"github.com/weir-project/weir/sdk/go/internal/roles"
	"github.com/weir-project/weir/sdk/go/internal/wit/runtime"
	"github.com/weir-project/weir/sdk/go/internal/wit/types"
)

// Export gives the plugin to Weir. Call it in a func init of the program's main package.
func Export(plugin Plugin) {
	slog.SetDefault(slog.New(logHandler{write: func(level LogLevel, message string, fields []Pair) {
		weir_plugin_log.Write(weir_plugin_log.Level(level), toText(message), toTuples(fields))
	}}))
	roles.Transform = func(
		origin wire.Origin, input wire.Document, options string,
	) types.Result[[]wire.Document, wire.Fault] {
		return runtime.Collecting(func() types.Result[[]wire.Document, wire.Fault] {
			documents, err := plugin.Transform(fromOrigin(origin), fromDocument(input), options)
			if err != nil {
				return types.Err[[]wire.Document](toWire(err))
			}
			out := make([]wire.Document, 0, len(documents))
			for _, document := range documents {
				out = append(out, toDocument(document))
			}
			return types.Ok[[]wire.Document, wire.Fault](out)
		})
	}
	roles.Invoke = func(call actions.Call) types.Result[actions.Receipt, wire.Fault] {
		return runtime.Collecting(func() types.Result[actions.Receipt, wire.Fault] {
			receipt, err := plugin.Invoke(fromCall(call), plugin.host())
			if err != nil {
				return types.Err[actions.Receipt](toWire(err))
			}
			return types.Ok[actions.Receipt, wire.Fault](toWireReceipt(receipt))
		})
	}
	roles.Verify = func(call actions.Call) types.Result[verification.Settlement, wire.Fault] {
		return runtime.Collecting(func() types.Result[verification.Settlement, wire.Fault] {
			settlement, err := plugin.Verify(fromCall(call), plugin.host())
			if err != nil {
				return types.Err[verification.Settlement](toWire(err))
			}
			return types.Ok[verification.Settlement, wire.Fault](toSettlement(settlement))
		})
	}
	roles.Check = func(context wire.Context) types.Result[connection.Identity, wire.Fault] {
		return runtime.Collecting(func() types.Result[connection.Identity, wire.Fault] {
			identity, err := plugin.checkWire(fromContext(context))
			if err != nil {
				return types.Err[connection.Identity](toWire(err))
			}
			return types.Ok[connection.Identity, wire.Fault](identity)
		})
	}
}

func (p Plugin) checkWire(context Context) (connection.Identity, error) {
	identity, err := p.Check(context, p.host())
	if err != nil {
		return connection.Identity{}, err
	}
	settings := []byte("{}")
	if identity.Settings != nil {
		if settings, err = WriteJSON(identity.Settings); err != nil {
			return connection.Identity{}, Internal("the settings of the identity: " + err.Error())
		}
	}
	return connection.Identity{
		Label:    identity.Label,
		Account:  toOption(identity.Account),
		BaseUrl:  toOption(identity.BaseURL),
		Settings: string(settings),
	}, nil
}

func toOption(text string) types.Option[string] {
	if text == "" {
		return types.None[string]()
	}
	return types.Some(toText(text))
}

// toText makes text of what a string of Go may hold beside: any byte that is not UTF-8 would break the contract.
func toText(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

func toTuples(pairs []Pair) []types.Tuple2[string, string] {
	tuples := make([]types.Tuple2[string, string], 0, len(pairs))
	for _, pair := range pairs {
		tuples = append(tuples, types.Tuple2[string, string]{F0: toText(pair.Name), F1: toText(pair.Value)})
	}
	return tuples
}

func fromTuples(tuples []types.Tuple2[string, string]) []Pair {
	pairs := make([]Pair, 0, len(tuples))
	for _, tuple := range tuples {
		pairs = append(pairs, Pair{Name: tuple.F0, Value: tuple.F1})
	}
	return pairs
}

func fromOrigin(origin wire.Origin) Origin {
	return Origin{
		ID:         origin.Id,
		Source:     origin.Source,
		Kind:       origin.Kind,
		Subject:    origin.Subject.Some(),
		Time:       origin.Time.Some(),
		Received:   origin.Received,
		Schema:     origin.Schema.Some(),
		Extensions: fromTuples(origin.Extensions),
		Transport:  fromTuples(origin.Transport),
	}
}

func fromDocument(document wire.Document) Document {
	return Document{document.ContentType, document.Data, fromTuples(document.Metadata)}
}

func toDocument(document Document) wire.Document {
	return wire.Document{ContentType: toText(document.ContentType), Data: document.Data, Metadata: toTuples(document.Metadata)}
}

func fromContext(context wire.Context) Context {
	return Context{
		Execution:      context.Execution,
		Step:           context.Step,
		IdempotencyKey: context.IdempotencyKey,
		Attempt:        int(context.Attempt),
		Remaining:      fromMillis(context.RemainingMs),
		Connection:     context.Connection,
		Account:        context.Account.Some(),
		Settings:       context.Settings,
		Extra:          fromTuples(context.Extra),
	}
}

func fromMillis(millis uint32) time.Duration {
	return time.Duration(millis) * time.Millisecond
}

func fromCall(call actions.Call) Call[Document] {
	return Call[Document]{call.Action, fromDocument(call.Input), call.Cursor.Some(), fromContext(call.Context)}
}

// toWireReceipt takes a receipt whose output has been written.
func toWireReceipt(receipt Receipt) actions.Receipt {
	output, _ := receipt.Output.(Document)
	return actions.Receipt{
		Output:     toDocument(output),
		ExternalId: toOption(receipt.ExternalID),
		Next:       toOption(receipt.Next),
		Metadata:   toTuples(receipt.Metadata),
	}
}

func toSettlement(settlement Settlement) verification.Settlement {
	switch settlement.Outcome {
	case OutcomeHappened:
		return verification.MakeSettlementHappened(toWireReceipt(settlement.Receipt))
	case OutcomeAbsent:
		return verification.MakeSettlementAbsent()
	default:
		after := types.None[uint32]()
		if settlement.AskAfter > 0 {
			after = types.Some(toMillis(settlement.AskAfter))
		}
		return verification.MakeSettlementUndecided(after)
	}
}

func toWire(err error) wire.Fault {
	fault := findFault(err)
	out := wire.Fault{
		Kind:    wire.FaultKind(fault.Kind),
		Code:    toText(fault.Code),
		Message: toText(fault.Message),
		Details: toTuples(fault.Details),
	}
	if fault.RetryAfter != nil {
		out.RetryAfterMs = types.Some(toMillis(*fault.RetryAfter))
	}
	for _, field := range fault.Fields {
		out.Fields = append(out.Fields, wire.FieldFault{Pointer: toText(field.Pointer), Message: toText(field.Message)})
	}
	return out
}

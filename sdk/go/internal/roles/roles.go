//go:build wasip1

// Package roles is what the generated exports call. Package weir fills it in, so that neither imports the other.
package roles

import (
	"github.com/weir-project/weir/sdk/go/internal/generated/imports/weir_plugin_actions"
	"github.com/weir-project/weir/sdk/go/internal/generated/imports/weir_plugin_connection"
	"github.com/weir-project/weir/sdk/go/internal/generated/imports/weir_plugin_types"
	"github.com/weir-project/weir/sdk/go/internal/generated/imports/weir_plugin_verification"
	"github.com/weir-project/weir/sdk/go/internal/wit/types"
)

// Fault is how a call fails.
type Fault = weir_plugin_types.Fault

// One function for each role.
var (
	Transform func(
		weir_plugin_types.Origin, weir_plugin_types.Document, string,
	) types.Result[[]weir_plugin_types.Document, Fault]
	Invoke func(weir_plugin_actions.Call) types.Result[weir_plugin_actions.Receipt, Fault]
	Verify func(weir_plugin_actions.Call) types.Result[weir_plugin_verification.Settlement, Fault]
	Check  func(weir_plugin_types.Context) types.Result[weir_plugin_connection.Identity, Fault]
)

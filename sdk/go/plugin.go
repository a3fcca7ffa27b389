package weir

import "fmt"

// Plugin is what the functions of a plugin make together: a mapper, or a connector with its roles. Tests call it, and
// [Export] gives it to Weir.
type Plugin struct {
	transform func(origin Origin, input Document, options string) (Documents, *Fault)
	actions   map[string]Act
	verifiers map[string]Verify
	check     func(context Context, http *HTTP) (Identity, error)
	// The sandbox's way out. Only connectors have one.
	host func() *HTTP
}

// Transform calls the mapper. `options` is a JSON object, or empty.
func (p Plugin) Transform(origin Origin, input Document, options string) (Documents, error) {
	if p.transform == nil {
		return nil, Internal("the plugin is no mapper").WithCode("no-such-role")
	}
	return orNil(p.transform(origin, input, options))
}

// Invoke carries an action out.
func (p Plugin) Invoke(call Call[Document], http *HTTP) (Receipt, error) {
	act := p.actions[call.Action]
	if act == nil {
		message := fmt.Sprintf("the plugin has no code for action `%s`", call.Action)
		return Receipt{}, Internal(message).WithCode("unknown-action")
	}
	return orNil(guard(func() (Receipt, *Fault) { return act(call, http) }))
}

// Verify finds out what became of a call whose answer was lost.
func (p Plugin) Verify(call Call[Document], http *HTTP) (Settlement, error) {
	verify := p.verifiers[call.Action]
	if verify == nil {
		message := fmt.Sprintf("the plugin cannot verify action `%s`", call.Action)
		return Settlement{}, UnknownOutcome(message).WithCode("cannot-verify")
	}
	return orNil(guard(func() (Settlement, *Fault) { return verify(call, http) }))
}

// Check tests a connection and says whose it is.
func (p Plugin) Check(context Context, http *HTTP) (Identity, error) {
	if p.check == nil {
		return Identity{}, Internal("the plugin cannot check a connection").WithCode("no-such-role")
	}
	function := locate(p.check)
	return orNil(guard(func() (Identity, *Fault) {
		identity, err := p.check(context, http)
		if err != nil {
			return Identity{}, toFault(err, function)
		}
		return identity, nil
	}))
}

// orNil keeps a missing fault from becoming an error that is not nil.
func orNil[R any](result R, fault *Fault) (R, error) {
	if fault != nil {
		return result, fault
	}
	return result, nil
}

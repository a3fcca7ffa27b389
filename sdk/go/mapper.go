package weir

import "reflect"

// Origin is where an event came from: the context attributes of CloudEvents 1.0, and what the transport said. What the
// sender did not say is empty.
type Origin struct {
	// ID is unique at the source.
	ID string
	// Source is a URI reference.
	Source string
	// Kind is the event's type: what happened.
	Kind string
	// Subject is what it happened to.
	Subject string
	// Time is when it happened, as the sender wrote it.
	Time string
	// Received is when Weir had received the whole event (RFC 3339). The only clock that a mapper has.
	Received string
	// Schema is a URI.
	Schema string
	// Extensions are extension attributes.
	Extensions []Pair
	// Transport is what the transport said: method, path, query, each header field as header.NAME in lower case.
	Transport []Pair
}

// Mapping is one call of a mapper: what to map, where it came from, and what the flow says in this step.
type Mapping[I, O any] struct {
	// Input is what to map.
	Input I
	// Origin is the event that is being carried.
	Origin Origin
	// Options are the flow's options for this step. A name that O does not know is a fault. What has a default is a pointer,
	// or is preset by a method SetDefaults of *O.
	Options O
}

// NoOptions are the options of a mapper that has none.
type NoOptions struct{}

// Defaults is what options implement that are not zero when the flow leaves them out.
type Defaults interface {
	// SetDefaults is called before the options are read.
	SetDefaults()
}

// Mapper makes a mapper of a function. Pure: the same mapping gives the same answer on any machine, at any time.
//
// R is written as JSON; a [Document] goes out as it is, and [Documents] are none or several.
func Mapper[I, O, R any](transform func(Mapping[I, O]) (R, error)) Plugin {
	function := locate(transform)
	learn[I, O, R]()
	return Plugin{transform: func(origin Origin, input Document, options string) (Documents, *Fault) {
		return guard(func() (Documents, *Fault) {
			mapping := Mapping[I, O]{Origin: origin}
			if fault := readOptions(options, &mapping.Options); fault != nil {
				return nil, fault
			}
			if fault := input.read(&mapping.Input); fault != nil {
				return nil, fault
			}
			result, err := transform(mapping)
			if err != nil {
				return nil, toFault(err, function)
			}
			documents, err := toDocuments(result)
			if err != nil {
				return nil, toFault(err, function)
			}
			return documents, nil
		})
	}}
}

// learn reads and writes the types once. What encoding/json and reflect find out about a type they keep, and a mapper is built
// with what it knew when it had started.
func learn[I, O, R any]() {
	// None of it matters, nor whether the types take it.
	_, _ = guard(func() (struct{}, *Fault) {
		_ = readOptions("{}", new(O))
		_ = Document{Data: []byte("{}")}.read(new(I))
		result := reflect.TypeFor[R]()
		if result.Kind() == reflect.Pointer {
			result = result.Elem()
		}
		_, _ = toDocuments(reflect.New(result).Elem().Interface())
		return struct{}{}, nil
	})
}

func readOptions(text string, into any) *Fault {
	if defaults, ok := into.(Defaults); ok {
		defaults.SetDefaults()
	}
	// A flow without options may give none or an empty object.
	if text == "" {
		text = "{}"
	}
	return about("the options of this step: ", "options", readJSON([]byte(text), into, true))
}

// about says which text does not fit, if it is not the input; its fields would be taken for those of the input.
func about(what, code string, fault *Fault) *Fault {
	if fault == nil || fault.Kind != KindInvalidInput {
		return fault
	}
	with := fault.WithCode(code)
	with.Message, with.Fields = what+fault.Message, nil
	return with
}

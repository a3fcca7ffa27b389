package weir

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"unicode/utf8"
)

// Member is one name of an object with its value.
type Member struct {
	Name  string
	Value any
}

// Object is a JSON object that keeps the order of its names, those of objects within it as well. Where the order does not
// matter, a map or a struct is easier; a map is written in the order of its names.
type Object []Member

// Get gives the value under a name, and whether there is one. Of several with one name the last counts.
func (o Object) Get(name string) (any, bool) {
	for at := len(o) - 1; at >= 0; at-- {
		if o[at].Name == name {
			return o[at].Value, true
		}
	}
	return nil, false
}

// Set replaces the value under a name, or adds it at the end.
func (o *Object) Set(name string, value any) {
	for at := range *o {
		if (*o)[at].Name == name {
			(*o)[at].Value = value
			return
		}
	}
	*o = append(*o, Member{Name: name, Value: value})
}

// MarshalJSON writes the names in their order.
func (o Object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for at, member := range o {
		if at > 0 {
			out.WriteByte(',')
		}
		name, err := WriteJSON(member.Name)
		if err != nil {
			return nil, err
		}
		value, err := WriteJSON(member.Value)
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// UnmarshalJSON reads an object and keeps the order of its names.
func (o *Object) UnmarshalJSON(text []byte) error {
	return ReadJSON(text, o)
}

// WriteJSON writes a value as encoding/json does, with two differences: <, >, &, U+2028 and U+2029 stand for themselves, as
// every other language writes them, and there is no line end.
//
// A json.Number is written as it was read, so that decimals and integers of any size survive; a float64 does not promise
// that. Struct fields keep their order, maps are sorted, an [Object] keeps its order.
func WriteJSON(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return unescapeSeparators(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), nil
}

// unescapeSeparators writes U+2028 and U+2029, which encoding/json escapes for the sake of old browsers, as they are.
func unescapeSeparators(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\u202`)) {
		return text
	}
	out := make([]byte, 0, len(text))
	for at := 0; at < len(text); {
		switch rest := text[at:]; {
		case bytes.HasPrefix(rest, []byte(`\u2028`)):
			out, at = append(out, "\u2028"...), at+6
		case bytes.HasPrefix(rest, []byte(`\u2029`)):
			out, at = append(out, "\u2029"...), at+6
		case rest[0] == '\\':
			// An escape of two characters, so that the second backslash of a pair begins nothing.
			out, at = append(out, rest[:2]...), at+2
		default:
			out, at = append(out, rest[0]), at+1
		}
	}
	return out
}

// ReadJSON reads a text into what the pointer points to, by the tags of encoding/json, more strictly than that package:
//
//   - Names are compared exactly, and a name that comes twice in a struct is a fault.
//   - null fits what can be nil and nothing else.
//   - Text that is no UTF-8 is a fault, and so is half a surrogate pair where it is read.
//   - So are more than 127 lists and objects in each other.
//   - A field with the tag `weir:"required"` must be there.
//   - Into an any, numbers are read as json.Number and lose nothing.
//
// What does not fit is an invalid-input that names the field by a JSON Pointer.
func ReadJSON(text []byte, into any) error {
	if fault := readJSON(text, into, false); fault != nil {
		return fault
	}
	return nil
}

func readJSON(text []byte, into any, denyUnknown bool) *Fault {
	value := reflect.ValueOf(into)
	if value.Kind() != reflect.Pointer || value.IsNil() {
		return Internal(fmt.Sprintf("JSON can be read into a pointer, not into %T", into))
	}
	err := check(text)
	if err == nil {
		decoder := decoder{scanner: scanner{text: text}, denyUnknown: denyUnknown}
		err = decoder.read(value.Elem(), nil)
	}
	switch err := err.(type) {
	case nil:
		return nil
	case *Fault:
		return err
	case *misfit:
		return InvalidInput("the input does not fit: "+err.message).WithField(err.pointer, err.message)
	default:
		return InvalidInput("the input is not JSON: " + err.Error()).WithCode("malformed-json")
	}
}

// check says whether the text is JSON, whoever reads how much of it.
func check(text []byte) error {
	scanner := scanner{text: text}
	if !utf8.Valid(text) {
		return scanner.malformed("it is not UTF-8")
	}
	if _, err := scanner.skip(); err != nil {
		return err
	}
	return scanner.end()
}

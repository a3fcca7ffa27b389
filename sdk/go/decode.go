package weir

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// decoder reads a text into values, guided by their types. The text has been skipped over before, so that it is known to be
// JSON and not too deep to recurse into.
type decoder struct {
	scanner
	denyUnknown bool
}

// place is one step of the way to a value: the path is a list that shares its beginnings.
type place struct {
	outer *place
	name  string
}

func (p *place) into(name string) *place {
	return &place{p, name}
}

func (p *place) pointer() string {
	if p == nil {
		return ""
	}
	return p.outer.pointer() + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(p.name)
}

// misfit says that a text is JSON and not what was expected, and where.
type misfit struct {
	pointer, message string
}

func (m *misfit) Error() string {
	return m.message
}

func misfitAt(at *place, format string, arguments ...any) error {
	return &misfit{at.pointer(), fmt.Sprintf(format, arguments...)}
}

var (
	numberType          = reflect.TypeFor[json.Number]()
	objectType          = reflect.TypeFor[Object]()
	bytesType           = reflect.TypeFor[[]byte]()
	unmarshalerType     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// read reads one value. `at` is the way to it.
func (d *decoder) read(into reflect.Value, at *place) error {
	first := d.peek()
	kind := into.Kind()
	if into.Type() == objectType {
		return d.readObject(into, at)
	}
	if into.CanAddr() && kind != reflect.Pointer {
		if into.Addr().Type().Implements(unmarshalerType) {
			return d.readItself(into.Addr().Interface().(json.Unmarshaler), at)
		}
		if first == '"' && into.Addr().Type().Implements(textUnmarshalerType) {
			return d.readText(into.Addr().Interface().(encoding.TextUnmarshaler), at)
		}
	}
	if first == 'n' {
		return d.readNull(into, at)
	}
	switch kind {
	case reflect.Pointer:
		if into.IsNil() {
			into.Set(reflect.New(into.Type().Elem()))
		}
		return d.read(into.Elem(), at)
	case reflect.Interface:
		return d.readAny(into, at)
	case reflect.Struct:
		return d.readStruct(into, at)
	case reflect.Map:
		return d.readMap(into, at)
	case reflect.Slice, reflect.Array:
		return d.readList(into, at)
	default:
		return d.readScalar(into, at)
	}
}

func (d *decoder) readItself(into json.Unmarshaler, at *place) error {
	text, err := d.skip()
	if err != nil {
		return err
	}
	if err := into.UnmarshalJSON(text); err != nil {
		return misfitAt(at, "%s", err)
	}
	return nil
}

func (d *decoder) readText(into encoding.TextUnmarshaler, at *place) error {
	text, err := d.str()
	if err != nil {
		return err
	}
	if err := into.UnmarshalText([]byte(text)); err != nil {
		return misfitAt(at, "%s", err)
	}
	return nil
}

func (d *decoder) readNull(into reflect.Value, at *place) error {
	if _, err := d.word(); err != nil {
		return err
	}
	switch into.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		into.SetZero()
		return nil
	default:
		return misfitAt(at, "invalid type: null, expected %s", expected(into))
	}
}

// readAny reads into an interface: what it is follows from the text.
func (d *decoder) readAny(into reflect.Value, at *place) error {
	if into.NumMethod() > 0 {
		return Internal(fmt.Sprintf("JSON cannot be read into a %s", into.Type()))
	}
	var value reflect.Value
	switch c := d.peek(); {
	case c == '{':
		value = reflect.New(reflect.TypeFor[map[string]any]()).Elem()
	case c == '[':
		value = reflect.New(reflect.TypeFor[[]any]()).Elem()
	case c == '"':
		value = reflect.New(reflect.TypeFor[string]()).Elem()
	case c == 't' || c == 'f':
		value = reflect.New(reflect.TypeFor[bool]()).Elem()
	default:
		value = reflect.New(numberType).Elem()
	}
	if err := d.read(value, at); err != nil {
		return err
	}
	into.Set(value)
	return nil
}

// members takes an object and calls `each` where the value of each name stands.
func (d *decoder) members(into reflect.Value, at *place, each func(name string) error) error {
	if d.peek() != '{' {
		return d.misfit(into, at)
	}
	d.at++
	if d.take('}') {
		return nil
	}
	for {
		d.peek()
		name, err := d.str()
		if err != nil {
			return err
		}
		if !d.take(':') {
			return d.malformed("expected `:`")
		}
		if err := each(name); err != nil {
			return err
		}
		if d.take('}') {
			return nil
		}
		if !d.take(',') {
			return d.malformed("expected `,` or `}`")
		}
	}
}

func (d *decoder) readStruct(into reflect.Value, at *place) error {
	fields := fieldsOf(into.Type(), nil)
	seen := make([]bool, len(fields))
	err := d.members(into, at, func(name string) error {
		for index, field := range fields {
			if field.name != name {
				continue
			}
			if seen[index] {
				return misfitAt(at.into(name), "duplicate field `%s`", name)
			}
			seen[index] = true
			return d.read(into.FieldByIndex(field.index), at.into(name))
		}
		if d.denyUnknown {
			return misfitAt(at.into(name), "unknown field `%s`, expected %s", name, oneOf(fields))
		}
		_, err := d.skip()
		return err
	})
	if err != nil {
		return err
	}
	for index, field := range fields {
		if field.required && !seen[index] {
			return misfitAt(at.into(field.name), "missing field `%s`", field.name)
		}
	}
	return nil
}

// field is one name that a struct knows.
type field struct {
	name     string
	index    []int
	required bool
}

// fieldsOf gives the fields of a struct by the tags of encoding/json, those of embedded structs among them.
func fieldsOf(structure reflect.Type, outer []int) []field {
	var fields []field
	for at := range structure.NumField() {
		declared := structure.Field(at)
		index := append(outer[:len(outer):len(outer)], at)
		tag := declared.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-":
		case declared.Anonymous && name == "" && declared.Type.Kind() == reflect.Struct:
			fields = append(fields, fieldsOf(declared.Type, index)...)
		case declared.IsExported():
			if name == "" {
				name = declared.Name
			}
			fields = append(fields, field{name, index, declared.Tag.Get("weir") == "required"})
		}
	}
	return fields
}

func oneOf(fields []field) string {
	if len(fields) == 0 {
		return "none"
	}
	var names []string
	for _, field := range fields {
		names = append(names, "`"+field.name+"`")
	}
	return strings.Join(names, " or ")
}

func (d *decoder) readMap(into reflect.Value, at *place) error {
	structure := into.Type()
	if structure.Key().Kind() != reflect.String {
		return Internal(fmt.Sprintf("the names of a JSON object are text, those of a %s are not", structure))
	}
	entries := reflect.MakeMap(structure)
	err := d.members(into, at, func(name string) error {
		value := reflect.New(structure.Elem()).Elem()
		if err := d.read(value, at.into(name)); err != nil {
			return err
		}
		entries.SetMapIndex(reflect.ValueOf(name).Convert(structure.Key()), value)
		return nil
	})
	if err == nil {
		into.Set(entries)
	}
	return err
}

// readObject reads an object in its order; objects within it keep theirs.
func (d *decoder) readObject(into reflect.Value, at *place) error {
	object := Object{}
	err := d.members(into, at, func(name string) error {
		value, err := d.readOrdered(at.into(name))
		object = append(object, Member{Name: name, Value: value})
		return err
	})
	if err == nil {
		into.Set(reflect.ValueOf(object))
	}
	return err
}

func (d *decoder) readOrdered(at *place) (any, error) {
	switch d.peek() {
	case '{':
		var object Object
		err := d.read(reflect.ValueOf(&object).Elem(), at)
		return object, err
	case '[':
		items := []any{}
		err := d.items(at, func(at *place) error {
			item, err := d.readOrdered(at)
			items = append(items, item)
			return err
		})
		return items, err
	default:
		var value any
		err := d.read(reflect.ValueOf(&value).Elem(), at)
		return value, err
	}
}

// items takes a list and calls `each` where each item stands.
func (d *decoder) items(at *place, each func(at *place) error) error {
	d.at++
	if d.take(']') {
		return nil
	}
	for index := 0; ; index++ {
		if err := each(at.into(strconv.Itoa(index))); err != nil {
			return err
		}
		if d.take(']') {
			return nil
		}
		if !d.take(',') {
			return d.malformed("expected `,` or `]`")
		}
	}
}

func (d *decoder) readList(into reflect.Value, at *place) error {
	if into.Type() == bytesType && d.peek() == '"' {
		text, err := d.str()
		if err != nil {
			return err
		}
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return misfitAt(at, "not base64")
		}
		into.SetBytes(data)
		return nil
	}
	if d.peek() != '[' {
		return d.misfit(into, at)
	}
	if into.Kind() == reflect.Array {
		return d.readArray(into, at)
	}
	list := reflect.MakeSlice(into.Type(), 0, 0)
	err := d.items(at, func(at *place) error {
		item := reflect.New(into.Type().Elem()).Elem()
		if err := d.read(item, at); err != nil {
			return err
		}
		list = reflect.Append(list, item)
		return nil
	})
	if err == nil {
		into.Set(list)
	}
	return err
}

func (d *decoder) readArray(into reflect.Value, at *place) error {
	count := 0
	err := d.items(at, func(item *place) error {
		if count++; count > into.Len() {
			return misfitAt(at, "more than %d items", into.Len())
		}
		return d.read(into.Index(count-1), item)
	})
	if err == nil && count < into.Len() {
		return misfitAt(at, "fewer than %d items", into.Len())
	}
	return err
}

func (d *decoder) readScalar(into reflect.Value, at *place) error {
	switch first := d.peek(); {
	case first == '"' && into.Kind() == reflect.String && into.Type() != numberType:
		text, err := d.str()
		into.SetString(text)
		return err
	case (first == 't' || first == 'f') && into.Kind() == reflect.Bool:
		word, err := d.word()
		into.SetBool(word == "true")
		return err
	case first == '-' || '0' <= first && first <= '9':
		start := d.at
		number, err := d.number()
		if err != nil {
			return err
		}
		if !setNumber(into, number) {
			d.at = start
			return d.misfit(into, at)
		}
		return nil
	default:
		return d.misfit(into, at)
	}
}

// setNumber gives whether the number fits.
func setNumber(into reflect.Value, number string) bool {
	switch {
	case into.Type() == numberType:
		into.SetString(number)
		return true
	case into.CanInt():
		value, err := strconv.ParseInt(number, 10, into.Type().Bits())
		into.SetInt(value)
		return err == nil
	case into.CanUint():
		value, err := strconv.ParseUint(number, 10, into.Type().Bits())
		into.SetUint(value)
		return err == nil
	case into.CanFloat():
		value, err := strconv.ParseFloat(number, into.Type().Bits())
		into.SetFloat(value)
		return err == nil
	default:
		return false
	}
}

// misfit takes the value that stands here and says that another was expected.
func (d *decoder) misfit(into reflect.Value, at *place) error {
	first := d.peek()
	text, err := d.skip()
	if err != nil {
		return err
	}
	is := map[byte]string{'{': "map", '[': "sequence", 't': "boolean `true`", 'f': "boolean `false`", 'n': "null"}[first]
	if first == '"' {
		is = "string " + string(text)
	} else if is == "" {
		is = "number `" + string(text) + "`"
	}
	return misfitAt(at, "invalid type: %s, expected %s", is, expected(into))
}

func expected(into reflect.Value) string {
	switch {
	case into.Type() == numberType || into.CanFloat():
		return "a number"
	case into.CanInt():
		return fmt.Sprintf("an integer of %d bits", into.Type().Bits())
	case into.CanUint():
		return fmt.Sprintf("a positive integer of %d bits", into.Type().Bits())
	}
	switch into.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "a boolean"
	case reflect.Slice, reflect.Array:
		return "a list"
	default:
		return "an object"
	}
}

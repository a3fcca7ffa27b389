// Package types is what the generated bindings use for the types that Go lacks.
package types

// The tags of an Option.
const (
	OptionNone uint8 = iota
	OptionSome
)

// Option is a value or none.
type Option[T any] struct {
	tag   uint8
	value T
}

// None is no value.
func None[T any]() Option[T] {
	return Option[T]{}
}

// Some is a value.
func Some[T any](value T) Option[T] {
	return Option[T]{OptionSome, value}
}

// Tag says which it is.
func (o Option[T]) Tag() uint8 {
	return o.tag
}

// Some gives the value; the zero value if there is none.
func (o Option[T]) Some() T {
	return o.value
}

// The tags of a Result.
const (
	ResultOk uint8 = iota
	ResultErr
)

// Result is a value or an error.
type Result[T, E any] struct {
	tag uint8
	ok  T
	err E
}

// Ok is a value.
func Ok[T, E any](value T) Result[T, E] {
	return Result[T, E]{tag: ResultOk, ok: value}
}

// Err is an error.
func Err[T, E any](value E) Result[T, E] {
	return Result[T, E]{tag: ResultErr, err: value}
}

// Tag says which it is.
func (r Result[T, E]) Tag() uint8 {
	return r.tag
}

// Ok gives the value.
func (r Result[T, E]) Ok() T {
	return r.ok
}

// Err gives the error.
func (r Result[T, E]) Err() E {
	return r.err
}

// Tuple2 is two values.
type Tuple2[A, B any] struct {
	F0 A
	F1 B
}

package weir

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"
)

// Kind says what went wrong, as far as Weir must tell cases apart. Weir, not the plugin, decides what follows.
type Kind uint8

// The kinds of fault, in the order of the contract.
const (
	// KindInvalidInput: the data cannot be processed; somebody has to mend it.
	KindInvalidInput Kind = iota
	// KindUnauthorized: the destination does not accept the credential.
	KindUnauthorized
	// KindForbidden: the credential is accepted and not sufficient.
	KindForbidden
	// KindNotFound: what the call is about does not exist.
	KindNotFound
	// KindConflict: the state of the destination contradicts the call.
	KindConflict
	// KindRateLimited: too many calls.
	KindRateLimited
	// KindUnavailable: the destination cannot be reached or cannot answer now, and the call had no effect.
	KindUnavailable
	// KindTimeout: no answer in time, and the call had no effect or may be repeated.
	KindTimeout
	// KindRejected: the destination understood the call and declined it.
	KindRejected
	// KindUnknownOutcome: the call may or may not have had its effect.
	KindUnknownOutcome
	// KindInternal: a fault in the plugin.
	KindInternal
)

var kindNames = [...]string{
	"invalid-input", "unauthorized", "forbidden", "not-found", "conflict", "rate-limited", "unavailable", "timeout",
	"rejected", "unknown-outcome", "internal",
}

// String gives the name that the contract uses.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Pair is a name with its value. Lists of pairs keep their order and may repeat a name.
type Pair struct {
	Name, Value string
}

// FieldFault is one field at fault.
type FieldFault struct {
	// Pointer is a JSON Pointer (RFC 6901) into the input, such as /contact/email.
	Pointer string
	// Message says what is wrong with it.
	Message string
}

// Fault is an error that says how a call failed. Its kind decides what Weir does next, so choose it by name:
//
//	return contact, weir.RateLimited(30 * time.Second)
//	return contact, weir.InvalidInput("the lead cannot be filed").WithField("/email", "is missing")
//
// Any other error that a function returns becomes an internal fault. A fault that is wrapped with %w stays what it is and
// gets the whole text as its message; errors.As finds it.
type Fault struct {
	// Kind decides what Weir does.
	Kind Kind
	// Code is a stable word for machines.
	Code string
	// Message says what happened, in a sentence for people. Never anything secret.
	Message string
	// RetryAfter is how long the destination asked to wait; nil if it did not say.
	RetryAfter *time.Duration
	// Fields are the fields at fault.
	Fields []FieldFault
	// Details are anything else worth knowing.
	Details []Pair
}

// Error gives the message.
func (f *Fault) Error() string {
	return f.Message
}

// NewFault makes a fault of any kind. Its code is the kind's name until WithCode says another.
func NewFault(kind Kind, message string) *Fault {
	return &Fault{Kind: kind, Code: kind.String(), Message: message}
}

// InvalidInput says that the data cannot be processed; somebody has to mend it. Name the fields with WithField.
func InvalidInput(message string) *Fault { return NewFault(KindInvalidInput, message) }

// Unauthorized says that the destination does not accept the credential.
func Unauthorized(message string) *Fault { return NewFault(KindUnauthorized, message) }

// Forbidden says that the credential is accepted and not sufficient.
func Forbidden(message string) *Fault { return NewFault(KindForbidden, message) }

// NotFound says that what the call is about does not exist.
func NotFound(message string) *Fault { return NewFault(KindNotFound, message) }

// Conflict says that the state of the destination contradicts the call.
func Conflict(message string) *Fault { return NewFault(KindConflict, message) }

// RateLimited says that there were too many calls, and that the destination asks to wait so long.
func RateLimited(after time.Duration) *Fault {
	return NewFault(KindRateLimited, "too many calls").WithRetryAfter(after)
}

// Unavailable says that the destination cannot be reached or cannot answer now, and that the call had no effect.
func Unavailable(message string) *Fault { return NewFault(KindUnavailable, message) }

// Timeout says that there was no answer in time, and that the call had no effect or may be repeated.
func Timeout(message string) *Fault { return NewFault(KindTimeout, message) }

// Rejected says that the destination understood the call and declined it.
func Rejected(message string) *Fault { return NewFault(KindRejected, message) }

// UnknownOutcome says that the call may or may not have had its effect.
func UnknownOutcome(message string) *Fault { return NewFault(KindUnknownOutcome, message) }

// Internal says that there is a case that cannot be: a fault in the plugin. It notes the line that it was made in.
func Internal(message string) *Fault {
	fault := NewFault(KindInternal, message)
	if _, file, line, ok := runtime.Caller(1); ok {
		return fault.WithDetail("at", fmt.Sprintf("%s:%d", file, line))
	}
	return fault
}

// WithCode gives the same with another code.
func (f *Fault) WithCode(code string) *Fault {
	with := *f
	with.Code = code
	return &with
}

// WithField gives the same with one more field at fault; the pointer is a JSON Pointer (RFC 6901) into the input.
func (f *Fault) WithField(pointer, message string) *Fault {
	with := *f
	with.Fields = append(slices.Clone(f.Fields), FieldFault{Pointer: pointer, Message: message})
	return &with
}

// WithDetail gives the same with one more detail.
func (f *Fault) WithDetail(name, value string) *Fault {
	with := *f
	with.Details = append(slices.Clone(f.Details), Pair{Name: name, Value: value})
	return &with
}

// WithRetryAfter gives the same with the time to wait.
func (f *Fault) WithRetryAfter(after time.Duration) *Fault {
	with := *f
	with.RetryAfter = &after
	return &with
}

// KindOf gives the kind of fault that an error means: that of the fault in its chain, else KindInternal.
func KindOf(err error) Kind {
	if fault := findFault(err); fault != nil {
		return fault.Kind
	}
	return KindInternal
}

func findFault(err error) *Fault {
	var fault *Fault
	if errors.As(err, &fault) {
		return fault
	}
	return nil
}

// toFault makes a fault of any error. One that is no fault knows no line, so the line is that of the function it came from.
func toFault(err error, function location) *Fault {
	if found := findFault(err); found != nil {
		with := *found
		with.Message = err.Error()
		return &with
	}
	fault := NewFault(KindInternal, err.Error()).WithDetail("at", function.line())
	for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
		fault = fault.WithDetail("cause", cause.Error())
	}
	return fault
}

// toMillis counts as the contract does: longer times become the longest, which is 49 days.
func toMillis(duration time.Duration) uint32 {
	return uint32(min(max(duration.Milliseconds(), 0), math.MaxUint32))
}

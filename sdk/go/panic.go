package weir

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
)

// location is where the code of a function begins.
type location struct {
	pc uintptr
}

func locate(function any) location {
	return location{reflect.ValueOf(function).Pointer()}
}

func (l location) line() string {
	function := runtime.FuncForPC(l.pc)
	if function == nil {
		return "unknown"
	}
	file, line := function.FileLine(l.pc)
	return fmt.Sprintf("%s:%d", file, line)
}

// framesMax bounds the traceback of a panic: enough to see how the code got there, and no flood.
const framesMax = 16

// guard calls a function of the plugin. A panic, which would end the sandbox without a word, becomes an internal fault that
// says its message, its line and how the code got there.
func guard[R any](call func() (R, *Fault)) (result R, fault *Fault) {
	defer func() {
		if value := recover(); value != nil {
			fault = panicked(value)
		}
	}()
	return call()
}

// panicked is called by the function that recovers, while the frames of the panic are still there.
func panicked(value any) *Fault {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	var trace []string
	seenPanic := false
	for {
		frame, more := frames.Next()
		switch {
		case strings.HasPrefix(frame.Function, "runtime."):
			// What the panic itself needs comes first; the frame behind the last of it is the line at fault.
			if frame.Function == "runtime.gopanic" {
				seenPanic = true
			}
		case strings.HasPrefix(frame.Function, "github.com/weir-project/weir/sdk/go.guard"):
			more = more && !seenPanic
		case seenPanic && len(trace) < framesMax:
			trace = append(trace, fmt.Sprintf("%s:%d %s", frame.File, frame.Line, frame.Function))
		}
		if !more {
			break
		}
	}
	fault := NewFault(KindInternal, fmt.Sprintf("panicked: %v", value)).WithCode("panic")
	if len(trace) == 0 {
		return fault
	}
	at, _, _ := strings.Cut(trace[0], " ")
	return fault.WithDetail("at", at).WithDetail("traceback", strings.Join(trace, "\n"))
}

package weir

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func detail(fault *Fault, name string) string {
	for _, detail := range fault.Details {
		if detail.Name == name {
			return detail.Value
		}
	}
	return ""
}

func mapText[R any](t *testing.T, text string, transform func(Mapping[any, NoOptions]) (R, error)) (Documents, *Fault) {
	t.Helper()
	documents, err := Mapper(transform).Transform(Origin{}, Document{Data: []byte(text)}, "")
	return documents, findFault(err)
}

func here() string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s:%d", file, line)
}

func TestAPanicIsAnInternalFaultAtItsLine(t *testing.T) {
	var line string
	_, fault := mapText(t, "[1]", func(m Mapping[any, NoOptions]) (any, error) {
		items := m.Input.([]any)
		line = here()
		return items[len(items)], nil
	})
	file, number, _ := strings.Cut(line, "_test.go:")
	next := 0
	_, _ = fmt.Sscan(number, &next)
	expected := fmt.Sprintf("%s_test.go:%d", file, next+1)
	if fault == nil || fault.Kind != KindInternal || fault.Code != "panic" || detail(fault, "at") != expected {
		t.Fatalf("%+v, expected at %s", fault, expected)
	}
	if fault.Message != "panicked: runtime error: index out of range [1] with length 1" {
		t.Error(fault.Message)
	}
	if !strings.Contains(detail(fault, "traceback"), "sdk/go.Mapper") {
		t.Error(detail(fault, "traceback"))
	}
}

func TestAPanicWithinLibraryCodeSaysHowItGotThere(t *testing.T) {
	_, fault := mapText(t, "1", func(Mapping[any, NoOptions]) (any, error) {
		return strings.Repeat("x", -1), nil
	})
	if fault == nil || !strings.Contains(detail(fault, "traceback"), "plugin_test.go:") {
		t.Fatalf("%+v", fault)
	}
}

func TestAnyErrorBecomesAFault(t *testing.T) {
	plain := func(Mapping[any, NoOptions]) (any, error) {
		return nil, fmt.Errorf("outer: %w", errors.New("inner"))
	}
	_, fault := mapText(t, "1", plain)
	if fault.Kind != KindInternal || fault.Message != "outer: inner" || detail(fault, "cause") != "inner" ||
		!strings.Contains(detail(fault, "at"), "plugin_test.go:") {
		t.Errorf("%+v", fault)
	}
	_, fault = mapText(t, "1", func(Mapping[any, NoOptions]) (any, error) {
		return nil, fmt.Errorf("creating: %w", RateLimited(time.Minute))
	})
	if fault.Kind != KindRateLimited || fault.Message != "creating: too many calls" || *fault.RetryAfter != time.Minute {
		t.Errorf("%+v", fault)
	}
	_, fault = mapText(t, "1", func(Mapping[any, NoOptions]) (float64, error) { return math.NaN(), nil })
	if fault.Kind != KindInternal {
		t.Errorf("%+v", fault)
	}
	if fault := Internal("cannot be"); detail(fault, "at") == "" {
		t.Errorf("%+v", fault)
	}
}

func TestAMapperSplitsAndFilters(t *testing.T) {
	documents, fault := mapText(t, "1", func(Mapping[any, NoOptions]) (Documents, error) { return Split(1, 2) })
	if fault != nil || len(documents) != 2 || string(documents[1].Data) != "2" {
		t.Errorf("%v, %v", documents, fault)
	}
	documents, fault = mapText(t, "1", func(Mapping[any, NoOptions]) (Documents, error) { return nil, nil })
	if fault != nil || len(documents) != 0 {
		t.Errorf("%v, %v", documents, fault)
	}
	csv := Document{ContentType: "text/csv", Data: []byte("a,b")}
	whole := Mapper(func(m Mapping[Document, NoOptions]) (Document, error) { return m.Input, nil })
	if documents, err := whole.Transform(Origin{}, csv, "{}"); err != nil || string(documents[0].Data) != "a,b" {
		t.Errorf("%v, %v", documents, err)
	}
	typed := Mapper(func(m Mapping[int, NoOptions]) (int, error) { return m.Input, nil })
	if _, err := typed.Transform(Origin{}, csv, ""); findFault(err).Code != "content-type" {
		t.Error(err)
	}
	if _, err := typed.Transform(Origin{}, Document{Data: []byte("1")}, `{"x":1}`); findFault(err).Code != "options" {
		t.Error(err)
	}
}

func TestJSONIsKnownByItsMediaType(t *testing.T) {
	for contentType, isJSON := range map[string]bool{
		"application/json": true, "Application/JSON; charset=utf-8": true, "application/cloudevents+json": true, "": true,
		"text/plain": false, "application/jsonlines": false,
	} {
		if (Document{ContentType: contentType}).IsJSON() != isJSON {
			t.Error(contentType)
		}
	}
}

func TestLinesGoToTheExecution(t *testing.T) {
	var lines []string
	logger := slog.New(logHandler{write: func(level LogLevel, message string, fields []Pair) {
		lines = append(lines, fmt.Sprint(level, message, fields))
	}})
	logger.With("a", 1).WithGroup("g").Info("created", "id", "c1", slog.Group("h", "x", time.Second))
	logger.Error("failed", "err", errors.New("broken"))
	if expected := []string{"1created[{a 1} {g.id c1} {g.h.x 1s}]", "3failed[{err broken}]"}; !slices.Equal(lines, expected) {
		t.Errorf("%q", lines)
	}
}

func TestATimeBeyondTheContractIsTheLongest(t *testing.T) {
	if toMillis(math.MaxInt64) != math.MaxUint32 || toMillis(-1) != 0 || toMillis(1500*time.Millisecond) != 1500 {
		t.Error("not clamped")
	}
}

package main

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	weir "github.com/weir-project/weir/sdk/go"
	"github.com/weir-project/weir/sdk/go/weirtest"
)

// outcome is the documents as text, or what of a fault a flow can see.
type outcome struct {
	Name      string   `json:"name"`
	Documents []string `json:"documents"`
	Fault     string   `json:"fault"`
	Code      string   `json:"code"`
	Pointers  []string `json:"pointers"`
}

func TestTheEventsGiveWhatRustGives(t *testing.T) {
	events, expected := lines(t, "events"), lines(t, "expected")
	if len(events) != len(expected) {
		t.Fatalf("%d events, %d expected", len(events), len(expected))
	}
	for at, line := range events {
		var event struct{ Name, Content_type, Options, Data string }
		var wanted outcome
		if err := errors.Join(json.Unmarshal([]byte(line), &event), json.Unmarshal([]byte(expected[at]), &wanted)); err != nil {
			t.Fatal(err)
		}
		found := outcome{Name: event.Name}
		document := weir.Document{ContentType: event.Content_type, Data: []byte(event.Data)}
		given, err := plugin.Transform(weirtest.Origin("lead"), document, event.Options)
		for _, document := range given {
			found.Documents = append(found.Documents, string(document.Data))
		}
		if fault, ok := err.(*weir.Fault); ok {
			found.Fault, found.Code, found.Pointers = fault.Kind.String(), fault.Code, []string{}
			for _, field := range fault.Fields {
				found.Pointers = append(found.Pointers, field.Pointer)
			}
		}
		if !reflect.DeepEqual(found, wanted) {
			t.Errorf("found %+v, expected %+v", found, wanted)
		}
	}
}

func lines(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile("../../tests/same-output/" + name + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

package main

import (
	"testing"

	weir "github.com/weir-project/weir/sdk/go"
	"github.com/weir-project/weir/sdk/go/weirtest"
)

func TestAPersonIsGreeted(t *testing.T) {
	for options, expected := range map[string]string{
		``:                              `{"greeting":"Hello, Ada!"}`,
		`{"salutation":"Good morning"}`: `{"greeting":"Good morning, Ada!"}`,
	} {
		documents, err := weirtest.Transform(t, plugin, Person{Name: " Ada "}, options)
		if err != nil || len(documents) != 1 || documents[0] != expected {
			t.Errorf("%s, %v", documents, err)
		}
	}
}

func TestNobodyIsAFault(t *testing.T) {
	for _, input := range []string{`{}`, `{"name":" "}`, `{"name":7}`} {
		if _, err := weirtest.Transform(t, plugin, input, ""); weir.KindOf(err) != weir.KindInvalidInput {
			t.Errorf("%s: %v", input, err)
		}
	}
}

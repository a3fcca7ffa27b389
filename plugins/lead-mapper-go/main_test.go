package main

import (
	"testing"

	weir "github.com/weir-project/weir/sdk/go"
	"github.com/weir-project/weir/sdk/go/weirtest"
)

func TestLeadsBecomeContacts(t *testing.T) {
	for lead, contact := range map[string]string{
		`{"email":" Ada@Example.COM ","first_name":"Ada","last_name":" Lovelace","company":"","utm":"x"}`: `{"email":"ada@example.com","name":"Ada Lovelace","source":"web form"}`,

		`{"email":"g@h.example","name":"Grace   Hopper","phone":"+49 (30) 123-456","message":" Call me\n"}`: `{"email":"g@h.example","name":"Grace Hopper","phone":"+4930123456","note":"Call me","source":"web form"}`,

		`{"email":"ö@müller.example","phone":"n/a"}`: `{"email":"ö@müller.example","name":"ö@müller.example","source":"web form"}`,

		`{"email":"AΣ.Σ@İ.example","name":"<a&b>","message":"\u2028a\u2028\"\\u2028"}`: `{"email":"aΣ.Σ@İ.example","name":"<a&b>","note":"a` + "\u2028" + `\"\\u2028","source":"web form"}`,
	} {
		documents, err := weirtest.Transform(t, plugin, lead, "")
		if err != nil || len(documents) != 1 || documents[0] != contact {
			t.Errorf("%s became %+q (%v), expected %+q", lead, documents, err, contact)
		}
	}
}

func TestALeadThatCannotBeWrittenToNamesItsField(t *testing.T) {
	for _, email := range []string{
		`""`, `"  "`, `"ada"`, `"@example.com"`, `"ada@"`, `"ada@example"`, `"a b@example.com"`, `"a@b@example.com"`,
		`"a@b..c"`, `["ada@example.com"]`, `null`, `5`,
	} {
		_, err := weirtest.Transform(t, plugin, `{"email":`+email+`}`, "")
		if pointer := pointerOf(t, err); pointer != "/email" {
			t.Errorf("%s: the fault is at %s", email, pointer)
		}
	}
}

func TestABudgetIsCarriedAsItWasWritten(t *testing.T) {
	lead := func(budget string) string { return `{"email":"a@b.example","budget":` + budget + `}` }
	for budget, carried := range map[string]string{
		"5": "5", "-0": "-0", "1.10": "1.10", "1E400": "1E400", "9007199254740993": "9007199254740993",
		"12345678901234567890.123456789": "12345678901234567890.123456789", "null": "",
	} {
		if carried != "" {
			carried = `"budget":` + carried + ","
		}
		expected := `{"email":"a@b.example","name":"a@b.example",` + carried + `"source":"web form"}`
		documents, err := weirtest.Transform(t, plugin, lead(budget), "")
		if err != nil || len(documents) != 1 || documents[0] != expected {
			t.Errorf("%s: %s, %v", budget, documents, err)
		}
	}
	for _, budget := range []string{`"5"`, "true", "[5]", "{}"} {
		_, err := weirtest.Transform(t, plugin, lead(budget), "")
		if pointer := pointerOf(t, err); pointer != "/budget" {
			t.Errorf("%s: the fault is at %s", budget, pointer)
		}
	}
}

func pointerOf(t *testing.T, err error) string {
	t.Helper()
	fault, ok := err.(*weir.Fault)
	if !ok || fault.Kind != weir.KindInvalidInput || len(fault.Fields) != 1 {
		t.Fatalf("not a fault with a field: %#v", err)
	}
	return fault.Fields[0].Pointer
}

func TestTheFlowChoosesTheSource(t *testing.T) {
	documents, err := weirtest.Transform(t, plugin, `{"email":"a@b.example"}`, `{"source":"fair"}`)
	if expected := `{"email":"a@b.example","name":"a@b.example","source":"fair"}`; err != nil || documents[0] != expected {
		t.Errorf("%s, %v", documents, err)
	}
	_, err = weirtest.Transform(t, plugin, `{"email":"a@b.example"}`, `{"sorce":"fair"}`)
	if fault, ok := err.(*weir.Fault); !ok || fault.Kind != weir.KindInvalidInput || fault.Code != "options" {
		t.Errorf("an unknown option gave %#v", err)
	}
}

package main

import (
	"testing"

	weir "github.com/weir-project/weir/sdk/go"
	"github.com/weir-project/weir/sdk/go/weirtest"
)

var note = Note{Title: "Shopping", Text: "Milk"}

func creation() weir.Request {
	return weir.Post("/notes").JSON(note).Header("Idempotency-Key", "key-1")
}

func TestANoteIsCreatedUnderTheKeyOfTheStep(t *testing.T) {
	script := weirtest.NewScript(t).On(creation(), weirtest.JSON(201, Stored{ID: "n1"}))
	receipt, err := plugin.Invoke(weirtest.Call(t, "create-note", note), script.HTTP())
	if err != nil || receipt.ExternalID != "n1" {
		t.Errorf("%+v, %v", receipt, err)
	}
}

func TestALostAnswerIsSettled(t *testing.T) {
	call := weirtest.Call(t, "create-note", note)
	lost := weirtest.NewScript(t).On(creation(), weirtest.Lost(weir.Broken, true))
	if _, err := plugin.Invoke(call, lost.HTTP()); weir.KindOf(err) != weir.KindUnknownOutcome {
		t.Errorf("%v", err)
	}
	search := weir.Get("/notes").Query("title", note.Title)
	for outcome, found := range map[weir.Outcome][]Stored{weir.OutcomeHappened: {{ID: "n7"}}, weir.OutcomeAbsent: {}} {
		script := weirtest.NewScript(t).On(search, weirtest.JSON(200, found))
		settlement, err := plugin.Verify(call, script.HTTP())
		if err != nil || settlement.Outcome != outcome {
			t.Errorf("%+v, %v", settlement, err)
		}
	}
}

func TestAConnectionSaysWhoseItIs(t *testing.T) {
	script := weirtest.NewScript(t).On(weir.Get("/me"), weirtest.JSON(200, map[string]string{"name": "Ada"}))
	if identity, err := plugin.Check(weirtest.Context(), script.HTTP()); err != nil || identity.Label != "Ada" {
		t.Errorf("%+v, %v", identity, err)
	}
	script = weirtest.NewScript(t).On(weir.Get("/me"), weirtest.Status(401))
	if _, err := plugin.Check(weirtest.Context(), script.HTTP()); weir.KindOf(err) != weir.KindUnauthorized {
		t.Errorf("%v", err)
	}
}

package main

import (
	"testing"

	weir "github.com/weir-project/weir/sdk/go"
	"github.com/weir-project/weir/sdk/go/weirtest"
)

var (
	ada    = Contact{Email: "ada@example.com", Name: "Ada"}
	stored = Stored{ID: "c1", Email: ada.Email, Name: ada.Name}
)

func creation() weir.Request {
	return weir.Post("/contacts").JSON(ada).Header("Idempotency-Key", "key-1")
}

func TestAContactIsCreatedUnderTheKeyOfTheStep(t *testing.T) {
	script := weirtest.NewScript(t).On(creation(), weirtest.JSON(201, stored))
	receipt, err := plugin.Invoke(weirtest.Call(t, "create-contact", ada), script.HTTP())
	if err != nil || receipt.ExternalID != "c1" {
		t.Errorf("%+v, %v", receipt, err)
	}
}

func TestALostAnswerIsSettled(t *testing.T) {
	call := weirtest.Call(t, "create-contact", ada)
	lost := weirtest.NewScript(t).On(creation(), weirtest.Lost(weir.Broken, true))
	if _, err := plugin.Invoke(call, lost.HTTP()); weir.KindOf(err) != weir.KindUnknownOutcome {
		t.Errorf("%v", err)
	}
	search := weir.Get("/contacts").Query("email", ada.Email)
	for outcome, found := range map[weir.Outcome][]Stored{weir.OutcomeHappened: {stored}, weir.OutcomeAbsent: {}} {
		script := weirtest.NewScript(t).On(search, weirtest.JSON(200, found))
		settlement, err := plugin.Verify(call, script.HTTP())
		if err != nil || settlement.Outcome != outcome {
			t.Errorf("%+v, %v", settlement, err)
		}
	}
}

func TestAConnectionSaysWhoseItIs(t *testing.T) {
	script := weirtest.NewScript(t).On(weir.Get("/me"), weirtest.JSON(200, stored)).On(weir.Get("/me"), weirtest.Status(401))
	if identity, err := plugin.Check(weirtest.Context(), script.HTTP()); err != nil || identity.Label != "Ada" {
		t.Errorf("%+v, %v", identity, err)
	}
	if _, err := plugin.Check(weirtest.Context(), script.HTTP()); weir.KindOf(err) != weir.KindUnauthorized {
		t.Errorf("%v", err)
	}
}

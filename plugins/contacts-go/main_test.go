package main

import (
	"testing"
	"time"

	weir "github.com/weir-project/weir/sdk/go"
	"github.com/weir-project/weir/sdk/go/weirtest"
)

const contacts = "/v2/{{key}}/workspaces/main/contacts"

func TestAContactIsCreatedUnderTheStepsKey(t *testing.T) {
	request := weir.Post(contacts).Header("Idempotency-Key", "key-1")
	request = request.JSON(map[string]string{"email": "ada@example.com", "reference": "key-1"})
	script := weirtest.NewScript(t).On(request, weirtest.JSON(201, map[string]any{"id": int64(1)<<53 + 1}))
	receipt, err := plugin.Invoke(weirtest.Call(t, "create-contact", Contact{Email: "ada@example.com"}), script.HTTP())
	if err != nil || receipt.ExternalID != "9007199254740993" {
		t.Errorf("%+v, %v", receipt, err)
	}
}

func TestWhatIsNotFoundMayStillBeThere(t *testing.T) {
	for lag, outcome := range map[int]weir.Outcome{0: weir.OutcomeAbsent, 250: weir.OutcomeUndecided} {
		reply := weirtest.JSON(200, map[string]any{"contacts": []any{}, "lag_ms": lag})
		script := weirtest.NewScript(t).On(weir.Get(contacts+"/search").Query("reference", "key-1"), reply)
		settlement, err := plugin.Verify(weirtest.Call(t, "create-contact", Contact{Email: "ada@example.com"}), script.HTTP())
		if err != nil || settlement.Outcome != outcome || settlement.AskAfter != time.Duration(lag)*time.Millisecond {
			t.Errorf("%d: %+v, %v", lag, settlement, err)
		}
	}
}

func TestAConnectionSaysWhoseItIs(t *testing.T) {
	reply := weirtest.JSON(200, map[string]string{"tenant": "acme", "name": "Acme Ltd."})
	script := weirtest.NewScript(t).On(weir.Get("/v2/{{key}}/account"), reply)
	identity, err := plugin.Check(weirtest.Context(), script.HTTP())
	if err != nil || identity.Label != "Acme Ltd." || identity.Account != "acme" {
		t.Errorf("%+v, %v", identity, err)
	}
}

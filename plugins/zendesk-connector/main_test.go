package main

import (
	"errors"
	"testing"
	"time"

	weir "github.com/weir-project/weir/sdk/go"
	"github.com/weir-project/weir/sdk/go/weirtest"
)

const (
	ticket   = `{"subject":"Help","body":"{{secret}}","requester":{"email":"ada@example.com"},"custom_fields":[{"id":9007199254740993,"value":1.10}]}`
	sent     = `{"ticket":{"subject":"Help","comment":{"body":"{{secret}}"},"requester":{"email":"ada@example.com"},"custom_fields":[{"id":9007199254740993,"value":1.10}],"external_id":"key-1"}}`
	stored   = `{"url":"u","id":9007199254740993,"satisfaction":1.10,"subject":"Help"}`
	external = "/api/v2/tickets?external_id=key-1"
)

func creationRequest() weir.Request {
	return weir.Post("/api/v2/tickets").Header("Idempotency-Key", "key-1").WithBody("application/json", []byte(sent))
}

func reply(status int, body string) weirtest.Reply {
	return weirtest.Status(status).WithBody([]byte(body))
}

func output(t *testing.T, receipt weir.Receipt) string {
	t.Helper()
	document, ok := receipt.Output.(weir.Document)
	if !ok {
		t.Fatalf("the output is a %T", receipt.Output)
	}
	return string(document.Data)
}

func TestATicketIsOpenedUnderTheKeyOfTheStepAndKeepsEveryDigit(t *testing.T) {
	script := weirtest.NewScript(t).On(creationRequest(), reply(201, `{"ticket":`+stored+`}`))
	receipt, err := plugin.Invoke(weirtest.Call(t, "create-ticket", ticket), script.HTTP())
	if err != nil {
		t.Fatal(err)
	}
	if receipt.ExternalID != "9007199254740993" || output(t, receipt) != stored {
		t.Errorf("%s, %s", receipt.ExternalID, output(t, receipt))
	}
}

func TestALostAnswerIsSettledByTheKey(t *testing.T) {
	lost := weirtest.NewScript(t).On(creationRequest(), weirtest.Lost(weir.Broken, true))
	_, err := plugin.Invoke(weirtest.Call(t, "create-ticket", ticket), lost.HTTP())
	if weir.KindOf(err) != weir.KindUnknownOutcome {
		t.Errorf("%#v", err)
	}
	for _, test := range []struct {
		found   string
		outcome weir.Outcome
	}{
		{`{"tickets":[` + stored + `]}`, weir.OutcomeHappened},
		{`{"tickets":[]}`, weir.OutcomeAbsent},
	} {
		script := weirtest.NewScript(t).On(weir.Get(external), reply(200, test.found))
		settlement, err := plugin.Verify(weirtest.Call(t, "create-ticket", ticket), script.HTTP())
		if err != nil || settlement.Outcome != test.outcome {
			t.Errorf("%s: %+v, %v", test.found, settlement, err)
		}
	}
}

func TestTicketsAreFoundByTheirRequester(t *testing.T) {
	url := "/api/v2/search?query=type%3Aticket%20requester%3A%22ada%40example.com%22%20status%3Aopen"
	script := weirtest.NewScript(t).On(weir.Get(url), reply(200, `{"results":[]}`))
	call := weirtest.Call(t, "find-tickets", `{"email":"ada@example.com","status":"open"}`)
	receipt, err := plugin.Invoke(call, script.HTTP())
	if err != nil || output(t, receipt) != "[]" {
		t.Errorf("%v, %v", receipt, err)
	}
}

func TestPagesFollowOneAnotherByCursor(t *testing.T) {
	first := "/api/v2/tickets?page%5Bsize%5D=1"
	script := weirtest.NewScript(t).
		On(weir.Get(first), reply(200, `{"tickets":[`+stored+`],"meta":{"has_more":true,"after_cursor":"x="}}`)).
		On(weir.Get(first+"&page%5Bafter%5D=x%3D"), reply(200, `{"tickets":null,"meta":{"has_more":false,"after_cursor":null}}`))
	call := weirtest.Call(t, "list-tickets", `{"limit":1}`)
	receipt, err := plugin.Invoke(call, script.HTTP())
	if err != nil || receipt.Next != "x=" || output(t, receipt) != "["+stored+"]" {
		t.Fatalf("%v, %v", receipt, err)
	}
	call.Cursor = receipt.Next
	receipt, err = plugin.Invoke(call, script.HTTP())
	if err != nil || receipt.Next != "" || output(t, receipt) != "[]" {
		t.Errorf("%v, %v", receipt, err)
	}
}

func TestRefusalsSayWhatZendeskSays(t *testing.T) {
	refusal := `{"error":"RecordInvalid","description":"Record validation errors"}`
	script := weirtest.NewScript(t).
		On(creationRequest(), reply(422, refusal)).
		On(creationRequest(), reply(429, "").WithHeader("Retry-After", "93"))
	call := weirtest.Call(t, "create-ticket", ticket)
	var fault *weir.Fault
	_, err := plugin.Invoke(call, script.HTTP())
	if !errors.As(err, &fault) || fault.Kind != weir.KindInvalidInput || fault.Code != "RecordInvalid" {
		t.Errorf("%#v", err)
	}
	_, err = plugin.Invoke(call, script.HTTP())
	if !errors.As(err, &fault) || fault.Kind != weir.KindRateLimited || *fault.RetryAfter != 93*time.Second {
		t.Errorf("%#v", err)
	}
}

func TestAConnectionSaysWhoseItIs(t *testing.T) {
	me := weir.Get("/api/v2/users/me")
	script := weirtest.NewScript(t).
		On(me, reply(200, `{"user":{"id":7,"name":"Ada","email":"ada@example.com"}}`)).
		On(me, reply(200, `{"user":{"id":null,"name":"Anonymous user","email":null}}`))
	identity, err := plugin.Check(weirtest.Context(), script.HTTP())
	if err != nil || identity.Label != "Ada <ada@example.com>" || identity.Account != "7" {
		t.Errorf("%+v, %v", identity, err)
	}
	if _, err := plugin.Check(weirtest.Context(), script.HTTP()); weir.KindOf(err) != weir.KindUnauthorized {
		t.Errorf("%#v", err)
	}
}

func TestCallsThatThePluginDoesNotKnowAreFaults(t *testing.T) {
	script := weirtest.NewScript(t)
	if _, err := plugin.Invoke(weirtest.Call(t, "delete", "{}"), script.HTTP()); weir.KindOf(err) != weir.KindInternal {
		t.Errorf("%#v", err)
	}
	_, err := plugin.Verify(weirtest.Call(t, "find-tickets", "{}"), script.HTTP())
	if weir.KindOf(err) != weir.KindUnknownOutcome {
		t.Errorf("%#v", err)
	}
}

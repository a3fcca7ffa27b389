// Package weirtest is for tests that run natively, without WebAssembly and without a network: the plugin's functions as Weir
// would call them, and a script of the requests that they may make.
//
//	script := weirtest.NewScript(t)
//	script.On(weir.Get("/ping"), weirtest.JSON(200, map[string]bool{"ok": true}))
//	receipt, err := plugin.Invoke(weirtest.Call(t, "ping", nil), script.HTTP())
package weirtest

import (
	"reflect"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-project/weir/sdk/go"
)

// Script is the requests that a test expects, in their order, each with its answer. An unexpected one fails the test, and so
// does one that was expected and not made.
type Script struct {
	t         testing.TB
	exchanges []exchange
}

type exchange struct {
	request weir.Request
	reply   Reply
}

// Reply is a scripted answer.
type Reply struct {
	response weir.Response
	err      *weir.HTTPError
}

// NewScript makes one that expects no request.
func NewScript(t testing.TB) *Script {
	script := &Script{t: t}
	t.Cleanup(func() {
		t.Helper()
		for _, left := range script.exchanges {
			t.Errorf("expected and not made: %s %s", left.request.Method, left.request.URL)
		}
	})
	return script
}

// On expects one more request. Its method, URL, credential and body must be the same, JSON by value; of the header fields
// those that are written here must be there.
func (s *Script) On(request weir.Request, reply Reply) *Script {
	s.exchanges = append(s.exchanges, exchange{request, reply})
	return s
}

// HTTP gives a way out that follows the script.
func (s *Script) HTTP() *weir.HTTP {
	return weir.NewHTTP(s)
}

// SendAll implements [weir.Transport].
func (s *Script) SendAll(requests []weir.Request) []weir.Answer {
	s.t.Helper()
	var answers []weir.Answer
	for _, request := range requests {
		answers = append(answers, s.answer(request))
	}
	return answers
}

func (s *Script) answer(request weir.Request) weir.Answer {
	s.t.Helper()
	if len(s.exchanges) == 0 {
		s.t.Fatalf("unexpected request: %s %s %s", request.Method, request.URL, request.Body)
	}
	expected, reply := s.exchanges[0].request, s.exchanges[0].reply
	s.exchanges = s.exchanges[1:]
	if request.Method != expected.Method || request.URL != expected.URL {
		s.t.Fatalf("%s %s was sent, %s %s expected", request.Method, request.URL, expected.Method, expected.URL)
	}
	if request.Auth != expected.Auth {
		s.t.Errorf("another credential of %s %s", request.Method, request.URL)
	}
	for _, field := range expected.Headers {
		if got := header(request, field.Name); got != field.Value {
			s.t.Errorf("%s of %s %s is %q, %q expected", field.Name, request.Method, request.URL, got, field.Value)
		}
	}
	if !sameBody(request.Body, expected.Body) {
		s.t.Errorf("body of %s %s is\n%s\nexpected\n%s", request.Method, request.URL, request.Body, expected.Body)
	}
	if reply.err != nil {
		return weir.Answer{Err: reply.err}
	}
	reply.response.URL = request.URL
	return weir.Answer{Response: &reply.response}
}

func header(request weir.Request, name string) string {
	for _, field := range request.Headers {
		if strings.EqualFold(field.Name, name) {
			return field.Value
		}
	}
	return ""
}

func sameBody(sent, expected []byte) bool {
	var left, right any
	if weir.ReadJSON(sent, &left) == nil && weir.ReadJSON(expected, &right) == nil {
		return reflect.DeepEqual(left, right)
	}
	return string(sent) == string(expected)
}

// Status is an answer without a body.
func Status(status int) Reply {
	return Reply{response: weir.Response{Status: status}}
}

// JSON is an answer of JSON. It panics if the value cannot be written.
func JSON(status int, body any) Reply {
	text, err := weir.WriteJSON(body)
	if err != nil {
		panic(err)
	}
	return Status(status).WithHeader("content-type", "application/json").WithBody(text)
}

// Lost is no answer.
func Lost(kind weir.HTTPErrorKind, requestSent bool) Reply {
	return Reply{err: &weir.HTTPError{Kind: kind, Code: "scripted", Message: "scripted", RequestSent: requestSent}}
}

// WithHeader gives the same with one more header field.
func (r Reply) WithHeader(name, value string) Reply {
	headers := r.response.Headers
	r.response.Headers = append(headers[:len(headers):len(headers)], weir.Pair{Name: strings.ToLower(name), Value: value})
	return r
}

// WithBody gives the same with a body.
func (r Reply) WithBody(body []byte) Reply {
	r.response.Body = body
	return r
}

// Origin is where an event of that kind may have come from.
func Origin(kind string) weir.Origin {
	return weir.Origin{ID: "1", Source: "/test", Kind: kind, Received: "2026-11-23T00:00:00.000Z"}
}

// Transform maps a value as JSON, as of an event of kind test, and gives the documents as text. `options` is a JSON object,
// or empty.
func Transform(t testing.TB, plugin weir.Plugin, input any, options string) ([]string, error) {
	t.Helper()
	documents, err := plugin.Transform(Origin("test"), document(t, input), options)
	var texts []string
	for _, document := range documents {
		texts = append(texts, string(document.Data))
	}
	return texts, err
}

// Call is a call of an action, with key key-1. A string that is JSON is taken as it is written.
func Call(t testing.TB, action string, input any) weir.Call[weir.Document] {
	t.Helper()
	return weir.Call[weir.Document]{Action: action, Input: document(t, input), Context: Context()}
}

func document(t testing.TB, input any) weir.Document {
	t.Helper()
	if text, ok := input.(string); ok {
		return weir.Document{ContentType: "application/json", Data: []byte(text)}
	}
	document, err := weir.NewDocument(input)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// Context is the circumstances of a first attempt, with key key-1.
func Context() weir.Context {
	return weir.Context{
		Execution:      "exe_00000000000000000000000000-0",
		Step:           "step",
		IdempotencyKey: "key-1",
		Attempt:        1,
		Remaining:      30 * time.Second,
		Connection:     "test",
		Settings:       "{}",
	}
}

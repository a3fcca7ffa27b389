package weir

import (
	"strings"
	"testing"
)

func response(method string, status int, headers ...Pair) *Response {
	return &Response{Status: status, Headers: headers, repeatable: NewRequest(method, "/").isRepeatable()}
}

func TestADateWithoutTheTimeOfTheAnswerSaysNothing(t *testing.T) {
	if _, ok := response("GET", 503, Pair{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"}).RetryAfter(); ok {
		t.Error("counted without a date")
	}
}

func TestAnAnswerThatCannotBeReadAfterAnEffectIsAnUnknownOutcome(t *testing.T) {
	for _, test := range []struct {
		method string
		status int
		kind   Kind
	}{{"POST", 201, KindUnknownOutcome}, {"GET", 200, KindInternal}, {"POST", 400, KindInternal}} {
		if err := response(test.method, test.status).JSON(new(int)); KindOf(err) != test.kind {
			t.Errorf("%s %d: %v", test.method, test.status, err)
		}
	}
}

func TestDataIsNeverThePlaceOfASecret(t *testing.T) {
	request := Post("/x").Query("q", "{{a}}&b=ü").JSON([]string{"{{{a}}", "{"})
	if request.URL != "/x?q=%7B%7Ba%7D%7D%26b%3D%C3%BC" {
		t.Error(request.URL)
	}
	var back []string
	if err := ReadJSON(request.Body, &back); err != nil || back[0] != "{{{a}}" || strings.Contains(string(request.Body), "{{") {
		t.Errorf("%s, %v", request.Body, err)
	}
}

func TestRequestsShareNothing(t *testing.T) {
	base := Get("/x").Header("a", "1")
	one, two := base.Header("b", "2"), base.Header("b", "3")
	if one.Headers[1].Value != "2" || two.Headers[1].Value != "3" {
		t.Error(one, two)
	}
	if _, err := NewHTTP(nil).Send(Post("/x").JSON(func() {})); KindOf(err) != KindInternal {
		t.Error(err)
	}
}

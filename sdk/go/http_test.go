package weir

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func response(method string, status int, headers ...Pair) *Response {
	return &Response{Status: status, Headers: headers, repeatable: NewRequest(method, "/").isRepeatable()}
}

func TestStatusesMeanWhatTheTableSays(t *testing.T) {
	for status, kind := range map[int]Kind{
		301: KindRejected, 400: KindRejected, 401: KindUnauthorized, 402: KindRejected, 403: KindForbidden,
		404: KindNotFound, 408: KindTimeout, 409: KindConflict, 410: KindNotFound, 412: KindConflict,
		413: KindInvalidInput, 422: KindInvalidInput, 423: KindConflict, 425: KindUnavailable, 429: KindRateLimited,
		500: KindUnavailable, 501: KindRejected, 502: KindUnknownOutcome, 503: KindUnavailable, 504: KindUnknownOutcome,
		505: KindRejected, 599: KindUnavailable,
	} {
		if err := response("POST", status).Check(); KindOf(err) != kind {
			t.Errorf("%d: %v", status, KindOf(err))
		}
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		if kind := response(method, 504).Fault().Kind; kind != KindUnavailable {
			t.Errorf("%s: %v", method, kind)
		}
	}
	for _, status := range []int{200, 201, 204, 299} {
		if err := response("POST", status).Check(); err != nil {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestTheTimeToWaitIsSecondsOrADateAfterTheAnswer(t *testing.T) {
	const now = "Sun, 06 Nov 1994 08:49:37 GMT"
	second := func(count int64) *int64 { return &count }
	for value, seconds := range map[string]*int64{
		"120": second(120), " 0 ": second(0), "Sun, 06 Nov 1994 08:50:07 GMT": second(30),
		"Tue, 29 Feb 2000 00:00:00 GMT": second(951_782_400 - 784_111_777), "Sat, 05 Nov 1994 08:49:37 GMT": second(0),
		"soon": nil, "-1": nil, "Sun, 99 Nov": nil,
	} {
		after := response("GET", 503, Pair{"retry-after", value}, Pair{"date", now}).Fault().RetryAfter
		if (after == nil) != (seconds == nil) || after != nil && int64(*after/time.Second) != *seconds {
			t.Errorf("%s: %v", value, after)
		}
	}
	if _, ok := response("GET", 503, Pair{"retry-after", now}).RetryAfter(); ok {
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

func TestARequestWithoutAnAnswerMeansWhatTheTableSays(t *testing.T) {
	for kind, safe := range map[HTTPErrorKind]Kind{
		Denied: KindForbidden, Unreachable: KindUnavailable, TLS: KindUnavailable, NoAnswer: KindTimeout,
		TooLarge: KindRejected, Broken: KindUnavailable,
	} {
		fault := func(repeatable, sent bool) Kind {
			err := error(&HTTPError{Kind: kind, RequestSent: sent, repeatable: repeatable})
			var fault *Fault
			if !errors.As(err, &fault) {
				t.Fatal("no fault")
			}
			return fault.Kind
		}
		if fault(true, true) != safe || fault(false, false) != safe || fault(false, true) != KindUnknownOutcome {
			t.Errorf("%d: %v", kind, fault(true, true))
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

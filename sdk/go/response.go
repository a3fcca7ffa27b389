package weir

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// excerptBytesMax is as much of an answer as goes into a fault: enough for a message, too little to hold a document.
const excerptBytesMax = 512

// Response is an answer.
type Response struct {
	// Status is the status.
	Status int
	// URL is where the answer came from, after redirects.
	URL string
	// Headers are the header fields, names in lower case.
	Headers []Pair
	// Body is the body, decompressed.
	Body       []byte
	repeatable bool
}

// NewResponse makes the answer to a request of that method, for those who got it in another way than by [HTTP.Send].
func NewResponse(method string, status int, headers []Pair, body []byte) *Response {
	repeatable := NewRequest(method, "").isRepeatable()
	return &Response{Status: status, Headers: headers, Body: body, repeatable: repeatable}
}

// Header gives the first header field of that name; empty if there is none.
func (r *Response) Header(name string) string {
	for _, field := range r.Headers {
		if strings.EqualFold(field.Name, name) {
			return field.Value
		}
	}
	return ""
}

// IsSuccess says whether the status is 2xx.
func (r *Response) IsSuccess() bool {
	return r.Status >= 200 && r.Status < 300
}

// Check gives the fault that the status means, nil for 2xx:
//
//	401                               unauthorized
//	403                               forbidden
//	404, 410                          not-found
//	408                               timeout
//	409, 412, 423                     conflict
//	413, 422                          invalid-input
//	425                               unavailable
//	429                               rate-limited, with Retry-After
//	502, 504                          unavailable; after a POST or PATCH unknown-outcome, because the gateway cannot say
//	                                  what became of it
//	501, 505                          rejected
//	500, 503, other 5xx               unavailable, with Retry-After
//	3xx, which Weir follows           rejected
//	400, other 4xx                    rejected
//
// A request without an answer ([HTTPError]) means:
//
//	denied by the gate                forbidden; the message says how to allow it
//	unreachable, TLS, broken          unavailable
//	no answer in time                 timeout
//	too large                         rejected
//	any, if bytes of a POST or PATCH  unknown-outcome
//	had been sent
func (r *Response) Check() error {
	if r.IsSuccess() {
		return nil
	}
	return r.Fault()
}

// Fault gives the fault that the status means, for those who read the body first.
func (r *Response) Fault() *Fault {
	kind := r.faultKind()
	fault := NewFault(kind, fmt.Sprintf("the destination answered %d", r.Status)).WithCode(fmt.Sprintf("http-%d", r.Status))
	if kind == KindRateLimited || kind == KindUnavailable {
		if after, ok := r.RetryAfter(); ok {
			fault = fault.WithRetryAfter(after)
		}
	}
	excerpt := strings.ToValidUTF8(string(r.Body[:min(len(r.Body), excerptBytesMax)]), "\uFFFD")
	if excerpt = strings.TrimSpace(excerpt); excerpt != "" {
		fault = fault.WithDetail("answer", excerpt)
	}
	return fault
}

func (r *Response) faultKind() Kind {
	switch r.Status {
	case 401:
		return KindUnauthorized
	case 403:
		return KindForbidden
	case 404, 410:
		return KindNotFound
	case 408:
		return KindTimeout
	case 409, 412, 423:
		return KindConflict
	case 413, 422:
		return KindInvalidInput
	case 425:
		return KindUnavailable
	case 429:
		return KindRateLimited
	case 501, 505:
		return KindRejected
	case 502, 504:
		if !r.repeatable {
			return KindUnknownOutcome
		}
		return KindUnavailable
	}
	if r.Status >= 500 {
		return KindUnavailable
	}
	return KindRejected
}

// RetryAfter reads Retry-After (RFC 9110, section 10.2.3). A date counts from the answer's own Date, so that the clocks of
// two machines need not agree.
func (r *Response) RetryAfter() (time.Duration, bool) {
	value := strings.TrimSpace(r.Header("retry-after"))
	// A number that is too large is a long time all the same.
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(secondsMax))) * time.Second, true
	}
	until, err := time.Parse(dateLayout, value)
	if err != nil {
		return 0, false
	}
	now, err := time.Parse(dateLayout, r.Header("date"))
	if err != nil {
		return 0, false
	}
	return max(until.Sub(now), 0), true
}

const (
	// dateLayout is an IMF-fixdate (RFC 9110, section 5.6.7).
	dateLayout = "Mon, 02 Jan 2006 15:04:05 GMT"
	// secondsMax is the most that a time.Duration holds, in seconds.
	secondsMax = int64(1<<63-1) / int64(time.Second)
)

// JSON reads the body into what the pointer points to. What does not fit is an internal fault; after a POST or PATCH that
// succeeded an unknown-outcome, because the effect is there and only its description was lost.
func (r *Response) JSON(into any) error {
	fault := readJSON(r.Body, into, false)
	if fault == nil {
		return nil
	}
	kind := KindInternal
	if r.IsSuccess() && !r.repeatable {
		kind = KindUnknownOutcome
	}
	said := strings.Replace(fault.Message, "the input", "the body", 1)
	for _, field := range fault.Fields {
		said += " at " + field.Pointer
	}
	return NewFault(kind, "the answer is not what was expected: "+said).WithCode("unexpected-answer")
}

// CheckedJSON checks the status, then reads the body.
func (r *Response) CheckedJSON(into any) error {
	if err := r.Check(); err != nil {
		return err
	}
	return r.JSON(into)
}

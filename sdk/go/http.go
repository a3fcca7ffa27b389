package weir

import (
	"bytes"
	"fmt"
	"strings"
)

// Auth says which credential is added to a request.
type Auth struct {
	kind authKind
	name string
}

type authKind uint8

const (
	authDefault authKind = iota
	authNamed
	authAnonymous
)

var (
	// DefaultAuth is the connection's credential.
	DefaultAuth = Auth{}
	// Anonymous is none: for addresses that carry their own permission, such as presigned ones.
	Anonymous = Auth{kind: authAnonymous}
)

// NamedAuth is another of the connection's credentials.
func NamedAuth(name string) Auth {
	return Auth{kind: authNamed, name: name}
}

// Request is one request. Make one with [Get], [Post] and the like. A {{slot}} in URL, header values or body is replaced by
// the credential of that name, after what was written here has passed the gate.
type Request struct {
	// Method is the method, in capitals.
	Method string
	// URL is absolute, or a path under the connection's base URL.
	URL string
	// Headers are the header fields. Those that frame the message or authenticate are the host's: setting one is denied.
	Headers []Pair
	// Body is the body; empty for none.
	Body []byte
	// Auth is the credential.
	Auth Auth
	// The first thing that went wrong while it was made; told when it is sent.
	fault *Fault
}

// NewRequest makes a request.
func NewRequest(method, url string) Request {
	return Request{Method: method, URL: url}
}

// Get makes a GET.
func Get(url string) Request { return NewRequest("GET", url) }

// Post makes a POST.
func Post(url string) Request { return NewRequest("POST", url) }

// Put makes a PUT.
func Put(url string) Request { return NewRequest("PUT", url) }

// Patch makes a PATCH.
func Patch(url string) Request { return NewRequest("PATCH", url) }

// Delete makes a DELETE.
func Delete(url string) Request { return NewRequest("DELETE", url) }

// Query gives the same with one more parameter in the query, percent-encoded.
func (r Request) Query(name, value string) Request {
	separator := "?"
	if strings.Contains(r.URL, "?") {
		separator = "&"
	}
	r.URL += separator + Encode(name) + "=" + Encode(value)
	return r
}

// Header gives the same with one more header field. A {{slot}} in the value stands for a secret, so keep data of the event
// out.
func (r Request) Header(name, value string) Request {
	r.Headers = append(r.Headers[:len(r.Headers):len(r.Headers)], Pair{Name: name, Value: value})
	return r
}

// JSON gives the same with a body of JSON. A {{ in the data is written so that it stands for itself and never for a secret.
// What cannot be written is an internal fault, given by [HTTP.Send].
func (r Request) JSON(body any) Request {
	text, err := WriteJSON(body)
	if err != nil {
		r.fault = Internal(fmt.Sprintf("the body of %s %s: %s", r.Method, r.URL, err))
		return r
	}
	// Two braces in a row occur within strings only, where a brace may be written by its number.
	return r.WithBody("application/json", bytes.ReplaceAll(text, []byte("{{"), []byte(`{\u007b`)))
}

// WithBody gives the same with a body. A {{slot}} in it stands for a secret, so keep data of the event out, or use
// [Request.JSON].
func (r Request) WithBody(contentType string, body []byte) Request {
	r.Body = body
	return r.Header("Content-Type", contentType)
}

// IdempotencyKey gives the same with the step's key, for destinations that honour Idempotency-Key.
func (r Request) IdempotencyKey(context Context) Request {
	return r.Header("Idempotency-Key", context.IdempotencyKey)
}

// WithAuth gives the same with another of the connection's credentials, or with none.
func (r Request) WithAuth(auth Auth) Request {
	r.Auth = auth
	return r
}

// isRepeatable says whether sending it again has no further effect (RFC 9110, section 9.2.2).
func (r Request) isRepeatable() bool {
	switch r.Method {
	case "GET", "HEAD", "OPTIONS", "PUT", "DELETE":
		return true
	default:
		return false
	}
}

// Encode writes a text as one segment of a path or one part of a query, percent-encoded: "/contacts/" + weir.Encode(id).
func Encode(text string) string {
	var out strings.Builder
	for at := range len(text) {
		switch c := text[at]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

// HTTP is the way out. Actions are given one; native tests make theirs from a script of package weirtest.
//
//	response, err := http.Send(weir.Get("/contacts").Query("email", "ada@example.com"))
//	if err != nil {
//		return nil, err
//	}
//	var contacts []Contact
//	err = response.CheckedJSON(&contacts)
//
// Every request passes Weir's gate and gets its credential after the plugin has let go of it. Do not retry: say by the
// fault what happened, and Weir repeats the step with backoff and the same key.
type HTTP struct {
	transport Transport
}

// Transport is what carries requests: the host, or a script in tests. Its answers stand in the order of the requests.
type Transport interface {
	SendAll(requests []Request) []Answer
}

// Answer is what came back for a request: a response, or why there is none.
type Answer struct {
	Response *Response
	Err      *HTTPError
}

// NewHTTP makes a way out of a transport, for tests.
func NewHTTP(transport Transport) *HTTP {
	return &HTTP{transport}
}

// Send sends a request and waits for the whole answer, whatever its status. The error is an [HTTPError] if there is none;
// returned as it is, it becomes the fault that the table at [Response.Check] says.
func (h *HTTP) Send(request Request) (*Response, error) {
	if request.fault != nil {
		return nil, request.fault
	}
	return read(request, h.transport.SendAll([]Request{request})[0])
}

// Result is what came of one of several requests.
type Result struct {
	Response *Response
	Err      error
}

// SendAll sends requests side by side. The results stand in the order of the requests.
func (h *HTTP) SendAll(requests ...Request) []Result {
	results := make([]Result, len(requests))
	for at, request := range requests {
		if request.fault != nil {
			results[at].Err = request.fault
			return results
		}
	}
	for at, answer := range h.transport.SendAll(requests) {
		results[at].Response, results[at].Err = read(requests[at], answer)
	}
	return results
}

func read(request Request, answer Answer) (*Response, error) {
	if answer.Err != nil {
		answer.Err.repeatable = request.isRepeatable()
		return nil, answer.Err
	}
	answer.Response.repeatable = request.isRepeatable()
	return answer.Response, nil
}

// HTTPErrorKind says why there is no answer.
type HTTPErrorKind uint8

// The reasons, in the order of the contract.
const (
	// Denied: the gate refused the request; the message says how to allow it.
	Denied HTTPErrorKind = iota
	// Unreachable: no connection could be made.
	Unreachable
	// TLS: the destination's certificate cannot be trusted, or the handshake failed.
	TLS
	// NoAnswer: no complete answer in time.
	NoAnswer
	// TooLarge: the request or the answer exceeds a limit.
	TooLarge
	// Broken: the connection broke, or the answer is no HTTP.
	Broken
)

// HTTPError is a request without an answer. errors.As finds the [Fault] that it means.
type HTTPError struct {
	// Kind says why there is no answer.
	Kind HTTPErrorKind
	// Code is a stable word for machines.
	Code string
	// Message says what happened.
	Message string
	// RequestSent says whether any byte of the request may have reached the destination.
	RequestSent bool
	repeatable  bool
}

// Error gives the message.
func (e *HTTPError) Error() string {
	return e.Message
}

// Unwrap gives the fault that it means, as the table at [Response.Check] says.
func (e *HTTPError) Unwrap() error {
	kind := KindUnavailable
	switch e.Kind {
	case Denied:
		kind = KindForbidden
	case NoAnswer:
		kind = KindTimeout
	case TooLarge:
		kind = KindRejected
	}
	if e.RequestSent && !e.repeatable {
		kind = KindUnknownOutcome
	}
	return NewFault(kind, e.Message).WithCode(e.Code)
}

//go:build wasip1

package weir

import (
	wire "github.com/weir-project/weir/sdk/go/internal/generated/imports/weir_plugin_http"
	"github.com/weir-project/weir/sdk/go/internal/wit/runtime"
	"github.com/weir-project/weir/sdk/go/internal/wit/types"
)

// host is the transport of the sandbox. It is named by connectors alone, so that the linker leaves the import out of a
// mapper, which may not have it.
type host struct{}

func hostHTTP() *HTTP {
	return NewHTTP(host{})
}

// SendAll implements [Transport].
func (host) SendAll(requests []Request) []Answer {
	out := make([]wire.Request, 0, len(requests))
	for _, request := range requests {
		out = append(out, wire.Request{
			Method:  request.Method,
			Url:     request.URL,
			Headers: toTuples(request.Headers),
			Body:    request.Body,
			Auth:    toAuth(request.Auth),
		})
	}
	if len(out) == 1 {
		return []Answer{fromResult(runtime.Resting(func() types.Result[wire.Response, wire.HttpFault] {
			return wire.Send(out[0])
		}))}
	}
	answers := make([]Answer, 0, len(out))
	for _, result := range runtime.Resting(func() []types.Result[wire.Response, wire.HttpFault] {
		return wire.SendAll(out)
	}) {
		answers = append(answers, fromResult(result))
	}
	return answers
}

func toAuth(auth Auth) wire.Auth {
	switch auth.kind {
	case authNamed:
		return wire.MakeAuthNamed(auth.name)
	case authAnonymous:
		return wire.MakeAuthAnonymous()
	default:
		return wire.MakeAuthDefault()
	}
}

func fromResult(result types.Result[wire.Response, wire.HttpFault]) Answer {
	if result.Tag() == types.ResultErr {
		fault := result.Err()
		return Answer{Err: &HTTPError{
			Kind:        HTTPErrorKind(fault.Kind),
			Code:        fault.Code,
			Message:     fault.Message,
			RequestSent: fault.RequestSent,
		}}
	}
	response := result.Ok()
	return Answer{Response: &Response{
		Status:  int(response.Status),
		URL:     response.Url,
		Headers: fromTuples(response.Headers),
		Body:    response.Body,
	}}
}

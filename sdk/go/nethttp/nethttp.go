// Package nethttp lets libraries that want a client of net/http send through Weir's gate:
//
//	client := nethttp.Client(http)
//	response, err := client.Get(nethttp.BaseURL + "/contacts")
//	if err != nil {
//		return nil, err // the right fault: errors.As finds it
//	}
//	if err := nethttp.Check(response); err != nil {
//		return nil, err
//	}
//
// It makes a plugin some megabytes larger and each call slower, so prefer [weir.HTTP] where you write the requests yourself.
package nethttp

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	weir "github.com/weir-project/weir/sdk/go"
)

// BaseURL stands for the connection's base URL, for libraries that insist on an absolute one.
const BaseURL = "https://connection.invalid"

// Client gives a client that sends through the gate. Weir follows redirects and adds the credential; cookies are not kept.
func Client(way *weir.HTTP) *http.Client {
	return &http.Client{Transport: transport{way}}
}

type transport struct {
	way *weir.HTTP
}

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		defer request.Body.Close()
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
	}
	method := request.Method
	if method == "" {
		method = http.MethodGet
	}
	out := weir.NewRequest(method, urlOf(request))
	out.Body = body
	// A map has no order, and the same request is to be the same bytes.
	for _, name := range slices.Sorted(maps.Keys(request.Header)) {
		for _, value := range request.Header[name] {
			out = out.Header(name, value)
		}
	}
	response, err := t.way.Send(out)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	for _, field := range response.Headers {
		header.Add(field.Name, field.Value)
	}
	return &http.Response{
		Status:        strconv.Itoa(response.Status) + " " + http.StatusText(response.Status),
		StatusCode:    response.Status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Body:          io.NopCloser(bytes.NewReader(response.Body)),
		ContentLength: int64(len(response.Body)),
		Request:       request,
	}, nil
}

// urlOf gives the path alone where the connection's base URL is meant.
func urlOf(request *http.Request) string {
	url := request.URL.String()
	if path, ok := strings.CutPrefix(url, BaseURL); ok {
		return path
	}
	return url
}

// Check gives the fault that the status means, nil for 2xx, as [weir.Response.Check]. The body can still be read.
func Check(response *http.Response) error {
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return nil
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	var headers []weir.Pair
	for name, values := range response.Header {
		for _, value := range values {
			headers = append(headers, weir.Pair{Name: strings.ToLower(name), Value: value})
		}
	}
	return weir.NewResponse(response.Request.Method, response.StatusCode, headers, body).Check()
}

package nethttp_test

import (
	"io"
	"strings"
	"testing"

	weir "github.com/weir-project/weir/sdk/go"
	"github.com/weir-project/weir/sdk/go/nethttp"
	"github.com/weir-project/weir/sdk/go/weirtest"
)

func TestALibrarysClientSendsThroughTheGate(t *testing.T) {
	expected := weir.Post("/contacts?x=1").WithBody("application/json", []byte(`{"a":1}`))
	script := weirtest.NewScript(t).
		On(expected, weirtest.JSON(201, map[string]int{"id": 7})).
		On(weir.Get("https://other.example/"), weirtest.Status(503).WithHeader("Retry-After", "2").WithBody([]byte("busy"))).
		On(expected, weirtest.Lost(weir.Broken, true))
	client := nethttp.Client(script.HTTP())
	post := func() (string, error) {
		response, err := client.Post(nethttp.BaseURL+"/contacts?x=1", "application/json", strings.NewReader(`{"a":1}`))
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return "", err
		}
		return string(body), nethttp.Check(response)
	}
	if body, err := post(); err != nil || body != `{"id":7}` {
		t.Errorf("%s, %v", body, err)
	}
	response, err := client.Get("https://other.example/")
	if err != nil {
		t.Fatal(err)
	}
	if err := nethttp.Check(response); weir.KindOf(err) != weir.KindUnavailable {
		t.Errorf("%v", err)
	}
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "busy" {
		t.Errorf("%s, %v", body, err)
	}
	if _, err := post(); weir.KindOf(err) != weir.KindUnknownOutcome {
		t.Errorf("%v", err)
	}
}

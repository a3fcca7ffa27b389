package weir

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// talk lets a native plugin answer what the host says, a line each, and gives what it says in turn.
func talk(t *testing.T, plugin Plugin, lines ...string) []string {
	t.Helper()
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before); nativeHTTP = nil })
	var said strings.Builder
	channel := newChannel(strings.NewReader(strings.Join(lines, "\n")+"\n"), &said)
	if err := channel.serve(plugin); !errors.Is(err, io.EOF) {
		t.Fatalf("it ends when the host has gone, not with %v", err)
	}
	texts := strings.Split(strings.TrimSuffix(said.String(), "\n"), "\n")
	for i, text := range texts {
		if text[0] != 0x1e || !json.Valid([]byte(text[1:])) {
			t.Fatalf("no message: %q", text)
		}
		texts[i] = text[1:]
	}
	return texts
}

func expect(t *testing.T, said []string, expected ...string) {
	t.Helper()
	for i := range max(len(said), len(expected)) {
		if i >= len(said) || i >= len(expected) || said[i] != expected[i] {
			t.Fatalf("said\n%s\nexpected\n%s", strings.Join(said, "\n"), strings.Join(expected, "\n"))
		}
	}
}

const ready = `{"tag":"ready","val":{"contract":"0.1"}}`

// callLine is a call with {"title":"a"} as its input.
func callLine(tag, action string) string {
	return `{"tag":"` + tag + `","val":{"action":"` + action + `","input":{"content_type":"application/json",` +
		`"data":"eyJ0aXRsZSI6ImEifQ==","metadata":[]},"cursor":null,"context":{"execution":"exe_1","step":"send",` +
		`"idempotency_key":"key-7","attempt":1,"remaining_ms":1500,"connection":"c","account":null,` +
		`"settings":"{\"tenant\":\"acme\"}","extra":[]}}}`
}

type note struct {
	Title string `json:"title"`
}

func TestANativeActionSendsByTheHost(t *testing.T) {
	plugin := Connector(Actions{"note": Action(func(call Call[note], http *HTTP) (Receipt, error) {
		if call.Context.Remaining != 1500*time.Millisecond {
			return Receipt{}, Internal("another time")
		}
		answer, err := http.Send(Post("/notes").JSON(call.Input).IdempotencyKey(call.Context))
		if err != nil {
			return Receipt{}, err
		}
		slog.Info("sent", "status", answer.Status)
		_, err = http.Send(Request{Method: "GET", URL: "https://evil.example.com/", Auth: Anonymous})
		return Receipt{Output: map[string]string{"lost": err.Error()}, ExternalID: string(answer.Body)}, nil
	})})
	said := talk(
		t, plugin, callLine("invoke", "note"),
		`{"tag":"answers","val":[{"tag":"ok","val":{"status":201,"url":"https://n.example.com/","headers":[["a","b"]],"body":"Nw=="}}]}`,
		`{"tag":"answers","val":[{"tag":"err","val":{"kind":"denied","code":"weir.http.denied","message":"no","request_sent":false}}]}`,
		callLine("invoke", "other"),
	)
	expect(
		t, said[:len(said)-1], ready,
		`{"tag":"send","val":[{"method":"POST","url":"/notes","headers":[["Content-Type","application/json"],`+
			`["Idempotency-Key","key-7"]],"body":"eyJ0aXRsZSI6ImEifQ==","auth":{"tag":"default","val":null}}]}`,
		`{"tag":"log","val":{"level":"info","message":"sent","fields":[["status","201"]]}}`,
		`{"tag":"send","val":[{"method":"GET","url":"https://evil.example.com/","headers":[],"body":"",`+
			`"auth":{"tag":"anonymous","val":null}}]}`,
		`{"tag":"returned","val":{"tag":"ok","val":{"output":{"content_type":"application/json","data":"eyJsb3N0Ijoibm8ifQ==",`+
			`"metadata":[]},"external_id":"7","next":null,"metadata":[]}}}`,
	)
	if last := said[len(said)-1]; !strings.Contains(last, `"code":"unknown-action"`) {
		t.Error(last)
	}
}

func TestNativeFaultsAndSettlementsAreWritten(t *testing.T) {
	settlements := []Settlement{Absent(), Undecided(0), Undecided(250 * time.Millisecond), Happened(Receipt{Output: 1, Next: "p2"})}
	plugin := Connector(
		Actions{"note": Action(func(Call[note], *HTTP) (Receipt, error) {
			return Receipt{}, RateLimited(1500*time.Millisecond).WithField("/a", "is \xff").WithDetail("x", "y")
		})},
		WithVerify(Verifiers{"note": Verifier(func(Call[note], *HTTP) (Settlement, error) {
			next := settlements[0]
			settlements = settlements[1:]
			return next, nil
		})}),
	)
	verify := callLine("verify", "note")
	expect(
		t, talk(t, plugin, callLine("invoke", "note"), verify, verify, verify, verify), ready,
		`{"tag":"returned","val":{"tag":"err","val":{"kind":"rate-limited","code":"rate-limited","message":"too many calls",`+
			`"retry_after_ms":1500,"fields":[{"pointer":"/a","message":"is \ufffd"}],"details":[["x","y"]]}}}`,
		`{"tag":"returned","val":{"tag":"ok","val":{"tag":"absent","val":null}}}`,
		`{"tag":"returned","val":{"tag":"ok","val":{"tag":"undecided","val":null}}}`,
		`{"tag":"returned","val":{"tag":"ok","val":{"tag":"undecided","val":250}}}`,
		`{"tag":"returned","val":{"tag":"ok","val":{"tag":"happened","val":{"output":{"content_type":"application/json",`+
			`"data":"MQ==","metadata":[]},"external_id":null,"next":"p2","metadata":[]}}}}`,
	)
}

func TestANativeMapperMaps(t *testing.T) {
	plugin := Mapper(func(m Mapping[Document, NoOptions]) (Document, error) {
		return Document{m.Input.ContentType, m.Input.Data, m.Origin.Transport}, nil
	})
	said := talk(t, plugin, `{"tag":"transform","val":{"origin":{"id":"1","source":"/","kind":"k","subject":null,"time":null,`+
		`"received":"","schema":null,"extensions":[],"transport":[["method","POST"]]},`+
		`"input":{"content_type":"text/plain","data":"/wCA","metadata":[]},"options":"{}"}}`)
	expect(t, said, ready, `{"tag":"returned","val":{"tag":"ok","val":[{"content_type":"text/plain","data":"/wCA",`+
		`"metadata":[["method","POST"]]}]}}`)
}

func TestGoroutinesSendSideBySideAndNotWhenTheirCallHasEnded(t *testing.T) {
	var late *HTTP
	plugin := Connector(Actions{"note": Action(func(_ Call[note], http *HTTP) (Receipt, error) {
		late = http
		bodies := make([]string, 8)
		var group sync.WaitGroup
		for i := range bodies {
			group.Go(func() {
				slog.Info("sends")
				url := fmt.Sprintf("/%d", i)
				if answer, err := http.Send(Get(url)); err == nil && answer.URL == url {
					bodies[i] = string(answer.Body)
				}
			})
		}
		group.Wait()
		return Receipt{Output: strings.Join(bodies, "")}, nil
	})})
	toPlugin, fromHost := io.Pipe()
	toHost, fromPlugin := io.Pipe()
	go func() {
		fmt.Fprintln(fromHost, callLine("invoke", "note"))
		lines := bufio.NewScanner(toHost)
		for lines.Scan() {
			var said struct {
				Tag string
				Val json.RawMessage
			}
			_ = json.Unmarshal(lines.Bytes()[1:], &said)
			if said.Tag == "returned" {
				if !strings.Contains(string(said.Val), "Ijc3Nzc3Nzc3Ig==") {
					t.Errorf("some got another's answer, or none: %s", said.Val)
				}
				fromHost.Close()
			}
			if said.Tag == "send" {
				var requests []struct{ URL string }
				_ = json.Unmarshal(said.Val, &requests)
				// The sooner the later it was asked for, if several are under way.
				time.AfterFunc(time.Duration('9'-requests[0].URL[1])*time.Millisecond, func() {
					fmt.Fprintf(fromHost, `{"tag":"answers","val":[{"tag":"ok","val":{"status":200,"url":%q,"headers":[],"body":"Nw=="}}]}`+"\n",
						requests[0].URL)
				})
			}
		}
	}()
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before); nativeHTTP = nil })
	if err := newChannel(toPlugin, fromPlugin).serve(plugin); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if _, err := late.Send(Get("/")); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Error(err)
	}
}

func TestWhatTheHostCannotMeanEndsThePlugin(t *testing.T) {
	for _, line := range []string{`{"tag":"sing","val":1}`, `{"tag":"invoke","val":7}`, `no JSON`} {
		channel := newChannel(strings.NewReader(line+"\n"), io.Discard)
		if err := channel.serve(Plugin{}); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

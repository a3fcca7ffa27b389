//go:build !wasip1

package weir

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
)

// nativeVariable is set for a program that is to answer calls: `weir dev` runs plugins so, because a change is there at once
// and a component takes seconds to build.
const nativeVariable = "WEIR_NATIVE"

// contractLine is the version of the contract, without the patch level, which changes no interface.
const contractLine = "0.1"

// Export gives the plugin to Weir. Call it in a func init of the program's main package. Natively it does nothing, because
// tests call the plugin themselves, but for `weir dev`, whose calls it answers until Weir has gone.
func Export(plugin Plugin) {
	if os.Getenv(nativeVariable) == "" {
		return
	}
	// Whatever else is printed there is no message, and must not stand within one.
	channel := newChannel(os.Stdin, os.Stdout)
	os.Stdout = os.Stderr
	// Even if the plugin is busy when Weir has gone.
	go func() {
		<-channel.gone
		os.Exit(0)
	}()
	fmt.Fprintln(os.Stderr, channel.serve(plugin))
	os.Exit(1)
}

// hostHTTP is what a plugin has outside the sandbox: no way out but that which a test gives it, or Weir.
func hostHTTP() *HTTP {
	return nativeHTTP
}

var nativeHTTP *HTTP

// channel is what is said with the host. It writes a line of JSON; texts for it stand between U+001E and a line feed
// (RFC 7464). A record is an object with names in snake_case, a variant is {"tag", "val"}, and bytes are base64.
type channel struct {
	lines chan []byte
	// gone is closed when there will be no further line.
	gone chan struct{}
	// Of all that uses the rest: goroutines of the plugin send and log side by side.
	mutex  sync.Mutex
	writer io.Writer
	// call counts, so that nobody sends when its call has ended.
	call int
}

func newChannel(reader io.Reader, writer io.Writer) *channel {
	c := &channel{lines: make(chan []byte), gone: make(chan struct{}), writer: writer}
	go func() {
		defer close(c.gone)
		buffered := bufio.NewReader(reader)
		for {
			line, err := buffered.ReadBytes('\n')
			if err != nil {
				return
			}
			c.lines <- line
		}
	}()
	return c
}

// tagged is a variant of the contract, or its result.
type tagged struct {
	Tag string `json:"tag"`
	Val any    `json:"val"`
}

type rawTagged struct {
	Tag string          `json:"tag"`
	Val json.RawMessage `json:"val"`
}

func (c *channel) serve(plugin Plugin) error {
	slog.SetDefault(slog.New(logHandler{write: func(level LogLevel, message string, fields []Pair) {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		_ = c.say("log", lineOut{levelNames[level], message, pairsOut(fields)})
	}}))
	if err := c.say("ready", map[string]string{"contract": contractLine}); err != nil {
		return err
	}
	for {
		ask, err := c.hear()
		if err != nil {
			return err
		}
		c.mutex.Lock()
		c.call++
		nativeHTTP = NewHTTP(nativeHost{c, c.call})
		c.mutex.Unlock()
		given, err := answer(plugin, ask)
		if errors.Is(err, errAsk) {
			return err
		}
		returned := tagged{"ok", given}
		if err != nil {
			returned = tagged{"err", faultOut(findFault(err))}
		}
		c.mutex.Lock()
		c.call++
		err = c.say("returned", returned)
		c.mutex.Unlock()
		if err != nil {
			return err
		}
	}
}

// errAsk is what the host asks and this SDK cannot read.
var errAsk = errors.New("the host asks for something that this SDK does not know")

// errEnded is what a goroutine is told that outlives its call.
var errEnded = errors.New("the call that this request belongs to has ended")

func answer(plugin Plugin, ask rawTagged) (any, error) {
	switch ask.Tag {
	case "transform":
		val, err := given[transformIn](ask)
		if err != nil {
			return nil, err
		}
		documents, err := plugin.Transform(val.Origin.origin(), val.Input.document(), val.Options)
		out := make([]documentWire, 0, len(documents))
		for _, document := range documents {
			out = append(out, documentOut(document))
		}
		return out, err
	case "invoke":
		val, err := given[callIn](ask)
		if err != nil {
			return nil, err
		}
		receipt, err := plugin.Invoke(val.call(), plugin.host())
		return receiptOut(receipt), err
	case "verify":
		val, err := given[callIn](ask)
		if err != nil {
			return nil, err
		}
		settlement, err := plugin.Verify(val.call(), plugin.host())
		return settlementOut(settlement), err
	default:
		return nil, fmt.Errorf("%w: %s", errAsk, ask.Tag)
	}
}

func given[Value any](ask rawTagged) (val Value, err error) {
	if err = json.Unmarshal(ask.Val, &val); err != nil {
		err = errors.Join(errAsk, err)
	}
	return val, err
}

func (c *channel) say(tag string, val any) error {
	text, err := json.Marshal(tagged{tag, val})
	if err != nil {
		return err
	}
	_, err = c.writer.Write(append(append([]byte{0x1e}, text...), '\n'))
	return err
}

func (c *channel) hear() (ask rawTagged, err error) {
	select {
	case line := <-c.lines:
		return ask, json.Unmarshal(line, &ask)
	case <-c.gone:
		return ask, io.EOF
	}
}

// nativeHost is the transport of one call.
type nativeHost struct {
	*channel
	number int
}

// SendAll implements [Transport].
func (h nativeHost) SendAll(requests []Request) []Answer {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	given, err := h.exchange(requests)
	answers := make([]Answer, len(requests))
	for i := range answers {
		if err == nil && i < len(given) {
			answers[i], err = given[i].answer()
		}
		if err != nil {
			sent := !errors.Is(err, errEnded)
			answers[i] = Answer{Err: &HTTPError{Kind: Broken, Code: "host", Message: err.Error(), RequestSent: sent}}
		}
	}
	return answers
}

func (h nativeHost) exchange(requests []Request) (given []rawTagged, err error) {
	if h.number != h.call {
		return nil, errEnded
	}
	out := make([]requestOut, 0, len(requests))
	for _, request := range requests {
		out = append(out, requestOut{
			request.Method, request.URL, pairsOut(request.Headers), bytesOut(request.Body), authOut(request.Auth),
		})
	}
	if err := h.say("send", out); err != nil {
		return nil, err
	}
	ask, err := h.hear()
	if err != nil {
		return nil, err
	}
	return given, json.Unmarshal(ask.Val, &given)
}

func (t rawTagged) answer() (Answer, error) {
	if t.Tag == "ok" {
		var val responseIn
		err := json.Unmarshal(t.Val, &val)
		return Answer{Response: &Response{
			Status: val.Status, URL: val.URL, Headers: pairsIn(val.Headers), Body: val.Body,
		}}, err
	}
	var val httpFaultIn
	err := json.Unmarshal(t.Val, &val)
	return Answer{Err: &HTTPError{
		Kind: httpKinds[val.Kind], Code: val.Code, Message: val.Message, RequestSent: val.RequestSent,
	}}, err
}

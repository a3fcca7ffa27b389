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
	channel := &channel{reader: bufio.NewReader(os.Stdin), writer: os.Stdout}
	// Whatever else is printed there is no message, and must not stand within one.
	os.Stdout = os.Stderr
	err := channel.serve(plugin)
	if errors.Is(err, io.EOF) {
		os.Exit(0)
	}
	fmt.Fprintln(os.Stderr, err)
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
	reader *bufio.Reader
	writer io.Writer
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
		_ = c.say("log", lineOut{levelNames[level], message, pairsOut(fields)})
	}}))
	nativeHTTP = NewHTTP(c)
	if err := c.say("ready", map[string]string{"contract": contractLine}); err != nil {
		return err
	}
	for {
		ask, err := c.hear()
		if err != nil {
			return err
		}
		given, err := answer(plugin, ask)
		if errors.Is(err, errAsk) {
			return err
		}
		returned := tagged{"ok", given}
		if err != nil {
			returned = tagged{"err", faultOut(findFault(err))}
		}
		if err := c.say("returned", returned); err != nil {
			return err
		}
	}
}

// errAsk is what the host asks and this SDK cannot read.
var errAsk = errors.New("the host asks for something that this SDK does not know")

func answer(plugin Plugin, ask rawTagged) (any, error) {
	switch ask.Tag {
	case "transform":
		var val transformIn
		if err := json.Unmarshal(ask.Val, &val); err != nil {
			return nil, errors.Join(errAsk, err)
		}
		documents, err := plugin.Transform(val.Origin.origin(), val.Input.document(), val.Options)
		out := make([]documentWire, 0, len(documents))
		for _, document := range documents {
			out = append(out, documentOut(document))
		}
		return out, err
	case "invoke":
		var val callIn
		if err := json.Unmarshal(ask.Val, &val); err != nil {
			return nil, errors.Join(errAsk, err)
		}
		receipt, err := plugin.Invoke(val.call(), plugin.host())
		return receiptOut(receipt), err
	case "verify":
		var val callIn
		if err := json.Unmarshal(ask.Val, &val); err != nil {
			return nil, errors.Join(errAsk, err)
		}
		settlement, err := plugin.Verify(val.call(), plugin.host())
		return settlementOut(settlement), err
	default:
		return nil, fmt.Errorf("%w: %s", errAsk, ask.Tag)
	}
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
	line, err := c.reader.ReadBytes('\n')
	if err != nil {
		return ask, err
	}
	return ask, json.Unmarshal(line, &ask)
}

// SendAll implements [Transport].
func (c *channel) SendAll(requests []Request) []Answer {
	out := make([]requestOut, 0, len(requests))
	for _, request := range requests {
		out = append(out, requestOut{
			request.Method, request.URL, pairsOut(request.Headers), bytesOut(request.Body), authOut(request.Auth),
		})
	}
	var given []rawTagged
	err := c.say("send", out)
	if err == nil {
		var ask rawTagged
		if ask, err = c.hear(); err == nil {
			err = json.Unmarshal(ask.Val, &given)
		}
	}
	answers := make([]Answer, len(requests))
	for i := range answers {
		if err == nil && i < len(given) {
			answers[i], err = given[i].answer()
		}
		if err != nil {
			// The host has gone, and this program is about to.
			answers[i] = Answer{Err: &HTTPError{Kind: Broken, Code: "host", Message: err.Error(), RequestSent: true}}
		}
	}
	return answers
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

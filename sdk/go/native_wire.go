//go:build !wasip1

package weir

import "time"

// The values of the contract as they are said to and by the host of a native plugin: see channel.

var levelNames = [...]string{"debug", "info", "warn", "error"}

var httpKinds = map[string]HTTPErrorKind{
	"denied": Denied, "unreachable": Unreachable, "tls": TLS, "timeout": NoAnswer, "too-large": TooLarge, "broken": Broken,
}

type pairWire [2]string

type lineOut struct {
	Level   string     `json:"level"`
	Message string     `json:"message"`
	Fields  []pairWire `json:"fields"`
}

type documentWire struct {
	ContentType string     `json:"content_type"`
	Data        []byte     `json:"data"`
	Metadata    []pairWire `json:"metadata"`
}

type transformIn struct {
	Origin  originIn     `json:"origin"`
	Input   documentWire `json:"input"`
	Options string       `json:"options"`
}

type originIn struct {
	ID         string     `json:"id"`
	Source     string     `json:"source"`
	Kind       string     `json:"kind"`
	Subject    string     `json:"subject"`
	Time       string     `json:"time"`
	Received   string     `json:"received"`
	Schema     string     `json:"schema"`
	Extensions []pairWire `json:"extensions"`
	Transport  []pairWire `json:"transport"`
}

type callIn struct {
	Action  string       `json:"action"`
	Input   documentWire `json:"input"`
	Cursor  string       `json:"cursor"`
	Context contextIn    `json:"context"`
}

type contextIn struct {
	Execution      string     `json:"execution"`
	Step           string     `json:"step"`
	IdempotencyKey string     `json:"idempotency_key"`
	Attempt        int        `json:"attempt"`
	RemainingMS    int64      `json:"remaining_ms"`
	Connection     string     `json:"connection"`
	Account        string     `json:"account"`
	Settings       string     `json:"settings"`
	Extra          []pairWire `json:"extra"`
}

type receiptWire struct {
	Output     documentWire `json:"output"`
	ExternalID *string      `json:"external_id"`
	Next       *string      `json:"next"`
	Metadata   []pairWire   `json:"metadata"`
}

type faultWire struct {
	Kind         string       `json:"kind"`
	Code         string       `json:"code"`
	Message      string       `json:"message"`
	RetryAfterMS *uint32      `json:"retry_after_ms"`
	Fields       []fieldFault `json:"fields"`
	Details      []pairWire   `json:"details"`
}

type fieldFault struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

type requestOut struct {
	Method  string     `json:"method"`
	URL     string     `json:"url"`
	Headers []pairWire `json:"headers"`
	Body    []byte     `json:"body"`
	Auth    tagged     `json:"auth"`
}

type responseIn struct {
	Status  int        `json:"status"`
	URL     string     `json:"url"`
	Headers []pairWire `json:"headers"`
	Body    []byte     `json:"body"`
}

type httpFaultIn struct {
	Kind        string `json:"kind"`
	Code        string `json:"code"`
	Message     string `json:"message"`
	RequestSent bool   `json:"request_sent"`
}

func (o originIn) origin() Origin {
	return Origin{
		ID: o.ID, Source: o.Source, Kind: o.Kind, Subject: o.Subject, Time: o.Time, Received: o.Received, Schema: o.Schema,
		Extensions: pairsIn(o.Extensions), Transport: pairsIn(o.Transport),
	}
}

func (d documentWire) document() Document {
	return Document{d.ContentType, d.Data, pairsIn(d.Metadata)}
}

func (c callIn) call() Call[Document] {
	context := Context{
		Execution: c.Context.Execution, Step: c.Context.Step, IdempotencyKey: c.Context.IdempotencyKey,
		Attempt: c.Context.Attempt, Remaining: time.Duration(c.Context.RemainingMS) * time.Millisecond,
		Connection: c.Context.Connection, Account: c.Context.Account, Settings: c.Context.Settings,
		Extra: pairsIn(c.Context.Extra),
	}
	return Call[Document]{c.Action, c.Input.document(), c.Cursor, context}
}

func documentOut(document Document) documentWire {
	return documentWire{document.ContentType, bytesOut(document.Data), pairsOut(document.Metadata)}
}

// receiptOut takes a receipt whose output has been written.
func receiptOut(receipt Receipt) receiptWire {
	output, _ := receipt.Output.(Document)
	return receiptWire{
		documentOut(output), optionOut(receipt.ExternalID), optionOut(receipt.Next), pairsOut(receipt.Metadata),
	}
}

func settlementOut(settlement Settlement) tagged {
	switch settlement.Outcome {
	case OutcomeHappened:
		return tagged{"happened", receiptOut(settlement.Receipt)}
	case OutcomeAbsent:
		return tagged{Tag: "absent"}
	default:
		if settlement.AskAfter > 0 {
			return tagged{"undecided", toMillis(settlement.AskAfter)}
		}
		return tagged{Tag: "undecided"}
	}
}

func faultOut(fault *Fault) faultWire {
	out := faultWire{
		Kind: fault.Kind.String(), Code: fault.Code, Message: fault.Message, Fields: []fieldFault{},
		Details: pairsOut(fault.Details),
	}
	if fault.RetryAfter != nil {
		millis := toMillis(*fault.RetryAfter)
		out.RetryAfterMS = &millis
	}
	for _, field := range fault.Fields {
		out.Fields = append(out.Fields, fieldFault(field))
	}
	return out
}

func authOut(auth Auth) tagged {
	switch auth.kind {
	case authNamed:
		return tagged{"named", auth.name}
	case authAnonymous:
		return tagged{Tag: "anonymous"}
	default:
		return tagged{Tag: "default"}
	}
}

// bytesOut keeps no bytes from becoming null.
func bytesOut(bytes []byte) []byte {
	if bytes == nil {
		return []byte{}
	}
	return bytes
}

func optionOut(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func pairsOut(pairs []Pair) []pairWire {
	out := make([]pairWire, 0, len(pairs))
	for _, pair := range pairs {
		out = append(out, pairWire{pair.Name, pair.Value})
	}
	return out
}

func pairsIn(pairs []pairWire) []Pair {
	out := make([]Pair, 0, len(pairs))
	for _, pair := range pairs {
		out = append(out, Pair{Name: pair[0], Value: pair[1]})
	}
	return out
}

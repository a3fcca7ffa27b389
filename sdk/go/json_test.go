package weir

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

type order struct {
	ID    uint32    `json:"id" weir:"required"`
	Lines []line    `json:"lines" weir:"required"`
	At    time.Time `json:"at"`
}

type line struct {
	Count uint8   `json:"a/b" weir:"required"`
	Note  *string `json:"note"`
}

func TestWhatDoesNotFitIsNamedByItsPointer(t *testing.T) {
	for text, pointer := range map[string]string{
		`{"id": "7", "lines": []}`:                         "/id",
		`{"lines": []}`:                                    "/id",
		`{"id": null, "lines": []}`:                        "/id",
		`{"id": 7.5, "lines": []}`:                         "/id",
		`{"id": 7, "id": 7, "lines": []}`:                  "/id",
		`{"ID": 7, "lines": []}`:                           "/id",
		`{"id": 7, "lines": [{"a/b": 1}, {"a/b": "one"}]}`: "/lines/1/a~1b",
		`{"id": 7, "lines": [{"a/b": 300}]}`:               "/lines/0/a~1b",
		"{\n  \"id\": 7,\n  \"lines\": [\n    {}\n  ]\n}":  "/lines/0/a~1b",
		`{"id": 7, "lines": [{"a/b": 1, "note": 5}]}`:      "/lines/0/note",
		`{"id": 7, "lines": {}}`:                           "/lines",
		`{"id": 7, "lines": [], "at": "yesterday"}`:        "/at",
		`5`: "",
		`{"id": 7, "lines": [{"a/b": 1, "note": "}\"]{"}, 5]}`: "/lines/1",
	} {
		fault := readJSON([]byte(text), &order{}, false)
		if fault == nil || fault.Kind != KindInvalidInput || len(fault.Fields) != 1 || fault.Fields[0].Pointer != pointer {
			t.Errorf("%s: %+v", text, fault)
		}
	}
}

func TestWhatIsNoJSONSaysSo(t *testing.T) {
	for _, text := range []string{
		"", "{", `{"id": 7,`, "nonsense", `{"id": 7, "lines": []} x`, `{"x": "\ud800"}`, `{"x": "\ud800\u0041"}`,
		"{\"x\": \"\xff\"}", "{\"x\": \"\n\"}", `{"x": 01}`, `{"x": 1.}`, `{"x": [1,]}`, `{"x": {"y" 1}}`, `{"x": tru}`,
		`{"x": [}`, `{"x": "\x"}`, `{"x": -}`, `{"x": 1e}`, `{"x": [[1 2]]}`,
	} {
		for _, into := range []any{&struct {
			X any `json:"x"`
		}{}, new(any), new(Object)} {
			if fault := readJSON([]byte(text), into, false); fault == nil || fault.Code != "malformed-json" {
				t.Errorf("%s into a %T: %+v", text, into, fault)
			}
		}
	}
}

func TestWhatNobodyReadsNeedNotBeText(t *testing.T) {
	for _, text := range []string{`"\ud800"`, `{"\ude00":["\ud800"]}`, `"\u0041\n\""`} {
		if err := ReadJSON([]byte(`{"id":7,"lines":[],"x":`+text+`}`), &order{}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{`{"id":7,"lines":[],"\ud800":1}`, "{\"id\":7,\"lines\":[],\"x\":\"\xff\"}", `{"id":"7","x":1`} {
		if fault := readJSON([]byte(text), &order{}, false); fault == nil || fault.Code != "malformed-json" {
			t.Errorf("%q: %v", text, fault)
		}
	}
}

func TestNothingIsLostOnTheWay(t *testing.T) {
	const text = `{"z":1.10,"a":123456789012345678901234567890,"e":1E400,"m":[-0,{"y":null,"b":true}],"t":"<&>\u0000é😀"}`
	var object Object
	if err := ReadJSON([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	if out, err := WriteJSON(object); err != nil || string(out) != text {
		t.Errorf("%s, %v", out, err)
	}
	var raw struct {
		Z json.Number     `json:"z"`
		M json.RawMessage `json:"m"`
	}
	if err := ReadJSON([]byte(text), &raw); err != nil || raw.Z != "1.10" || string(raw.M) != `[-0,{"y":null,"b":true}]` {
		t.Errorf("%+v, %v", raw, err)
	}
	var value any
	if err := ReadJSON([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	const sorted = `{"a":123456789012345678901234567890,"e":1E400,"m":[-0,{"b":true,"y":null}],"t":"<&>\u0000é😀","z":1.10}`
	if out, err := WriteJSON(value); err != nil || string(out) != sorted {
		t.Errorf("%s, %v", out, err)
	}
}

func TestTextIsWrittenAsOthersWriteIt(t *testing.T) {
	for text, expected := range map[string]string{
		"\u2028\\u2028\u2029": "\"\u2028\\\\u2028\u2029\"",
		"<a href=\"&\">":      `"<a href=\"&\">"`,
		"\x01\b\f\n\r\t\x7f":  "\"\\u0001\\b\\f\\n\\r\\t\x7f\"",
	} {
		if out, err := WriteJSON(text); err != nil || string(out) != expected {
			t.Errorf("%q became %s, %v", text, out, err)
		}
	}
}

func TestDepthIsBoundedWhoeverReadsIt(t *testing.T) {
	for _, into := range []any{new(any), new(Object), &struct{}{}} {
		for depth, isRead := range map[int]bool{127: true, 128: false, 1_000_000: false} {
			text := `{"a":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + "}"
			fault := readJSON([]byte(text), into, false)
			if isRead != (fault == nil) || fault != nil && fault.Code != "malformed-json" {
				t.Errorf("%d deep into a %T: %v", depth, into, fault)
			}
		}
	}
}

func TestValuesOfManyTypesAreRead(t *testing.T) {
	type embedded struct{ Inner int8 }
	var into struct {
		embedded
		Data    []byte         `json:"data"`
		Pair    [2]bool        `json:"pair"`
		ByName  map[string]int `json:"by_name"`
		Float   float32        `json:"float"`
		None    *int           `json:"none"`
		Ignored string         `json:"-"`
	}
	const text = `{"Inner":-8,"data":"aGk=","pair":[true,false],"by_name":{"x":1},"float":1.5,"none":null,"-":1}`
	if err := ReadJSON([]byte(text), &into); err != nil {
		t.Fatal(err)
	}
	if into.Inner != -8 || string(into.Data) != "hi" || !into.Pair[0] || into.ByName["x"] != 1 || into.Float != 1.5 {
		t.Errorf("%+v", into)
	}
}

func FuzzReading(f *testing.F) {
	f.Add([]byte(`{"id": 7, "lines": [{"a/b": 1, "note": "x\u0041"}], "more": [1.5e3, null, true]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var value any
		err := ReadJSON(text, &value)
		if err == nil && !json.Valid(text) {
			t.Errorf("read what is no JSON: %q", text)
		}
		skipped := scanner{text: text}
		if _, failed := skipped.skip(); err == nil && (failed != nil || skipped.end() != nil) {
			t.Errorf("could not skip what was read: %q", text)
		}
		_ = ReadJSON(text, &order{})
		_ = ReadJSON(text, new(Object))
	})
}

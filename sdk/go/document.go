package weir

import (
	"fmt"
	"strings"
)

// Document is bytes with a media type: a payload, the input of a step, its output.
type Document struct {
	// ContentType is the media type (RFC 9110, section 8.3.1), such as application/json.
	ContentType string
	// Data are the bytes, as they came or as they are to go out.
	Data []byte
	// Metadata is what the format cannot say: file names, row numbers, header fields.
	Metadata []Pair
}

// NewDocument makes a document of application/json.
func NewDocument(value any) (Document, error) {
	data, err := WriteJSON(value)
	if err != nil {
		return Document{}, err
	}
	return Document{ContentType: "application/json", Data: data}, nil
}

// IsJSON says whether the media type is JSON or built on it (RFC 6839, section 3.1), or not said.
func (d Document) IsJSON() bool {
	essence, _, _ := strings.Cut(d.ContentType, ";")
	essence = strings.ToLower(strings.TrimSpace(essence))
	return essence == "" || essence == "application/json" || strings.HasSuffix(essence, "+json")
}

// JSON reads the document into what the pointer points to. See [ReadJSON].
func (d Document) JSON(into any) error {
	if fault := d.read(into); fault != nil {
		return fault
	}
	return nil
}

func (d Document) read(into any) *Fault {
	if whole, ok := into.(*Document); ok {
		*whole = d
		return nil
	}
	if !d.IsJSON() {
		message := fmt.Sprintf("the input is `%s`, and JSON is needed", d.ContentType)
		return InvalidInput(message).WithCode("content-type")
	}
	return readJSON(d.Data, into, false)
}

// Documents are several documents, or none.
type Documents []Document

// Split makes a document of each value; each goes on by itself. Of no value, the event goes no further here.
func Split[T any](items ...T) (Documents, error) {
	documents := make(Documents, 0, len(items))
	for _, item := range items {
		document, err := NewDocument(item)
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
	return documents, nil
}

// toDocuments takes what a mapper gave.
func toDocuments(given any) (Documents, error) {
	switch given := given.(type) {
	case Documents:
		return given, nil
	case Document:
		return Documents{given}, nil
	default:
		return Split(given)
	}
}

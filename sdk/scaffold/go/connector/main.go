// A connector for Weir: it creates notes at a destination that honours Idempotency-Key. Start at createNote and verifyCreate,
// which settle together what happens when an answer is lost.
package main

import (
	weir "github.com/weir-project/weir/sdk/go"
)

// Note is a note to be: schemas/note.json.
type Note struct {
	Title string `json:"title" weir:"required"`
	Text  string `json:"text" weir:"required"`
}

// Stored is a note at the destination: schemas/stored.json.
type Stored struct {
	ID string `json:"id" weir:"required"`
}

// Me says whose account it is.
type Me struct {
	Name string `json:"name" weir:"required"`
}

// createNote is the action create-note. It does not retry: the fault says what happened, and Weir repeats the step by its kind.
func createNote(call weir.Call[Note], http *weir.HTTP) (weir.Receipt, error) {
	response, err := http.Send(weir.Post("/notes").JSON(call.Input).IdempotencyKey(call.Context))
	if err != nil {
		return weir.Receipt{}, err
	}
	var stored Stored
	if err := response.CheckedJSON(&stored); err != nil {
		return weir.Receipt{}, err
	}
	return weir.Receipt{Output: stored, ExternalID: stored.ID}, nil
}

// verifyCreate settles a create-note whose answer was lost.
func verifyCreate(call weir.Call[Note], http *weir.HTTP) (weir.Settlement, error) {
	response, err := http.Send(weir.Get("/notes").Query("title", call.Input.Title))
	if err != nil {
		return weir.Settlement{}, err
	}
	var found []Stored
	if err := response.CheckedJSON(&found); err != nil {
		return weir.Settlement{}, err
	}
	if len(found) == 0 {
		return weir.Absent(), nil
	}
	return weir.Happened(weir.Receipt{Output: found[0], ExternalID: found[0].ID}), nil
}

// checkConnection tests a connection and says whose it is.
func checkConnection(_ weir.Context, http *weir.HTTP) (weir.Identity, error) {
	response, err := http.Send(weir.Get("/me"))
	if err != nil {
		return weir.Identity{}, err
	}
	var me Me
	if err := response.CheckedJSON(&me); err != nil {
		return weir.Identity{}, err
	}
	return weir.Identity{Label: me.Name}, nil
}

var plugin = weir.Connector(
	weir.Actions{"create-note": weir.Action(createNote)},
	weir.WithVerify(weir.Verifiers{"create-note": weir.Verifier(verifyCreate)}),
	weir.WithCheck(checkConnection),
)

func init() { weir.Export(plugin) }

func main() {}

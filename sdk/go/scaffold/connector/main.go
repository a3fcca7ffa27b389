// A connector for Weir: it creates contacts. Start at createContact and verifyCreate, which settle together what happens when
// an answer is lost.
package main

import (
	weir "github.com/weir-project/weir/sdk/go"
)

// Contact is what to create. See schemas/contact.json.
type Contact struct {
	Email string `json:"email" weir:"required"`
	Name  string `json:"name,omitempty"`
}

// Stored is a contact at the destination. See schemas/stored.json.
type Stored struct {
	ID    string `json:"id" weir:"required"`
	Email string `json:"email,omitempty"`
	Name  string `json:"name,omitempty"`
}

// createContact is the action create-contact. Do not retry here: the fault says what happened, and Weir repeats the step.
func createContact(call weir.Call[Contact], http *weir.HTTP) (weir.Receipt, error) {
	response, err := http.Send(weir.Post("/contacts").JSON(call.Input).IdempotencyKey(call.Context))
	if err != nil {
		return weir.Receipt{}, err
	}
	var stored Stored
	if err := response.CheckedJSON(&stored); err != nil {
		return weir.Receipt{}, err
	}
	return weir.Receipt{Output: stored, ExternalID: stored.ID}, nil
}

// verifyCreate finds out what became of a create-contact whose answer was lost.
func verifyCreate(call weir.Call[Contact], http *weir.HTTP) (weir.Settlement, error) {
	response, err := http.Send(weir.Get("/contacts").Query("email", call.Input.Email))
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

// check tests a connection and says whose it is.
func check(_ weir.Context, http *weir.HTTP) (weir.Identity, error) {
	response, err := http.Send(weir.Get("/me"))
	if err != nil {
		return weir.Identity{}, err
	}
	var me Stored
	if err := response.CheckedJSON(&me); err != nil {
		return weir.Identity{}, err
	}
	return weir.Identity{Label: me.Name, Account: me.ID}, nil
}

var plugin = weir.Connector(
	weir.Actions{"create-contact": weir.Action(createContact)},
	weir.WithVerify(weir.Verifiers{"create-contact": weir.Verifier(verifyCreate)}),
	weir.WithCheck(check),
)

func init() { weir.Export(plugin) }

func main() {}

// Contacts-go creates, finds and lists the contacts of a directory with many tenants, whose search lags behind. Start at
// createContact and verifyCreate, which settle together what happens when an answer is lost.
package main

import (
	"encoding/json"
	"strconv"
	"time"

	weir "github.com/weir-project/weir/sdk/go"
)

// limitDefault is as many contacts as the directory gives in a page.
const limitDefault = 1000

// Contact is a contact to be.
type Contact struct {
	Email string `json:"email" weir:"required"`
	Name  string `json:"name,omitempty"`
}

// Search is whom to find.
type Search struct {
	Email string `json:"email" weir:"required"`
}

// Listing is how to list.
type Listing struct {
	Limit *int `json:"limit"`
}

// settings are those of the connection.
type settings struct {
	Workspace string `json:"workspace"`
}

// newContact is what the directory takes.
type newContact struct {
	Contact
	Reference string `json:"reference"`
}

// page is what the directory answers to a search and to a listing. Contacts go on as it has them, with every digit.
type page struct {
	Contacts   []weir.Object `json:"contacts" weir:"required"`
	NextCursor *string       `json:"next_cursor"`
	LagMs      int64         `json:"lag_ms"`
}

// createContact is the action create-contact. The step's key is the contact's reference, by which it is found again.
func createContact(call weir.Call[Contact], http *weir.HTTP) (weir.Receipt, error) {
	url, err := contactsOf(call.Context)
	if err != nil {
		return weir.Receipt{}, err
	}
	request := weir.Post(url).IdempotencyKey(call.Context).JSON(newContact{call.Input, call.Context.IdempotencyKey})
	var stored weir.Object
	if err := send(http, request, &stored); err != nil {
		return weir.Receipt{}, err
	}
	return weir.Receipt{Output: stored, ExternalID: idOf(stored)}, nil
}

// verifyCreate settles a create-contact whose answer was lost. The directory says for how long its search does not find
// what is new: what is not found while it does may still be there.
func verifyCreate(call weir.Call[Contact], http *weir.HTTP) (weir.Settlement, error) {
	found, err := search(call.Context, http, "reference", call.Context.IdempotencyKey)
	switch {
	case err != nil:
		return weir.Settlement{}, err
	case len(found.Contacts) > 0:
		return weir.Happened(weir.Receipt{Output: found.Contacts[0], ExternalID: idOf(found.Contacts[0])}), nil
	case found.LagMs > 0:
		return weir.Undecided(time.Duration(found.LagMs) * time.Millisecond), nil
	default:
		return weir.Absent(), nil
	}
}

// findContact is the action find-contact: a contact that is not there is an answer, not a fault.
func findContact(call weir.Call[Search], http *weir.HTTP) (weir.Receipt, error) {
	found, err := search(call.Context, http, "email", call.Input.Email)
	if err != nil {
		return weir.Receipt{}, err
	}
	if len(found.Contacts) == 0 {
		return weir.Receipt{Output: map[string]any{"found": false, "contact": nil}}, nil
	}
	contact := found.Contacts[0]
	return weir.Receipt{Output: map[string]any{"found": true, "contact": contact}, ExternalID: idOf(contact)}, nil
}

// listContacts is the action list-contacts: one page, and the cursor of the next.
func listContacts(call weir.Call[Listing], http *weir.HTTP) (weir.Receipt, error) {
	url, err := contactsOf(call.Context)
	if err != nil {
		return weir.Receipt{}, err
	}
	limit := limitDefault
	if call.Input.Limit != nil {
		limit = *call.Input.Limit
	}
	request := weir.Get(url).Query("limit", strconv.Itoa(limit))
	if call.Cursor != "" {
		request = request.Query("cursor", call.Cursor)
	}
	var found page
	if err := send(http, request, &found); err != nil {
		return weir.Receipt{}, err
	}
	receipt := weir.Receipt{Output: found.Contacts}
	if found.NextCursor != nil {
		receipt.Next = *found.NextCursor
	}
	return receipt, nil
}

// check tests a connection by asking whose key it is.
func check(_ weir.Context, http *weir.HTTP) (weir.Identity, error) {
	var account struct {
		Tenant string `json:"tenant" weir:"required"`
		Name   string `json:"name" weir:"required"`
	}
	if err := send(http, weir.Get("/v2/{{key}}/account"), &account); err != nil {
		return weir.Identity{}, err
	}
	return weir.Identity{Label: account.Name, Account: account.Tenant}, nil
}

// contactsOf gives the path of the workspace's contacts below the tenant's base URL. Weir puts the key in when the request
// has left the plugin.
func contactsOf(context weir.Context) (string, error) {
	settings := settings{Workspace: "main"}
	if err := context.ReadSettings(&settings); err != nil {
		return "", err
	}
	return "/v2/{{key}}/workspaces/" + weir.Encode(settings.Workspace) + "/contacts", nil
}

func search(context weir.Context, http *weir.HTTP, field, value string) (page, error) {
	var found page
	url, err := contactsOf(context)
	if err == nil {
		err = send(http, weir.Get(url+"/search").Query(field, value), &found)
	}
	return found, err
}

func send(http *weir.HTTP, request weir.Request, into any) error {
	response, err := http.Send(request)
	if err != nil {
		return err
	}
	if !response.IsSuccess() {
		return faultOf(response)
	}
	return response.JSON(into)
}

// faultOf is what the status means, with what the directory says more in its body and its header fields.
func faultOf(response *weir.Response) *weir.Fault {
	fault := response.Fault()
	if reset, err := strconv.Atoi(response.Header("x-ratelimit-reset")); err == nil && response.Status == 429 {
		if _, isSaid := response.RetryAfter(); !isSaid {
			fault = fault.WithRetryAfter(time.Duration(reset) * time.Second)
		}
	}
	var refusal struct {
		Error struct {
			Code    string `json:"code" weir:"required"`
			Message string `json:"message" weir:"required"`
			Details []struct {
				Field   string `json:"field" weir:"required"`
				Problem string `json:"problem" weir:"required"`
			} `json:"details"`
		} `json:"error" weir:"required"`
	}
	// A gateway in between answers in its own words, which the fault holds already.
	if response.JSON(&refusal) == nil {
		fault.Code, fault.Message = refusal.Error.Code, "the directory says: "+refusal.Error.Message
		for _, detail := range refusal.Error.Details {
			fault = fault.WithField("/"+detail.Field, detail.Problem)
		}
	}
	return fault
}

func idOf(contact weir.Object) string {
	id, _ := contact.Get("id")
	number, _ := id.(json.Number)
	return number.String()
}

var plugin = weir.Connector(
	weir.Actions{
		"create-contact": weir.Action(createContact),
		"find-contact":   weir.Action(findContact),
		"list-contacts":  weir.Action(listContacts),
	},
	weir.WithVerify(weir.Verifiers{"create-contact": weir.Verifier(verifyCreate)}),
	weir.WithCheck(check),
)

func init() { weir.Export(plugin) }

func main() {}

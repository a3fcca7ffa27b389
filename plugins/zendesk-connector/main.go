// Zendesk-connector opens, finds and lists the tickets of a Zendesk account. Start at createTicket and verifyCreate, which
// settle together what happens when an answer is lost.
package main

import (
	"encoding/json"
	"strconv"

	weir "github.com/weir-project/weir/sdk/go"
)

const tickets = "/api/v2/tickets"

// Ticket is a ticket to be.
type Ticket struct {
	Subject      string        `json:"subject" weir:"required"`
	Body         string        `json:"body" weir:"required"`
	Requester    *Requester    `json:"requester"`
	Priority     string        `json:"priority"`
	Tags         []string      `json:"tags"`
	CustomFields []CustomField `json:"custom_fields"`
}

// Requester is who has the trouble.
type Requester struct {
	Email string `json:"email" weir:"required"`
	Name  string `json:"name,omitempty"`
}

// CustomField is a field of the account's own.
type CustomField struct {
	ID    json.Number     `json:"id" weir:"required"`
	Value json.RawMessage `json:"value" weir:"required"`
}

// Search is whose tickets to find.
type Search struct {
	Email  string `json:"email" weir:"required"`
	Status string `json:"status"`
}

// Listing is how to list.
type Listing struct {
	Limit *int `json:"limit"`
}

// creation is what Zendesk takes.
type creation struct {
	Ticket newTicket `json:"ticket"`
}

type newTicket struct {
	Subject      string        `json:"subject"`
	Comment      comment       `json:"comment"`
	Requester    *Requester    `json:"requester,omitempty"`
	Priority     string        `json:"priority,omitempty"`
	Tags         []string      `json:"tags,omitempty"`
	CustomFields []CustomField `json:"custom_fields,omitempty"`
	ExternalID   string        `json:"external_id"`
}

type comment struct {
	Body string `json:"body"`
}

// page is a page of tickets. They go on as Zendesk has them, in its order and with every digit.
type page struct {
	Tickets []weir.Object `json:"tickets"`
	Results []weir.Object `json:"results"`
	Meta    struct {
		HasMore     bool    `json:"has_more"`
		AfterCursor *string `json:"after_cursor"`
	} `json:"meta"`
}

// createTicket is the action create-ticket. The step's key becomes the ticket's external id, by which it is found again, and
// Zendesk honours Idempotency-Key for two hours.
func createTicket(call weir.Call[Ticket], http *weir.HTTP) (weir.Receipt, error) {
	ticket := call.Input
	request := weir.Post(tickets).IdempotencyKey(call.Context).JSON(creation{newTicket{
		Subject:      ticket.Subject,
		Comment:      comment{ticket.Body},
		Requester:    ticket.Requester,
		Priority:     ticket.Priority,
		Tags:         ticket.Tags,
		CustomFields: ticket.CustomFields,
		ExternalID:   call.Context.IdempotencyKey,
	}})
	var created struct {
		Ticket weir.Object `json:"ticket" weir:"required"`
	}
	if err := send(http, request, &created); err != nil {
		return weir.Receipt{}, err
	}
	return receiptOf(created.Ticket), nil
}

// verifyCreate settles a create-ticket whose answer was lost. The list by external id does not lag as the search does, and
// should it do so once, opening the ticket again under the same key gives the one that is there.
func verifyCreate(call weir.Call[Ticket], http *weir.HTTP) (weir.Settlement, error) {
	var found page
	request := weir.Get(tickets).Query("external_id", call.Context.IdempotencyKey)
	if err := send(http, request, &found); err != nil {
		return weir.Settlement{}, err
	}
	if len(found.Tickets) > 0 {
		return weir.Happened(receiptOf(found.Tickets[0])), nil
	}
	return weir.Absent(), nil
}

// findTickets is the action find-tickets: a requester without tickets is an answer, not a fault. Zendesk's search lags some
// seconds behind.
func findTickets(call weir.Call[Search], http *weir.HTTP) (weir.Receipt, error) {
	query := `type:ticket requester:"` + call.Input.Email + `"`
	if call.Input.Status != "" {
		query += " status:" + call.Input.Status
	}
	var found page
	if err := send(http, weir.Get("/api/v2/search").Query("query", query), &found); err != nil {
		return weir.Receipt{}, err
	}
	return weir.Receipt{Output: list(found.Results)}, nil
}

// listTickets is the action list-tickets: one page, and the cursor of the next.
func listTickets(call weir.Call[Listing], http *weir.HTTP) (weir.Receipt, error) {
	limit := 100
	if call.Input.Limit != nil {
		limit = *call.Input.Limit
	}
	request := weir.Get(tickets).Query("page[size]", strconv.Itoa(limit))
	if call.Cursor != "" {
		request = request.Query("page[after]", call.Cursor)
	}
	var found page
	if err := send(http, request, &found); err != nil {
		return weir.Receipt{}, err
	}
	receipt := weir.Receipt{Output: list(found.Tickets)}
	if found.Meta.HasMore && found.Meta.AfterCursor != nil {
		receipt.Next = *found.Meta.AfterCursor
	}
	return receipt, nil
}

// check tests a connection by asking whose credential it is. Zendesk answers for nobody too, with an empty id.
func check(_ weir.Context, http *weir.HTTP) (weir.Identity, error) {
	var me struct {
		User struct {
			ID    *json.Number `json:"id"`
			Name  string       `json:"name"`
			Email *string      `json:"email"`
		} `json:"user" weir:"required"`
	}
	if err := send(http, weir.Get("/api/v2/users/me"), &me); err != nil {
		return weir.Identity{}, err
	}
	if me.User.ID == nil || me.User.Email == nil {
		return weir.Identity{}, weir.Unauthorized("Zendesk does not know whose credential this is")
	}
	return weir.Identity{Label: me.User.Name + " <" + *me.User.Email + ">", Account: me.User.ID.String()}, nil
}

func send(http *weir.HTTP, request weir.Request, into any) error {
	response, err := http.Send(request)
	if err != nil {
		return err
	}
	if err := checked(response); err != nil {
		return err
	}
	return response.JSON(into)
}

// checked is as weir.Response.Check, with what Zendesk says more in its body.
func checked(response *weir.Response) error {
	if response.IsSuccess() {
		return nil
	}
	fault := response.Fault()
	var refusal struct {
		Error       string `json:"error" weir:"required"`
		Description string `json:"description"`
	}
	if response.JSON(&refusal) == nil {
		fault.Code = refusal.Error
		if refusal.Description != "" {
			fault.Message = "Zendesk says: " + refusal.Description
		}
	}
	return fault
}

func receiptOf(ticket weir.Object) weir.Receipt {
	id, _ := ticket.Get("id")
	number, _ := id.(json.Number)
	return weir.Receipt{Output: ticket, ExternalID: number.String()}
}

// list makes sure that no tickets are written as an empty list.
func list(tickets []weir.Object) []weir.Object {
	if tickets == nil {
		return []weir.Object{}
	}
	return tickets
}

var plugin = weir.Connector(
	weir.Actions{
		"create-ticket": weir.Action(createTicket),
		"find-tickets":  weir.Action(findTickets),
		"list-tickets":  weir.Action(listTickets),
	},
	weir.WithVerify(weir.Verifiers{"create-ticket": weir.Verifier(verifyCreate)}),
	weir.WithCheck(check),
)

func init() { weir.Export(plugin) }

func main() {}

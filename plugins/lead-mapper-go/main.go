// Lead-mapper-go makes a CRM contact of a lead from a web form. Start at toContact.
package main

import (
	"encoding/json"
	"strings"
	"unicode"

	weir "github.com/weir-project/weir/sdk/go"
)

// Lead is the fields of the form. People leave fields empty, so an empty one counts as missing.
type Lead struct {
	Email     string `json:"email"`
	Name      string `json:"name"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Company   string `json:"company"`
	Phone     string `json:"phone"`
	// Nil if it is missing or null.
	Budget  *json.Number `json:"budget"`
	Message string       `json:"message"`
}

// Contact is what the CRM takes.
type Contact struct {
	Email   string `json:"email"`
	Name    string `json:"name"`
	Company string `json:"company,omitempty"`
	Phone   string `json:"phone,omitempty"`
	// As it was written: a float64 would forget some of it.
	Budget *json.Number `json:"budget,omitempty"`
	Note   string       `json:"note,omitempty"`
	Source string       `json:"source"`
}

// Options are what the flow may choose.
type Options struct {
	Source string `json:"source"`
}

// SetDefaults is called before the options are read.
func (o *Options) SetDefaults() {
	o.Source = "web form"
}

// toContact is the mapper. A lead without an address that could receive mail is an invalid-input.
func toContact(m weir.Mapping[Lead, Options]) (Contact, error) {
	lead := m.Input
	email, err := readEmail(lead.Email)
	if err != nil {
		return Contact{}, err
	}
	name := words(lead.Name)
	if name == "" {
		name = words(lead.FirstName + " " + lead.LastName)
	}
	if name == "" {
		// A contact needs some name; who gives none is known by the address.
		name = email
	}
	return Contact{
		Email:   email,
		Name:    name,
		Company: words(lead.Company),
		Phone:   readPhone(lead.Phone),
		Budget:  lead.Budget,
		Note:    strings.TrimSpace(lead.Message),
		Source:  m.Options.Source,
	}, nil
}

// readEmail gives the address in lower case: people write their own in many ways, and the CRM knows a contact by it. Letters
// beyond ASCII stay as they are: what is the same address to a mail server is known of ASCII alone.
func readEmail(text string) (string, error) {
	email := strings.Map(toLower, strings.TrimSpace(text))
	if isEmail(email) {
		return email, nil
	}
	message := "is not an e-mail address"
	if email == "" {
		message = "is missing"
	}
	return "", weir.InvalidInput("the lead has no address to write to").WithCode("email").WithField("/email", message)
}

func toLower(letter rune) rune {
	if 'A' <= letter && letter <= 'Z' {
		return letter - 'A' + 'a'
	}
	return letter
}

func isEmail(text string) bool {
	name, host, found := strings.Cut(text, "@")
	if !found || name == "" || strings.Contains(host, "@") || strings.ContainsFunc(text, unicode.IsSpace) {
		return false
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" {
			return false
		}
	}
	return len(labels) > 1
}

// readPhone gives the digits, with the plus of an international number; none if too few are left to be a number.
func readPhone(text string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
	if len(digits) < 5 {
		return ""
	}
	if strings.HasPrefix(strings.TrimLeftFunc(text, unicode.IsSpace), "+") {
		return "+" + digits
	}
	return digits
}

// words gives the words with single spaces between them.
func words(text string) string {
	return strings.Join(strings.Fields(text), " ")
}

var plugin = weir.Mapper(toContact)

func init() { weir.Export(plugin) }

func main() {}

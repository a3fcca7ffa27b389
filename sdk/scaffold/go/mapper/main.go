// A mapper for Weir: it makes a greeting of a name. Start at greet.
package main

import (
	"strings"

	weir "github.com/weir-project/weir/sdk/go"
)

// Person is what comes in: schemas/input.json.
type Person struct {
	Name string `json:"name" weir:"required"`
}

// Greeting is what goes out: schemas/output.json.
type Greeting struct {
	Greeting string `json:"greeting"`
}

// Options are what a flow may choose: schemas/options.json.
type Options struct {
	Salutation string `json:"salutation"`
}

// SetDefaults is called before the options are read.
func (o *Options) SetDefaults() {
	o.Salutation = "Hello"
}

// greet is the mapper. Pure: the same input gives the same output, at any time and anywhere.
func greet(m weir.Mapping[Person, Options]) (Greeting, error) {
	name := strings.TrimSpace(m.Input.Name)
	if name == "" {
		return Greeting{}, weir.InvalidInput("there is nobody to greet").WithCode("no-name").WithField("/name", "is empty")
	}
	return Greeting{Greeting: m.Options.Salutation + ", " + name + "!"}, nil
}

var plugin = weir.Mapper(greet)

func init() { weir.Export(plugin) }

func main() {}

// A mapper for Weir: it makes a greeting of a person. Start at greet.
package main

import (
	"strings"

	weir "github.com/weir-project/weir/sdk/go"
)

// Person is what comes in. See schemas/person.json.
type Person struct {
	Name string `json:"name" weir:"required"`
}

// Greeting is what goes out. See schemas/greeting.json.
type Greeting struct {
	Text string `json:"text"`
}

// Options are what a flow may say in its step. See schemas/options.json.
type Options struct {
	Greeting string `json:"greeting"`
}

// SetDefaults is called before the options are read.
func (o *Options) SetDefaults() {
	o.Greeting = "Hello"
}

// greet is the mapper. Pure: the same input gives the same answer, at any time and anywhere.
func greet(m weir.Mapping[Person, Options]) (Greeting, error) {
	name := strings.TrimSpace(m.Input.Name)
	if name == "" {
		return Greeting{}, weir.InvalidInput("there is nobody to greet").WithField("/name", "is empty")
	}
	return Greeting{Text: m.Options.Greeting + ", " + name + "!"}, nil
}

var plugin = weir.Mapper(greet)

func init() { weir.Export(plugin) }

func main() {}

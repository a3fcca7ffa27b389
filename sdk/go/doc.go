// Package weir is what plugins for Weir are written with in Go. A mapper is one function, a connector a few:
//
//	type Lead struct {
//		Email string `json:"email" weir:"required"`
//		Name  string `json:"name"`
//	}
//
//	type Contact struct {
//		Email       string `json:"email"`
//		DisplayName string `json:"display_name"`
//	}
//
//	func toContact(m weir.Mapping[Lead, weir.NoOptions]) (Contact, error) {
//		if !strings.Contains(m.Input.Email, "@") {
//			return Contact{}, weir.InvalidInput("no address to write to").WithField("/email", "is not an e-mail address")
//		}
//		return Contact{Email: strings.ToLower(m.Input.Email), DisplayName: m.Input.Name}, nil
//	}
//
//	var plugin = weir.Mapper(toContact)
//
//	func init() { weir.Export(plugin) }
//
//	func main() {}
//
// Input and output are typed JSON; a [Document] in either place means the raw bytes. [Documents] splits or filters.
// Connectors are described at [Connector], requests at [HTTP], faults at [Fault], JSON at [ReadJSON], native tests in
// package weirtest.
//
// It knows the contract and nothing of Weir's inside. Start at [Mapping] or [Call].
package weir

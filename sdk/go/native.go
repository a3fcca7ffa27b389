//go:build !wasip1

package weir

// Export gives the plugin to Weir. Call it in a func init of the program's main package. Natively it does nothing: tests
// call the plugin themselves.
func Export(Plugin) {}

// hostHTTP is what a plugin has outside the sandbox: no way out but that which a test gives it.
func hostHTTP() *HTTP {
	return nil
}

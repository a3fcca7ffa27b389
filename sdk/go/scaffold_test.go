package weir_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The templates are filled in as weir plugin new does, and their own tests run.
func TestTheTemplatesAreGreen(t *testing.T) {
	sdk, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.NewReplacer("{{name}}", "my-plugin", "{{owner}}", "you@example.com", "{{sdk}}", sdk)
	for _, kind := range []string{"mapper", "connector"} {
		t.Run(kind, func(t *testing.T) {
			project := t.TempDir()
			if err := os.CopyFS(project, os.DirFS(filepath.Join("scaffold", kind))); err != nil {
				t.Fatal(err)
			}
			err := filepath.WalkDir(project, func(path string, entry os.DirEntry, err error) error {
				if err != nil || entry.IsDir() {
					return err
				}
				text, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				return os.WriteFile(path, []byte(words.Replace(string(text))), 0o600)
			})
			if err != nil {
				t.Fatal(err)
			}
			runGo(t, project, nil, "vet", ".")
			runGo(t, project, nil, "test", ".")
			sandbox := []string{"GOOS=wasip1", "GOARCH=wasm"}
			runGo(t, project, sandbox, "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", "plugin.wasm", ".")
			module, err := os.ReadFile(filepath.Join(project, "plugin.wasm"))
			if err != nil {
				t.Fatal(err)
			}
			// Weir refuses a mapper that imports it.
			if asks := bytes.Contains(module, []byte("weir:plugin/http@")); asks != (kind == "connector") {
				t.Errorf("the import of http is there: %v", asks)
			}
		})
	}
}

func runGo(t *testing.T, folder string, environment []string, arguments ...string) {
	t.Helper()
	command := exec.Command("go", arguments...)
	command.Dir = folder
	command.Env = append(append(os.Environ(), "GOWORK=off"), environment...)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
}

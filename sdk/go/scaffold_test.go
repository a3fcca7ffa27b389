package weir_test

import (
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
			for _, arguments := range [][]string{{"vet", "."}, {"test", "."}} {
				command := exec.Command("go", arguments...)
				command.Dir = project
				command.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
				if output, err := command.CombinedOutput(); err != nil {
					t.Errorf("go %s: %v\n%s", strings.Join(arguments, " "), err, output)
				}
			}
		})
	}
}

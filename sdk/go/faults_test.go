package weir

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// rows gives the rows of a table of wit/FAULTS.md, the one below a heading, without the table's own head and backticks.
func rows(t *testing.T, heading string) [][]string {
	t.Helper()
	page, err := os.ReadFile("../../wit/FAULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range strings.Split(string(page), "\n## ") {
		if !strings.HasPrefix(section, heading) {
			continue
		}
		var table [][]string
		for _, line := range strings.Split(section, "\n") {
			if strings.HasPrefix(line, "|") {
				cells := strings.Split(strings.Trim(strings.ReplaceAll(line, "`", ""), "|"), " | ")
				for index := range cells {
					cells[index] = strings.TrimSpace(cells[index])
				}
				table = append(table, cells)
			}
		}
		return table[2:]
	}
	t.Fatalf("the page has no heading %q", heading)
	return nil
}

func holds(t *testing.T, statuses string, status int) bool {
	for _, part := range strings.Split(statuses, ", ") {
		var first, last int
		if found, _ := fmt.Sscanf(part, "%d-%d", &first, &last); found == 0 {
			t.Fatalf("%q is no status", part)
		}
		if last = max(last, first); first <= status && status <= last {
			return true
		}
	}
	return false
}

func millis(fault *Fault) string {
	if fault.RetryAfter == nil {
		return "none"
	}
	return fmt.Sprint(toMillis(*fault.RetryAfter))
}

func TestEveryStatusIsTheKindThatThePageSays(t *testing.T) {
	table := rows(t, "From an answer to a kind")
	for status := 100; status < 600; status++ {
		var row []string
		for _, row = range table {
			if holds(t, row[0], status) {
				break
			}
		}
		for methods, kind := range map[string]string{"GET HEAD OPTIONS PUT DELETE": row[1], "POST PATCH PURGE": row[2]} {
			for _, method := range strings.Fields(methods) {
				err := response(method, status, Pair{"retry-after", "7"}).Check()
				if err == nil {
					if kind != "none" {
						t.Errorf("%s %d: no fault, expected %s", method, status, kind)
					}
					continue
				}
				var fault *Fault
				if !errors.As(err, &fault) || fault.Kind.String() != kind || fault.Code != fmt.Sprintf("http-%d", status) {
					t.Errorf("%s %d: %#v, expected %s", method, status, err, kind)
					continue
				}
				waits := "none"
				if row[3] == "yes" || row[3] == "if "+kind {
					waits = "7000"
				}
				if millis(fault) != waits {
					t.Errorf("%s %d: waits %s, expected %s", method, status, millis(fault), waits)
				}
			}
		}
	}
}

func TestRetryAfterWaitsAsLongAsThePageSays(t *testing.T) {
	for _, row := range rows(t, "`Retry-After`") {
		answer := response("GET", 503, Pair{"retry-after", row[0]}, Pair{"date", "Sun, 06 Nov 1994 08:49:37 GMT"})
		if waits := millis(answer.Fault()); waits != row[1] {
			t.Errorf("%s: %s, expected %s", row[0], waits, row[1])
		}
	}
}

func TestEveryRequestWithoutAnAnswerIsTheKindThatThePageSays(t *testing.T) {
	// In the order of the contract, which is that of the page.
	kinds := []HTTPErrorKind{Denied, Unreachable, TLS, NoAnswer, TooLarge, Broken}
	table := rows(t, "From a request without an answer to a kind")
	if len(table) != len(kinds) {
		t.Fatalf("%d rows for %d kinds", len(table), len(kinds))
	}
	for index, row := range table {
		for _, test := range []struct {
			sent, repeatable bool
			kind             string
		}{{false, true, row[1]}, {false, false, row[1]}, {true, true, row[2]}, {true, false, row[3]}} {
			err := error(&HTTPError{Kind: kinds[index], Code: "c", RequestSent: test.sent, repeatable: test.repeatable})
			var fault *Fault
			if !errors.As(err, &fault) || fault.Kind.String() != test.kind || fault.Code != "c" {
				t.Errorf("%s, %+v: %v", row[0], test, fault)
			}
		}
	}
}

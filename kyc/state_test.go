package kyc

import (
	"os"
	"strings"
	"testing"
)

// TestTransitions goes through every state and every event: what is not listed here must not happen.
func TestTransitions(t *testing.T) {
	allowed := map[Status]map[Event]Status{
		InProgress:          {EventDecide: Complete, EventDefer: TemporarilyComplete, EventBlock: TemporarilyBlocked, EventExpire: Expired, EventErase: Expired},
		TemporarilyComplete: {EventDecide: Complete, EventErase: Expired},
		TemporarilyBlocked:  {EventUnblock: InProgress, EventExpire: Expired, EventErase: Expired},
		Complete:            {},
		Expired:             {},
	}
	if len(allowed) != len(Statuses()) {
		t.Fatalf("the test knows %d states, the package %d", len(allowed), len(Statuses()))
	}
	for _, from := range Statuses() {
		for _, on := range Events() {
			want, may := allowed[from][on]
			got, ok := Next(from, on)
			if got != want || ok != may {
				t.Errorf("%s on %s: got %q %v, want %q %v", from, on, got, ok, want, may)
			}
		}
	}
}

func TestKindsAreTotal(t *testing.T) {
	for code, kind := range map[Code]Kind{
		CodeInvalid: KindInvalid, CodeUnauthorized: KindUnauthorized, CodeForbidden: KindForbidden, CodeNotFound: KindNotFound,
		CodeConsentRequired: KindConflict, CodeSessionComplete: KindConflict, CodeImageTooLarge: KindTooLarge,
		CodeImageUnsupported: KindUnsupported, CodeImageTruncated: KindUnusable, CodeTooManyRequests: KindThrottled,
		CodeUnavailable: KindUnavailable, CodeInternal: KindInternal, "never heard of": KindInternal,
	} {
		if code.Kind() != kind {
			t.Errorf("%s is of kind %d, want %d", code, code.Kind(), kind)
		}
	}
}

// TestDiagramInDocs: the picture in the documentation is the table.
func TestDiagramInDocs(t *testing.T) {
	page, err := os.ReadFile("../docs/sessions.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```mermaid\n"+StateDiagram()+"```") {
		t.Error("docs/sessions.md shows another state machine: put the output of `kycd states` there")
	}
}

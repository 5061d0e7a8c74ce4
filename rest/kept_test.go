package rest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// TestKeptSession: a verification that did not change is read once; one that changed, or is gone, is not answered from memory.
func TestKeptSession(t *testing.T) {
	version, reads, gone := 1, 0, false
	f := plainService()
	f.sessionVersion = func(auth.Principal, string) (int, error) {
		if gone {
			return 0, kyc.Errorf(kyc.CodeNotFound, "no such session")
		}
		return version, nil
	}
	f.readSession = func(_ auth.Principal, _ kyc.SessionKind, id string) (kyc.Session, error) {
		reads++
		return kyc.Session{ID: id, Status: "in_progress", CreatedAt: testTime, ExpiresAt: testTime, History: make([]kyc.HistoryEntry, version)}, nil
	}
	a := newTestAPI(t, f, wellProbe())
	ask := func() (int, string) {
		w := a.do(jsonRequest("/v2/idv/session/read", `{"session_id":"s"}`))
		return w.Code, w.Body.String()
	}
	_, first := ask()
	if code, second := ask(); code != http.StatusOK || second != first || reads != 1 || !strings.HasSuffix(first, "}\n") {
		t.Errorf("the second time: %d, %d reads, %s", code, reads, second)
	}
	version = 2
	if _, changed := ask(); changed == first || reads != 2 {
		t.Errorf("after a change: %d reads, %s", reads, changed)
	}
	gone = true
	if code, body := ask(); code != http.StatusNotFound {
		t.Errorf("after it was deleted: %d %s", code, body)
	}
	gone = false
	if w := a.do(jsonRequest("/v2/idv/session/anonymize", `{"session_id":"s"}`)); w.Code != http.StatusOK {
		t.Fatalf("anonymize: %d %s", w.Code, w.Body)
	}
	ask()
	if reads != 3 {
		t.Errorf("%d reads: what was anonymized here stayed in memory", reads)
	}
}

func TestKeptAnswersEnd(t *testing.T) {
	k := newKeptAnswers()
	k.keep("a", 1, []byte("a"), testTime)
	k.keep("large", 1, make([]byte, keptBytes+1), testTime)
	if k.find("a", 1, testTime.Add(keptLife-1)) == nil || k.find("a", 2, testTime) != nil || k.find("large", 1, testTime) != nil {
		t.Error("what is kept is found by its version, and a large answer is not kept")
	}
	later := testTime.Add(keptLife)
	if k.find("a", 1, later) != nil {
		t.Error("an answer outlived its time")
	}
	k.keep("b", 1, []byte("b"), later)
	if n := k.byID.Len(); n != 1 {
		t.Errorf("%d answers are in memory", n)
	}
	for i := range keptSessions + 5 {
		k.keep(strings.Repeat("x", i), 1, []byte("x"), later.Add(time.Duration(i)))
	}
	if n := k.byID.Len(); n != keptSessions {
		t.Errorf("%d answers are in memory", n)
	}
}

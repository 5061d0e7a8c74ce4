package rest

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// keeper remembers what the rules were asked to keep.
type keeper struct {
	*fake
	kept map[string][]byte
}

func newKeeper() *keeper {
	k := &keeper{fake: plainService(), kept: map[string][]byte{}}
	k.recall = func(claim *kyc.Claim) ([]byte, error) {
		answer := k.kept[claim.Route+claim.Key]
		claim.Replayed = answer != nil
		return answer, nil
	}
	k.remember = func(claim *kyc.Claim, answer []byte) ([]byte, error) {
		if first := k.kept[claim.Route+claim.Key]; first != nil {
			claim.Replayed = true
			return first, nil
		}
		k.kept[claim.Route+claim.Key] = bytes.Clone(answer)
		return answer, nil
	}
	return k
}

func withKey(r *http.Request, keys ...string) *http.Request {
	for _, key := range keys {
		r.Header.Add("Idempotency-Key", key)
	}
	return r
}

// TestKeptAnswers: a question that is asked again under its key gets the same bytes, whatever became true since.
func TestKeptAnswers(t *testing.T) {
	k := newKeeper()
	status := "in_progress"
	k.readSession = func(_ auth.Principal, _ kyc.SessionKind, id string) (kyc.Session, error) {
		return kyc.Session{ID: id, Status: status, CreatedAt: testTime, ExpiresAt: testTime}, nil
	}
	a := newTestAPI(t, k, wellProbe())
	ask := func(key string) *httptest.ResponseRecorder {
		return a.do(withKey(jsonRequest("/v2/idv/session/read", `{"session_id":"s"}`), key))
	}
	first := ask("one")
	status = "complete"
	second, other := ask("one"), ask("two")
	if first.Code != http.StatusOK || first.Header().Get("Idempotency-Replayed") != "false" || !strings.Contains(first.Body.String(), "in_progress") {
		t.Errorf("first: %d %v %s", first.Code, first.Header(), first.Body)
	}
	if second.Header().Get("Idempotency-Replayed") != "true" || second.Body.String() != first.Body.String() {
		t.Errorf("second: %v %s", second.Header(), second.Body)
	}
	if !strings.Contains(other.Body.String(), `"complete"`) {
		t.Errorf("another key: %s", other.Body)
	}
	if plain := a.do(jsonRequest("/v2/idv/session/read", `{"session_id":"s"}`)); plain.Header().Get("Idempotency-Replayed") != "" {
		t.Errorf("without a key: %v", plain.Header())
	}
}

// TestEffectsAreTheRules: what had an effect is not kept here, and neither is a failure, a picture, or a long answer.
func TestEffectsAreTheRules(t *testing.T) {
	k := newKeeper()
	k.listSessions = func(auth.Principal, kyc.SessionKind, kyc.SessionQuery) (kyc.SessionPage, error) {
		page := kyc.SessionPage{}
		for range 2000 {
			page.Sessions = append(page.Sessions, kyc.Session{ID: strings.Repeat("x", 100), Status: "expired", CreatedAt: testTime, ExpiresAt: testTime})
		}
		return page, nil
	}
	k.readSession = func(auth.Principal, kyc.SessionKind, string) (kyc.Session, error) {
		return kyc.Session{}, kyc.Errorf(kyc.CodeNotFound, "no such session")
	}
	k.downloadDocument = func(auth.Principal, string, string) (kyc.Image, error) {
		return kyc.Image{ContentType: "image/png", Bytes: []byte("png")}, nil
	}
	a := newTestAPI(t, effective{k}, wellProbe())
	for path, body := range map[string]string{
		"/v2/idv/session/create":    `{}`,
		"/v2/idv/session/list":      `{}`,
		"/v2/idv/session/read":      `{"session_id":"s"}`,
		"/v2/idv/document/download": `{"session_id":"s","storage_file_type_e":"selfie"}`,
	} {
		w := a.do(withKey(jsonRequest(path, body), "k"))
		if w.Body.Len() == 0 || w.Code != http.StatusOK && w.Code != http.StatusNotFound {
			t.Errorf("%s: %d %.100s", path, w.Code, w.Body)
		}
		if replayed := w.Header().Get("Idempotency-Replayed"); (replayed == "false") != (path == "/v2/idv/session/create") {
			t.Errorf("%s: replayed %q", path, replayed)
		}
	}
	if len(k.kept) != 0 {
		t.Errorf("%d answers were kept", len(k.kept))
	}
}

// effective has rules that keep what had an effect themselves.
type effective struct{ *keeper }

func (e effective) CreateSession(ctx context.Context, p auth.Principal, in kyc.SessionInput) (string, error) {
	exchangeOf(ctx).claim.Effect = true
	return "s", nil
}

func TestIdempotencyKeyIsChecked(t *testing.T) {
	a := newTestAPI(t, newKeeper(), wellProbe())
	for name, keys := range map[string][]string{
		"two keys": {"a", "b"}, "empty": {""}, "too long": {strings.Repeat("k", 256)}, "not visible": {"a b\tc"},
	} {
		w := a.do(withKey(jsonRequest("/v2/idv/session/create", `{}`), keys...))
		if w.Code != http.StatusBadRequest || !hasPointer(problemOf(t, w).Errors, "/header/Idempotency-Key") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := a.do(withKey(jsonRequest("/v2/idv/session/create", `{}`), strings.Repeat("k", 255))); w.Code != http.StatusOK {
		t.Errorf("the longest key: %d %s", w.Code, w.Body)
	}
}

// TestRefusedClaims: what the rules say of a key reaches the caller, also when they say it after the work was done.
func TestRefusedClaims(t *testing.T) {
	for name, spoil := range map[string]func(k *keeper){
		"before": func(k *keeper) {
			k.recall = func(*kyc.Claim) ([]byte, error) { return nil, kyc.Errorf(kyc.CodeIdempotencyReused, "used") }
		},
		"after": func(k *keeper) {
			k.remember = func(*kyc.Claim, []byte) ([]byte, error) { return nil, kyc.Errorf(kyc.CodeIdempotencyReused, "used") }
		},
	} {
		k := newKeeper()
		spoil(k)
		w := newTestAPI(t, k, wellProbe()).do(withKey(jsonRequest("/v2/idv/session/list", `{}`), "k"))
		if w.Code != http.StatusUnprocessableEntity || problemOf(t, w).Code != string(kyc.CodeIdempotencyReused) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// TestUploadDigest: the same parts are the same upload, another picture or place is another.
func TestUploadDigest(t *testing.T) {
	first := upload{sessionID: "s", latitude: 1.5, longitude: 2, image: []byte("a")}
	if first.digest() != (upload{sessionID: "s", latitude: 1.5, longitude: 2, image: []byte("a")}).digest() {
		t.Error("equal uploads differ")
	}
	for _, other := range []upload{
		{sessionID: "t", latitude: 1.5, longitude: 2, image: []byte("a")}, {sessionID: "s", latitude: 1.25, longitude: 2, image: []byte("a")},
		{sessionID: "s", latitude: 1.5, longitude: 2, image: []byte("b")}, {sessionID: "s", latitude: 1.5, longitude: 22, image: []byte("a")},
	} {
		if other.digest() == first.digest() {
			t.Errorf("%+v has the same digest", other)
		}
	}
}

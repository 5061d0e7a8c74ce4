package live_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"kycd/ent/capture"
	"kycd/ent/consent"
	"kycd/ent/database/databasetest"
	"kycd/ent/history"
	"kycd/ent/session"
	"kycd/ent/webhook"
	"kycd/kyc"
	"kycd/kyc/kyctest/house"
)

// TestIdempotency: of many requests with one key, at the same time, later, and after the server began anew, one has an
// effect and all have its answer, to the byte. With PostgreSQL two servers share the work.
func TestIdempotency(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testIdempotency(t, "", 1, 10_000, 100) })
	t.Run("postgres", func(t *testing.T) { testIdempotency(t, databasetest.Postgres(t), 2, 1_000, 50) })
}

func testIdempotency(t *testing.T, url string, servers, requests, keys int) {
	t.Helper()
	ctx, all, data := context.Background(), operations(t), t.TempDir()
	var farm []*server
	for range servers {
		farm = append(farm, serve(t, house.Options{Database: url, Data: data}))
	}
	s := farm[0]
	of, stranger, sibling := s.tenant(t, "Borduria Bank"), s.tenant(t, "Syldavia Bank"), s.tenant(t, "Borduria Bank")

	// Sessions, many.
	create := question{op: find(t, all, "idvSessionCreate"), body: map[string]any{"metadata": map[string]any{"order": "7"}}}.as(of)
	sessions := race(t, farm, requests, keys, create)
	ids := map[string]bool{}
	for _, a := range sessions {
		ids[a.object(t)["session_id"].(string)] = true
	}
	if len(ids) != keys {
		t.Errorf("%d different sessions were answered", len(ids))
	}
	counted(t, "sessions", s.DB.Ent.Session.Query().Where(session.ClientID(of.caller.ClientID)).CountX(ctx), keys)
	counted(t, "entries of their history", s.DB.Ent.History.Query().Where(history.Event("created")).CountX(ctx), keys)

	// One of each other kind, fewer.
	id := s.verification(t, of, kyc.SessionInput{}, begun)
	agree := question{op: find(t, all, "idvSdkConsentAdd"), body: map[string]any{"session_id": id, "consented": true}}.as(of)
	race(t, farm, 400, 20, agree)
	counted(t, "consents", s.DB.Ent.Consent.Query().Where(consent.SessionID(id)).CountX(ctx), 20)

	hook := question{op: find(t, all, "webhookCreate"), body: map[string]any{"name": "backend", "url": s.hooks}}.as(of)
	hooks := race(t, farm, 400, 20, hook)
	counted(t, "webhooks", s.DB.Ent.Webhook.Query().Where(webhook.ClientID(of.caller.ClientID)).CountX(ctx), 20)

	must(t, s.UpdateDocumentType(ctx, of.caller, id, "driver_license"))
	upload := find(t, all, "idvSdkDocumentFrontAdd").example(t).with(place{inBody, "session_id"}, id).as(of)
	race(t, farm, 100, 5, upload)
	for _, s := range farm {
		s.Wait()
	}
	counted(t, "pictures", s.DB.Ent.Capture.Query().Where(capture.SessionID(id)).CountX(ctx), 5)
	if images := openStore(t, url, data).images(t); !strings.HasPrefix(images, "6 ") { // the key of the installation is the sixth
		t.Errorf("files below the data folder: %.2s", images)
	}

	list := question{op: find(t, all, "idvSessionList"), body: map[string]any{"take": 5}}.as(of)
	done := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() { // while what is listed changes
		for {
			select {
			case <-done:
				return
			default:
				if _, err := s.CreateSession(ctx, of.caller, kyc.SessionInput{}); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	lists := race(t, farm, 400, 20, list)
	close(done)
	others.Wait()
	s.verification(t, of, kyc.SessionInput{}, begun)
	now := s.ask(t, list)
	for key, first := range lists {
		if a := s.ask(t, list.keyed(key)); !bytes.Equal(a.body, first.body) || bytes.Equal(a.body, now.body) {
			t.Errorf("the list of %s is not what it was: %s", key, a)
		}
	}

	// The same key means something else with another body, and to somebody else.
	key := keyName(0)
	for name, other := range map[string]question{
		"effect":   create.with(place{inBody, "metadata"}, map[string]any{"order": "8"}),
		"question": list.with(place{inBody, "take"}, 6),
		"upload":   upload.with(place{inBody, "image"}, anotherPicture(t)),
		"place":    upload.with(place{inBody, "latitude"}, "-1.5"),
	} {
		a := s.ask(t, other.keyed(key))
		if a.status != http.StatusUnprocessableEntity || a.code() != "idempotency_key_reused" || a.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("%s: another body: %s", name, a)
		}
	}
	for name, other := range map[string]tenant{"stranger": stranger, "sibling": sibling} {
		for _, q := range []question{create, hook} {
			a, again := s.ask(t, q.as(other).keyed(key)), s.ask(t, q.as(other).keyed(key))
			if a.status != http.StatusOK || a.header.Get("Idempotency-Replayed") != "false" ||
				bytes.Equal(a.body, sessions[key].body) || bytes.Equal(a.body, hooks[key].body) {
				t.Errorf("a %s with the same key: %s", name, a)
			}
			if again.header.Get("Idempotency-Replayed") != "true" || !bytes.Equal(a.body, again.body) {
				t.Errorf("a %s again: %s, first %s", name, again, a)
			}
		}
	}
	device := agree
	device.token = s.grant(t, of.credentials, "sdk", id)
	if a := s.ask(t, device.keyed(key)); a.status != http.StatusOK || a.header.Get("Idempotency-Replayed") != "false" {
		t.Errorf("the device with its client's key: %s", a)
	}

	// What failed had no effect, and its key is free.
	if a := s.ask(t, hook.with(place{inBody, "url"}, "http://10.0.0.1/").keyed("fails")); a.status != http.StatusUnprocessableEntity || a.code() != "url_refused" {
		t.Errorf("a refused address: %s", a)
	}
	if a := s.ask(t, hook.keyed("fails")); a.status != http.StatusOK || a.header.Get("Idempotency-Replayed") != "false" {
		t.Errorf("after a failure: %s", a)
	}

	// A key that is none.
	before := s.DB.Ent.Session.Query().CountX(ctx)
	for name, bad := range map[string][]string{
		"empty": {""}, "too long": {strings.Repeat("k", 256)}, "repeated": {"a", "a"}, "two": {"a", "b"}, "with a blank": {"a b"}, "not ASCII": {"ä"},
	} {
		for _, q := range []question{create, list, upload} {
			q.header = q.header.Clone()
			if q.header == nil {
				q.header = http.Header{}
			}
			q.header["Idempotency-Key"] = bad
			if a := s.ask(t, q); a.status != http.StatusBadRequest || !a.pointsAt("/header/Idempotency-Key") {
				t.Errorf("%s: a key that is %s: %s", q.op.id, name, a)
			}
		}
	}
	counted(t, "sessions after bad keys", s.DB.Ent.Session.Query().CountX(ctx), before)
	if a := s.ask(t, create.keyed(strings.Repeat("k", 255))); a.status != http.StatusOK {
		t.Errorf("the longest key: %s", a)
	}

	// All servers end, and another begins on what they left.
	before = s.DB.Ent.Session.Query().CountX(ctx)
	for _, s := range farm {
		s.close()
		s.Close()
	}
	s = serve(t, house.Options{Database: url, Data: data})
	for key, first := range sessions {
		if a := s.ask(t, create.keyed(key)); a.header.Get("Idempotency-Replayed") != "true" || !bytes.Equal(a.body, first.body) {
			t.Errorf("after a new start: %s, first %s", a, first)
		}
	}
	for q, first := range map[*question]answer{&hook: hooks[key], &list: lists[key]} {
		if a := s.ask(t, q.keyed(key)); a.header.Get("Idempotency-Replayed") != "true" || !bytes.Equal(a.body, first.body) {
			t.Errorf("%s after a new start: %s, first %s", q.op.id, a, first)
		}
	}
	if a := s.ask(t, upload.keyed(key)); a.status != http.StatusOK || a.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the upload after a new start: %s", a)
	}
	counted(t, "sessions after a new start", s.DB.Ent.Session.Query().CountX(ctx), before)
	counted(t, "pictures after a new start", s.DB.Ent.Capture.Query().Where(capture.SessionID(id)).CountX(ctx), 5)
}

// keyed is the question with an idempotency key.
func (q question) keyed(key string) question {
	q.header = q.header.Clone()
	if q.header == nil {
		q.header = http.Header{}
	}
	q.header.Set("Idempotency-Key", key)
	return q
}

func keyName(i int) string { return "key-" + strconv.Itoa(i) }

// callers is how many requests are under way at the same time.
const callers = 32

// race asks a question many times at once, under a few keys, of all servers in turn. It wants every answer to be good, those
// of a key to be the same, and all but one of them to say that they were given before. It returns the answer of each key.
func race(t *testing.T, farm []*server, requests, keys int, q question) map[string]answer {
	t.Helper()
	order := make([]int, requests)
	for i := range order {
		order[i] = i % keys
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(requests, func(i, j int) { order[i], order[j] = order[j], order[i] })
	var mu sync.Mutex
	answers := map[string][]answer{}
	var next, bad atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= requests || bad.Load() > 0 {
					return
				}
				key := keyName(order[i])
				a := farm[i%len(farm)].ask(t, q.keyed(key))
				if a.status != http.StatusOK {
					bad.Add(1)
					t.Errorf("%s: %s", q.op.id, a)
				}
				mu.Lock()
				answers[key] = append(answers[key], a)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	first := map[string]answer{}
	for _, key := range slices.Sorted(maps.Keys(answers)) {
		replayed := map[string]int{}
		for _, a := range answers[key] {
			replayed[a.header.Get("Idempotency-Replayed")]++
			if !bytes.Equal(a.body, answers[key][0].body) {
				t.Fatalf("%s, %s: %s and %s", q.op.id, key, a, answers[key][0])
			}
		}
		if len(replayed) != 2 || replayed["false"] != 1 {
			t.Errorf("%s, %s: Idempotency-Replayed is %v", q.op.id, key, replayed)
		}
		first[key] = answers[key][0]
	}
	if len(first) != keys {
		t.Fatalf("%s: %d keys were answered", q.op.id, len(first))
	}
	return first
}

func counted(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%d %s, want %d", got, what, want)
	}
}

// anotherPicture is one that house.Picture is not.
func anotherPicture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(fmt.Errorf("a grey square: %w", err))
	}
	return b.Bytes()
}

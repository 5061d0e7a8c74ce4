package kyc_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"kycd/ent/history"
	"kycd/kyc"
)

func claimed(key, body string) (context.Context, *kyc.Claim) {
	claim := &kyc.Claim{Route: "idvSessionCreate", Key: key, Body: body}
	return kyc.WithClaim(context.Background(), claim), claim
}

func TestOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p, stranger := context.Background(), h.client("Borduria Bank"), h.client("Syldavia Bank")
		first, claim := claimed("k-1", "{}")
		id, err := h.CreateSession(first, p, kyc.SessionInput{})
		must(t, err)
		if !claim.Effect || claim.Replayed {
			t.Errorf("the first time: %+v", claim)
		}
		again, claim := claimed("k-1", "{}")
		same, err := h.CreateSession(again, p, kyc.SessionInput{})
		must(t, err)
		if same != id || !claim.Replayed || !claim.Effect {
			t.Errorf("the second time: %s, %+v", same, claim)
		}
		other, _ := claimed("k-1", `{"metadata":{}}`)
		_, err = h.CreateSession(other, p, kyc.SessionInput{})
		want(t, err, kyc.CodeIdempotencyReused)
		theirs, claim := claimed("k-1", "{}")
		if got, err := h.CreateSession(theirs, stranger, kyc.SessionInput{}); err != nil || got == id || claim.Replayed {
			t.Errorf("a stranger with the same key: %s, %v", got, err)
		}
		elsewhere := kyc.WithClaim(ctx, &kyc.Claim{Route: "webhookCreate", Key: "k-1", Body: "{}"})
		if hook, err := h.CreateWebhook(elsewhere, p, "", "w", "http://127.0.0.1/"); err != nil || hook.Secret == "" {
			t.Errorf("the same key for another operation: %v", err)
		}

		// What fails leaves nothing: the next try is a first one.
		wrong, _ := claimed("k-2", "{}")
		_, err = h.CreateSession(wrong, p, kyc.SessionInput{LivenessMode: "asleep"})
		want(t, err, kyc.CodeInvalid)
		right, claim := claimed("k-2", "{}")
		_, err = h.CreateSession(right, p, kyc.SessionInput{})
		must(t, err)
		if claim.Replayed {
			t.Error("a failure was kept")
		}

		// A picture that is sent twice counts once, also after the session took its course.
		must(t, h.AddConsent(ctx, p, id, true))
		must(t, h.UpdateDocumentType(ctx, p, id, "driver_license"))
		for range 2 {
			upload, _ := claimed("k-3", "front")
			must(t, only(h.AddDocument(upload, p, id, "front", kyc.Place{}, picture(t))))
		}
		if n := h.db.Ent.Capture.Query().CountX(ctx); n != 1 || len(h.pictures()) != 1 {
			t.Errorf("%d captures, %d files", n, len(h.pictures()))
		}
		must(t, h.DeleteSession(ctx, p, kyc.IDV, id))
		upload, _ := claimed("k-3", "front")
		must(t, only(h.AddDocument(upload, p, id, "front", kyc.Place{}, picture(t))))

		// After a day the key is free.
		h.pass(25 * time.Hour)
		if n, err := h.PruneAnswers(ctx); err != nil || n < 4 {
			t.Errorf("pruned %d, %v", n, err)
		}
		late, claim := claimed("k-1", "another body")
		fresh, err := h.CreateSession(late, p, kyc.SessionInput{})
		must(t, err)
		if fresh == id || claim.Replayed {
			t.Error("an answer was kept for too long")
		}
	})
}

// TestExpiredKeyIsFree: also before it is pruned.
func TestExpiredKeyIsFree(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := h.client("Borduria Bank")
		ctx, _ := claimed("k", "{}")
		first, err := h.CreateSession(ctx, p, kyc.SessionInput{})
		must(t, err)
		h.pass(25 * time.Hour)
		ctx, _ = claimed("k", "{}")
		second, err := h.CreateSession(ctx, p, kyc.SessionInput{})
		must(t, err)
		if first == second {
			t.Error("an answer was kept for too long")
		}
	})
}

// TestOnceRaced: of many requests with one key, one has an effect and all have its answer.
func TestOnceRaced(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := h.client("Borduria Bank")
		const keys, each = 10, 24
		var mu sync.Mutex
		answers := map[string]map[string]int{}
		var wg sync.WaitGroup
		for i := range keys * each {
			wg.Go(func() {
				key := fmt.Sprintf("k-%d", i%keys)
				ctx, _ := claimed(key, "{}")
				id, err := h.CreateSession(ctx, p, kyc.SessionInput{})
				if err != nil {
					t.Errorf("%s: %v", key, err)
				}
				mu.Lock()
				defer mu.Unlock()
				if answers[key] == nil {
					answers[key] = map[string]int{}
				}
				answers[key][id]++
			})
		}
		wg.Wait()
		for key, ids := range answers {
			if len(ids) != 1 {
				t.Errorf("%s: %d different answers", key, len(ids))
			}
		}
		ctx := context.Background()
		if n := h.db.Ent.Session.Query().CountX(ctx); n != keys {
			t.Errorf("%d sessions", n)
		}
		if n := h.db.Ent.History.Query().Where(history.Event("created")).CountX(ctx); n != keys {
			t.Errorf("%d entries in the history", n)
		}
	})
}

// TestRemember: the answer to a question is kept too, and one of several that race is everybody's.
func TestRemember(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		ask := func() *kyc.Claim { return &kyc.Claim{Route: "idvSessionRead", Key: "q", Body: "1"} }
		if kept, err := h.Recall(ctx, p, ask()); err != nil || kept != nil {
			t.Fatalf("%s, %v", kept, err)
		}
		answers := make(chan string, 8)
		var wg sync.WaitGroup
		for i := range cap(answers) {
			wg.Go(func() {
				kept, err := h.Remember(ctx, p, ask(), fmt.Appendf(nil, `{"n":%d}`, i))
				if err != nil {
					t.Error(err)
				}
				answers <- string(kept)
			})
		}
		wg.Wait()
		first := <-answers
		for range cap(answers) - 1 {
			if next := <-answers; next != first {
				t.Errorf("%s and %s", first, next)
			}
		}
		claim := ask()
		kept, err := h.Recall(ctx, p, claim)
		must(t, err)
		if string(kept) != first || !claim.Replayed {
			t.Errorf("recalled %s, %+v", kept, claim)
		}
		claim = ask()
		claim.Body = "2"
		_, err = h.Recall(ctx, p, claim)
		want(t, err, kyc.CodeIdempotencyReused)
		if kept, err := h.Recall(ctx, h.client("Syldavia Bank"), ask()); err != nil || kept != nil {
			t.Errorf("a stranger recalls %s, %v", kept, err)
		}
	})
}

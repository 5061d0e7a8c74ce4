package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// under is post under an idempotency key.
func (c caller) under(key, path string, body any) answer {
	encoded, err := json.Marshal(body)
	if err != nil {
		return answer{err: err}
	}
	request, err := http.NewRequest(http.MethodPost, c.url+path, bytes.NewReader(encoded))
	if err == nil {
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", key)
	}
	return c.send(request, err)
}

// TestRepeatedAcrossKills: requests that are repeated until they are answered have one effect each, although the server is
// killed in the middle of them again and again; and an answer that was given once is given again.
func TestRepeatedAcrossKills(t *testing.T) {
	t.Parallel()
	const rounds, callers = 12, 8
	eachPlace(t, 14, func(t *testing.T, p place) {
		p.sidecar = newStandIn(t)
		made := p.newClient(t, "Acme")
		server := p.serve(t).ready(t)
		backend := server.backend(t, made)
		rng := rand.New(rand.NewPCG(7, 7))
		first := map[string]string{} // the answer by key
		for round := range rounds {
			var mu sync.Mutex
			var wg sync.WaitGroup
			unanswered := 0
			for i := range callers {
				wg.Go(func() {
					for n := range 40 {
						key := fmt.Sprintf("%d-%d-%d", round, i, n)
						a := backend.under(key, "/v2/idv/session/create", object{"metadata": object{"key": key}})
						mu.Lock()
						if a.done() {
							first[key] = string(a.body)
						} else {
							unanswered++
							first[key] = ""
						}
						mu.Unlock()
						if a.err != nil {
							return // the server is gone
						}
					}
				})
			}
			time.Sleep(time.Duration(5+rng.IntN(60)) * time.Millisecond)
			server.kill()
			wg.Wait()
			if unanswered == 0 {
				t.Errorf("round %d: the server was killed after the last answer", round)
			}
			server = p.serve(t).ready(t)
		}
		for key, body := range first {
			a := backend.under(key, "/v2/idv/session/create", object{"metadata": object{"key": key}})
			if !a.done() {
				t.Fatalf("%s: %s", key, a)
			}
			if body != "" && (string(a.body) != body || a.header.Get("Idempotency-Replayed") != "true") {
				t.Errorf("%s: first %s, then %s", key, body, a.body)
			}
		}
		var list struct {
			Counts map[string]int `json:"meta_counts"`
		}
		backend.post("/v2/idv/session/list", object{"take": 1}).must(t, "list", &list)
		if len(first) < rounds*callers || list.Counts["total"] != len(first) {
			t.Errorf("%d keys made %d sessions", len(first), list.Counts["total"])
		}
	})
}

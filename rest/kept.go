package rest

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	keptSessions = 1024
	keptBytes    = 64 << 10    // of one answer
	keptLife     = time.Minute // as long as the rules hold a data key: an answer tells of a person
)

// keptAnswers holds the JSON of verifications as they were read last. One is used only for the version that it was made
// from, which the rules are asked for each time: so what was erased or changed, by whichever server, is never answered.
type keptAnswers struct {
	mu   sync.Mutex
	byID *simplelru.LRU[string, keptAnswer] // looked at with Peek: the oldest is the one that was kept first
}

type keptAnswer struct {
	version int
	body    []byte
	until   time.Time
}

func newKeptAnswers() *keptAnswers {
	byID, err := simplelru.NewLRU[string, keptAnswer](keptSessions, nil)
	if err != nil {
		panic(err) // the size is positive
	}
	return &keptAnswers{byID: byID}
}

// find gives the answer that was made from a version; nil if there is none.
func (k *keptAnswers) find(id string, version int, now time.Time) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept, ok := k.byID.Peek(id)
	if !ok || kept.version != version || !now.Before(kept.until) {
		return nil
	}
	return kept.body
}

// keep remembers an answer, and forgets those whose time is over.
func (k *keptAnswers) keep(id string, version int, body []byte, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, oldest, ok := k.byID.GetOldest(); ok && !now.Before(oldest.until); _, oldest, ok = k.byID.GetOldest() {
		k.byID.RemoveOldest()
	}
	k.byID.Remove(id) // so that it becomes the youngest
	if len(body) <= keptBytes {
		k.byID.Add(id, keptAnswer{version, body, now.Add(keptLife)})
	}
}

// drop forgets an answer at once.
func (k *keptAnswers) drop(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byID.Remove(id)
}

// encodedSession is the answer of session read in its JSON form.
type encodedSession []byte

// VisitIdvSessionReadResponse makes it an answer of the operation.
func (e encodedSession) VisitIdvSessionReadResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", mediaJSON)
	w.Header().Set("Content-Length", strconv.Itoa(len(e)))
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(e)
	return err
}

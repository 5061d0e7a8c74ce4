package main_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kycd/ent"
	"kycd/ent/capture"
	"kycd/ent/delivery"
	"kycd/ent/outbox"
	"kycd/ent/session"
	"kycd/kyc"
)

// How often the server is killed. Some of the kills hit the very first start, which makes keys and tables.
const (
	killsBuiltIn  = 50
	killsOutside  = 15
	killsAtBirth  = 5
	devices       = 3 // that verify people all the time
	crashPatience = 60 * time.Second
)

// TestKilledAtRandomMoments kills the server again and again, at moments that a seed chooses, while devices
// verify people. They repeat what was not answered, as a device must. Then everything that was accepted must
// be there, and everybody who was finalized must be decided, once. KYCD_TEST_SEED repeats a run's moments.
func TestKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	if given := os.Getenv("KYCD_TEST_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal("KYCD_TEST_SEED is no number")
		}
	}
	eachPlace(t, 13, func(t *testing.T, p place) {
		t.Logf("KYCD_TEST_SEED=%d", seed)
		p.sidecar = newStandIn(t)
		kills, span, few := killsBuiltIn, 900*time.Millisecond, killsBuiltIn/2
		if p.database != "" {
			// A Redis outlives the server, and with it, for some seconds, the marks of the worker that was killed.
			kills, span, few = killsOutside, 2*time.Second, devices
		}
		rng := rand.New(rand.NewPCG(seed, uint64(kills)))
		for range killsAtBirth {
			p.killWithin(t, rng, 0, 300*time.Millisecond)
		}
		c := p.prepare(t)
		for i := range devices {
			go c.device(rand.New(rand.NewPCG(seed, uint64(100+i))))
		}
		for range kills - killsAtBirth {
			if rng.IntN(4) == 0 {
				p.killWithin(t, rng, 0, 400*time.Millisecond) // while it starts
			} else {
				p.killWithin(t, rng, crashPatience, span) // while it works
			}
		}
		server := p.serve(t)
		c.finish(t)
		t.Logf("%d kills, %d people, %d requests of which %d had to be repeated", kills, len(c.people), c.requests.Load(), c.repeated.Load())
		if len(c.people) < few || c.repeated.Load() < int64(few) {
			t.Error("too little happened between the kills for this test to mean anything")
		}
		c.checkOutside(t)
		// What a kill interrupted between doing and noting it is done again when its lease has run out.
		outboxOf := p.open(t)
		eventually(t, 90*time.Second, "all work is done", func() bool {
			left, err := outboxOf.Outbox.Query().Where(outbox.DoneAtIsNil()).Count(context.Background())
			return err == nil && left == 0
		})
		server.stop(t, stopWithin)
		c.checkInside(t)
		p.holdsNoneOf(t, []string{canaryName, canaryNumber, c.made.ClientSecret, c.backend.token, c.hook.secret})
		if log, err := os.ReadFile(p.log); err != nil || bytes.Contains(log, []byte("panic")) || bytes.Contains(log, []byte("goroutine ")) {
			t.Errorf("the log tells of a panic (%v)", err)
		}
	})
}

// killWithin starts the server, waits until it answers if patience is given, and kills it at a random moment
// within the span that follows. What it had started must end with it.
func (p place) killWithin(t testing.TB, rng *rand.Rand, patience, span time.Duration) {
	t.Helper()
	moment := time.Duration(rng.Int64N(int64(span)))
	r := p.serve(t)
	if patience > 0 {
		if err := r.answers("/live", patience); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(moment)
	select {
	case <-r.ended:
		t.Fatalf("kycd ended by itself: %v\n%s", r.err, tail(p.log, 10))
	default:
	}
	left := children(r.pid())
	r.kill()
	eventually(t, 5*time.Second, "the sidecar ended with the server", func() bool { return !slices.ContainsFunc(left, alive) })
}

// campaign is a number of devices that verify people through a server that keeps dying.
type campaign struct {
	place
	t       testing.TB
	made    kyc.Credentials
	backend caller
	hook    *receiver

	closing            atomic.Bool // no new person is begun
	requests, repeated atomic.Int64
	wait               sync.WaitGroup

	mu     sync.Mutex
	people []person
	failed []string
}

// person is somebody who was finalized, and the pictures whose upload was answered with 200.
type person struct {
	session string
	kept    map[string][]byte // storage_file_type_e → what was sent
}

// prepare makes a client with an endpoint for webhooks; the server is killed only after that.
func (p place) prepare(t testing.TB) *campaign {
	t.Helper()
	c := &campaign{place: p, t: t, made: p.newClient(t, "Acme"), hook: newReceiver(t)}
	server := p.serve(t).ready(t)
	c.backend = server.backend(t, c.made)
	c.hook.register(t, c.backend)
	server.kill()
	c.wait.Add(devices)
	return c
}

// device verifies one person after the other until the campaign closes.
func (c *campaign) device(rng *rand.Rand) {
	defer c.wait.Done()
	for !c.closing.Load() {
		who, err := c.verify(rng)
		c.mu.Lock()
		if err != nil {
			c.failed = append(c.failed, err.Error())
			c.closing.Store(true)
		} else {
			c.people = append(c.people, who)
		}
		c.mu.Unlock()
	}
}

// repeat makes a request until it is answered by a server that lives.
func (c *campaign) repeat(request func(try int) answer) answer {
	end := time.Now().Add(crashPatience)
	for try := 1; ; try++ {
		a := request(try)
		c.requests.Add(1)
		if !a.passing() || time.Now().After(end) {
			return a
		}
		c.repeated.Add(1)
		time.Sleep(20 * time.Millisecond)
	}
}

// verify brings one person through, whatever happens to the server.
func (c *campaign) verify(rng *rand.Rand) (person, error) {
	who := person{kept: map[string][]byte{}}
	created := c.repeat(func(int) answer {
		return c.backend.post("/v2/idv/session/create", object{"metadata": object{"order": "A-17"}})
	})
	var made struct {
		SessionID string `json:"session_id"`
	}
	if !created.done() || json.Unmarshal(created.body, &made) != nil {
		return who, fmt.Errorf("session create: %s", created)
	}
	who.session = made.SessionID
	if a := c.repeat(func(int) answer { return c.backend.consent(who.session, true) }); !a.done() {
		return who, fmt.Errorf("consent: %s", a)
	}
	if a := c.repeat(func(int) answer { return c.backend.kindOf(who.session, "driver_license") }); !a.done() {
		return who, fmt.Errorf("document type: %s", a)
	}
	front, back, selfie := newStranger(rng).orders(c.t)
	for _, up := range []struct {
		side string
		orders
	}{{"front", front}, {"back", back}} {
		up.Millis = rng.IntN(40)
		var picture []byte
		a := c.repeat(func(try int) answer {
			up.Try = try // so that the picture that was answered differs from those that were not
			picture = up.picture(c.t)
			return c.backend.upload(up.side, who.session, picture, up.side+".png")
		})
		if !a.done() {
			return who, fmt.Errorf("%s: %s", up.side, a)
		}
		who.kept["driver_license_"+up.side] = picture
	}
	selfie.Millis = rng.IntN(40)
	if err := c.showFace(who, selfie); err != nil {
		return who, err
	}
	if a := c.repeat(func(int) answer { return c.backend.finalize(who.session) }); !a.done() {
		return who, fmt.Errorf("finalize: %s", a)
	}
	return who, nil
}

// showFace begins a liveness session and hands its frame in. A challenge can be used once, so a frame that was
// not answered needs a new one.
func (c *campaign) showFace(who person, selfie orders) error {
	for selfie.Try = 1; ; selfie.Try++ {
		if a := c.repeat(func(int) answer { return c.backend.generate(who.session) }); !a.done() {
			return fmt.Errorf("liveness generate: %s", a)
		}
		picture := selfie.picture(c.t)
		a := c.backend.process(who.session, picture)
		c.requests.Add(1)
		switch {
		case a.done():
			who.kept["liveness_passive"] = picture
			return nil
		case !a.passing():
			return fmt.Errorf("liveness process: %s", a)
		}
		c.repeated.Add(1)
	}
}

// finish lets the devices end what they began.
func (c *campaign) finish(t testing.TB) {
	t.Helper()
	c.closing.Store(true)
	c.wait.Wait()
	if len(c.failed) > 0 {
		t.Fatalf("%d devices could not go on: %s", len(c.failed), strings.Join(c.failed, "; "))
	}
}

// checkOutside looks at what the API and the webhooks say.
func (c *campaign) checkOutside(t testing.TB) {
	t.Helper()
	for _, who := range c.people {
		var read struct {
			Status   string `json:"status_e"`
			Verified *bool
			Reasons  []string
		}
		eventually(t, crashPatience, "session "+who.session+" is decided", func() bool {
			c.backend.post("/v2/idv/session/read", object{"session_id": who.session}).must(t, "session read", &read)
			return read.Status == "complete" || len(read.Reasons) > 0
		})
		// Two kills may have hit the analysis of the same picture: then a person has to look at it.
		if verified := read.Verified != nil && *read.Verified; !verified && !slices.Contains(read.Reasons, "analysis_failed") {
			t.Errorf("session %s: %s %v, want verified", who.session, read.Status, read.Reasons)
		}
		for kind, sent := range who.kept {
			a := c.backend.post("/v2/idv/document/download", object{"session_id": who.session, "storage_file_type_e": kind})
			if !a.done() || !bytes.Equal(a.body, sent) {
				t.Errorf("session %s: %s was taken and is not there: %d, %d bytes, sent %d", who.session, kind, a.status, len(a.body), len(sent))
			}
		}
		eventually(t, crashPatience, "the webhook of session "+who.session, func() bool { return len(c.hook.of(t, who.session)) > 0 })
		for _, e := range c.hook.of(t, who.session)[1:] {
			if first := c.hook.of(t, who.session)[0]; e.ID != first.ID || e.Body != first.Body {
				t.Errorf("session %s: two events, %+v and %+v", who.session, first, e)
			}
		}
	}
}

// checkInside looks at what the database says, after the server ended.
func (c *campaign) checkInside(t testing.TB) {
	t.Helper()
	ctx, db := context.Background(), c.open(t)
	c.checkFile(t)
	all, err := db.Session.Query().Where(session.FinalizeRequestedAtNotNil()).WithDecision().WithHistory().WithCaptures().All(ctx)
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]*ent.Session{}
	reviews := 0
	for _, row := range all {
		byID[row.ID] = row
		if c.checkSession(t, db, row) {
			reviews++
		}
	}
	for _, who := range c.people {
		if byID[who.session] == nil {
			t.Errorf("session %s was finalized and is not in the database", who.session)
		}
	}
	if unfinished, err := db.Outbox.Query().Where(outbox.DoneAtIsNil()).Count(ctx); err != nil || unfinished > 0 {
		t.Errorf("%d rows of the outbox are not done (%v)", unfinished, err)
	}
	if early, err := db.Decision.Query().Count(ctx); err != nil || early != len(all) {
		t.Errorf("%d decisions for %d finalized sessions (%v)", early, len(all), err)
	}
	t.Logf("%d sessions finalized, %d of them for a person to look at", len(all), reviews)
}

// checkSession checks one finalized session, and reports whether a person has to look at it.
func (c *campaign) checkSession(t testing.TB, db *ent.Client, row *ent.Session) (review bool) {
	t.Helper()
	ctx := context.Background()
	if row.Edges.Decision == nil {
		t.Errorf("session %s was finalized and is not decided: %s", row.ID, row.Status)
		return false
	}
	events := map[string]int{}
	for _, entry := range row.Edges.History {
		events[entry.Event]++
	}
	review = row.Status == session.StatusTemporarilyComplete
	decided := 1
	if review {
		decided = 0
		if !slices.ContainsFunc(row.Edges.Captures, func(pic *ent.Capture) bool { return pic.AnalysisCode == "analysis_crashed" }) {
			t.Errorf("session %s waits for a person, for %v", row.ID, row.Edges.Decision.Reasons)
		}
	} else if row.Status != session.StatusComplete || row.Verified == nil || !*row.Verified {
		t.Errorf("session %s: %s, %v", row.ID, row.Status, row.Edges.Decision.Reasons)
		for _, pic := range row.Edges.Captures {
			t.Logf("%s: superseded %v, %s %s", pic.FileType, pic.Superseded, pic.AnalysisStatus, pic.AnalysisCode)
		}
	}
	if events[string(kyc.EventDecide)] != decided || events["finalize_requested"] != 1 {
		t.Errorf("session %s: its history has %v", row.ID, events)
	}
	count := map[string]int{}
	for _, pic := range row.Edges.Captures {
		if !pic.Superseded {
			count[pic.FileType]++
			if pic.AnalysisStatus == capture.AnalysisStatusPending {
				t.Errorf("session %s: %s is not analysed", row.ID, pic.FileType)
			}
		}
	}
	for kind, n := range count {
		if n != 1 {
			t.Errorf("session %s: %d pictures of %s count", row.ID, n, kind)
		}
	}
	deliveries, err := db.Delivery.Query().Where(delivery.SessionID(row.ID)).All(ctx)
	if err != nil || len(deliveries) != 1 || deliveries[0].Status != delivery.StatusDelivered {
		t.Errorf("session %s: deliveries %v, %v", row.ID, deliveries, err)
	}
	return review
}

// checkFile asks SQLite whether its file is in order.
func (c *campaign) checkFile(t testing.TB) {
	t.Helper()
	if c.database != "" {
		return
	}
	db, err := sql.Open("sqlite", "file:"+c.data+"/kycd.db?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check: %s, %v", verdict, err)
	}
}

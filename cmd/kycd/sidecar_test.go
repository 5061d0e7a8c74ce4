package main_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"kycd/ent"
	"kycd/ent/capture"
	"kycd/ent/database"
	"kycd/ent/outbox"
	entsession "kycd/ent/session"
	"kycd/kyc"
)

// open looks into the store from beside the programs.
func (p place) open(t testing.TB) *ent.Client {
	t.Helper()
	db, err := database.Open(t.Context(), p.database, p.data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db.Ent
}

// analyses gives the outbox rows that ask for the analysis of a session's pictures.
func analyses(t testing.TB, db *ent.Client, session string) []*ent.Outbox {
	t.Helper()
	rows, err := db.Outbox.Query().Where(outbox.Kind(kyc.WorkAnalyze), outbox.SessionID(session)).All(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestASidecarKilledAtWork kills the real sidecar while it has a picture in its hands.
func TestASidecarKilledAtWork(t *testing.T) {
	t.Parallel()
	programPath(t, "kycd-vision")
	pictures, _ := newLicence(t, 42)
	eachPlace(t, 12, func(t *testing.T, p place) {
		made := p.newClient(t, "Acme")
		server := p.serve(t).ready(t)
		backend := server.backend(t, made)
		db := p.open(t)
		session := backend.newSession(t, object{})
		given := make(chan struct{})
		go func() { // the last call waits until its frame is measured
			defer close(given)
			backend.give(t, session, pictures)
		}()

		inHand := func() bool {
			return slices.ContainsFunc(analyses(t, db, session), func(row *ent.Outbox) bool { return row.Starts == 1 && row.DoneAt == nil })
		}
		eventually(t, 20*time.Second, "the sidecar has a picture in its hands", inHand)
		victim := server.vision(t)
		if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		<-given
		out := backend.decided(t, backend, session, 60*time.Second)
		t.Logf("decided %v after the kill", time.Since(began).Round(time.Millisecond))
		if !out.Verified || len(out.Reasons) > 0 {
			t.Errorf("decided %+v: the death of the sidecar was held against the person", out)
		}
		if now := server.vision(t); now == victim {
			t.Error("the sidecar that was killed is still there")
		}
		again := slices.ContainsFunc(analyses(t, db, session), func(row *ent.Outbox) bool { return row.Starts == 2 && row.DoneAt != nil })
		if !again {
			t.Error("no picture was analysed twice, so the kill came when nothing was under way")
		}
		server.stop(t, stopWithin)
	})
}

// TestAPictureThatKills: it gets two tries, its session is decided all the same, and the people whose pictures
// happened to be analysed beside it do not suffer.
func TestAPictureThatKills(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.sidecar = newStandIn(t)
	made := p.newClient(t, "Acme")
	server := p.serve(t).ready(t)
	backend := server.backend(t, made)
	rng := rand.New(rand.NewPCG(7, 7))

	// The others' pictures take long, so that they are under way when the sidecar dies.
	innocent := make([]string, 3)
	for i := range innocent {
		innocent[i] = backend.newSession(t, object{})
		front, back, selfie := newStranger(rng).orders(t)
		front.Millis, back.Millis, selfie.Millis = 300, 300, 300
		backend.give(t, innocent[i], licencePapers(t, front, back, selfie))
	}
	hostile := backend.newSession(t, object{})
	front, back, selfie := newStranger(rng).orders(t)
	front.Kill, front.Millis = true, 100
	backend.give(t, hostile, licencePapers(t, front, back, selfie))

	began := time.Now()
	var out outcome
	backend.finalize(hostile).must(t, "finalize", &out)
	t.Logf("the hostile session was answered after %v: %s %v", time.Since(began).Round(time.Millisecond), out.Status, out.Reasons)
	if out.Verified || !slices.Contains(out.Reasons, "analysis_failed") {
		t.Errorf("a session whose front cannot be analysed: %+v", out)
	}
	var read struct{ Reasons []string }
	backend.post("/v2/idv/session/read", object{"session_id": hostile}).must(t, "session read", &read)
	if !slices.Equal(read.Reasons, out.Reasons) {
		t.Errorf("session read gives the reasons %v, finalize gave %v", read.Reasons, out.Reasons)
	}
	for _, session := range innocent {
		if out := backend.decided(t, backend, session, 60*time.Second); !out.Verified {
			t.Errorf("an innocent session: %+v", out)
		}
	}
	if took := time.Since(began); took > 40*time.Second {
		t.Errorf("all of it took %v", took)
	}
	db := p.open(t)
	pictures, err := db.Capture.Query().Where(capture.SessionID(hostile), capture.SideEQ(capture.SideFront)).All(t.Context())
	if err != nil || len(pictures) != 1 || pictures[0].AnalysisStatus != capture.AnalysisStatusFailed || pictures[0].AnalysisCode != "analysis_crashed" {
		t.Errorf("the hostile picture: %v, %v", pictures, err)
	}
	for _, row := range analyses(t, db, hostile) {
		if row.Starts > 2 || row.DoneAt == nil {
			t.Errorf("a picture of the hostile session was begun %d times, done %v", row.Starts, row.DoneAt)
		}
	}
	server.stop(t, stopWithin)
}

// TestStoppedWhileSomebodyWaits: a server that is asked to end while a device waits for its decision ends in
// time, and the person is decided after the next start.
func TestStoppedWhileSomebodyWaits(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.sidecar = newStandIn(t)
	made := p.newClient(t, "Acme")
	server := p.serve(t).ready(t)
	backend := server.backend(t, made)
	hook := newReceiver(t)
	hook.register(t, backend)
	front, back, selfie := newStranger(rand.New(rand.NewPCG(8, 8))).orders(t)
	selfie.Millis = 6000
	session := backend.newSession(t, object{})
	backend.give(t, session, licencePapers(t, front, back, selfie))

	answered := make(chan answer, 1)
	go func() { answered <- backend.finalize(session) }()
	db := p.open(t)
	eventually(t, 10*time.Second, "the device waits", func() bool {
		n, err := db.Session.Query().Where(entsession.ID(session), entsession.FinalizeRequestedAtNotNil()).Count(context.Background())
		return err == nil && n == 1
	})
	began := time.Now()
	server.stop(t, stopWithin)
	t.Logf("stopped after %v; the device was told %s", time.Since(began).Round(time.Millisecond), <-answered)

	p.serve(t).ready(t)
	if out := backend.decided(t, backend, session, 30*time.Second); !out.Verified {
		t.Errorf("after the restart: %+v", out)
	}
	eventually(t, 10*time.Second, "the webhook arrived", func() bool { return len(hook.of(t, session)) == 1 })
}

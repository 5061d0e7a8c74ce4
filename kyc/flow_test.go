package kyc_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"kycd/ent/capture"
	"kycd/ent/database"
	"kycd/ent/database/databasetest"
	"kycd/ent/delivery"
	"kycd/ent/history"
	"kycd/ent/outbox"
	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/blob"
	"kycd/kyc/seal"
	"kycd/kyc/webhook"
	"kycd/vision"
)

// house is a service with everything around it under the test's control: the clock, and a queue that only
// remembers what it was given.
type house struct {
	*kyc.Service
	t    *testing.T
	db   *database.Database
	data string

	mu     sync.Mutex
	clock  time.Time
	queue  []kyc.Work
	selfie []byte // that was handed in last

	storageDown atomic.Bool
}

// brittle is a storage that can be down.
type brittle struct {
	kyc.Blobs
	down *atomic.Bool
}

func (b brittle) Delete(ctx context.Context, key string) error {
	if b.down.Load() {
		return errors.New("the storage is down")
	}
	return b.Blobs.Delete(ctx, key)
}

func (h *house) Enqueue(_ context.Context, work []kyc.Work) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.queue = append(h.queue, work...)
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(time.Millisecond)
	return h.clock
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(d)
}

// take empties the queue of one kind.
func (h *house) take(kind string) []kyc.Work {
	h.mu.Lock()
	defer h.mu.Unlock()
	var taken []kyc.Work
	h.queue = slices.DeleteFunc(h.queue, func(w kyc.Work) bool {
		if w.Kind == kind {
			taken = append(taken, w)
		}
		return w.Kind == kind
	})
	return taken
}

func open(t *testing.T, url, dir string) *house {
	t.Helper()
	ctx := context.Background()
	h := &house{t: t, db: databasetest.Open(t, url, dir), data: dir, clock: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)}
	master, err := seal.OpenMaster(ctx, "", dir)
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.Open(ctx, "", dir)
	if err != nil {
		t.Fatal(err)
	}
	config := kyc.DefaultConfig()
	config.FinalizeWait = 50 * time.Millisecond
	config.LivenessWait, config.DocumentWait = 0, 0 // nothing is measured before the test says so
	config.Webhooks = webhook.Policy{AllowHTTP: true, AllowNets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	h.Service, err = kyc.New(ctx, kyc.Deps{
		DB: h.db, Master: master, Blobs: brittle{blobs, &h.storageDown}, Notifier: h, Now: h.now, NewID: func() string { return uuid.Must(uuid.NewV7()).String() }, Config: config,
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// each runs a test on SQLite and on PostgreSQL.
func each(t *testing.T, test func(t *testing.T, h *house)) {
	databasetest.Each(t, func(t *testing.T, url, dir string) { test(t, open(t, url, dir)) })
}

func (h *house) client(name string) auth.Principal {
	h.t.Helper()
	c, err := h.CreateClient(context.Background(), name)
	if err != nil {
		h.t.Fatal(err)
	}
	token, err := h.IssueToken(context.Background(), c.ClientID, c.ClientSecret, nil, "")
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := h.Authenticate(context.Background(), token.AccessToken)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// picture is a valid JPEG; its pixels do not matter, since the test says what was measured.
func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	noise := image.NewGray(image.Rect(0, 0, 64, 64)) // no two pictures are alike, or the second would be a copy
	_, _ = rand.Read(noise.Pix)
	if err := jpeg.Encode(&b, noise, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// measured is what the sidecar said of a fictional licence, and of a made-up face.
func measured(t *testing.T, side string) vision.Analysis {
	t.Helper()
	var a vision.Analysis
	face := []vision.Face{{Encoder: vision.FaceEncoder, Encoding: make([]float32, 128), Quality: 0.9}}
	face[0].Encoding[0] = 1
	if side == "liveness" {
		return vision.Analysis{Faces: face, Liveness: &vision.Liveness{Score: 0.97, Model: "m"}}
	}
	b, err := os.ReadFile(filepath.Join("kyctest", "house", side+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	if side == "front" {
		a.Faces = face
	}
	return a
}

// must fails the test on an error, and want on anything but that code.
// only is the error of a call whose result does not matter.
func only[T any](_ T, err error) error { return err }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v (%v)", err, errors.Unwrap(err))
	}
}

func want(t *testing.T, err error, code kyc.Code) {
	t.Helper()
	if e := kyc.AsError(err); e == nil || e.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
}

// give brings a session to where only finalize is missing.
func (h *house) give(p auth.Principal, in kyc.SessionInput) string {
	h.t.Helper()
	ctx := context.Background()
	id, err := h.CreateSession(ctx, p, in)
	must(h.t, err)
	must(h.t, h.AddConsent(ctx, p, id, true))
	must(h.t, h.UpdateDocumentType(ctx, p, id, "driver_license"))
	must(h.t, only(h.AddDocument(ctx, p, id, "front", kyc.Place{Latitude: 1, Longitude: 2}, picture(h.t))))
	must(h.t, only(h.AddDocument(ctx, p, id, "back", kyc.Place{}, picture(h.t))))
	_, err = h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{})
	must(h.t, err)
	h.selfie = picture(h.t)
	_, err = h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Images: [][]byte{h.selfie}})
	must(h.t, err)
	return id
}

// analyse does what a sidecar does with everything that is on the queue.
func (h *house) analyse() {
	h.t.Helper()
	ctx := context.Background()
	for _, w := range h.take(kyc.WorkAnalyze) {
		_, img, err := h.BeginAnalysis(ctx, w.ID)
		must(h.t, err)
		if len(img) == 0 {
			h.t.Fatal("no image")
		}
		pic := h.db.Ent.Capture.GetX(ctx, w.SubjectID)
		must(h.t, h.FinishAnalysis(ctx, w.ID, measured(h.t, string(pic.Side))))
	}
}

// receiver counts verified deliveries by event id.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	secret string
	status int
	events map[string]int
	bodies []string

	patience time.Duration // how far the message's time may be from the test's beginning
}

func listen(t *testing.T) *receiver {
	r := &receiver{status: 204, events: map[string]int{}, patience: 24 * time.Hour}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		if err := webhook.Verify(req.Header, body, time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), r.patience, r.secret); err != nil {
			t.Errorf("signature: %v", err)
		}
		r.events[req.Header.Get("webhook-id")]++
		r.bodies = append(r.bodies, string(body))
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func TestVerification(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p, hook := context.Background(), h.client("Borduria Bank"), listen(t)
		made, err := h.CreateWebhook(ctx, p, "", "backend", hook.URL)
		must(t, err)
		hook.secret = made.Secret
		id := h.give(p, kyc.SessionInput{Metadata: map[string]any{"order": "A-17"}, Settings: map[string]any{"theme": "dark"}})
		h.analyse()

		out, err := h.Finalize(ctx, p, id, nil)
		must(t, err)
		if !out.Verified || out.Status != "complete" || out.OnSanctionList != nil || len(out.Reasons) != 0 {
			t.Fatalf("outcome %+v", out)
		}
		again, err := h.Finalize(ctx, p, id, nil)
		must(t, err)
		if !again.Verified || *again.Score != *out.Score {
			t.Errorf("asked again: %+v", again)
		}
		want(t, only(h.AddDocument(ctx, p, id, "front", kyc.Place{}, picture(t))), kyc.CodeSessionComplete)

		s, err := h.ReadSession(ctx, p, kyc.IDV, id)
		must(t, err)
		if s.Person.LastName != "PEPPERCORNE" || s.Person.BirthDate != "1968-08-29" || s.IdentityID == nil || s.Metadata["order"] != "A-17" || s.Settings["theme"] != "dark" {
			t.Errorf("session %+v", s)
		}
		if n := h.db.Ent.History.Query().Where(history.SessionID(id), history.Event("decide")).CountX(ctx); n != 1 {
			t.Errorf("decided %d times", n)
		}
		if same, err := h.Replay(ctx, p, id); err != nil || !same {
			t.Errorf("replay from storage: %v, %v", same, err)
		}
		docs, err := h.ListDocuments(ctx, p, id, 0, 0)
		must(t, err)
		if docs.Counts["pdf417"] != 1 || docs.Counts["ocr_front"] != 1 {
			t.Errorf("documents %v", docs.Counts)
		}
		best, err := h.ReadDocument(ctx, p, id)
		must(t, err)
		if best.Fields["document_number"] != "S987060974" || best.Fields["expires_at"] != "2032-12-08" {
			t.Errorf("document %v", best.Fields)
		}
		tests, err := h.ReadTests(ctx, p, id)
		must(t, err)
		if ok := tests.Bools["name_crosscheck"]; ok == nil || !*ok || tests.Bools["dmv_sex_match"] != nil || tests.Texts["doc_front_image_manipulation"] != "not_run" {
			t.Errorf("tests %+v", tests)
		}
		img, err := h.DownloadDocument(ctx, p, id, "selfie")
		must(t, err)
		if !bytes.Equal(img.Bytes, h.selfie) || img.ContentType != "image/jpeg" {
			t.Error("the selfie came back changed")
		}

		// The webhook: one event, delivered by the job, and not again when the job runs again.
		work := h.take(kyc.WorkDeliver)
		if len(work) != 1 {
			t.Fatalf("%d deliveries", len(work))
		}
		for range 2 {
			must(t, h.DeliverWebhook(ctx, work[0].ID))
		}
		if len(hook.events) != 1 || len(hook.bodies) != 1 || !strings.Contains(hook.bodies[0], id) || strings.Contains(hook.bodies[0], "PEPPERCORNE") {
			t.Errorf("events %v, bodies %v", hook.events, hook.bodies)
		}
		page, err := h.ListWebhooks(ctx, p, kyc.WebhookQuery{})
		must(t, err)
		if page.Statistics["delivered"] != 1 || page.Webhooks[0].Secret != "" {
			t.Errorf("webhooks %+v", page)
		}
		if left := h.db.Ent.Outbox.Query().Where(outbox.DoneAtIsNil()).CountX(ctx); left != 0 {
			t.Errorf("%d pieces of work are left", left)
		}

		// The same document again is the same identity.
		second := h.give(p, kyc.SessionInput{})
		h.analyse()
		_, err = h.Finalize(ctx, p, second, nil)
		must(t, err)
		s2, err := h.ReadSession(ctx, p, kyc.IDV, second)
		must(t, err)
		if s2.IdentityID == nil || *s2.IdentityID != *s.IdentityID {
			t.Error("one person has two identities")
		}
		for _, q := range []kyc.SessionQuery{
			{SearchTerm: "peppercorne ezekiel"}, {SearchTerm: "S98-706-0974"}, {SearchTerm: id}, {Metadata: map[string]any{"order": "A-17"}}, {IdentityIDs: []string{*s.IdentityID}, Take: 1, Skip: 1},
		} {
			list, err := h.ListSessions(ctx, p, kyc.IDV, q)
			must(t, err)
			if !slices.ContainsFunc(list.Sessions, func(s kyc.Session) bool { return s.ID == id }) {
				t.Errorf("%+v does not find the session", q)
			}
		}
		list, err := h.ListSessions(ctx, p, kyc.IDV, kyc.SessionQuery{SearchTerm: "haddock"})
		must(t, err)
		if len(list.Sessions) != 0 || list.Counts["total"] != 0 {
			t.Error("a search for another name finds something")
		}
	})
}

// TestOrder: each step that is out of order answers its code, and changes nothing.
func TestOrder(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		id, err := h.CreateSession(ctx, p, kyc.SessionInput{Settings: map[string]any{"document_types": []any{"passport", "driver_license"}}})
		must(t, err)
		want(t, h.UpdateDocumentType(ctx, p, id, "passport"), kyc.CodeConsentRequired)
		must(t, h.AddConsent(ctx, p, id, false))
		want(t, h.UpdateSDKMetadata(ctx, p, kyc.IDV, id, nil), kyc.CodeConsentRefused)
		must(t, h.AddConsent(ctx, p, id, true))
		want(t, only(h.AddDocument(ctx, p, id, "front", kyc.Place{}, picture(t))), kyc.CodeDocumentType)
		want(t, h.UpdateDocumentType(ctx, p, id, "passport_card"), kyc.CodeInvalid)
		want(t, h.UpdateDocumentType(ctx, p, id, "library_card"), kyc.CodeInvalid)
		must(t, h.UpdateDocumentType(ctx, p, id, "passport"))
		want(t, only(h.AddDocument(ctx, p, id, "back", kyc.Place{}, picture(t))), kyc.CodeDocumentSide)
		want(t, only(h.AddDocument(ctx, p, id, "front", kyc.Place{Latitude: 91}, picture(t))), kyc.CodeInvalid)
		want(t, only(h.AddDocument(ctx, p, id, "front", kyc.Place{}, nil)), kyc.CodeImageEmpty)
		want(t, only(h.AddDocument(ctx, p, id, "front", kyc.Place{}, []byte("not a picture"))), kyc.CodeImageUnsupported)
		want(t, only(h.AddDocument(ctx, p, id, "front", kyc.Place{}, picture(t)[:300])), kyc.CodeImageTruncated)
		_, err = h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Images: [][]byte{picture(t)}})
		want(t, err, kyc.CodeLivenessNotStarted)
		_, err = h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{})
		want(t, err, kyc.CodeImageMissing)

		_, err = h.Finalize(ctx, p, id, nil)
		want(t, err, kyc.CodeIncomplete)
		var pointers []string
		for _, f := range kyc.AsError(err).Fields {
			pointers = append(pointers, f.Pointer)
		}
		if !slices.Equal(pointers, []string{"/document_front", "/liveness"}) {
			t.Errorf("missing %v", pointers)
		}
		if n := h.db.Ent.Capture.Query().CountX(ctx); n != 0 {
			t.Errorf("%d captures were kept of refused pictures", n)
		}
		blobs, err := filepath.Glob(filepath.Join(h.data, "blobs", "sessions", "*", "*"))
		must(t, err)
		if len(blobs) != 0 {
			t.Errorf("refused pictures stay in storage: %v", blobs)
		}

		// A liveness token is used once, and runs out.
		_, err = h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{})
		must(t, err)
		h.pass(time.Hour)
		_, err = h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Images: [][]byte{picture(t)}})
		want(t, err, kyc.CodeLivenessExpired)
		_, err = h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{})
		must(t, err)
		_, err = h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Images: [][]byte{picture(t)}})
		must(t, err)
		_, err = h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Images: [][]byte{picture(t)}})
		want(t, err, kyc.CodeLivenessNotStarted)

		h.pass(25 * time.Hour)
		want(t, only(h.AddDocument(ctx, p, id, "front", kyc.Place{}, picture(t))), kyc.CodeSessionExpired)
		n, err := h.ExpireSessions(ctx)
		must(t, err)
		s, err := h.ReadSession(ctx, p, kyc.IDV, id)
		must(t, err)
		if n != 1 || s.Status != "expired" {
			t.Errorf("%d sessions expired, status %s", n, s.Status)
		}
	})
}

// TestBlocked: too many attempts block a session, and a cool-down lets it go on.
func TestBlocked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		id := h.fresh(p)
		attempt := func() error {
			_, err := h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{})
			if err == nil {
				_, err = h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Images: [][]byte{picture(t)}})
			}
			return err
		}
		for range 10 {
			must(t, attempt())
		}
		for range 2 {
			want(t, attempt(), kyc.CodeSessionBlocked)
		}
		s, err := h.ReadSession(ctx, p, kyc.IDV, id)
		must(t, err)
		if s.Status != "temporarily_blocked" {
			t.Errorf("status %s", s.Status)
		}
		if _, err := h.ExpireSessions(ctx); err != nil {
			t.Fatal(err)
		}
		want(t, attempt(), kyc.CodeSessionBlocked)
		h.pass(16 * time.Minute)
		if _, err := h.ExpireSessions(ctx); err != nil {
			t.Fatal(err)
		}
		must(t, attempt())
	})
}

// TestTenancy: another user's, and another client's, session does not exist, for any operation.
func TestTenancy(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, owner, stranger := context.Background(), h.client("Borduria Bank"), h.client("Syldavia Bank")
		id := h.give(owner, kyc.SessionInput{})
		before := h.db.Ent.History.Query().CountX(ctx)
		bound := owner
		bound.SessionID = uuid.NewString()
		for name, p := range map[string]auth.Principal{"stranger": stranger, "token of another session": bound} {
			operations := map[string]func() error{
				"read":     func() error { _, err := h.ReadSession(ctx, p, kyc.IDV, id); return err },
				"sdk read": func() error { _, err := h.ReadSDKSession(ctx, p, kyc.IDV, id); return err },
				"tests":    func() error { _, err := h.ReadTests(ctx, p, id); return err },
				"document": func() error { _, err := h.ReadDocument(ctx, p, id); return err },
				"list":     func() error { _, err := h.ListDocuments(ctx, p, id, 0, 0); return err },
				"download": func() error { _, err := h.DownloadDocument(ctx, p, id, "selfie"); return err },
				"metadata": func() error { return h.UpdateSDKMetadata(ctx, p, kyc.IDV, id, map[string]any{}) },
				"consent":  func() error { return h.AddConsent(ctx, p, id, false) },
				"type":     func() error { return h.UpdateDocumentType(ctx, p, id, "passport") },
				"front":    func() error { return only(h.AddDocument(ctx, p, id, "front", kyc.Place{}, picture(t))) },
				"generate": func() error { _, err := h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{}); return err },
				"process": func() error {
					_, err := h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Images: [][]byte{picture(t)}})
					return err
				},
				"finalize": func() error { _, err := h.Finalize(ctx, p, id, nil); return err },
				"replay":   func() error { _, err := h.Replay(ctx, p, id); return err },
			}
			for operation, call := range operations {
				if e := kyc.AsError(call()); e == nil || e.Code != kyc.CodeNotFound {
					t.Errorf("%s, %s: got %v", name, operation, e)
				}
			}
		}
		if after := h.db.Ent.History.Query().CountX(ctx); after != before {
			t.Error("a stranger changed something")
		}
		list, err := h.ListSessions(ctx, stranger, kyc.IDV, kyc.SessionQuery{UserIDs: []string{owner.UserID}, ClientIDs: []string{owner.ClientID}})
		must(t, err)
		if list.Counts["total"] != 0 {
			t.Error("a stranger's list counts the owner's sessions")
		}
		hook, err := h.CreateWebhook(ctx, owner, "", "w", "https://example.com/hook")
		must(t, err)
		want(t, h.DeleteWebhook(ctx, stranger, hook.ID), kyc.CodeNotFound)
		_, err = h.CreateWebhook(ctx, stranger, owner.ClientID, "w", "https://example.com/hook")
		want(t, err, kyc.CodeNotFound)
	})
}

// TestLateMeasurement: finalize runs out of patience, says so, and the decision follows when the last
// measurement arrives, by the job, once.
func TestLateMeasurement(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		id := h.give(p, kyc.SessionInput{})
		out, err := h.Finalize(ctx, p, id, nil)
		must(t, err)
		if out.Verified || out.Status != "temporarily_complete" || !slices.Equal(out.Reasons, []string{"analysis_pending"}) {
			t.Fatalf("outcome %+v", out)
		}
		h.analyse()
		work := h.take(kyc.WorkDecide)
		if len(work) != 1 {
			t.Fatalf("%d decisions are due", len(work))
		}
		var wg sync.WaitGroup
		for range 8 { // eight servers that got the same task
			wg.Go(func() {
				if err := h.DecideSession(ctx, work[0].ID); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s, err := h.ReadSession(ctx, p, kyc.IDV, id)
		must(t, err)
		if s.Status != "complete" || s.Verified == nil || !*s.Verified {
			t.Errorf("status %s, verified %v", s.Status, s.Verified)
		}
		if n := h.db.Ent.History.Query().Where(history.SessionID(id), history.Event("decide")).CountX(ctx); n != 1 {
			t.Errorf("decided %d times", n)
		}
	})
}

// TestCrashingImage: what ended its worker twice is not tried a third time, and the session goes on.
func TestCrashingImage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		id := h.give(p, kyc.SessionInput{})
		var selfie kyc.Work
		for _, w := range h.take(kyc.WorkAnalyze) {
			pic := h.db.Ent.Capture.GetX(ctx, w.SubjectID)
			if pic.Side == capture.SideLiveness {
				selfie = w
				continue
			}
			must(t, h.FinishAnalysis(ctx, w.ID, measured(t, string(pic.Side))))
		}
		for range 2 {
			_, _, err := h.BeginAnalysis(ctx, selfie.ID)
			must(t, err)
			h.pass(time.Minute) // no answer ever comes
		}
		due, err := h.DueWork(ctx, 10)
		must(t, err)
		if len(due) != 1 || due[0].ID != selfie.ID || due[0].Sent != 2 {
			t.Fatalf("due %+v", due)
		}
		_, _, err = h.BeginAnalysis(ctx, selfie.ID)
		want(t, err, kyc.CodeConflict)
		out, err := h.Finalize(ctx, p, id, nil)
		must(t, err)
		if out.Verified || !slices.Contains(out.Reasons, "analysis_failed") {
			t.Errorf("outcome %+v", out)
		}
		if s, err := h.ReadSession(ctx, p, kyc.IDV, id); err != nil || !slices.Equal(s.Reasons, out.Reasons) {
			t.Errorf("the session says %v, finalize said %v (%v)", s.Reasons, out.Reasons, err)
		}
		must(t, h.FinishAnalysis(ctx, selfie.ID, measured(t, "liveness"))) // a result that comes far too late has no effect
		if pic := h.db.Ent.Capture.GetX(ctx, selfie.SubjectID); pic.AnalysisStatus != capture.AnalysisStatusFailed {
			t.Error("the late result counted")
		}
	})
}

// TestStorageOutage: as long as images cannot be read, no try is used up, and afterwards the person is decided.
func TestStorageOutage(t *testing.T) {
	h := open(t, "", t.TempDir())
	ctx, p := context.Background(), h.client("Borduria Bank")
	id := h.give(p, kyc.SessionInput{})
	away := filepath.Join(h.data, "away")
	folder := filepath.Join(h.data, "blobs", "sessions", id)
	must(t, os.Rename(folder, away))
	work := h.take(kyc.WorkAnalyze)
	for range 4 {
		for _, w := range work {
			_, _, err := h.BeginAnalysis(ctx, w.ID)
			want(t, err, kyc.CodeUnavailable)
		}
	}
	must(t, os.Rename(away, folder))
	h.pass(time.Minute)
	due, err := h.DueWork(ctx, 10)
	must(t, err)
	if len(due) != 3 {
		t.Fatalf("%d pieces of work are due, want 3", len(due))
	}
	h.Enqueue(ctx, due)
	h.analyse()
	out, err := h.Finalize(ctx, p, id, nil)
	must(t, err)
	if !out.Verified {
		t.Errorf("outcome %+v", out)
	}
}

// TestRetake: a second picture of a side replaces the first, whose result has no say any more.
func TestRetake(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		id := h.give(p, kyc.SessionInput{})
		must(t, only(h.AddDocument(ctx, p, id, "front", kyc.Place{}, picture(t))))
		for _, w := range h.take(kyc.WorkAnalyze) {
			pic := h.db.Ent.Capture.GetX(ctx, w.SubjectID)
			_, _, err := h.BeginAnalysis(ctx, w.ID)
			if pic.Superseded {
				want(t, err, kyc.CodeConflict)
				continue
			}
			must(t, err)
			must(t, h.FinishAnalysis(ctx, w.ID, measured(t, string(pic.Side))))
		}
		out, err := h.Finalize(ctx, p, id, nil)
		must(t, err)
		if !out.Verified {
			t.Errorf("outcome %+v", out)
		}
	})
}

// TestWebhookSchedule: an endpoint that fails is tried again later, one that is gone is left alone.
func TestWebhookSchedule(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p, hook := context.Background(), h.client("Borduria Bank"), listen(t)
		secret, err := h.WebhookKey(ctx, p.ClientID)
		must(t, err)
		hook.secret, hook.status = secret, 500
		id := h.give(p, kyc.SessionInput{WebhookURL: hook.URL}) // signed with the client's key
		h.analyse()
		_, err = h.Finalize(ctx, p, id, nil)
		must(t, err)
		work := h.take(kyc.WorkDeliver)
		if len(work) != 1 {
			t.Fatalf("%d deliveries", len(work))
		}
		must(t, h.DeliverWebhook(ctx, work[0].ID))
		due, err := h.DueWork(ctx, 10)
		must(t, err)
		if len(due) != 0 {
			t.Fatal("tried again at once")
		}
		h.pass(6 * time.Second)
		due, err = h.DueWork(ctx, 10)
		must(t, err)
		if len(due) != 1 || due[0].ID != work[0].ID {
			t.Fatalf("due %+v", due)
		}
		hook.status = 204
		must(t, h.DeliverWebhook(ctx, work[0].ID))
		if len(hook.events) != 1 || len(hook.bodies) != 2 || hook.bodies[0] != hook.bodies[1] {
			t.Errorf("events %v, %d bodies", hook.events, len(hook.bodies))
		}
		d := h.db.Ent.Delivery.Query().OnlyX(ctx)
		if d.Status != "delivered" || d.Attempts != 2 {
			t.Errorf("delivery %s after %d attempts", d.Status, d.Attempts)
		}
	})
}

// TestEndpointsAreGivenUp: an endpoint that says it is gone, one that failed for five days, and one that was
// deleted get nothing more, and what was on its way to them is over.
func TestEndpointsAreGivenUp(t *testing.T) {
	over := func(t *testing.T, h *house, want int) {
		t.Helper()
		ctx := context.Background()
		if n := h.db.Ent.Outbox.Query().Where(outbox.Kind(kyc.WorkDeliver), outbox.DoneAtIsNil()).CountX(ctx); n != 0 {
			t.Errorf("%d deliveries are still under way", n)
		}
		if n := h.db.Ent.Delivery.Query().Where(delivery.StatusEQ(delivery.StatusFailed)).CountX(ctx); n != want {
			t.Errorf("%d deliveries failed, want %d", n, want)
		}
	}
	// decided ends two sessions, so that two events are on their way to the client's one endpoint.
	decided := func(t *testing.T, h *house, p auth.Principal) []kyc.Work {
		t.Helper()
		for range 2 {
			id := h.give(p, kyc.SessionInput{})
			h.analyse()
			_, err := h.Finalize(context.Background(), p, id, nil)
			must(t, err)
		}
		work := h.take(kyc.WorkDeliver)
		if len(work) != 2 {
			t.Fatalf("%d deliveries, want 2", len(work))
		}
		return work
	}
	each(t, func(t *testing.T, h *house) {
		ctx, p, hook := context.Background(), h.client("Borduria Bank"), listen(t)
		made, err := h.CreateWebhook(ctx, p, "", "backend", hook.URL)
		must(t, err)
		hook.secret, hook.status = made.Secret, http.StatusGone
		work := decided(t, h, p)
		must(t, h.DeliverWebhook(ctx, work[0].ID))
		over(t, h, 2)
		page, err := h.ListWebhooks(ctx, p, kyc.WebhookQuery{})
		must(t, err)
		if page.Webhooks[0].DisabledAt == nil {
			t.Error("the endpoint that is gone is not disabled")
		}
		id := h.give(p, kyc.SessionInput{})
		h.analyse()
		_, err = h.Finalize(ctx, p, id, nil)
		must(t, err)
		if work := h.take(kyc.WorkDeliver); len(work) != 0 {
			t.Error("a disabled endpoint hears of another session")
		}
	})
	t.Run("failing for days", func(t *testing.T) {
		h := open(t, "", t.TempDir())
		ctx, p, hook := context.Background(), h.client("Borduria Bank"), listen(t)
		made, err := h.CreateWebhook(ctx, p, "", "backend", hook.URL)
		must(t, err)
		hook.secret, hook.status, hook.patience = made.Secret, http.StatusInternalServerError, 30*24*time.Hour
		work := decided(t, h, p)
		must(t, h.DeliverWebhook(ctx, work[0].ID))
		h.pass(4 * 24 * time.Hour)
		must(t, h.DeliverWebhook(ctx, work[0].ID))
		page, err := h.ListWebhooks(ctx, p, kyc.WebhookQuery{})
		must(t, err)
		if page.Webhooks[0].DisabledAt != nil {
			t.Fatal("disabled after four days")
		}
		h.pass(2 * 24 * time.Hour)
		must(t, h.DeliverWebhook(ctx, work[0].ID))
		over(t, h, 2)
	})
	t.Run("deleted", func(t *testing.T) {
		h := open(t, "", t.TempDir())
		ctx, p, hook := context.Background(), h.client("Borduria Bank"), listen(t)
		made, err := h.CreateWebhook(ctx, p, "", "backend", hook.URL)
		must(t, err)
		work := decided(t, h, p)
		must(t, h.DeleteWebhook(ctx, p, made.ID))
		over(t, h, 2)
		must(t, h.DeliverWebhook(ctx, work[0].ID)) // the queue may still hold it
		if len(hook.events) != 0 {
			t.Error("a deleted endpoint was called")
		}
	})
}

// TestOtherDocumentType: pictures of the document that was named before do not count for the next one.
func TestOtherDocumentType(t *testing.T) {
	h := open(t, "", t.TempDir())
	ctx, p := context.Background(), h.client("Borduria Bank")
	id := h.give(p, kyc.SessionInput{})
	must(t, h.UpdateDocumentType(ctx, p, id, "passport"))
	_, err := h.Finalize(ctx, p, id, nil)
	want(t, err, kyc.CodeIncomplete)
	if fields := kyc.AsError(err).Fields; len(fields) != 1 || fields[0].Pointer != "/document_front" {
		t.Errorf("missing %+v", fields)
	}
	_, err = h.DownloadDocument(ctx, p, id, "driver_license_front")
	want(t, err, kyc.CodeNotFound)
}

// TestSealed looks for what a person would call theirs in every file of the data folder.
func TestSealed(t *testing.T) {
	h := open(t, "", t.TempDir())
	ctx, p := context.Background(), h.client("Borduria Bank")
	id := h.give(p, kyc.SessionInput{Metadata: map[string]any{"canary": "metadata-canary"}, Settings: map[string]any{"locale": "settings-canary"}, WebhookURL: "http://127.0.0.1:9/url-canary"})
	must(t, h.UpdateSDKMetadata(ctx, p, kyc.IDV, h.fresh(p), map[string]any{"device": "device-canary"}))
	h.analyse()
	_, err := h.Finalize(ctx, p, id, nil)
	must(t, err)
	canaries := []string{
		"metadata-canary", "settings-canary", "url-canary", "device-canary", "PEPPERCORNE", "EZEKIEL", "S987060974", "1968-08-29", "08291968", "DRAGONFLY",
		string(picture(t)[:64]), "whsec_", "kycs_",
	}
	files := 0
	must(t, filepath.WalkDir(h.data, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, canary := range canaries {
			if bytes.Contains(b, []byte(canary)) {
				t.Errorf("%s holds %q", filepath.Base(path), canary)
			}
		}
		return nil
	}))
	if files < 4 {
		t.Fatalf("only %d files were looked at", files)
	}
}

// fresh is a session that was consented to.
func (h *house) fresh(p auth.Principal) string {
	h.t.Helper()
	id, err := h.CreateSession(context.Background(), p, kyc.SessionInput{})
	must(h.t, err)
	must(h.t, h.AddConsent(context.Background(), p, id, true))
	return id
}

// TestErasedKey: without its data key a session still shows its states, and nothing of the person.
func TestErasedKey(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		id := h.give(p, kyc.SessionInput{})
		h.analyse()
		_, err := h.Finalize(ctx, p, id, nil)
		must(t, err)
		row := h.db.Ent.Session.GetX(ctx, id)
		h.db.Ent.DataKey.UpdateOneID(row.KeyID).ClearWrapped().SetDestroyedAt(h.now()).ExecX(ctx)
		h.pass(2 * time.Minute)
		s, err := h.ReadSession(ctx, p, kyc.IDV, id)
		must(t, err)
		if s.Person != (kyc.Person{}) || s.Status != "complete" {
			t.Errorf("session %+v", s)
		}
		_, err = h.DownloadDocument(ctx, p, id, "selfie")
		want(t, err, kyc.CodeErased)
	})
}

// TestTokens: who may get which token.
func TestTokens(t *testing.T) {
	h := open(t, "", t.TempDir())
	ctx := context.Background()
	c, err := h.CreateClient(ctx, "Borduria Bank")
	must(t, err)
	p := auth.Principal{UserID: c.UserID, ClientID: c.ClientID}
	other, id := h.client("Syldavia Bank"), h.fresh(p)
	theirs := h.fresh(other)
	cases := []struct {
		id, secret string
		scopes     []string
		session    string
		code       kyc.Code
	}{
		{c.ClientID, c.ClientSecret, nil, "", ""},
		{c.ClientID, c.ClientSecret, []string{"idv"}, "", ""},
		{c.ClientID, c.ClientSecret, []string{"sdk"}, id, ""},
		{c.ClientID, "kycs_wrong", nil, "", kyc.CodeUnauthorized},
		{uuid.NewString(), c.ClientSecret, nil, "", kyc.CodeUnauthorized},
		{c.ClientID, "", nil, "", kyc.CodeUnauthorized},
		{c.ClientID, c.ClientSecret, []string{"admin"}, "", kyc.CodeForbidden},
		{c.ClientID, c.ClientSecret, []string{"sdk", "idv"}, id, kyc.CodeForbidden},
		{c.ClientID, c.ClientSecret, []string{"idv"}, id, kyc.CodeForbidden},
		{c.ClientID, c.ClientSecret, []string{"sdk"}, theirs, kyc.CodeNotFound},
		{c.ClientID, c.ClientSecret, []string{"sdk"}, "", kyc.CodeNotFound},
	}
	for i, tc := range cases {
		token, err := h.IssueToken(ctx, tc.id, tc.secret, tc.scopes, tc.session)
		if e := kyc.AsError(err); (tc.code == "") != (err == nil) || (e != nil && e.Code != tc.code) {
			t.Errorf("case %d: %v, want %q", i, err, tc.code)
		}
		if err != nil {
			continue
		}
		got, err := h.Authenticate(ctx, token.AccessToken)
		must(t, err)
		if got.ClientID != tc.id || got.SessionID != tc.session {
			t.Errorf("case %d: %+v", i, got)
		}
	}
	_, err = h.Authenticate(ctx, "nonsense")
	want(t, err, kyc.CodeUnauthorized)
}

// TestDueWorkOnce: several sweepers share the due work; none gets a row of another.
func TestDueWorkOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		for range 5 {
			h.give(p, kyc.SessionInput{})
		}
		h.pass(time.Minute)
		var mu sync.Mutex
		seen := map[string]int{}
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				work, err := h.DueWork(ctx, 100)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, w := range work {
					seen[w.ID]++
				}
			})
		}
		wg.Wait()
		if len(seen) != 15 {
			t.Errorf("%d rows, want 15", len(seen))
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%s was given out %d times", id, n)
			}
		}
	})
}

// Package house gives tests the rules with everything around them in one process: a database, a folder of images, and a
// sidecar without eyes that says of every picture what the test told it.
package house

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed" // for the measurements
	"encoding/json"
	"image"
	"image/jpeg"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"kycd/ent/database"
	"kycd/ent/database/databasetest"
	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/blob"
	"kycd/kyc/seal"
	"kycd/kyc/webhook"
	"kycd/vision"
)

// What a sidecar measured on both sides of a fictional licence.
var (
	//go:embed front.json
	front []byte
	//go:embed back.json
	back []byte
)

// House is a service whose pictures are measured as soon as they arrive.
type House struct {
	*kyc.Service
	DB   *database.Database
	Data string // the folder of database and images

	t    testing.TB
	mu   sync.Mutex
	work sync.WaitGroup
	face []float32 // of everybody who shows a face
	see  func(step string, a *vision.Analysis)
	log  *slog.Logger
}

// Options change what is usual.
type Options struct {
	Database string // a URL; empty: SQLite in Data
	Data     string // empty: a folder of the test's own
	Config   func(*kyc.Config)
	Now      func() time.Time // nil: the system's clock
	Log      *slog.Logger
	Azure    kyc.AzureFace // nil: not configured
}

// Open begins. The house is closed when the test ends, after all work is done.
func Open(t testing.TB, o Options) *House {
	t.Helper()
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx := context.Background()
	h := &House{t: t, Data: o.Data, DB: databasetest.Open(t, o.Database, o.Data), log: o.Log}
	h.Face(0)
	master, err := seal.OpenMaster(ctx, "", o.Data)
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.Open(ctx, "", o.Data)
	if err != nil {
		t.Fatal(err)
	}
	config := kyc.DefaultConfig()
	config.AllowDegraded = true
	config.FinalizeWait = 5 * time.Second
	config.LivenessWait, config.DocumentWait = 5*time.Second, 5*time.Second
	config.Webhooks = webhook.Policy{AllowHTTP: true, AllowNets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if o.Config != nil {
		o.Config(&config)
	}
	h.Service, err = kyc.New(ctx, kyc.Deps{
		DB: h.DB, Master: master, Blobs: blobs, Azure: o.Azure, Notifier: h, Now: o.Now, NewID: func() string { return uuid.Must(uuid.NewV7()).String() },
		Config: config, Log: o.Log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.work.Wait)
	return h
}

// Enqueue does the work at once, beside the caller.
func (h *House) Enqueue(_ context.Context, work []kyc.Work) {
	for _, w := range work {
		h.work.Go(func() {
			ctx := kyc.WithRequestID(context.Background(), w.RequestID)
			var err error
			switch w.Kind {
			case kyc.WorkAnalyze:
				err = h.analyse(ctx, w)
			case kyc.WorkDecide:
				err = h.DecideSession(ctx, w.ID)
			case kyc.WorkDeliver:
				err = h.DeliverWebhook(ctx, w.ID)
			case kyc.WorkErase:
				err = h.EraseSession(ctx, w.ID)
			}
			if e := kyc.AsError(err); e != nil && e.Code.Kind() != kyc.KindConflict && e.Code.Kind() != kyc.KindNotFound {
				h.log.Warn("work failed", "kind", w.Kind, "code", string(e.Code), "request_id", w.RequestID)
			}
		})
	}
}

// Wait waits until all work that was begun is done.
func (h *House) Wait() { h.work.Wait() }

// Close ends the house before its test ends, so that another can be opened on the same data.
func (h *House) Close() {
	h.t.Helper()
	h.work.Wait()
	h.must(h.DB.Close())
}

// Face makes everybody show this face from now on: two faces are as far from each other as their numbers.
func (h *House) Face(shift float32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.face = make([]float32, 128)
	h.face[0], h.face[1] = 1, shift
}

// See changes what is measured on live frames: the step is the one that the frame was asked for, empty for the passive one.
func (h *House) See(change func(step string, a *vision.Analysis)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.see = change
}

// asked is the step that the picture of a piece of work was to show.
func (h *House) asked(ctx context.Context, work kyc.Work) (string, error) {
	row, err := h.DB.Ent.Outbox.Get(ctx, work.ID)
	if err != nil {
		return "", err
	}
	picture, err := h.DB.Ent.Capture.Get(ctx, row.SubjectID)
	if err != nil {
		return "", err
	}
	return picture.Asked, nil
}

func (h *House) analyse(ctx context.Context, w kyc.Work) error {
	ask, _, err := h.BeginAnalysis(ctx, w.ID)
	if err != nil {
		return err
	}
	h.mu.Lock()
	faces, see := []vision.Face{{Encoder: vision.FaceEncoder, Encoding: slices.Clone(h.face), Quality: 0.9}}, h.see
	h.mu.Unlock()
	var a vision.Analysis
	switch {
	case ask.Liveness:
		a = vision.Analysis{Faces: faces, Liveness: &vision.Liveness{Score: 0.97, Model: "m"}}
		if see != nil {
			var step string
			if step, err = h.asked(ctx, w); err == nil {
				see(step, &a)
			}
		}
	case ask.Faces:
		err = json.Unmarshal(front, &a)
		a.Faces = faces
	default:
		err = json.Unmarshal(back, &a)
	}
	if err != nil {
		return err
	}
	cells := make([]byte, vision.FingerprintSide*vision.FingerprintSide) // of a picture like no other
	_, _ = rand.Read(cells)
	print := vision.NewFingerprint(cells)
	a.Fingerprint = &print
	return h.FinishAnalysis(ctx, w.ID, a)
}

// Client makes an organisation with one client, and the caller who has all its scopes.
func (h *House) Client(name string) (kyc.Credentials, auth.Principal) {
	h.t.Helper()
	ctx := context.Background()
	made, err := h.CreateClient(ctx, name)
	h.must(err)
	return made, auth.Principal{UserID: made.UserID, ClientID: made.ClientID, Scopes: auth.Scopes()}
}

// Token gets an access token; with a session it is a device's.
func (h *House) Token(c kyc.Credentials, sessionID string, scopes ...string) string {
	h.t.Helper()
	if sessionID != "" {
		scopes = []string{string(auth.ScopeSDK)}
	}
	token, err := h.IssueToken(context.Background(), c.ClientID, c.ClientSecret, scopes, sessionID)
	h.must(err)
	return token.AccessToken
}

// Given brings a verification to where only finalize is missing.
func (h *House) Given(p auth.Principal, in kyc.SessionInput) string {
	h.t.Helper()
	ctx := context.Background()
	id, err := h.CreateSession(ctx, p, in)
	h.must(err)
	h.must(h.AddConsent(ctx, p, id, true))
	h.must(h.UpdateDocumentType(ctx, p, id, "driver_license"))
	h.must(Only(h.AddDocument(ctx, p, id, "front", kyc.Place{Latitude: 48.8577, Longitude: 2.295, IP: "192.0.2.7"}, Picture())))
	h.must(Only(h.AddDocument(ctx, p, id, "back", kyc.Place{}, Picture())))
	_, err = h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{})
	h.must(err)
	_, err = h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Images: [][]byte{Picture()}})
	h.must(err)
	return id
}

// Verified verifies a person; the identity is the one that the session led to.
func (h *House) Verified(p auth.Principal, in kyc.SessionInput) (session, identity string) {
	h.t.Helper()
	ctx := context.Background()
	session = h.Given(p, in)
	out, err := h.Finalize(ctx, p, session, nil)
	h.must(err)
	if !out.Verified {
		h.t.Fatalf("not verified: %+v", out)
	}
	s, err := h.ReadSession(ctx, p, kyc.IDV, session)
	h.must(err)
	return session, *s.IdentityID
}

func (h *House) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// Picture is a valid JPEG of 64×64 pixels, which do not matter: the test says what is measured. No two are alike, or the
// second would be taken for a copy.
func Picture() []byte {
	noise := image.NewGray(image.Rect(0, 0, 64, 64))
	_, _ = rand.Read(noise.Pix) // it never fails
	var b bytes.Buffer
	if err := jpeg.Encode(&b, noise, nil); err != nil {
		panic(err) // a grey square can be encoded
	}
	return b.Bytes()
}

// Only is the error of a call whose result does not matter.
func Only[T any](_ T, err error) error { return err }

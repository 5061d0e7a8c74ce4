package azureface

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"kycd/kyc/azureface/simulator"
)

const (
	testKey    = "0123456789abcdef0123456789abcdef"
	testDevice = "7B3f1c52-9d0e-4a6b-8f21-00000000beef"
)

// device is a device whose attempts come to what the last digit stands for.
func device(last string) string { return testDevice[:len(testDevice)-4] + last }

// clock stands still except while somebody sleeps.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

// house is a simulator on the network, and a client of it.
type house struct {
	*Client
	sim   *simulator.Simulator
	clock *clock
	url   string
}

func newHouse(t *testing.T) house {
	t.Helper()
	h := house{clock: newClock()}
	var err error
	h.sim, err = simulator.New(simulator.Config{Key: testKey, Bearer: "entra", Seed: []byte("seed"), Now: h.clock.Now, Sleep: h.clock.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h.sim)
	t.Cleanup(server.Close)
	h.url = server.URL
	h.Client = newClient(t, Config{Endpoint: server.URL, Key: testKey, Now: h.clock.Now, Sleep: h.clock.Sleep})
	return h
}

func newClient(t *testing.T, config Config) *Client {
	t.Helper()
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.http.CloseIdleConnections)
	return client
}

func (h house) create(t *testing.T, request SessionRequest) Session {
	t.Helper()
	session, err := h.Create(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func (h house) try(t *testing.T, session Session, try simulator.Try) simulator.Tried {
	t.Helper()
	tried, err := h.sim.Try(session.AuthToken, try)
	if err != nil {
		t.Fatal(err)
	}
	return tried
}

// picture has the beginning of a JPEG, and ends like a boundary.
func picture() *VerifyImage {
	return &VerifyImage{Bytes: append([]byte("\xff\xd8\xff\xe0canary-of-the-picture\r\n--kycd"), bytes.Repeat([]byte{0x55}, 2000)...), ContentType: "image/jpeg"}
}

func passive(verify *VerifyImage) SessionRequest {
	return SessionRequest{Mode: Passive, DeviceCorrelationID: testDevice, Verify: verify}
}

// asError gives the package's error and fails without one.
func asError(t *testing.T, err error) *Error {
	t.Helper()
	failed, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("the error is %T: %v", err, err)
	}
	return failed
}

func TestFlows(t *testing.T) {
	half, low := 0.5, 0.31
	for name, tt := range map[string]struct {
		request  SessionRequest
		try      simulator.Try
		status   Status
		attempt  Status
		decision Decision
		score    float64
		measured bool
		error    string
		same     *Verification
	}{
		"a real face":           {passive(nil), simulator.Try{}, Succeeded, Succeeded, RealFace, 1, true, "", nil},
		"a picture of one":      {SessionRequest{Mode: PassiveActive, DeviceCorrelationID: device("0001")}, simulator.Try{}, Succeeded, Succeeded, SpoofFace, 0, true, "", nil},
		"who knows":             {SessionRequest{Mode: Passive, DeviceCorrelationID: device("0002")}, simulator.Try{}, Succeeded, Succeeded, Uncertain, 0.5, true, "", nil},
		"a mask":                {SessionRequest{Mode: Passive, DeviceCorrelationID: device("0003")}, simulator.Try{}, Running, Failed, Undecided, 0, false, "FaceWithMaskDetected", nil},
		"another error":         {passive(nil), simulator.Try{Script: simulator.Script{Outcome: simulator.Fails, Error: "CameraStartupFailure"}}, Running, Failed, Undecided, 0, false, "CameraStartupFailure", nil},
		"never done":            {SessionRequest{Mode: Passive, DeviceCorrelationID: device("0004")}, simulator.Try{}, Running, Running, Undecided, 0, false, "", nil},
		"broken off":            {SessionRequest{Mode: Passive, DeviceCorrelationID: device("0006")}, simulator.Try{}, Canceled, Canceled, Undecided, 0, false, "UserCanceledSession", nil},
		"the right face":        {passive(picture()), simulator.Try{}, Succeeded, Succeeded, RealFace, 1, true, "", &Verification{0.92, true}},
		"the wrong face":        {SessionRequest{Mode: Passive, DeviceCorrelationID: device("0005"), Verify: picture()}, simulator.Try{}, Succeeded, Succeeded, RealFace, 1, true, "", &Verification{0.09, false}},
		"exactly the threshold": {passive(picture()), simulator.Try{Script: simulator.Script{Confidence: &half}}, Succeeded, Succeeded, RealFace, 1, true, "", &Verification{0.5, true}},
		"a lower threshold": {SessionRequest{Mode: Passive, DeviceCorrelationID: testDevice, Verify: picture(), VerifyConfidenceThreshold: &low},
			simulator.Try{Script: simulator.Script{Outcome: simulator.SpoofFace, Confidence: &half}}, Succeeded, Succeeded, SpoofFace, 0, true, "", &Verification{0.5, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			withVerify := tt.request.Verify != nil
			session := h.create(t, tt.request)
			before, err := h.Result(t.Context(), session.ID, withVerify)
			if err != nil || before.Status != NotStarted || len(before.Attempts) != 0 || before.Final() {
				t.Fatalf("before: %+v, %v", before, err)
			}
			if (len(before.References) == 1) != withVerify {
				t.Errorf("references %+v", before.References)
			}
			told := h.try(t, session, tt.try)
			got, err := h.Result(t.Context(), session.ID, withVerify)
			if err != nil || got.Status != tt.status || len(got.Attempts) != 1 || got.SessionID != session.ID || got.Model != "2024-11-15" {
				t.Fatalf("after: %+v, %v", got, err)
			}
			a := got.Attempts[0]
			if a.ID != 1 || a.Status != tt.attempt || a.Decision != tt.decision || a.Error != tt.error {
				t.Errorf("attempt %+v", a)
			}
			if (a.Verification == nil) != (tt.same == nil) || a.Verification != nil && *a.Verification != *tt.same {
				t.Errorf("verification %+v, want %+v", a.Verification, tt.same)
			}
			if score, measured := got.Score(); score != tt.score || measured != tt.measured {
				t.Errorf("score %v, %v", score, measured)
			}
			if tt.measured && (!a.DigestMatches(told.Digest) || a.Face == nil || *a.Face != Rectangle{669, 203, 646, 724}) || a.DigestMatches("") {
				t.Errorf("evidence %+v, the device said %+v", a, told)
			}
		})
	}
}

// After a failed try the device may try again; the session is judged by what was decided at last.
func TestSeveralAttempts(t *testing.T) {
	h := newHouse(t)
	session := h.create(t, passive(picture()))
	for _, code := range []string{"FaceWithMaskDetected", "TimedOut"} {
		h.try(t, session, simulator.Try{Script: simulator.Script{Outcome: simulator.Fails, Error: code}})
		got, err := h.Result(t.Context(), session.ID, true)
		if _, measured := got.Score(); err != nil || got.Final() || measured {
			t.Fatalf("after %s: %+v, %v", code, got, err)
		}
	}
	h.try(t, session, simulator.Try{})
	got, err := h.Result(t.Context(), session.ID, true)
	attempt, decided := got.Decided()
	if err != nil || !got.Final() || !decided || attempt.ID != 3 || len(got.Attempts) != 3 || got.Attempts[0].Error != "FaceWithMaskDetected" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := h.sim.Try(session.AuthToken, simulator.Try{}); err == nil {
		t.Error("a decided session takes a further attempt")
	}

	// Three failures end it.
	session = h.create(t, passive(nil))
	for range 3 {
		h.try(t, session, simulator.Try{Script: simulator.Script{Outcome: simulator.Fails}})
	}
	got, err = h.Result(t.Context(), session.ID, false)
	if _, measured := got.Score(); err != nil || got.Status != Failed || !got.Final() || measured {
		t.Errorf("three failures: %+v, %v", got, err)
	}
}

func TestVerifyImage(t *testing.T) {
	h := newHouse(t)
	request := passive(picture())
	request.ReturnVerifyImageHash, request.EnableSessionImage, request.TTL, request.ModelVersion = true, true, time.Hour, "2025-05-20"
	session := h.create(t, request)
	if !session.Expires.Equal(h.clock.Now().Add(time.Hour)) || !session.WithVerify || session.Model != "2025-05-20" {
		t.Errorf("%+v", session)
	}
	frame := append([]byte("\xff\xd8\xff"), 1, 2, 3)
	h.try(t, session, simulator.Try{Image: frame})
	got, err := h.Result(t.Context(), session.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	attempt, _ := got.Decided()
	if attempt.VerifyImageHash != request.Verify.Hash() || len(attempt.VerifyImageHash) != 64 {
		t.Errorf("hash %q, want %q", attempt.VerifyImageHash, request.Verify.Hash())
	}
	if image, err := h.Image(t.Context(), attempt.SessionImageID); err != nil || !bytes.Equal(image, frame) {
		t.Errorf("session image %x, %v", image, err)
	}
	if len(got.References) != 1 || got.References[0].Quality != "high" {
		t.Errorf("references %+v", got.References)
	}

	// Without the two, there is neither.
	session = h.create(t, passive(picture()))
	h.try(t, session, simulator.Try{})
	got, _ = h.Result(t.Context(), session.ID, true)
	if attempt, decided := got.Decided(); !decided || attempt.VerifyImageHash != "" || attempt.SessionImageID != "" {
		t.Errorf("%+v", attempt)
	}

	// Each other way to say the same kind of image; a picture that is not what it says is Azure's to refuse.
	for contentType, start := range map[string]string{"image/png": "\x89PNG\r\n\x1a\n", "image/gif": "GIF89a", "image/bmp": "BM"} {
		h.create(t, passive(&VerifyImage{Bytes: []byte(start + "rest"), ContentType: contentType}))
	}
	_, err = h.Create(t.Context(), passive(&VerifyImage{Bytes: []byte("RIFF....WEBP"), ContentType: "image/png"}))
	if failed := asError(t, err); failed.Code != ErrBadRequest || failed.Status != 400 || failed.Reason != "InvalidImage" {
		t.Errorf("%+v", failed)
	}
}

func TestTampered(t *testing.T) {
	h := newHouse(t)
	session := h.create(t, passive(nil))
	told := h.try(t, session, simulator.Try{Script: simulator.Script{Tampered: true}})
	got, err := h.Result(t.Context(), session.ID, false)
	if err != nil || got.Attempts[0].DigestMatches(told.Digest) {
		t.Errorf("%+v, %v: the device said %+v", got, err, told)
	}
}

func TestDelete(t *testing.T) {
	h := newHouse(t)
	request := passive(picture())
	request.EnableSessionImage = true
	session := h.create(t, request)
	h.try(t, session, simulator.Try{})
	got, err := h.Result(t.Context(), session.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Delete(t.Context(), session.ID, false); err != nil || len(h.sim.Sessions()) != 1 {
		t.Errorf("of the other kind: %v", err)
	}
	for range 2 {
		if err := h.Delete(t.Context(), session.ID, true); err != nil || len(h.sim.Sessions()) != 0 {
			t.Errorf("%v", err)
		}
	}
	if _, err := h.sim.Try(session.AuthToken, simulator.Try{}); err == nil {
		t.Error("the token is still good")
	}
	if _, err := h.Result(t.Context(), session.ID, true); !errors.Is(err, ErrNotFound) {
		t.Errorf("result: %v", err)
	}
	if _, err := h.Image(t.Context(), got.Attempts[0].SessionImageID); !errors.Is(err, ErrNotFound) {
		t.Errorf("image: %v", err)
	}
}

// The token dies first; the result can be had until the session is gone.
func TestExpiry(t *testing.T) {
	h := newHouse(t)
	session := h.create(t, passive(nil))
	late := h.create(t, passive(nil))
	h.try(t, session, simulator.Try{})
	h.clock.Sleep(t.Context(), DefaultTTL)
	if _, err := h.sim.Try(late.AuthToken, simulator.Try{}); err == nil || h.clock.Now().Before(late.Expires) {
		t.Errorf("after its time the token is still good: %v", err)
	}
	if got, err := h.Result(t.Context(), session.ID, false); err != nil || !got.Final() {
		t.Errorf("%+v, %v", got, err)
	}
	h.clock.Sleep(t.Context(), simulator.DefaultKeep)
	if _, err := h.Result(t.Context(), session.ID, false); !errors.Is(err, ErrNotFound) {
		t.Errorf("after two days: %v", err)
	}
	if err := h.Delete(t.Context(), session.ID, false); err != nil {
		t.Errorf("delete: %v", err)
	}
}

func TestWait(t *testing.T) {
	t.Run("decided later", func(t *testing.T) {
		h := newHouse(t)
		session := h.create(t, passive(nil))
		h.try(t, session, simulator.Try{Script: simulator.Script{DelayMS: 3000}})
		start := h.clock.Now()
		got, err := h.Wait(t.Context(), session.ID, false, 10*time.Second)
		if score, measured := got.Score(); err != nil || score != 1 || !measured {
			t.Errorf("%+v, %v", got, err)
		}
		if took := h.clock.Now().Sub(start); took < 3*time.Second || took > 5*time.Second || len(h.clock.slept) > 8 {
			t.Errorf("it took %v and %d polls", took, len(h.clock.slept))
		}
	})
	t.Run("never", func(t *testing.T) {
		h := newHouse(t)
		session := h.create(t, SessionRequest{Mode: Passive, DeviceCorrelationID: device("0004")})
		for _, begun := range []bool{false, true} {
			start := h.clock.Now()
			got, err := h.Wait(t.Context(), session.ID, false, 5*time.Second)
			if !errors.Is(err, ErrPending) || len(got.Attempts) == 1 != begun || !asError(t, err).Transient() {
				t.Errorf("%+v, %v", got, err)
			}
			if took := h.clock.Now().Sub(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			if !begun {
				h.try(t, session, simulator.Try{})
			}
		}
	})
	t.Run("failures that pass", func(t *testing.T) {
		h := newHouse(t)
		session := h.create(t, passive(nil))
		h.try(t, session, simulator.Try{})
		for _, kind := range []simulator.Fault{{Kind: simulator.Answer, Status: 500, Calls: 2}, {Kind: simulator.Cut, Calls: 1}} {
			if err := h.sim.Fault(kind); err != nil {
				t.Fatal(err)
			}
			if kind.Kind == simulator.Cut {
				h.clock.Sleep(t.Context(), time.Second)
			}
			if got, err := h.Wait(t.Context(), session.ID, false, 0); err != nil || !got.Final() {
				t.Errorf("%+v: %+v, %v", kind, got, err)
			}
		}
	})
	t.Run("when Azure says", func(t *testing.T) {
		h := newHouse(t)
		session := h.create(t, passive(nil))
		h.try(t, session, simulator.Try{})
		for _, tt := range []struct {
			after int
			want  Code
			slept time.Duration
		}{{3, "", 3 * time.Second}, {60, ErrUnavailable, 0}} {
			if err := h.sim.Fault(simulator.Fault{Kind: simulator.Answer, Status: 500, RetryAfter: tt.after}); err != nil {
				t.Fatal(err)
			}
			start := h.clock.Now()
			_, err := h.Wait(t.Context(), session.ID, false, 10*time.Second)
			if slept := h.clock.Now().Sub(start); slept != tt.slept || (err == nil) != (tt.want == "") || err != nil && !errors.Is(err, tt.want) {
				t.Errorf("%d s: %v after %v", tt.after, err, slept)
			}
		}
	})
	t.Run("failures that do not", func(t *testing.T) {
		h := newHouse(t)
		session := h.create(t, passive(nil))
		for _, tt := range []struct {
			fault simulator.Fault
			want  Code
		}{
			{simulator.Fault{Kind: simulator.Answer, Status: 500, Calls: 3}, ErrUnavailable},
			{simulator.Fault{Kind: simulator.Answer, Status: 403}, ErrForbidden},
			{simulator.Fault{Kind: simulator.Garbage}, ErrMalformedAnswer},
		} {
			if err := h.sim.Fault(tt.fault); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Wait(t.Context(), session.ID, false, time.Minute); !errors.Is(err, tt.want) {
				t.Errorf("%+v: %v", tt.fault, err)
			}
		}
	})
	t.Run("ended", func(t *testing.T) {
		h := newHouse(t)
		session := h.create(t, passive(nil))
		ctx, cancel := context.WithCancel(t.Context())
		h.sleep = func(context.Context, time.Duration) error { cancel(); return ctx.Err() }
		if got, err := h.Wait(ctx, session.ID, false, time.Minute); !errors.Is(err, ErrCanceled) || !errors.Is(err, context.Canceled) || got.Status != NotStarted {
			t.Errorf("%+v, %v", got, err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 40*time.Millisecond)
		defer cancel()
		h.sleep = Sleep
		if got, err := h.Wait(ctx, session.ID, false, time.Minute); !errors.Is(err, ErrPending) || got.Status != NotStarted {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// What Azure refuses, in the shape in which it refuses.
func TestRefusals(t *testing.T) {
	h := newHouse(t)
	session := h.create(t, passive(nil))
	stranger := newClient(t, Config{Endpoint: h.url, Key: "another"})
	_, err := stranger.Create(t.Context(), passive(nil))
	if failed := asError(t, err); failed.Code != ErrUnauthorised || failed.Status != 401 || failed.Reason != "401" || !isUUID(failed.RequestID) || failed.Transient() {
		t.Errorf("%+v", failed)
	}
	if _, err := h.Result(t.Context(), session.ID, true); !errors.Is(err, ErrNotFound) || asError(t, err).Reason != "SessionNotFound" {
		t.Errorf("of the other kind: %v", err)
	}
	if _, err := h.Result(t.Context(), "b12e033e-bda7-4b83-a211-e721c661f30e", false); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
	old := newClient(t, Config{Endpoint: h.url, Key: testKey, APIVersion: "v1.3-preview.1"})
	if _, err := old.Create(t.Context(), passive(nil)); !errors.Is(err, ErrNotFound) {
		t.Errorf("another version: %v", err)
	}
	request := passive(nil)
	request.ModelVersion = "2001-01-01"
	_, err = h.Create(t.Context(), request)
	if failed := asError(t, err); failed.Code != ErrBadRequest || failed.Status != 400 || failed.Reason != "BadArgument" {
		t.Errorf("%+v", failed)
	}
}

type tokens func(context.Context) (string, error)

func (f tokens) Token(ctx context.Context) (string, error) { return f(ctx) }

func TestTokenSource(t *testing.T) {
	h := newHouse(t)
	token, err := "entra", error(nil)
	client := newClient(t, Config{Endpoint: h.url, TokenSource: tokens(func(context.Context) (string, error) { return token, err })})
	if _, err := client.Create(t.Context(), passive(picture())); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "wrong", "two words", "line\r\nbreak: x"} {
		token = bad
		if _, err := client.Create(t.Context(), passive(nil)); !errors.Is(err, ErrUnauthorised) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	token, err = "", errors.New("canary-of-the-source")
	if _, err := client.Create(t.Context(), passive(nil)); !errors.Is(err, ErrUnauthorised) {
		t.Errorf("no token: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Create(ctx, passive(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

// Many at once, of which some are slow and some fail.
func TestConcurrent(t *testing.T) {
	h := newHouse(t)
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			var verify *VerifyImage
			if i%2 == 0 {
				verify = picture()
			}
			request := passive(verify)
			request.EnableSessionImage = true
			session, err := h.Create(t.Context(), request)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := h.sim.Try(session.ID, simulator.Try{Script: simulator.Script{Outcome: simulator.RealFace, DelayMS: 100}}); err != nil {
				t.Error(err)
			}
			if got, err := h.Wait(t.Context(), session.ID, verify != nil, 0); err != nil || got.SessionID != session.ID {
				t.Errorf("%+v, %v", got, err)
			}
			h.sim.Sessions()
			if err := h.Delete(t.Context(), session.ID, verify != nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if left := h.sim.Sessions(); len(left) != 0 {
		t.Errorf("%d sessions are left", len(left))
	}
}

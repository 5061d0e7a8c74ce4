package kyc_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/azureface"
	"kycd/kyc/azureface/simulator"
	stage "kycd/kyc/kyctest/house"
	"kycd/vision"
)

// claims reads a liveness token as an SDK does.
func claims(t *testing.T, token string) kyc.Challenge {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no token: %q", token)
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	must(t, err)
	var c kyc.Challenge
	must(t, json.Unmarshal(b, &c))
	return c
}

// begun is a session of a house that takes live frames.
func begun(t *testing.T, h *stage.House, p auth.Principal, mode string) string {
	t.Helper()
	ctx := context.Background()
	id, err := h.CreateSession(ctx, p, kyc.SessionInput{LivenessMode: mode})
	must(t, err)
	must(t, h.AddConsent(ctx, p, id, true))
	return id
}

func frames(n int) [][]byte {
	var list [][]byte
	for range n {
		list = append(list, stage.Picture())
	}
	return list
}

// TestLivenessToken: a token is good for its session, once, in its time, for as many frames as it asks for and for what the
// device says of them.
func TestLivenessToken(t *testing.T) {
	ctx := context.Background()
	clock := time.Now()
	h := stage.Open(t, stage.Options{Now: func() time.Time { clock = clock.Add(time.Millisecond); return clock }})
	_, p := h.Client("tokens")
	id, other := begun(t, h, p, "passive_active"), begun(t, h, p, "passive")
	generate := func(id string) (string, kyc.Challenge) {
		token, err := h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{})
		must(t, err)
		clock = clock.Add(5 * time.Second)
		return token, claims(t, token)
	}
	refused := func(name string, in kyc.LivenessInput, code kyc.Code, field string) {
		t.Helper()
		_, err := h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, in)
		e := kyc.AsError(err)
		if e == nil || e.Code != code || (field != "" && (len(e.Fields) != 1 || e.Fields[0].Pointer+" "+e.Fields[0].Code != field)) {
			t.Errorf("%s: got %v %+v, want %s %s", name, err, e, code, field)
		}
	}
	refused("nothing was begun", kyc.LivenessInput{Images: frames(1)}, kyc.CodeLivenessNotStarted, "")

	foreign, _ := generate(other)
	token, challenge := generate(id)
	if len(challenge.Steps) != 3 || challenge.Nonce == "" || challenge.SessionID != id {
		t.Fatalf("challenge %+v", challenge)
	}
	refused("of another session", kyc.LivenessInput{Token: foreign, Images: frames(1)}, kyc.CodeLivenessForeign, "")
	refused("not signed here", kyc.LivenessInput{Token: token[:len(token)-4] + "AAAA", Images: frames(1)}, kyc.CodeLivenessForeign, "")
	refused("no token at all", kyc.LivenessInput{Token: "x", Images: frames(1)}, kyc.CodeLivenessForeign, "")
	for _, n := range []int{2, 3, 5} {
		refused("another number of frames", kyc.LivenessInput{Token: token, Images: frames(n)}, kyc.CodeLivenessFrames, "/images liveness_frames_mismatch")
	}
	refused("too many frames", kyc.LivenessInput{Token: token, Images: frames(8)}, kyc.CodeInvalid, "")

	at := func(d time.Duration) *time.Time { moment := clock.Add(d); return &moment }
	told := func() []kyc.FrameProof {
		list := []kyc.FrameProof{{Nonce: challenge.Nonce, At: at(-4 * time.Second)}}
		for i, step := range challenge.Steps {
			list = append(list, kyc.FrameProof{Step: step, Nonce: challenge.Nonce, At: at(time.Duration(i-3) * time.Second)})
		}
		return list
	}
	for name, c := range map[string]struct {
		spoil func(list []kyc.FrameProof)
		field string
	}{
		"two steps exchanged":      {func(l []kyc.FrameProof) { l[1].Step, l[2].Step = l[2].Step, l[1].Step }, "/frames/1/step order"},
		"a step that nobody asked": {func(l []kyc.FrameProof) { l[3].Step = "wink" }, "/frames/3/step order"},
		"another nonce":            {func(l []kyc.FrameProof) { l[2].Nonce = "x" }, "/frames/2/nonce nonce"},
		"taken before":             {func(l []kyc.FrameProof) { l[0].At = at(-time.Hour) }, "/frames/0/at time"},
		"taken later":              {func(l []kyc.FrameProof) { l[3].At = at(time.Hour) }, "/frames/3/at time"},
		"all at once":              {func(l []kyc.FrameProof) { l[2].At = l[1].At }, "/frames/2/at time"},
	} {
		list := told()
		c.spoil(list)
		refused(name, kyc.LivenessInput{Token: token, Images: frames(4), Frames: list}, kyc.CodeLivenessProof, c.field)
	}
	refused("fewer descriptions than frames", kyc.LivenessInput{Token: token, Images: frames(4), Frames: told()[:2]}, kyc.CodeLivenessFrames, "/frames liveness_frames_mismatch")
	if n := h.DB.Ent.Capture.Query().CountX(ctx); n != 0 {
		t.Errorf("%d frames of refused answers were kept", n)
	}

	// It is taken once; the steps' frames are kept with what they were asked for.
	_, err := h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Token: token, Images: frames(4), Frames: told()})
	must(t, err)
	refused("used", kyc.LivenessInput{Token: token, Images: frames(4)}, kyc.CodeLivenessUsed, "")
	for i, step := range challenge.Steps {
		if _, err := h.DownloadDocument(ctx, p, id, "liveness_active_step_"+string(rune('1'+i))); err != nil {
			t.Errorf("the frame of %s: %v", step, err)
		}
	}

	token, _ = generate(id)
	newer, challenge := generate(id)
	refused("an older one than the last", kyc.LivenessInput{Token: token, Images: frames(1)}, kyc.CodeLivenessUsed, "")
	clock = clock.Add(time.Hour)
	refused("expired", kyc.LivenessInput{Token: newer, Images: frames(1)}, kyc.CodeLivenessExpired, "")
	h.Wait()
}

// TestFramesTooFast: nobody shows three steps in a blink.
func TestFramesTooFast(t *testing.T) {
	ctx := context.Background()
	h := stage.Open(t, stage.Options{})
	_, p := h.Client("fast")
	id := begun(t, h, p, "passive_active")
	_, err := h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{})
	must(t, err)
	_, err = h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Images: frames(4)})
	want(t, err, kyc.CodeLivenessProof)
}

// TestLivenessAnswer: a device is told what to do better, with the challenge to do it for, and nothing of what speaks
// against the person.
func TestLivenessAnswer(t *testing.T) {
	ctx := context.Background()
	h := stage.Open(t, stage.Options{})
	_, p := h.Client("answers")
	cases := []struct {
		name, mode string
		seen       func(a *vision.Analysis)
		hints      []kyc.FrameHint
		again      bool
	}{
		{"good", "passive", func(*vision.Analysis) {}, nil, false},
		{"no face", "passive", func(a *vision.Analysis) { a.Faces, a.Hints = nil, []vision.Hint{vision.HintNoFace} }, []kyc.FrameHint{{Image: 0, Code: "no_face"}}, true},
		{"dark and turned", "passive", func(a *vision.Analysis) { a.Hints = []vision.Hint{vision.HintTooDark, vision.HintFaceTurned} },
			[]kyc.FrameHint{{Image: 0, Code: "too_dark"}, {Image: 0, Code: "face_turned"}}, true},
		{"of a document", "passive", func(a *vision.Analysis) { a.Hints = []vision.Hint{vision.HintNoDocument} }, nil, false},
		{"not alive", "passive", func(a *vision.Analysis) { a.Liveness.Score = 0.01 }, nil, false},
		{"clearly alive", "passive_active", func(*vision.Analysis) {}, nil, false},
		{"perhaps alive", "passive_active", func(a *vision.Analysis) { a.Liveness.Score = 0.7 }, nil, true},
		{"not an image", "passive", func(a *vision.Analysis) { *a = vision.Failed("", vision.CodeUnreadable) }, []kyc.FrameHint{{Image: 0, Code: "image_unreadable"}}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h.See(func(_ string, a *vision.Analysis) { c.seen(a) })
			id := begun(t, h, p, c.mode)
			_, err := h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{})
			must(t, err)
			in := kyc.LivenessInput{Images: frames(1)}
			keyed := func() kyc.LivenessAnswer {
				ctx := kyc.WithClaim(ctx, &kyc.Claim{Route: "process", Key: id, Body: id})
				answer, err := h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, in)
				must(t, err)
				return answer
			}
			answer := keyed()
			if !slices.Equal(answer.Hints, c.hints) || (answer.Token != "") != c.again {
				t.Fatalf("answer %+v, want hints %v and again %v", answer, c.hints, c.again)
			}
			if again := keyed(); !reflect.DeepEqual(again, answer) {
				t.Errorf("the same request again: %+v, want %+v", again, answer)
			}
			if !c.again {
				return
			}
			if c.mode == "passive_active" {
				if steps := claims(t, answer.Token).Steps; len(steps) != 3 {
					t.Errorf("steps %v", steps)
				}
			}
			_, err = h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Token: answer.Token, Images: frames(1)})
			must(t, err)
		})
	}
}

// TestReplayedSelfie: a live picture that was seen before is no live picture, whosever session it was in; but nobody meets
// the pictures of another organisation.
func TestReplayedSelfie(t *testing.T) {
	ctx := context.Background()
	h := stage.Open(t, stage.Options{})
	_, p := h.Client("first")
	_, q := h.Client("second")
	selfie := stage.Picture()
	verify := func(p auth.Principal) kyc.Outcome {
		t.Helper()
		id := h.Given(p, kyc.SessionInput{})
		_, err := h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{})
		must(t, err)
		_, err = h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Images: [][]byte{selfie}})
		must(t, err)
		out, err := h.Finalize(ctx, p, id, nil)
		must(t, err)
		return out
	}
	if out := verify(p); !out.Verified {
		t.Errorf("a new picture: %+v", out)
	}
	if out := verify(p); out.Verified || !slices.Contains(out.Reasons, "liveness_frame_replayed") {
		t.Errorf("the same picture again: %+v", out)
	}
	if out := verify(q); !out.Verified {
		t.Errorf("the same picture elsewhere: %+v", out)
	}
}

// TestFailuresBlockAnIdentity: whoever tries one face after the other is stopped for a while, on all sessions.
func TestFailuresBlockAnIdentity(t *testing.T) {
	ctx := context.Background()
	clock := time.Now()
	h := stage.Open(t, stage.Options{Now: func() time.Time { clock = clock.Add(time.Millisecond); return clock }})
	_, p := h.Client("blocked")
	_, identity := h.Verified(p, kyc.SessionInput{})
	authenticate := func(shift float32) kyc.Outcome {
		t.Helper()
		h.Face(shift)
		id, err := h.CreateAuthentication(ctx, p, identity, kyc.SessionInput{})
		must(t, err)
		_, err = h.GenerateLiveness(ctx, p, kyc.IDA, id, kyc.Place{})
		must(t, err)
		_, err = h.ProcessLiveness(ctx, p, kyc.IDA, id, kyc.Place{}, kyc.LivenessInput{Images: frames(1)})
		must(t, err)
		out, err := h.FinalizeAuthentication(ctx, p, id)
		must(t, err)
		return out
	}
	for range 4 {
		if out := authenticate(1); out.Verified || out.Status != "complete" {
			t.Fatalf("a stranger: %+v", out)
		}
	}
	if out := authenticate(0); !out.Verified { // which begins the count anew
		t.Fatalf("the person: %+v", out)
	}
	open, err := h.CreateAuthentication(ctx, p, identity, kyc.SessionInput{})
	must(t, err)
	for range 5 {
		authenticate(1)
	}
	later, err := h.CreateAuthentication(ctx, p, identity, kyc.SessionInput{})
	must(t, err)
	for _, id := range []string{open, later} {
		s, err := h.ReadSession(ctx, p, kyc.IDA, id)
		must(t, err)
		if s.Status != string(kyc.TemporarilyBlocked) {
			t.Errorf("session is %s", s.Status)
		}
		_, err = h.GenerateLiveness(ctx, p, kyc.IDA, id, kyc.Place{})
		want(t, err, kyc.CodeSessionBlocked)
	}
	clock = clock.Add(16 * time.Minute)
	_, err = h.ExpireSessions(ctx)
	must(t, err)
	if out := authenticate(0); !out.Verified {
		t.Errorf("the person, after the block: %+v", out)
	}
}

// TestLookalikes: a near face of another identity is reported and decides nothing; once that identity is erased nobody
// finds it.
func TestLookalikes(t *testing.T) {
	ctx := context.Background()
	h := stage.Open(t, stage.Options{})
	_, p := h.Client("many")
	_, q := h.Client("others")
	_, first := h.Verified(p, kyc.SessionInput{})
	h.DB.Ent.SearchTerm.Delete().ExecX(ctx) // so that the next comer is nobody known
	h.Face(0.1)
	session, second := h.Verified(p, kyc.SessionInput{})
	s, err := h.ReadSession(ctx, p, kyc.IDV, session)
	must(t, err)
	if first == second || !slices.Equal(s.Reasons, []string{"possible_duplicate_identity"}) {
		t.Errorf("reasons %v", s.Reasons)
	}
	if session, _ = h.Verified(q, kyc.SessionInput{}); session != "" {
		s, err := h.ReadSession(ctx, q, kyc.IDV, session)
		must(t, err)
		if len(s.Reasons) != 0 {
			t.Errorf("another organisation's faces are met: %v", s.Reasons)
		}
	}
	must(t, h.AnonymizeIdentity(ctx, p, first))
	must(t, h.AnonymizeIdentity(ctx, p, second))
	session, _ = h.Verified(p, kyc.SessionInput{})
	s, err = h.ReadSession(ctx, p, kyc.IDV, session)
	must(t, err)
	if len(s.Reasons) != 0 {
		t.Errorf("an erased face is met: %v", s.Reasons)
	}
}

// azureHouse is a house with a simulated Azure Face.
func azureHouse(t *testing.T) (*stage.House, *simulator.Simulator) {
	t.Helper()
	sim, err := simulator.New(simulator.Config{Key: "simulated", Seed: []byte(t.Name()), Now: time.Now, Sleep: azureface.Sleep})
	must(t, err)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	client, err := azureface.New(azureface.Config{Endpoint: server.URL, Key: "simulated", Now: time.Now, Timeout: time.Second})
	must(t, err)
	h := stage.Open(t, stage.Options{Azure: client, Config: func(c *kyc.Config) {
		c.AzureVerify, c.LivenessWait = true, 300*time.Millisecond
	}})
	return h, sim
}

func TestAzure(t *testing.T) {
	ctx := context.Background()
	h, sim := azureHouse(t)
	_, p := h.Client("azure")
	begin := func() (id, token string) {
		t.Helper()
		id, err := h.CreateSession(ctx, p, kyc.SessionInput{Settings: map[string]any{"liveness_provider": "azure"}})
		must(t, err)
		must(t, h.AddConsent(ctx, p, id, true))
		must(t, h.UpdateDocumentType(ctx, p, id, "driver_license"))
		must(t, only(h.AddDocument(ctx, p, id, "front", kyc.Place{}, stage.Picture())))
		must(t, only(h.AddDocument(ctx, p, id, "back", kyc.Place{}, stage.Picture())))
		token, err = h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{})
		must(t, err)
		return id, token
	}
	process := func(id string, in kyc.LivenessInput) error {
		_, err := h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, in)
		return err
	}
	other := 0.1
	for _, c := range []struct {
		name     string
		script   simulator.Script
		fault    *simulator.Fault
		verified bool
		reason   string
	}{
		{"a real face", simulator.Script{}, nil, true, ""},
		{"a spoof", simulator.Script{Outcome: simulator.SpoofFace}, nil, false, "liveness_failed"},
		{"another person", simulator.Script{Confidence: &other}, nil, false, "face_mismatch"},
		{"an attempt that failed", simulator.Script{Outcome: simulator.Cancels}, nil, false, "liveness_unavailable"},
		{"no answer", simulator.Script{}, &simulator.Fault{Kind: simulator.Drop, Calls: 20}, false, "liveness_unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer sim.Reset()
			id, token := begin()
			if _, err := sim.Try(token, simulator.Try{Script: c.script, Image: stage.Picture()}); err != nil {
				t.Fatal(err)
			}
			if c.fault != nil {
				must(t, sim.Fault(*c.fault))
			}
			must(t, process(id, kyc.LivenessInput{}))
			out, err := h.Finalize(ctx, p, id, nil)
			must(t, err)
			if out.Verified != c.verified || (c.reason != "" && !slices.Contains(out.Reasons, c.reason)) {
				t.Errorf("outcome %+v, want verified %v, %s", out, c.verified, c.reason)
			}
		})
	}

	t.Run("what a device may do wrong", func(t *testing.T) {
		id, token := begin()
		want(t, process(id, kyc.LivenessInput{}), kyc.CodeLivenessPending)
		want(t, process(id, kyc.LivenessInput{Images: frames(1)}), kyc.CodeInvalid)
		tried, err := sim.Try(token, simulator.Try{Image: stage.Picture()})
		must(t, err)
		want(t, process(id, kyc.LivenessInput{Digest: "another"}), kyc.CodeLivenessProof)
		must(t, process(id, kyc.LivenessInput{Digest: tried.Digest}))
		want(t, process(id, kyc.LivenessInput{}), kyc.CodeLivenessNotStarted)
	})
	t.Run("unreachable at the beginning", func(t *testing.T) {
		id, err := h.CreateSession(ctx, p, kyc.SessionInput{Settings: map[string]any{"liveness_provider": "azure"}})
		must(t, err)
		must(t, h.AddConsent(ctx, p, id, true))
		must(t, sim.Fault(simulator.Fault{Kind: simulator.Throttle, Calls: 20, RetryAfter: 7}))
		_, err = h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{})
		if e := kyc.AsError(err); e == nil || e.Code != kyc.CodeUnavailable || e.RetryAfter < 7*time.Second {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("not configured", func(t *testing.T) {
		plain := stage.Open(t, stage.Options{})
		_, p := plain.Client("plain")
		_, err := plain.CreateSession(ctx, p, kyc.SessionInput{Settings: map[string]any{"liveness_provider": "azure"}})
		want(t, err, kyc.CodeInvalid)
	})
}

// shows makes an analysis that of somebody who does what a step asks for: the head turns about its own axes, and the nose
// stands out before the plane of eyes and mouth.
func shows(step string, a *vision.Analysis) {
	yaw, pitch, happy, mouth := 0.0, 0.0, 0.05, 0.03
	switch step {
	case "turn_left":
		yaw = 24
	case "turn_right":
		yaw = -24
	case "look_up":
		pitch = 20
	case "look_down":
		pitch = -20
	case "smile":
		happy = 0.95
	case "open_mouth":
		mouth = 0.6
	}
	sinY, cosY := math.Sincos(yaw * math.Pi / 180)
	sinP, cosP := math.Sincos(pitch * math.Pi / 180)
	face := &a.Faces[0]
	face.Landmarks = nil
	for _, p := range [5][3]float64{{-0.5, 0, 0}, {0.5, 0, 0}, {0, 0.6, 0.4}, {-0.38, 1.06, 0}, {0.38, 1.06, 0}} {
		y, z := cosP*p[1]-sinP*p[2], sinP*p[1]+cosP*p[2]
		face.Landmarks = append(face.Landmarks, vision.Point{X: 400 + 100*(cosY*p[0]+sinY*z), Y: 500 + 100*y})
	}
	a.Width, a.Height = 800, 1200
	face.Box = vision.Box{X: 300 + int(yaw), Y: 400 - int(pitch), Width: 200, Height: 260}
	face.Pose = &vision.Pose{Yaw: yaw, Pitch: pitch}
	face.Openness = &vision.Openness{RightEye: 0.3, LeftEye: 0.3, Mouth: mouth}
	face.Attributes = &vision.Attributes{Age: 55, Gender: "male", GenderProbability: 0.98, Expressions: map[string]float64{"happy": happy, "neutral": 1 - happy}}
	face.Encoding[10+slices.Index([]string{"", "turn_left", "turn_right", "look_up", "look_down", "smile", "open_mouth"}, step)] = 0.2 // as two pictures differ
	a.Liveness.Score = 0.8                                                                                                             // not so clear that the steps could be skipped
}

// TestActiveLiveness: the steps are asked for, shown, kept and weighed; what does not show them, or shows them in another
// order, does not pass.
func TestActiveLiveness(t *testing.T) {
	ctx := context.Background()
	clock := time.Now()
	h := stage.Open(t, stage.Options{Now: func() time.Time { clock = clock.Add(time.Millisecond); return clock }})
	_, p := h.Client("active")
	cases := []struct {
		name     string
		see      func(step string, a *vision.Analysis)
		verified bool
		reason   string
		hint     string
	}{
		{"as asked", shows, true, "", ""},
		{"nothing shown", func(step string, a *vision.Analysis) {
			shows("", a)
			a.Faces[0].Encoding[50+len(step)] = 0.2
		}, false, "liveness_step_not_shown", "step_not_shown"},
		{"somebody else turns", func(step string, a *vision.Analysis) {
			shows(step, a)
			if step != "" {
				a.Faces[0].Encoding[3] = 1
			}
		}, false, "liveness_another_face", ""},
		{"a photograph is tilted", func(step string, a *vision.Analysis) {
			shows(step, a)
			resting := vision.Analysis{Faces: []vision.Face{{Encoding: make([]float32, 128)}}, Liveness: &vision.Liveness{}}
			shows("", &resting)
			a.Faces[0].Landmarks = resting.Faces[0].Landmarks
		}, false, "liveness_implausible_motion", ""},
		{"steps that were not measured", func(step string, a *vision.Analysis) {
			shows(step, a)
			a.Faces[0].Pose, a.Faces[0].Attributes, a.Faces[0].Openness = nil, nil, nil
		}, false, "liveness_unavailable", ""},
		{"not alive", func(step string, a *vision.Analysis) {
			shows(step, a)
			a.Liveness.Score = 0.1
		}, false, "liveness_failed", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h.See(nil)
			id := h.Given(p, kyc.SessionInput{LivenessMode: "passive_active"})
			h.See(c.see)
			_, err := h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{})
			must(t, err)
			clock = clock.Add(5 * time.Second)
			alone, err := h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Images: frames(1)})
			must(t, err)
			challenge := claims(t, alone.Token) // more is asked for
			clock = clock.Add(5 * time.Second)
			answer, err := h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Token: alone.Token, Images: frames(1 + len(challenge.Steps))})
			must(t, err)
			if hinted := len(answer.Hints) > 0; hinted != (c.hint != "") || (hinted && (answer.Hints[0].Code != c.hint || answer.Token == "")) {
				t.Errorf("answer %+v, want hint %q", answer, c.hint)
			}
			out, err := h.Finalize(ctx, p, id, nil)
			must(t, err)
			if out.Verified != c.verified || (c.reason != "" && !slices.Contains(out.Reasons, c.reason)) {
				t.Errorf("outcome %+v, want verified %v, %s", out, c.verified, c.reason)
			}
		})
	}
}

package main_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kycd/kyc/specimen"
)

// The person of the steps: a face at rest in a photograph of the same package, where it is in the picture, and where eyes,
// nose and mouth are in the cut.
const restingFile = "demo/sample4.jpg"

func restingCut() image.Rectangle  { return image.Rect(504, 0, 1000, 564) }
func restingFace() image.Rectangle { return image.Rect(654, 100, 804, 285) }
func restingHead() specimen.Head {
	return specimen.Head{
		RightEye: specimen.Point{X: 204, Y: 151}, LeftEye: specimen.Point{X: 274, Y: 190}, Nose: specimen.Point{X: 207, Y: 200},
		RightMouth: specimen.Point{X: 168, Y: 228}, LeftMouth: specimen.Point{X: 236, Y: 260},
	}
}

// sitting is a photograph of a person, which can be made to show a step.
type sitting struct{ picture *image.RGBA }

func newSitting(t testing.TB) sitting {
	t.Helper()
	cut := restingCut()
	s := sitting{image.NewRGBA(image.Rect(0, 0, cut.Dx(), cut.Dy()))}
	draw.Draw(s.picture, s.picture.Rect, photo(t, restingFile), cut.Min, draw.Src)
	return s
}

// frame is a picture of the step, or of the resting face. No two are to the bit alike.
func (s sitting) frame(t testing.TB, step string) []byte {
	t.Helper()
	var shown *image.RGBA
	var err error
	switch head := restingHead(); step {
	case "":
		shown = s.picture
	case "turn_left":
		shown, err = specimen.TurnHead(s.picture, head, 30, 0)
	case "turn_right":
		shown, err = specimen.TurnHead(s.picture, head, -30, 0)
	case "look_up":
		shown, err = specimen.TurnHead(s.picture, head, 0, 28)
	case "look_down":
		shown, err = specimen.TurnHead(s.picture, head, 0, -28)
	case "smile":
		shown, err = specimen.Smile(s.picture, head, 1)
	case "open_mouth":
		shown, err = specimen.OpenMouth(s.picture, head, 1)
	default:
		t.Fatalf("nobody can show %q", step)
	}
	if err != nil {
		t.Fatal(err)
	}
	grainy := *shown
	grainy.Pix = slices.Clone(shown.Pix)
	for i := range grainy.Pix {
		if i%4 != 3 {
			grainy.Pix[i] = uint8(min(max(int(grainy.Pix[i])+rand.IntN(3)-1, 0), 255))
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, &grainy, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// stepsOf reads a challenge as an SDK does.
func stepsOf(t testing.TB, token string) []string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no challenge: %q", token)
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	var challenge struct{ Steps []string }
	if err == nil {
		err = json.Unmarshal(claims, &challenge)
	}
	if err != nil || len(challenge.Steps) != 3 {
		t.Fatalf("challenge %s: %v", claims, err)
	}
	return challenge.Steps
}

// TestActiveSteps leads a person through the steps with the true networks. The frames are drawn from one photograph, since
// nobody sits for this test; docs/liveness.md says what that means.
func TestActiveSteps(t *testing.T) {
	t.Parallel()
	programPath(t, "kycd-vision")
	person := newSitting(t)
	p := newPlace(t)
	made := p.newClient(t, "Acme")
	server := p.serve(t).ready(t)
	backend := server.backend(t, made)

	// Nobody is so clearly alive that no step is asked for.
	request, err := http.NewRequest(http.MethodGet, server.url()+"/v2/idv/weights?client_id="+made.ClientID, nil)
	var weights object
	backend.send(request, err).must(t, "weights", &weights)
	weights["passive_active_skip_tolerance"] = 1
	weights["client_id"] = made.ClientID
	for name := range weights {
		if !strings.HasSuffix(name, "_tolerance") && !strings.HasSuffix(name, "_weight") && name != "client_id" {
			delete(weights, name)
		}
	}
	body, err := json.Marshal(weights)
	if err != nil {
		t.Fatal(err)
	}
	request, err = http.NewRequest(http.MethodPut, server.url()+"/v2/idv/weights", bytes.NewReader(body))
	if err == nil {
		request.Header.Set("Content-Type", "application/json")
	}
	backend.send(request, err).must(t, "weights", nil)

	portrait, err := specimen.HeadAndShoulders(photo(t, restingFile), restingFace())
	if err != nil {
		t.Fatal(err)
	}
	type answered struct {
		Token string
		Hints []struct {
			Image int
			Code  string
		}
	}
	for i, c := range []struct {
		name     string
		frames   func(steps []string) []string // the steps that are shown
		verified bool
		hint     string
		reason   string
	}{
		{"as asked", func(steps []string) []string { return steps }, true, "", ""},
		{"in another order", func(steps []string) []string { return []string{steps[1], steps[2], steps[0]} }, false, "step_not_shown", "liveness_step_not_shown"},
		{"a resting face each time", func(steps []string) []string { return []string{"", "", ""} }, false, "step_not_shown", "liveness_step_not_shown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			session := backend.newSession(t, object{"liveness_mode": "passive_active"})
			device := backend.device(t, made, session)
			licence, _ := licenceOf(t, portrait, 60+uint64(i))
			device.consent(session, true).must(t, "consent", nil)
			device.kindOf(session, licence.kind).must(t, "document type", nil)
			device.upload("front", session, licence.front, "front.jpg").must(t, "front", nil)
			device.upload("back", session, licence.back, "back.jpg").must(t, "back", nil)

			var given, more, last answered
			device.generate(session).must(t, "generate", &given)
			device.process(session, person.frame(t, "")).must(t, "the passive frame alone", &more)
			if len(more.Hints) > 0 {
				t.Fatalf("hints on a resting face: %v", more.Hints)
			}
			steps := stepsOf(t, more.Token)
			frames := [][]byte{person.frame(t, "")}
			for _, step := range c.frames(steps) {
				frames = append(frames, person.frame(t, step))
			}
			time.Sleep(time.Second) // no person is faster
			device.process(session, frames...).must(t, fmt.Sprintf("the frames of %v", steps), &last)
			hinted := slices.ContainsFunc(last.Hints, func(h struct {
				Image int
				Code  string
			}) bool {
				return h.Code == c.hint
			})
			if (c.hint == "") != (len(last.Hints) == 0) || (c.hint != "" && !hinted) {
				t.Errorf("steps %v: hints %v, want %q", steps, last.Hints, c.hint)
			}
			out := device.decided(t, backend, session, 60*time.Second)
			if out.Verified != c.verified || (c.reason != "" && !slices.Contains(out.Reasons, c.reason)) {
				t.Errorf("steps %v: %+v, want verified %v, %s", steps, out, c.verified, c.reason)
			}
			// The next frames are drawn from the same photograph, and would be taken for copies of these.
			backend.post("/v2/idv/session/anonymize", object{"session_id": session}).must(t, "anonymize", nil)
		})
	}
}

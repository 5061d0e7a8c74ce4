package main_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// badPicture is something that is no picture to work with, and what is said to whoever sends it.
type badPicture struct {
	what, name string
	bytes      []byte
	status     int
	code       string
}

func badPictures(t testing.TB) []badPicture {
	t.Helper()
	whole := photograph(t)
	return []badPicture{
		{"no bytes", "front.jpg", []byte{}, 400, "image_empty"},
		{"20 MB", "front.jpg", append(slices.Clone(whole), make([]byte, 20<<20)...), 413, "image_too_large"},
		{"just over 15 MiB", "front.jpg", append(slices.Clone(whole), make([]byte, 15<<20-len(whole)+1)...), 413, "image_too_large"},
		{"a JPEG cut off", "front.jpg", whole[:len(whole)/2], 422, "image_truncated"},
		{"a JPEG's first bytes", "front.jpg", whole[:2], 422, "image_truncated"},
		{"text under the name of a JPEG", "front.jpg", []byte("This is not a picture.\n"), 415, "image_unsupported"},
		{"a program under the name of a JPEG", "front.jpg", append([]byte("\x7fELF"), make([]byte, 1000)...), 415, "image_unsupported"},
		{"a PNG of 50 gigapixels", "front.png", hugePNG(250_000, 200_000), 413, "image_too_many_pixels"},
		{"a PNG whose size overflows 32 bits", "front.png", hugePNG(65_536, 65_536), 413, "image_too_many_pixels"},
		{"an animated WebP", "front.webp", animatedWebP(), 422, "image_animated"},
		{"a GIF", "front.gif", []byte("GIF89a\x40\x00\x40\x00\x00\x00\x00;"), 415, "image_unsupported"},
		{"a picture of one pixel", "front.png", hugePNG(1, 1), 422, "image_too_small"},
	}
}

// photograph is a small JPEG of nothing.
func photograph(t testing.TB) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 320, 240))
	for i := range m.Pix {
		m.Pix[i] = byte(i * 7)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hugePNG is a PNG in good order that promises width × height pixels and holds a few bytes.
func hugePNG(width, height uint32) []byte {
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	return bytes.Join([][]byte{
		[]byte("\x89PNG\r\n\x1a\n"),
		pngChunk("IHDR", string(header)+"\x08\x02\x00\x00\x00"),
		pngChunk("IDAT", "\x78\x9c\x63\x60\x60\x60\x00\x00\x00\x04\x00\x01"),
		pngChunk("IEND", ""),
	}, nil)
}

// animatedWebP is a WebP of 64 × 64 pixels with the flag, the header and a frame of an animation.
func animatedWebP() []byte {
	chunk := func(kind, body string) string {
		return kind + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) + body
	}
	body := "WEBP" + chunk("VP8X", "\x02\x00\x00\x00\x3f\x00\x00\x3f\x00\x00") + chunk("ANIM", "\x00\x00\x00\x00\x00\x00") +
		chunk("ANMF", strings.Repeat("\x00", 16)+chunk("VP8L", "\x2f\x3f\xc0\x0f\x00\x00"))
	return []byte(chunk("RIFF", body))
}

// By how much a process may grow while it refuses things: for good, and while it holds the largest body that a
// request may have, 40 MiB, and its copies.
const (
	mostGrowth = 200 << 20
	mostPeak   = 300 << 20
)

// TestBadInput sends what must be refused, and looks whether both processes stand still meanwhile.
func TestBadInput(t *testing.T) {
	t.Parallel()
	programPath(t, "kycd-vision")
	p := newPlace(t)
	made, other := p.newClient(t, "Acme"), p.newClient(t, "Somebody else")
	server := p.serve(t).ready(t)
	backend := server.backend(t, made)

	// What a process needs for anything at all does not count: one good picture goes first.
	warm := backend.newSession(t, object{})
	backend.consent(warm, true).must(t, "consent", nil)
	backend.kindOf(warm, "driver_license").must(t, "document type", nil)
	backend.upload("front", warm, photograph(t), "front.jpg").must(t, "a good picture", nil)
	eventually(t, 30*time.Second, "it was analysed", func() bool {
		return strings.Contains(historyOf(t, backend, warm), "image_analysed")
	})
	vision := server.vision(t)
	before := map[int]memory{server.pid(): memoryOf(t, server.pid()), vision: memoryOf(t, vision)}

	refusesWithoutConsent(t, backend, made.ClientID)
	foreign(t, backend, backend, "0190a5e4-0000-7000-8000-000000000000", photograph(t))
	foreign(t, backend, backend, "' OR 1=1 --", photograph(t))
	foreign(t, server.backend(t, other), server.backend(t, other), warm, photograph(t))

	session := backend.newSession(t, object{})
	device := backend.device(t, made, session)
	device.consent(session, true).must(t, "consent", nil)
	refusesIncomplete(t, device, session)
	device.upload("front", session, photograph(t), "front.jpg").refused(t, "a front before the document type", 409, "document_type_required")
	device.kindOf(session, "passport").must(t, "document type", nil)
	device.upload("back", session, photograph(t), "back.jpg").refused(t, "a passport's back", 409, "document_side_not_expected")
	device.kindOf(session, "driver_license").must(t, "document type", nil)
	device.process(session, photograph(t)).refused(t, "frames without a challenge", 409, "liveness_not_started")
	refusesPictures(t, device, session)
	refusesBodies(t, device, session)

	for _, event := range []string{"document_front_given", "document_back_given", "liveness_processed", "image_analysed", "finalize_requested"} {
		if history := historyOf(t, backend, session); strings.Contains(history, event) {
			t.Errorf("something that was refused was taken, %s: %s", event, history)
		}
	}
	backend.post("/v2/idv/document/download", object{"session_id": session, "storage_file_type_e": "driver_license_front"}).
		refused(t, "the download of what was refused", 404, "not_found")
	if kept, err := filepath.Glob(filepath.Join(p.data, "*", "sessions", session, "*")); err != nil || len(kept) > 0 {
		t.Errorf("files of refused pictures stay: %v, %v", kept, err)
	}

	if now := server.vision(t); now != vision {
		t.Errorf("the sidecar is process %d now, and was %d", now, vision)
	}
	for pid, m := range before {
		now := memoryOf(t, pid)
		t.Logf("process %d: %d MB, was %d MB; at most %d MB, was %d MB", pid, now.now>>20, m.now>>20, now.peak>>20, m.peak>>20)
		if now.now-m.now > mostGrowth || now.peak-m.peak > mostPeak {
			t.Errorf("process %d grew", pid)
		}
	}
	// And it works on: what is whole outside and broken inside is the sidecar's to refuse.
	device.upload("front", session, hugePNG(640, 480), "front.png").must(t, "a PNG without its pixels", nil)
	eventually(t, 30*time.Second, "it was looked at", func() bool {
		return strings.Contains(historyOf(t, backend, session), `"code":"image_unreadable"`)
	})
	if now := server.vision(t); now != vision {
		t.Errorf("a broken PNG ended the sidecar: process %d now, was %d", now, vision)
	}
	server.stop(t, stopWithin)
}

// historyOf is a session's history as JSON.
func historyOf(t testing.TB, backend caller, session string) string {
	t.Helper()
	a := backend.post("/v2/idv/session/read", object{"session_id": session})
	a.must(t, "session read", nil)
	_, history, _ := strings.Cut(string(a.body), `"history":`)
	return history
}

// refusesWithoutConsent: only the device's own view of the session is open before the person agreed, and
// after the person refused.
func refusesWithoutConsent(t *testing.T, c caller, clientID string) {
	session := c.newSession(t, object{})
	for _, code := range []string{"consent_required", "consent_refused"} {
		for what, a := range map[string]answer{
			"sdk metadata":      c.post("/v2/idv/sdk/metadata/update", object{"session_id": session, "sdk_metadata": object{}}),
			"document type":     c.kindOf(session, "passport"),
			"document front":    c.upload("front", session, photograph(t), "front.jpg"),
			"document back":     c.upload("back", session, photograph(t), "back.jpg"),
			"liveness generate": c.generate(session),
			"liveness process":  c.process(session, photograph(t)),
			"finalize":          c.finalize(session),
		} {
			a.refused(t, what+", "+code, 409, code)
		}
		c.post("/v2/idv/sdk/session/read", object{"session_id": session}).must(t, "sdk session read, "+code, nil)
		c.consent(session, false).must(t, "a refusal of consent", nil)
	}
}

// refusesIncomplete: finalize names everything that is missing.
func refusesIncomplete(t *testing.T, c caller, session string) {
	a := c.finalize(session)
	a.refused(t, "finalize with nothing uploaded", 409, "incomplete")
	var missing []string
	for _, e := range a.problem().Errors {
		missing = append(missing, e.Pointer)
	}
	if want := []string{"/document_type", "/document_front", "/document_back", "/liveness"}; !slices.Equal(missing, want) {
		t.Errorf("finalize names %v as missing, want %v", missing, want)
	}
}

func refusesPictures(t *testing.T, c caller, session string) {
	c.upload("front", session, nil, "").refused(t, "no picture", 400, "image_missing")
	c.process(session).refused(t, "no frame", 400, "image_missing")
	for _, bad := range badPictures(t) {
		for _, side := range []string{"front", "back"} {
			c.upload(side, session, bad.bytes, bad.name).refused(t, side+": "+bad.what, bad.status, bad.code)
		}
		c.generate(session).must(t, "liveness generate", nil)
		a := c.process(session, bad.bytes)
		a.refused(t, "frame: "+bad.what, bad.status, bad.code)
		if errors := a.problem().Errors; len(errors) != 1 || errors[0].Pointer != "/images/0" {
			t.Errorf("frame: %s: the answer points to %v", bad.what, errors)
		}
	}
}

// refusesBodies: what is no request at all.
func refusesBodies(t *testing.T, c caller, session string) {
	send := func(path, kind, body string) answer {
		request, err := http.NewRequest(http.MethodPost, c.url+path, strings.NewReader(body))
		if err == nil {
			request.Header.Set("Content-Type", kind)
		}
		return c.send(request, err)
	}
	const front, process = "/v2/idv/sdk/document/front/add", "/v2/idv/sdk/liveness/process"
	frame := fmt.Sprintf(`{"session_id":%q,"latitude":1,"longitude":1,"images":[%%q]}`, session)
	for _, bad := range []struct {
		what, path, kind, body string
		status                 int
		code                   string
	}{
		{"JSON where a form is due", front, "application/json", `{}`, 415, "unsupported_media_type"},
		{"a form cut off", front, "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"session_id\"\r\n\r\n" + session, 400, "invalid_request"},
		{"a form without a boundary", front, "multipart/form-data", "x", 400, "invalid_request"},
		{"no JSON", process, "application/json", `{"session_id":`, 400, "invalid_request"},
		{"nested JSON", process, "application/json", strings.Repeat("[", 100_000), 400, "invalid_request"},
		{"no base64", process, "application/json", fmt.Sprintf(frame, "%%%"), 400, "invalid_request"},
		{"60 MB of JSON", process, "application/json", fmt.Sprintf(frame, base64.StdEncoding.EncodeToString(make([]byte, 45<<20))), 413, "image_too_large"},
	} {
		send(bad.path, bad.kind, bad.body).refused(t, bad.what, bad.status, bad.code)
	}
}

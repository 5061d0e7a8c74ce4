package rest

import (
	"bytes"
	"encoding/base64"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"kycd/kyc"
	"kycd/kyc/auth"
)

func TestUpload(t *testing.T) {
	good := func() map[string]string {
		return map[string]string{"session_id": "s", "latitude": "52.5", "longitude": "-13.25"}
	}
	with := func(name, text string) map[string]string {
		fields := good()
		fields[name] = text
		return fields
	}
	without := func(name string) map[string]string {
		fields := good()
		delete(fields, name)
		return fields
	}
	picture := []byte("picture\x00\r\n--x")
	for _, c := range []struct {
		name    string
		fields  map[string]string
		image   []byte
		status  int
		code    string
		pointer string
	}{
		{"good", good(), picture, 200, "", ""},
		{"empty image is for the rules", good(), []byte{}, 200, "", ""},
		{"more fields", with("device", "x"), picture, 200, "", ""},
		{"exponent", with("latitude", "1e-7"), picture, 200, "", ""},
		{"edge", with("longitude", "-180"), picture, 200, "", ""},
		{"no image", good(), nil, 400, "image_missing", "/image"},
		{"no session", without("session_id"), picture, 400, "invalid_request", "/session_id"},
		{"empty session", with("session_id", ""), picture, 400, "invalid_request", "/session_id"},
		{"no latitude", without("latitude"), picture, 400, "invalid_request", "/latitude"},
		{"empty longitude", with("longitude", ""), picture, 400, "invalid_request", "/longitude"},
		{"words", with("latitude", "north"), picture, 400, "invalid_request", "/latitude"},
		{"too far north", with("latitude", "90.0001"), picture, 400, "invalid_request", "/latitude"},
		{"too far west", with("longitude", "-181"), picture, 400, "invalid_request", "/longitude"},
		{"NaN", with("latitude", "NaN"), picture, 400, "invalid_request", "/latitude"},
		{"infinite", with("longitude", "Inf"), picture, 400, "invalid_request", "/longitude"},
		{"overflow", with("longitude", "1e400"), picture, 400, "invalid_request", "/longitude"},
		{"long field", with("session_id", strings.Repeat("x", maxFieldBytes+1)), picture, 400, "invalid_request", "/session_id"},
		{"largest image", good(), make([]byte, maxImageBytes), 200, "", ""},
		{"too large image", good(), make([]byte, maxImageBytes+1), 413, "image_too_large", "/image"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var side string
			var place kyc.Place
			var image []byte
			a := newTestAPI(t, &fake{addDocument: func(_ auth.Principal, id, s string, p kyc.Place, b []byte) error {
				side, place, image = s, p, b
				return nil
			}}, wellProbe())
			contentType, body := form(t, c.fields, c.image)
			r := request(http.MethodPost, "/v2/idv/sdk/document/back/add", contentType, body)
			r.RemoteAddr = "[::ffff:192.0.2.7]:4711"
			w := a.do(r)
			if w.Code != c.status {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if c.status == 200 {
				if side != "back" || !bytes.Equal(image, c.image) || image == nil || place.IP != "192.0.2.7" || math.IsNaN(place.Latitude) {
					t.Errorf("side %s, %d bytes, place %+v", side, len(image), place)
				}
				if strings.TrimSpace(w.Body.String()) != `{"attempts":1,"hints":[]}` {
					t.Errorf("body %s", w.Body)
				}
				return
			}
			if side != "" {
				t.Error("the rules were called")
			}
			if p := problemOf(t, w); p.Code != c.code || !hasPointer(p.Errors, c.pointer) {
				t.Errorf("body %s", w.Body)
			}
		})
	}
}

func TestBrokenUploads(t *testing.T) {
	contentType, body := form(t, map[string]string{"session_id": "s", "latitude": "1", "longitude": "1"}, []byte("picture"))
	repeated := strings.Replace(body, `name="longitude"`, `name="latitude"`, 1)
	boundary := strings.TrimPrefix(contentType, mediaMultipart+"; boundary=")
	var many strings.Builder
	for range maxParts + 1 {
		many.WriteString("--" + boundary + "\r\nContent-Disposition: form-data; name=\"f" + string(rune('a'+many.Len()%26)) + strings.Repeat("x", many.Len()/100) + "\"\r\n\r\nx\r\n")
	}
	for name, c := range map[string]struct{ contentType, body string }{
		"cut off":     {contentType, body[:len(body)-20]},
		"cut header":  {contentType, body[:60]},
		"no boundary": {mediaMultipart, body},
		"other":       {mediaMultipart + "; boundary=zzz", body},
		"repeated":    {contentType, repeated},
		"many parts":  {contentType, many.String() + "--" + boundary + "--\r\n"},
		"nonsense":    {contentType, "nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newTestAPI(t, &fake{addDocument: func(auth.Principal, string, string, kyc.Place, []byte) error {
				t.Error("the rules were called")
				return nil
			}}, wellProbe())
			w := a.do(request(http.MethodPost, "/v2/idv/sdk/document/front/add", c.contentType, c.body))
			if p := problemOf(t, w); w.Code != 400 || p.Code != "invalid_request" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

// TestLargeBodiesCostNothing sends bodies that are too large, with and without saying so, and looks at what
// was read and what was allocated.
func TestLargeBodiesCostNothing(t *testing.T) {
	a := newTestAPI(t, plainService(), wellProbe())
	contentType, start := form(t, map[string]string{"session_id": "s", "latitude": "1", "longitude": "1"}, []byte{})
	start = start[:strings.LastIndex(start, "\r\n--")]
	for _, c := range []struct {
		name              string
		path, contentType string
		start             string
		length            int64 // -1: chunked
		code              string
		mayRead, mayAlloc int64
	}{
		{"20 MB upload", "/v2/idv/sdk/document/front/add", contentType, start, 20 << 20, "image_too_large", 0, 1 << 20},
		{"endless upload", "/v2/idv/sdk/document/front/add", contentType, start, -1, "image_too_large", maxImageBytes + 1<<20, 80 << 20},
		{"60 MB of frames", "/v2/idv/sdk/liveness/process", mediaJSON, `{"session_id":"s","images":["`, 60 << 20, "image_too_large", 0, 1 << 20},
		{"large JSON", "/v2/idv/session/create", mediaJSON, `{"metadata":{"k":"`, 1 << 20, "payload_too_large", 0, 1 << 20},
		{"endless JSON", "/v2/idv/session/create", mediaJSON, `{"metadata":{"k":"`, -1, "payload_too_large", 128 << 10, 1 << 20},
		{"endless form", "/oauth2/token", mediaForm, `grant_type=`, -1, "", 128 << 10, 1 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := &endless{}
			r := request(http.MethodPost, c.path, c.contentType, "x")
			r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(c.start), body)), c.length
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			w := a.do(r)
			runtime.ReadMemStats(&after)
			if w.Code != http.StatusRequestEntityTooLarge {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if c.code != "" && problemOf(t, w).Code != c.code {
				t.Errorf("body %s", w.Body)
			}
			if body.n > c.mayRead {
				t.Errorf("%d bytes were read", body.n)
			}
			if got := int64(after.TotalAlloc - before.TotalAlloc); got > c.mayAlloc {
				t.Errorf("%d bytes were allocated", got)
			}
		})
	}
}

// TestUploadIsHeldOnce: an upload that says its size takes memory for itself once.
func TestUploadIsHeldOnce(t *testing.T) {
	a := newTestAPI(t, &fake{}, wellProbe())
	contentType, body := form(t, map[string]string{"session_id": "s", "latitude": "1", "longitude": "1"}, make([]byte, 10<<20))
	r := request(http.MethodPost, "/v2/idv/sdk/document/front/add", contentType, body)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w := a.do(r)
	runtime.ReadMemStats(&after)
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 12<<20 {
		t.Errorf("%d bytes were allocated for 10 MiB", got)
	}
}

func TestLivenessFrames(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	for _, c := range []struct {
		name    string
		images  string
		want    []string
		status  int
		code    string
		pointer string
	}{
		{"none", ``, nil, 200, "", ""},
		{"two", `,"images":["` + b64([]byte("one")) + `","` + b64([]byte("two")) + `"]`, []string{"one", "two"}, 200, "", ""},
		{"data URL", `,"images":["data:image/jpeg;base64,` + b64([]byte("one")) + `"]`, []string{"one"}, 200, "", ""},
		{"escaped", `,"images":["\u0062\/8="]`, []string{"o\xff"}, 200, "", ""},
		{"empty is for the rules", `,"images":[""]`, []string{""}, 200, "", ""},
		{"no base64", `,"images":["` + b64([]byte("one")) + `","***"]`, nil, 400, "invalid_request", "/images/1"},
		{"six", `,"images":["","","","","",""]`, nil, 400, "invalid_request", "/images"},
		{"too large", `,"images":["","` + strings.Repeat("AAAA", maxImageBytes/3+1) + `"]`, nil, 413, "image_too_large", "/images/1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got [][]byte
			a := newTestAPI(t, &fake{processLiveness: func(_ auth.Principal, _ kyc.SessionKind, _ string, _ kyc.Place, in kyc.LivenessInput) (kyc.LivenessAnswer, error) {
				got = in.Images
				return kyc.LivenessAnswer{Token: "next"}, nil
			}}, wellProbe())
			w := a.do(jsonRequest("/v2/idv/sdk/liveness/process", `{"session_id":"s","latitude":1,"longitude":1`+c.images+`}`))
			if w.Code != c.status {
				t.Fatalf("status %d: %.300s", w.Code, w.Body)
			}
			if c.status != 200 {
				if p := problemOf(t, w); p.Code != c.code || !hasPointer(p.Errors, c.pointer) {
					t.Errorf("body %s", w.Body)
				}
				return
			}
			if len(got) != len(c.want) {
				t.Fatalf("%d images", len(got))
			}
			for i := range got {
				if string(got[i]) != c.want[i] {
					t.Errorf("image %d is %q", i, got[i])
				}
			}
		})
	}
}

// TestMemberNamesAreExact: a name in another case must not get past validation into a field.
func TestMemberNamesAreExact(t *testing.T) {
	a := newTestAPI(t, &fake{readSession: func(_ auth.Principal, _ kyc.SessionKind, id string) (kyc.Session, error) {
		return kyc.Session{ID: id}, nil
	}}, wellProbe())
	w := a.do(jsonRequest("/v2/idv/session/read", `{"session_id":"right","SESSION_ID":7}`))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"session_id":"right"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := a.do(jsonRequest("/v2/idv/session/read", `{"Session_Id":"wrong"}`)); w.Code != 400 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestCompressedBodyIsRefused(t *testing.T) {
	a := newTestAPI(t, &fake{}, wellProbe())
	for coding, want := range map[string]int{"gzip": 415, "br": 415, "identity": 200} {
		r := jsonRequest("/v2/idv/session/read", `{"session_id":"x"}`)
		r.Header.Set("Content-Encoding", coding)
		if w := a.do(r); w.Code != want {
			t.Errorf("%s: %d %s", coding, w.Code, w.Body)
		}
	}
}

func TestBodyBudget(t *testing.T) {
	b := newBudget(10)
	if !b.acquire(t.Context(), 6, 0) || b.acquire(t.Context(), 6, time.Millisecond) {
		t.Fatal("a budget of 10 gave 6 twice, or not once")
	}
	b.release(6)
	if !b.acquire(t.Context(), 10, 0) {
		t.Fatal("what was given back is gone")
	}
}

// TestBudgetIsGivenBack sends more large bodies, good and bad, than the budget holds at once.
func TestBudgetIsGivenBack(t *testing.T) {
	a := newTestAPI(t, failing(func() error { panic("in the middle") }), wellProbe())
	contentType, body := form(t, map[string]string{"session_id": "s", "latitude": "1", "longitude": "1"}, []byte("x"))
	for i := range 2 * maxBodiesInFlight / (15 << 20) {
		r := request(http.MethodPost, "/v2/idv/sdk/document/front/add", contentType, body)
		r.ContentLength = -1 // counts as the most there can be
		if w := a.do(r); w.Code != 500 {
			t.Fatalf("request %d: %d %s", i, w.Code, w.Body)
		}
	}
}

// TestOversizeOverTheWire sends 20 MB to a real server and wants the answer, not a broken connection.
func TestOversizeOverTheWire(t *testing.T) {
	server := httptest.NewServer(newTestAPI(t, &fake{}, wellProbe()))
	defer server.Close()
	contentType, body := form(t, map[string]string{"session_id": "s", "latitude": "1", "longitude": "1"}, make([]byte, 20<<20))
	r, err := http.NewRequest(http.MethodPost, server.URL+"/v2/idv/sdk/document/front/add", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", "Bearer x")
	r.Header.Set("X-Client-Id", testClient)
	r.Header.Set("Expect", "100-continue")
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: 5 * time.Second}}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", answer.StatusCode)
	}
}

func FuzzUpload(f *testing.F) {
	contentType, body := form(f, map[string]string{"session_id": "s", "latitude": "1", "longitude": "1"}, []byte("picture"))
	f.Add(contentType, body)
	f.Add(mediaMultipart+"; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n\r\n--x--")
	a := newTestAPI(f, &fake{}, wellProbe())
	f.Fuzz(func(t *testing.T, contentType, body string) {
		a.log.Reset()
		r := request(http.MethodPost, "/v2/idv/sdk/document/front/add", "", body)
		r.Header["Content-Type"] = []string{contentType}
		if w := a.do(r); w.Code >= 500 || w.Code < 200 {
			t.Errorf("status %d", w.Code)
		}
	})
}

func FuzzJSON(f *testing.F) {
	f.Add(`{"take":1,"skip":2,"identity_id":["a"],"client_id":"b","start_date":"2024-01-02","metadata":{"a":[1]}}`)
	f.Add(`{"status":null,"end_date":null}`)
	f.Add(`{"take":1e400}`)
	a := newTestAPI(f, &fake{}, wellProbe())
	f.Fuzz(func(t *testing.T, body string) {
		a.log.Reset()
		if w := a.do(jsonRequest("/v2/idv/session/list", body)); w.Code >= 500 || w.Code < 200 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	})
}

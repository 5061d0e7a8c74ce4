package simulator

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	key     = "simulated"
	device  = "7b3f1c52-9d0e-4a6b-8f21-00000000beef"
	passive = `{"livenessOperationMode":"Passive","deviceCorrelationId":"` + device + `"}`
	plain   = "/face/v1.2/detectLiveness-sessions"
	verify  = "/face/v1.2/detectLivenessWithVerify-sessions"
	jpg     = "\xff\xd8\xffpicture"
)

// clock moves when it is told to, and when somebody waits.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

func newSimulator(t *testing.T, change func(*Config)) (*Simulator, *clock) {
	t.Helper()
	c := &clock{now: time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)}
	config := Config{Key: key, Bearer: "entra", Seed: []byte("seed"), Now: c.Now, Sleep: c.Sleep}
	if change != nil {
		change(&config)
	}
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// call sends a request with the key and gives status, header and body.
func call(s http.Handler, method, path, contentType, body string) (int, http.Header, string) {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("Ocp-Apim-Subscription-Key", key)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Header(), recorder.Body.String()
}

// create gives the session of an answer with status 200.
func create(t *testing.T, s http.Handler, path, contentType, body string) sessionBody {
	t.Helper()
	status, _, answer := call(s, "POST", path, contentType, body)
	var session sessionBody
	if err := json.Unmarshal([]byte(answer), &session); err != nil || status != 200 {
		t.Fatalf("%d %s, %v", status, answer, err)
	}
	return session
}

// field is a part of a form; a file has a name.
type field struct{ name, filename, value string }

func form(fields ...field) (contentType, body string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range fields {
		header := textproto.MIMEHeader{}
		disposition := fmt.Sprintf(`form-data; name=%q`, f.name)
		if f.filename != "" {
			disposition += fmt.Sprintf(`; filename=%q`, f.filename)
		}
		header.Set("Content-Disposition", disposition)
		part, _ := w.CreatePart(header)
		io.WriteString(part, f.value)
	}
	w.Close()
	return w.FormDataContentType(), b.String()
}

func needed(more ...field) []field {
	return append([]field{{"livenessOperationMode", "", "Passive"}, {"deviceCorrelationId", "", device}}, more...)
}

// The answers have the shape of the documented ones: the same names, in the same places.
func TestShapes(t *testing.T) {
	s, _ := newSimulator(t, nil)
	contentType, body := form(needed(field{"verifyImage", "a.jpg", jpg}, field{"enableSessionImage", "", "true"}, field{"returnVerifyImageHash", "", "true"})...)
	session := create(t, s, verify, contentType, body)
	if _, err := s.Try(session.AuthToken, Try{Script: Script{Outcome: Fails}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Try(session.AuthToken, Try{}); err != nil {
		t.Fatal(err)
	}
	status, header, got := call(s, "GET", verify+"/"+session.SessionID, "", "")
	uuid := regexp.MustCompile(`"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"`)
	hash := regexp.MustCompile(`"[0-9A-F]{64}"`)
	got = strings.ReplaceAll(hash.ReplaceAllString(uuid.ReplaceAllString(got, `"UUID"`), `"HASH"`), session.AuthToken, "TOKEN")
	rectangle := `{"color":{"faceRectangle":{"top":669,"left":203,"width":646,"height":724}}}`
	want := `{"sessionId":"UUID","authToken":"TOKEN","status":"Succeeded","modelVersion":"2024-11-15","results":{"attempts":[` +
		`{"attemptId":2,"attemptStatus":"Succeeded","result":{"livenessDecision":"realface","targets":` + rectangle + `,"digest":"HASH","sessionImageId":"UUID",` +
		`"verifyResult":{"matchConfidence":0.92,"isIdentical":true},"verifyImageHash":"HASH"}},` +
		`{"attemptId":1,"attemptStatus":"Failed","error":{"code":"FaceWithMaskDetected","message":"so it was set","targets":` + rectangle + `}}],` +
		`"verifyReferences":[{"referenceType":"Color","faceRectangle":{"top":98,"left":131,"width":233,"height":300},"qualityForRecognition":"high"}]}}` + "\n"
	if status != 200 || got != want || !strings.HasPrefix(header.Get("Content-Type"), "application/json") || !isGUID(header.Get("Apim-Request-Id")) {
		t.Errorf("%d %v\n%s\nwant\n%s", status, header, got, want)
	}
	if parts := strings.Split(session.AuthToken, "."); len(parts) != 3 || !strings.HasPrefix(parts[0], "eyJ") {
		t.Errorf("token %s", session.AuthToken)
	}

	status, header, got = call(s, "POST", plain, "application/json", `{}`)
	if status != 400 || header.Get("X-Ms-Error-Code") != "BadArgument" || got != `{"error":{"code":"BadArgument","message":"livenessOperationMode must be Passive or PassiveActive"}}`+"\n" {
		t.Errorf("%d %v %s", status, header, got)
	}

	_, _, got = call(s, "POST", plain, "application/json", passive)
	if !strings.Contains(got, `"status":"NotStarted"`) || !strings.Contains(got, `"results":{"attempts":[]}`) {
		t.Errorf("liveness only: %s", got)
	}
	_, _, got = call(s, "POST", verify, "application/json", passive)
	if !strings.Contains(got, `"results":{"attempts":[],"verifyReferences":[]}`) {
		t.Errorf("an image to come: %s", got)
	}
}

func TestAuthentication(t *testing.T) {
	s, _ := newSimulator(t, nil)
	bare, _ := newSimulator(t, func(c *Config) { c.Key = "" })
	for _, tt := range []struct {
		handler http.Handler
		name    string
		value   string
		want    int
	}{
		{s, "Ocp-Apim-Subscription-Key", key, 200}, {s, "Authorization", "Bearer entra", 200},
		{s, "Ocp-Apim-Subscription-Key", "", 401}, {s, "Ocp-Apim-Subscription-Key", "simulate", 401}, {s, "Ocp-Apim-Subscription-Key", "entra", 401},
		{s, "Authorization", "Bearer " + key, 401}, {s, "Authorization", "Bearer ", 401}, {s, "X-Nothing", "x", 401},
		{bare, "Authorization", "Bearer entra", 200}, {bare, "Ocp-Apim-Subscription-Key", "", 401},
	} {
		for _, path := range []string{plain, "/simulator/next"} {
			body := passive
			if path != plain {
				body = "{}"
			}
			request := httptest.NewRequest("POST", path, strings.NewReader(body))
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set(tt.name, tt.value)
			recorder := httptest.NewRecorder()
			tt.handler.ServeHTTP(recorder, request)
			if recorder.Code != tt.want {
				t.Errorf("%s %q at %s: %d", tt.name, tt.value, path, recorder.Code)
			}
		}
	}
}

func TestRoutes(t *testing.T) {
	s, _ := newSimulator(t, nil)
	session := create(t, s, plain, "application/json", passive)
	for _, tt := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", plain + "/" + session.SessionID, 200, ""},
		{"GET", "/Face/V1.2/detectliveness-sessions/" + strings.ToUpper(session.SessionID), 200, ""},
		{"GET", verify + "/" + session.SessionID, 404, "SessionNotFound"},
		{"GET", plain + "/" + device, 404, "SessionNotFound"},
		{"GET", plain, 405, "405"},
		{"PUT", plain + "/" + session.SessionID, 405, "405"},
		{"POST", "/face/v1.1-preview.1/detectLiveness/singleModal/sessions", 404, "404"},
		{"POST", "/face/v1.0/detectLiveness-sessions", 404, "404"},
		{"POST", "/face/v1.2/detect", 404, "404"},
		{"GET", "/face/v1.2/sessionImages/none", 404, "SessionImageNotFound"},
		{"POST", "/face/v1.2/sessionImages", 405, "405"},
		{"GET", "/", 404, "404"},
		{"GET", "/simulator/nothing", 404, "404"},
		{"GET", "/simulator", 404, "404"},
		{"DELETE", plain + "/" + session.SessionID, 204, ""},
		{"DELETE", plain + "/" + session.SessionID, 404, "SessionNotFound"},
	} {
		status, header, body := call(s, tt.method, tt.path, "", "")
		if status != tt.status || header.Get("X-Ms-Error-Code") != tt.code {
			t.Errorf("%s %s: %d %v %s", tt.method, tt.path, status, header, body)
		}
	}
}

func TestCreation(t *testing.T) {
	s, _ := newSimulator(t, nil)
	with := func(more string) string { return strings.TrimSuffix(passive, "}") + "," + more + "}" }
	for body, want := range map[string]int{
		passive: 200, strings.Replace(passive, "Passive", "PassiveActive", 1): 200,
		with(`"enableSessionImage":true,"livenessModelVersion":"2025-05-20","authTokenTimeToLiveInSeconds":60`): 200,
		with(`"authTokenTimeToLiveInSeconds":86400`):                                                            200,
		`{"livenessOperationMode":"Passive","deviceCorrelationIdSetInClient":true}`:                             200,
		`{"livenessOperationMode":"Passive","deviceCorrelationIdSetInClient":true,"deviceCorrelationId":null}`:  200,
		``: 400, `null`: 400, `[]`: 400, passive + `{}`: 400, `{"livenessOperationMode":`: 400,
		strings.Replace(passive, "Passive", "passive", 1):  400,
		strings.Replace(passive, "Passive", "Active", 1):   400,
		`{"livenessOperationMode":"Passive"}`:              400,
		strings.Replace(passive, device, "device-1", 1):    400,
		with(`"deviceCorrelationIdSetInClient":true`):      400,
		with(`"livenessModelVersion":"2020-02-15"`):        400,
		with(`"authTokenTimeToLiveInSeconds":59`):          400,
		with(`"authTokenTimeToLiveInSeconds":86401`):       400,
		with(`"authTokenTimeToLiveInSeconds":"600"`):       400,
		with(`"authTokenTimeToLiveInSeconds":60.5`):        400,
		with(`"enableSessionImage":"true"`):                400,
		with(`"EnableSessionImage":true`):                  400,
		with(`"sendResultsToClient":true`):                 400,
		with(`"returnVerifyImageHash":true`):               400,
		with(`"x":"` + strings.Repeat("x", maxJSON) + `"`): 413,
	} {
		status, header, answer := call(s, "POST", plain, "application/json", body)
		if status != want || want != 200 && header.Get("X-Ms-Error-Code") == "" {
			t.Errorf("%.200s: %d %s", body, status, answer)
		}
	}
	for contentType, want := range map[string]int{"": 415, "text/plain": 415, "application/json; charset=utf-8": 200, "multipart/form-data; boundary=x": 415} {
		if status, _, answer := call(s, "POST", plain, contentType, passive); status != want {
			t.Errorf("%s: %d %s", contentType, status, answer)
		}
	}
}

func TestCreationForm(t *testing.T) {
	s, _ := newSimulator(t, nil)
	picture := field{"verifyImage", "a.jpg", jpg}
	for name, tt := range map[string]struct {
		fields []field
		want   int
	}{
		"as documented": {needed(picture), 200},
		"everything": {needed(picture, field{"enableSessionImage", "", "true"}, field{"authTokenTimeToLiveInSeconds", "", "60"}, field{"returnVerifyImageHash", "", "true"},
			field{"verifyConfidenceThreshold", "", "0.7"}, field{"livenessModelVersion", "", "2024-11-15"}), 200},
		"PNG":                       {needed(field{"verifyImage", "a", "\x89PNG\r\n\x1a\n"}), 200},
		"as large as may be":        {needed(field{"verifyImage", "a", jpg + strings.Repeat("a", maxImage-len(jpg))}), 200},
		"no picture":                {needed(), 400},
		"no filename":               {needed(field{"verifyImage", "", jpg}), 400},
		"two pictures":              {needed(picture, picture), 400},
		"the older name":            {needed(field{"VerifyImage", "a.jpg", jpg}), 400},
		"the older form":            {[]field{{"Parameters", "", passive}, picture}, 400},
		"no image":                  {needed(field{"verifyImage", "a.jpg", "text"}), 400},
		"WebP":                      {needed(field{"verifyImage", "a.webp", "RIFF....WEBP"}), 400},
		"too large":                 {needed(field{"verifyImage", "a", jpg + strings.Repeat("a", maxImage)}), 413},
		"twice":                     {needed(picture, field{"deviceCorrelationId", "", device}), 400},
		"a threshold above":         {needed(picture, field{"verifyConfidenceThreshold", "", "1.5"}), 400},
		"a threshold of words":      {needed(picture, field{"verifyConfidenceThreshold", "", "high"}), 400},
		"true in capitals":          {needed(picture, field{"enableSessionImage", "", "True"}), 400},
		"a field of a mile":         {needed(picture, field{"livenessModelVersion", "", strings.Repeat("2", maxField+1)}), 413},
		"more parts than there are": {append(needed(), make([]field, maxParts)...), 400},
	} {
		contentType, body := form(tt.fields...)
		if status, _, answer := call(s, "POST", verify, contentType, body); status != tt.want {
			t.Errorf("%s: %d %s", name, status, answer)
		}
		if tt.want == 200 {
			if status, _, answer := call(s, "POST", verify, contentType, body[:len(body)-20]); status != 400 {
				t.Errorf("%s, cut off: %d %s", name, status, answer)
			}
		}
	}
	if status, _, _ := call(s, "POST", verify, "multipart/form-data", "x"); status != 400 {
		t.Errorf("no boundary: %d", status)
	}
}

// Where the image is to come from the device, it has to; where it does not, it must not.
func TestDeviceBringsImage(t *testing.T) {
	s, _ := newSimulator(t, nil)
	contentType, body := form(needed(field{"verifyImage", "a.jpg", jpg})...)
	given := create(t, s, verify, contentType, body)
	open := create(t, s, verify, "application/json", passive)
	none := create(t, s, plain, "application/json", passive)
	for _, tt := range []struct {
		session sessionBody
		image   string
		want    string // the attempt's error
	}{
		{given, jpg, "SetVerifyImageNotAllowed"}, {given, "", ""}, {open, "", "VerifyImageNotProvided"}, {open, jpg, ""},
	} {
		if tried, err := s.Try(tt.session.AuthToken, Try{VerifyImage: []byte(tt.image)}); err != nil || tried.Error != tt.want {
			t.Errorf("%q: %+v, %v", tt.image, tried, err)
		}
	}
	if _, err := s.Try(none.AuthToken, Try{VerifyImage: []byte(jpg)}); err == nil {
		t.Error("a session without comparison takes an image")
	}
	if _, err := s.Try(open.AuthToken, Try{VerifyImage: []byte("text")}); err == nil {
		t.Error("text is taken as an image")
	}
	left := create(t, s, plain, "application/json", `{"livenessOperationMode":"Passive","deviceCorrelationIdSetInClient":true}`)
	if _, err := s.Try(left.AuthToken, Try{}); err == nil {
		t.Error("the device need not say who it is")
	}
	if _, err := s.Try(left.AuthToken, Try{DeviceCorrelationID: device[:32] + "0001"}); err != nil {
		t.Error(err)
	}
	_, _, answer := call(s, "GET", plain+"/"+left.SessionID, "", "")
	if !strings.Contains(answer, "spoofface") {
		t.Error(answer)
	}
}

// The control addresses do what the methods do.
func TestControl(t *testing.T) {
	s, _ := newSimulator(t, nil)
	if status, _, body := call(s, "POST", "/simulator/next", "", `{"outcome":"spoofface","times":2,"confidence":0.4}`); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	contentType, body := form(needed(field{"verifyImage", "a.jpg", jpg}, field{"enableSessionImage", "", "true"})...)
	for i, want := range []string{`"spoofface"`, `"spoofface"`, `"realface"`, `"uncertain"`} {
		session := create(t, s, verify, contentType, body)
		attempt := ""
		if i == 3 {
			attempt = `{"outcome":"uncertain","image":"` + base64.StdEncoding.EncodeToString([]byte(jpg)) + `"}`
		}
		status, _, told := call(s, "POST", "/simulator/sessions/"+session.AuthToken+"/attempt", "", attempt)
		if status != 200 || !strings.Contains(told, `"status":"Succeeded","digest":"`) || strings.Contains(told, want) {
			t.Errorf("%d %s", status, told)
		}
		_, _, answer := call(s, "GET", verify+"/"+session.SessionID, "", "")
		if !strings.Contains(answer, want) || (i < 2) != strings.Contains(answer, `"matchConfidence":0.4,"isIdentical":false`) {
			t.Error(answer)
		}
		var got sessionBody
		if err := json.Unmarshal([]byte(answer), &got); err != nil {
			t.Fatal(err)
		}
		status, header, image := call(s, "GET", "/face/v1.2/sessionImages/"+got.Results.Attempts[0].Result.SessionImageID, "", "")
		if status != 200 || header.Get("Content-Type") != "application/octet-stream" || (i == 3) != (image == jpg) {
			t.Errorf("%d %v, %d bytes", status, header, len(image))
		}
		if i < 3 {
			if _, err := jpeg.Decode(strings.NewReader(image)); err != nil {
				t.Error(err)
			}
		}
	}
	if status, _, body := call(s, "GET", "/simulator/sessions", "", ""); status != 200 || strings.Count(body, `"with_verify":true,"status":"Succeeded","attempts":1`) != 4 || strings.Contains(body, "eyJ") {
		t.Errorf("%d %s", status, body)
	}
	if status, _, _ := call(s, "POST", "/simulator/reset", "", ""); status != 200 || len(s.Sessions()) != 0 || s.imageBytes != 0 || len(s.images) != 0 {
		t.Errorf("%d after a reset, %d bytes", len(s.Sessions()), s.imageBytes)
	}

	// A device needs its token and no key.
	session := create(t, s, plain, "application/json", passive)
	for name, want := range map[string]int{session.AuthToken: 200, "wrong": 401} {
		recorder := httptest.NewRecorder()
		s.ServeHTTP(recorder, httptest.NewRequest("POST", "/simulator/sessions/"+name+"/attempt", nil))
		if recorder.Code != want {
			t.Errorf("%d, want %d", recorder.Code, want)
		}
	}
	for path, bodies := range map[string][]string{
		"/simulator/next": {`{"outcome":"maybe"}`, `{"times":0}`, `{"times":1001}`, `{"confidence":2}`, `{"delay_ms":-1}`, `{"error":"X"}`, `{"outcome":"realface","error":"X"}`,
			`{"unknown":1}`, `[]`, `{} {}`, `{"delay_ms":9223372036854}`},
		"/simulator/faults": {`{}`, `{"kind":"fire"}`, `{"kind":"status"}`, `{"kind":"status","status":200}`, `{"kind":"throttle","calls":-1}`, `{"kind":"throttle","calls":1001}`,
			`{"kind":"slow","delay_ms":-1}`, `{"kind":"throttle","retry_after":-1}`, `{"kind":"throttle","code":"a\nb"}`},
		"/simulator/sessions/" + session.SessionID + "/attempt": {`{"outcome":"maybe"}`, `{"image":"not base64"}`},
	} {
		for _, body := range bodies {
			if status, header, answer := call(s, "POST", path, "", body); status != 400 || header.Get("X-Ms-Error-Code") != "BadArgument" {
				t.Errorf("%s %s: %d %s", path, body, status, answer)
			}
		}
	}
}

func TestFaults(t *testing.T) {
	s, c := newSimulator(t, nil)
	server := httptest.NewServer(s)
	defer server.Close()
	send := func() (*http.Response, string, error) {
		request, err := http.NewRequest("POST", server.URL+plain, strings.NewReader(passive))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Ocp-Apim-Subscription-Key", key)
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return response, string(body), err
	}
	fault := func(f Fault) {
		if err := s.Fault(f); err != nil {
			t.Fatal(err)
		}
	}
	fault(Fault{Kind: Throttle, RetryAfter: 7})
	if response, body, err := send(); err != nil || response.StatusCode != 429 || response.Header.Get("Retry-After") != "7" || !strings.Contains(body, `"code":"429"`) {
		t.Errorf("throttle: %v, %s, %v", response, body, err)
	}
	fault(Fault{Kind: Answer, Status: 500, Code: "InternalServerError"})
	if response, _, err := send(); err != nil || response.StatusCode != 500 || response.Header.Get("X-Ms-Error-Code") != "InternalServerError" || response.Header.Get("Retry-After") != "" {
		t.Errorf("status: %v, %v", response, err)
	}
	fault(Fault{Kind: Drop})
	if _, _, err := send(); err == nil || len(s.Sessions()) != 0 {
		t.Errorf("drop: %v, %d sessions", err, len(s.Sessions()))
	}
	fault(Fault{Kind: Cut})
	if response, body, err := send(); !errors.Is(err, io.ErrUnexpectedEOF) || response.StatusCode != 200 || body == "" || len(s.Sessions()) != 1 {
		t.Errorf("cut: %v, %q, %v", response, body, err)
	}
	fault(Fault{Kind: Garbage})
	if response, body, err := send(); err != nil || response.StatusCode != 200 || !strings.HasPrefix(body, "<!doctype") {
		t.Errorf("garbage: %v, %q, %v", response, body, err)
	}
	before := c.Now()
	fault(Fault{Kind: Slow, DelayMS: 1500})
	if response, _, err := send(); err != nil || response.StatusCode != 200 || c.Now().Sub(before) != 1500*time.Millisecond {
		t.Errorf("slow: %v, %v", response, err)
	}
	fault(Fault{Kind: Throttle, Calls: 2})
	for _, want := range []int{429, 429, 200} {
		if response, _, err := send(); err != nil || response.StatusCode != want {
			t.Errorf("%v, %v, want %d", response, err, want)
		}
	}
}

// With the same seed and the same calls everything is the same, with another seed nothing.
func TestDeterministic(t *testing.T) {
	play := func(seed string) string {
		s, _ := newSimulator(t, func(c *Config) { c.Seed = []byte(seed) })
		session := create(t, s, plain, "application/json", strings.Replace(passive, "}", `,"enableSessionImage":true}`, 1))
		if _, err := s.Try(session.SessionID, Try{}); err != nil {
			t.Fatal(err)
		}
		_, header, answer := call(s, "GET", plain+"/"+session.SessionID, "", "")
		return header.Get("Apim-Request-Id") + answer
	}
	if a, b := play("a"), play("a"); a != b {
		t.Errorf("%s\n%s", a, b)
	}
	a, b := play("a"), play("b")
	for _, part := range regexp.MustCompile(`[0-9A-Fa-f-]{36,}`).FindAllString(a, -1) {
		if strings.Contains(b, part) {
			t.Errorf("%s is in both", part)
		}
	}
}

// However long it runs, memory stays within its bounds.
func TestBounds(t *testing.T) {
	s, c := newSimulator(t, func(c *Config) { c.Keep = time.Hour })
	var last sessionBody
	for range maxSessions {
		last = create(t, s, plain, "application/json", strings.Replace(passive, "}", `,"enableSessionImage":true}`, 1))
	}
	if status, header, _ := call(s, "POST", plain, "application/json", passive); status != 429 || header.Get("Retry-After") != "60" {
		t.Errorf("one more: %d", status)
	}
	if status, _, _ := call(s, "DELETE", plain+"/"+last.SessionID, "", ""); status != 204 {
		t.Errorf("delete: %d", status)
	}
	create(t, s, plain, "application/json", passive)
	c.Sleep(t.Context(), time.Hour)
	if left := s.Sessions(); len(left) != 0 || len(s.tokens) != 0 || len(s.sessions) != 0 || s.order.Len() != 0 {
		t.Errorf("%d sessions, %d tokens are left", len(left), len(s.tokens))
	}

	frame := append([]byte(jpg), make([]byte, 5<<20)...)
	taken := 0
	for range 20 {
		session := create(t, s, plain, "application/json", strings.Replace(passive, "}", `,"enableSessionImage":true}`, 1))
		if _, err := s.Try(session.AuthToken, Try{Image: frame}); err == nil {
			taken++
		}
	}
	if taken != maxImageTotal/len(frame) || s.imageBytes > maxImageTotal {
		t.Errorf("%d images, %d bytes", taken, s.imageBytes)
	}
	c.Sleep(t.Context(), time.Hour)
	if left := s.Sessions(); len(left) != 0 || s.imageBytes != 0 || len(s.images) != 0 {
		t.Errorf("%d sessions and %d bytes are left", len(left), s.imageBytes)
	}

	if err := s.Next(Script{}, maxScripts); err != nil {
		t.Error(err)
	}
	if err := s.Next(Script{}, 1); err == nil {
		t.Error("scripts without end")
	}
	if err := s.Fault(Fault{Kind: Drop, Calls: maxFaults}); err != nil {
		t.Error(err)
	}
	if err := s.Fault(Fault{Kind: Drop}); err == nil {
		t.Error("faults without end")
	}
}

func TestNewRefuses(t *testing.T) {
	good := Config{Key: key, Seed: []byte("s"), Now: time.Now, Sleep: func(context.Context, time.Duration) error { return nil }}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"no key": func(c *Config) { c.Key = "" }, "no seed": func(c *Config) { c.Seed = nil }, "no clock": func(c *Config) { c.Now = nil },
		"no sleep": func(c *Config) { c.Sleep = nil }, "negative keep": func(c *Config) { c.Keep = -1 }, "negative attempts": func(c *Config) { c.Attempts = -1 },
	} {
		config := good
		change(&config)
		if _, err := New(config); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

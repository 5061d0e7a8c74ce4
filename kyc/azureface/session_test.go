package azureface

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

// captured is a request as a server sees it.
type captured struct {
	method, path string
	header       http.Header
	body         []byte
}

// capture runs a creation against a server that notes the request and answers as Azure does.
func capture(t *testing.T, request SessionRequest) captured {
	t.Helper()
	var got captured
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = captured{r.Method, r.URL.Path, r.Header, body}
		io.WriteString(w, `{"sessionId":"a6e7193e-b638-42e9-903f-eaf60d2b40a5","authToken":"eyJhbGciOiJFUzI1NiIsIm","status":"NotStarted",`+
			`"modelVersion":"2024-11-15","results":{"attempts":[],"verifyReferences":[]},"new":{"fields":[1]}}`)
	}))
	defer server.Close()
	client := newClient(t, Config{Endpoint: server.URL, Key: testKey})
	session, err := client.Create(t.Context(), request)
	if err != nil || session.ID != "a6e7193e-b638-42e9-903f-eaf60d2b40a5" || session.AuthToken != "eyJhbGciOiJFUzI1NiIsIm" {
		t.Fatalf("%v, %v", session, err)
	}
	return got
}

func full(verify *VerifyImage) SessionRequest {
	request := SessionRequest{
		Mode: PassiveActive, DeviceCorrelationID: testDevice, EnableSessionImage: true, ModelVersion: "2024-11-15", TTL: 90 * time.Second, Verify: verify,
	}
	if verify != nil {
		tiny := 0.00005
		request.ReturnVerifyImageHash, request.VerifyConfidenceThreshold = true, &tiny
	}
	return request
}

func TestCreateJSON(t *testing.T) {
	for name, tt := range map[string]struct {
		request SessionRequest
		want    string
	}{
		"everything": {full(nil), `{"authTokenTimeToLiveInSeconds":90,"deviceCorrelationId":"7b3f1c52-9d0e-4a6b-8f21-00000000beef",` +
			`"enableSessionImage":true,"livenessModelVersion":"2024-11-15","livenessOperationMode":"PassiveActive"}`},
		"what is needed": {passive(nil), `{"authTokenTimeToLiveInSeconds":600,"deviceCorrelationId":"7b3f1c52-9d0e-4a6b-8f21-00000000beef",` +
			`"enableSessionImage":false,"livenessOperationMode":"Passive"}`},
	} {
		got := capture(t, tt.request)
		if got.method != "POST" || got.path != "/face/v1.2/detectLiveness-sessions" || got.header.Get("Content-Type") != "application/json" ||
			got.header.Get("Ocp-Apim-Subscription-Key") != testKey || got.header.Get("Authorization") != "" {
			t.Errorf("%s: %s %s with %v", name, got.method, got.path, got.header)
		}
		if string(got.body) != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got.body, tt.want)
		}
	}
}

// The body, byte for byte.
func TestCreateForm(t *testing.T) {
	image := picture()
	part := func(disposition, rest string) string {
		return "--kycd" + image.Hash() + "\r\nContent-Disposition: form-data; " + disposition + "\r\n" + rest + "\r\n"
	}
	want := part(`name="livenessOperationMode"`, "\r\nPassiveActive") +
		part(`name="deviceCorrelationId"`, "\r\n7b3f1c52-9d0e-4a6b-8f21-00000000beef") +
		part(`name="enableSessionImage"`, "\r\ntrue") +
		part(`name="livenessModelVersion"`, "\r\n2024-11-15") +
		part(`name="authTokenTimeToLiveInSeconds"`, "\r\n90") +
		part(`name="returnVerifyImageHash"`, "\r\ntrue") +
		part(`name="verifyConfidenceThreshold"`, "\r\n0.00005") +
		part(`name="verifyImage"; filename="verify.jpg"`, "Content-Type: image/jpeg\r\n\r\n"+string(image.Bytes)) +
		"--kycd" + image.Hash() + "--\r\n"
	got := capture(t, full(image))
	if got.method != "POST" || got.path != "/face/v1.2/detectLivenessWithVerify-sessions" || got.header.Get("Ocp-Apim-Subscription-Key") != testKey {
		t.Errorf("%s %s with %v", got.method, got.path, got.header)
	}
	if string(got.body) != want {
		t.Errorf("\n%q\nwant\n%q", got.body, want)
	}

	// As any reader of forms takes it, what is left open included.
	for name, tt := range map[string]struct {
		request SessionRequest
		want    map[string]string
	}{
		"what is needed": {passive(&VerifyImage{Bytes: []byte("\x89PNG\r\n\x1a\n"), ContentType: "image/png"}), map[string]string{
			"livenessOperationMode": "Passive", "deviceCorrelationId": strings.ToLower(testDevice), "enableSessionImage": "false",
			"authTokenTimeToLiveInSeconds": "600", "returnVerifyImageHash": "false", "verifyImage": "\x89PNG\r\n\x1a\n",
		}},
	} {
		got := capture(t, tt.request)
		_, params, err := mime.ParseMediaType(got.header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		fields := map[string]string{}
		form := multipart.NewReader(bytes.NewReader(got.body), params["boundary"])
		for {
			part, err := form.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			content, _ := io.ReadAll(part)
			fields[part.FormName()] = string(content)
			if part.FormName() == "verifyImage" && (part.FileName() != "verify.png" || part.Header.Get("Content-Type") != "image/png") {
				t.Errorf("%v", part.Header)
			}
		}
		if !reflect.DeepEqual(fields, tt.want) {
			t.Errorf("%s: %q", name, fields)
		}
	}
}

// What cannot be right is not sent.
func TestCreateInvalid(t *testing.T) {
	called := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }))
	defer called.Close()
	client := newClient(t, Config{Endpoint: called.URL, Key: testKey})
	half, more, less, none := 0.5, 1.01, -0.01, math.NaN()
	for name, change := range map[string]func(*SessionRequest){
		"no mode":              func(r *SessionRequest) { r.Mode = "" },
		"an unknown mode":      func(r *SessionRequest) { r.Mode = "Passive" },
		"no device":            func(r *SessionRequest) { r.DeviceCorrelationID = "" },
		"no UUID":              func(r *SessionRequest) { r.DeviceCorrelationID = strings.Repeat("a", 36) },
		"too short":            func(r *SessionRequest) { r.TTL = 59 * time.Second },
		"too long":             func(r *SessionRequest) { r.TTL = 24*time.Hour + time.Second },
		"half a second":        func(r *SessionRequest) { r.TTL = 60*time.Second + time.Millisecond },
		"negative":             func(r *SessionRequest) { r.TTL = -time.Minute },
		"a model with a quote": func(r *SessionRequest) { r.ModelVersion = `x"` },
		"hash of nothing":      func(r *SessionRequest) { r.ReturnVerifyImageHash = true },
		"threshold of nothing": func(r *SessionRequest) { r.VerifyConfidenceThreshold = &half },
		"threshold above":      func(r *SessionRequest) { r.Verify, r.VerifyConfidenceThreshold = picture(), &more },
		"threshold below":      func(r *SessionRequest) { r.Verify, r.VerifyConfidenceThreshold = picture(), &less },
		"threshold nowhere":    func(r *SessionRequest) { r.Verify, r.VerifyConfidenceThreshold = picture(), &none },
		"an empty image":       func(r *SessionRequest) { r.Verify = &VerifyImage{ContentType: "image/jpeg"} },
		"a large image": func(r *SessionRequest) {
			r.Verify = &VerifyImage{Bytes: make([]byte, MaxVerifyImageBytes+1), ContentType: "image/jpeg"}
		},
		"WebP":    func(r *SessionRequest) { r.Verify = &VerifyImage{Bytes: []byte("RIFF"), ContentType: "image/webp"} },
		"no type": func(r *SessionRequest) { r.Verify = &VerifyImage{Bytes: []byte("\xff\xd8\xff")} },
	} {
		request := passive(nil)
		change(&request)
		_, err := client.Create(t.Context(), request)
		if failed := asError(t, err); failed.Code != ErrBadRequest || failed.Status != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, id := range []string{"", "a/b", "..", "a?b", "a%2f", "ü", "a b", strings.Repeat("a", 129)} {
		if _, err := client.Result(t.Context(), id, false); !errors.Is(err, ErrBadRequest) {
			t.Errorf("result of %q: %v", id, err)
		}
		if err := client.Delete(t.Context(), id, false); !errors.Is(err, ErrBadRequest) {
			t.Errorf("delete of %q: %v", id, err)
		}
		if _, err := client.Image(t.Context(), id); !errors.Is(err, ErrBadRequest) {
			t.Errorf("image of %q: %v", id, err)
		}
	}
}

func TestImageBounds(t *testing.T) {
	size := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/face/v1.2/sessionImages/Ae3PVWlXAmVAnXgkAFt1QSjGUWONKzWiSr2iPh9p9G4I" || r.Header.Get("Accept") != "application/octet-stream" {
			t.Errorf("%s with %v", r.URL.Path, r.Header)
		}
		w.Write(make([]byte, size))
	}))
	defer server.Close()
	client := newClient(t, Config{Endpoint: server.URL, Key: testKey})
	for n, want := range map[int]error{0: ErrMalformedAnswer, 1: nil, maxImageBytes: nil, maxImageBytes + 1: ErrMalformedAnswer} {
		size = n
		image, err := client.Image(t.Context(), "Ae3PVWlXAmVAnXgkAFt1QSjGUWONKzWiSr2iPh9p9G4I")
		if !errors.Is(err, want) || err == nil && len(image) != n || err != nil && image != nil {
			t.Errorf("%d bytes: %d, %v", n, len(image), err)
		}
	}
}

func TestParseSession(t *testing.T) {
	good := `{"sessionId":"a6e7193e","authToken":"eyJ.x.y","status":"NotStarted","modelVersion":"2024-11-15"}`
	var whole map[string]any
	if err := json.Unmarshal([]byte(good), &whole); err != nil {
		t.Fatal(err)
	}
	if _, err := parseSession(answer{status: 200, body: []byte(good)}); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(map[string]any){
		"no id":              func(m map[string]any) { delete(m, "sessionId") },
		"a path as id":       func(m map[string]any) { m["sessionId"] = "../x" },
		"a number as id":     func(m map[string]any) { m["sessionId"] = 7 },
		"no token":           func(m map[string]any) { m["authToken"] = "" },
		"a line in a token":  func(m map[string]any) { m["authToken"] = "a\nb" },
		"an endless token":   func(m map[string]any) { m["authToken"] = strings.Repeat("a", maxTokenBytes+1) },
		"no status":          func(m map[string]any) { delete(m, "status") },
		"an unknown status":  func(m map[string]any) { m["status"] = "ResultAvailable" },
		"an endless version": func(m map[string]any) { m["modelVersion"] = strings.Repeat("1", 257) },
	} {
		changed := map[string]any{}
		for key, value := range whole {
			changed[key] = value
		}
		change(changed)
		body, _ := json.Marshal(changed)
		session, err := parseSession(answer{status: 200, body: body})
		if !errors.Is(err, ErrMalformedAnswer) || session != (Session{}) || asError(t, err).Status != 200 {
			t.Errorf("%s: %v, %v", name, session, err)
		}
	}
}

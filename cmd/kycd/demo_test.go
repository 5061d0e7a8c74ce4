package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kycd/kyc/specimen"
	"kycd/kyc/webhook"
)

func TestDemoFlags(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*demoOptions)
		want   string // part of the error; empty: none
	}{
		"own server":         {func(*demoOptions) {}, ""},
		"running server":     {func(o *demoOptions) { o.url, o.clientID, o.clientSecret = "http://127.0.0.1:8080/", "a", "b" }, ""},
		"no scheme":          {func(o *demoOptions) { o.url, o.clientID, o.clientSecret = "127.0.0.1:8080", "a", "b" }, "--url"},
		"secret in the url":  {func(o *demoOptions) { o.url, o.clientID, o.clientSecret = "http://a:b@localhost", "a", "b" }, "--url"},
		"url without client": {func(o *demoOptions) { o.url = "http://127.0.0.1:8080" }, "--client-id"},
		"client without url": {func(o *demoOptions) { o.clientID = "a" }, "--url"},
		"selfie alone":       {func(o *demoOptions) { o.selfie = "me.jpg" }, "--portrait"},
		"no runs":            {func(o *demoOptions) { o.runs = 0 }, "--runs"},
		"negative pause":     {func(o *demoOptions) { o.pause = -1 }, "--pause"},
	} {
		t.Run(name, func(t *testing.T) {
			o := demoOptions{runs: 1, timeout: time.Minute}
			tt.change(&o)
			err := o.complete()
			if (err == nil) != (tt.want == "") || (err != nil && !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if strings.HasSuffix(o.url, "/") || (err == nil && o.models == "") {
				t.Errorf("not completed: %+v", o)
			}
		})
	}
}

func TestDemoEnvironment(t *testing.T) {
	t.Setenv("KYCD_DEMO_CLIENT_ID", "from the environment")
	t.Setenv("KYCD_DEMO_RUNS", "7")
	t.Setenv("KYCD_URL", "http://another.example")
	cmd := demoCommand()
	if err := cmd.ParseFlags([]string{"--runs", "3"}); err != nil {
		t.Fatal(err)
	}
	if err := cmd.PreRunE(cmd, nil); err != nil {
		t.Fatal(err)
	}
	for flag, want := range map[string]string{"client-id": "from the environment", "runs": "3", "url": ""} {
		if got := cmd.Flag(flag).Value.String(); got != want {
			t.Errorf("%s is %q, want %q", flag, got, want)
		}
	}
	t.Setenv("KYCD_DEMO_PAUSE", "long")
	if err := cmd.PreRunE(cmd, nil); err == nil || !strings.Contains(err.Error(), "KYCD_DEMO_PAUSE") {
		t.Errorf("a pause that is none: %v", err)
	}
}

// The demo's server must not find the database of another kycd in its environment.
func TestDemoServerEnvironment(t *testing.T) {
	got := demoServerEnvironment([]string{"PATH=/bin", "KYCD_DATABASE=postgres://live", "KYCD_MODELS_MIRROR=none", "KYCD_DEMO_CLIENT_SECRET=s", "KYCD_SIDECAR=/x"})
	if want := []string{"PATH=/bin", "KYCD_MODELS_MIRROR=none", "KYCD_SIDECAR=/x"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Whatever the day, the licences can be printed and differ in what the runs are about.
func TestDemoLicences(t *testing.T) {
	start := time.Date(2026, 1, 1, 23, 30, 0, 0, time.UTC)
	for day := range 800 {
		now := start.AddDate(0, 0, day)
		for _, sex := range []specimen.Sex{specimen.Female, specimen.Unspecified} {
			good, otherName, expired, err := demoLicences(sex, now)
			if err != nil {
				t.Fatalf("%s: %v", now, err)
			}
			today := now.Format(time.DateOnly)
			if good.ExpiresAt <= today || good.IssuedAt > today || good.Person.Sex != sex {
				t.Fatalf("%s: the good one is %+v", today, good)
			}
			if expired.ExpiresAt >= today || expired.Number != good.Number {
				t.Fatalf("%s: the expired one runs out on %s", today, expired.ExpiresAt)
			}
			if printed := otherName.Printed[specimen.FieldLast]; printed == "" || printed == good.Person.Last || otherName.ExpiresAt != good.ExpiresAt {
				t.Fatalf("%s: the other name is %q", today, printed)
			}
		}
	}
}

func TestDemoLandscape(t *testing.T) {
	first, err := landscape(1)
	if err != nil {
		t.Fatal(err)
	}
	again, err := landscape(1)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, again) {
		t.Error("one seed gives two pictures")
	}
	picture, err := jpeg.Decode(bytes.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	sky, _, _, _ := picture.At(360, 300).RGBA()
	hill, _, _, _ := picture.At(360, 940).RGBA()
	if sky < 2*hill {
		t.Errorf("sky %d, hill %d: nothing is drawn", sky, hill)
	}
}

func TestDemoPercentile(t *testing.T) {
	var hundred []float64
	for i := 100; i > 0; i-- {
		hundred = append(hundred, float64(i))
	}
	for _, tt := range []struct {
		all  []float64
		p    float64
		want float64
	}{
		{[]float64{5}, 50, 5}, {[]float64{5}, 95, 5}, {[]float64{2, 1}, 50, 1}, {[]float64{3, 1, 2}, 95, 3},
		{hundred, 50, 50}, {hundred, 95, 95}, {hundred, 100, 100}, {hundred, 0, 1},
	} {
		if got := demoPercentile(tt.all, tt.p); got != tt.want {
			t.Errorf("p%.0f of %d values is %v, want %v", tt.p, len(tt.all), got, tt.want)
		}
	}
	if hundred[0] != 100 {
		t.Error("the caller's values were sorted")
	}
}

// A run counts only if verdict, reason and webhook all say what they must.
func TestDemoCaseProblem(t *testing.T) {
	yes, no := true, false
	verified := demoOutcome{Verified: true, Status: "complete", demoDecision: demoDecision{Verdict: "verified"}, Webhook: &demoEvent{Verified: &yes}}
	refused := demoOutcome{Status: "complete", demoDecision: demoDecision{Verdict: "not_verified", Reasons: []string{"face_mismatch", "score_below_tolerance"}}, Webhook: &demoEvent{Verified: &no}}
	changed := func(o demoOutcome, change func(*demoOutcome)) demoOutcome { change(&o); return o }
	for name, tt := range map[string]struct {
		reason  string
		outcome demoOutcome
		ok      bool
	}{
		"verified":              {"", verified, true},
		"refused as it must":    {"face_mismatch", refused, true},
		"refused, not verified": {"", refused, false},
		"verified, not refused": {"face_mismatch", verified, false},
		"another reason":        {"document_expired", refused, false},
		"second reason":         {"score_below_tolerance", refused, false},
		"no reason":             {"face_mismatch", changed(refused, func(o *demoOutcome) { o.Reasons = nil }), false},
		"waiting for a person":  {"face_mismatch", changed(refused, func(o *demoOutcome) { o.Status = "temporarily_complete" }), false},
		"no webhook":            {"", changed(verified, func(o *demoOutcome) { o.Webhook = nil }), false},
		"webhook says no":       {"", changed(verified, func(o *demoOutcome) { o.Webhook = &demoEvent{Verified: &no} }), false},
		"webhook says nothing":  {"", changed(verified, func(o *demoOutcome) { o.Webhook = &demoEvent{} }), false},
		"verdict is review":     {"face_mismatch", changed(refused, func(o *demoOutcome) { o.Verdict = "review" }), false},
		"verdict contradicts":   {"", changed(verified, func(o *demoOutcome) { o.Verdict = "not_verified" }), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (demoCase{reason: tt.reason}).problem(tt.outcome); (got == "") != tt.ok {
				t.Errorf("problem %q", got)
			}
		})
	}
}

// What a server answers may hold what was sent to it. An error must not pass that on.
func TestDemoRefusalKeepsSecrets(t *testing.T) {
	const secret, token = "the-secret", "the-token"
	for name, tt := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"problem":  {409, `{"code":"incomplete","detail":"the-secret the-token","errors":[{"pointer":"/liveness","code":"missing","message":"the-token"}]}`, "409 incomplete (/liveness missing)"},
		"oauth":    {401, `{"error":"invalid_client","error_description":"the-secret"}`, "401 invalid_client"},
		"html":     {502, "<html>the-secret the-token</html>", "502 an answer without a code"},
		"redirect": {302, "", "302 an answer without a code"},
	} {
		t.Run(name, func(t *testing.T) {
			followed := false
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					followed = true
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}))
			defer server.Close()
			api := newDemoAPI(server.URL, "client", secret)
			_, tokenErr := api.backend(t.Context())
			callErr := demoCaller{api: api, token: token}.post(t.Context(), "/v2/idv/session/create", struct{}{}, nil)
			for _, err := range []error{tokenErr, callErr} {
				var refused *demoRefusal
				if !errors.As(err, &refused) || !strings.HasSuffix(err.Error(), tt.want) {
					t.Errorf("got %v, want …%s", err, tt.want)
				}
				if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), token)) {
					t.Errorf("the error holds what nobody may see: %v", err)
				}
			}
			if followed {
				t.Error("a redirect was followed")
			}
		})
	}
}

func TestDemoReceiver(t *testing.T) {
	secret, err := webhook.NewSecret(bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	other, err := webhook.NewSecret(bytes.NewReader(bytes.Repeat([]byte{8}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"type":"idv.session.complete","timestamp":"2026-01-01T00:00:00Z","data":{"session_id":"s1","status_e":"complete","verified":true}}`)
	for name, tt := range map[string]struct {
		signer string
		path   string
		age    time.Duration
		status int
	}{
		"signed":        {signer: secret, status: http.StatusNoContent},
		"other secret":  {signer: other, status: http.StatusBadRequest},
		"not signed":    {status: http.StatusBadRequest},
		"old":           {signer: secret, age: time.Hour, status: http.StatusBadRequest},
		"another place": {signer: secret, path: "/guess", status: http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := openDemoReceiver()
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			r.secret = secret
			for range 2 { // a sender may send twice
				if got := deliver(t, r, tt.signer, tt.path, time.Now().Add(-tt.age), body); got != tt.status {
					t.Fatalf("answered %d, want %d", got, tt.status)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			event, err := r.wait(ctx, "s1", "complete")
			if (err == nil) != (tt.status == http.StatusNoContent) {
				t.Fatalf("waited for %+v: %v", event, err)
			}
			if err == nil && (event.ID != "m1" || event.Verified == nil || !*event.Verified || len(r.events["s1"]) != 1) {
				t.Errorf("got %+v, %d events", event, len(r.events["s1"]))
			}
			if name == "other secret" && !errors.Is(err, webhook.ErrBadSignature) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// deliver sends a webhook to a receiver.
func deliver(t *testing.T, r *demoReceiver, secret, path string, at time.Time, body []byte) int {
	t.Helper()
	address := r.url
	if path != "" {
		address = strings.TrimSuffix(r.url, r.path) + path
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	if secret != "" {
		signature, err := webhook.Sign("m1", at, body, secret)
		if err != nil {
			t.Error(err)
			return 0
		}
		request.Header.Set("webhook-id", "m1")
		request.Header.Set("webhook-timestamp", decimal(at.Unix()))
		request.Header.Set("webhook-signature", signature)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

func decimal(n int64) string { b, _ := json.Marshal(n); return string(b) }

// agreedServer answers as the contract says and decides what the test wants.
type agreedServer struct {
	t        *testing.T
	receiver *demoReceiver
	secret   string
	finalize string // the answer to finalize
	status   string // of the webhook
	verified string // of the webhook

	deliveries sync.WaitGroup
	calls      []string
}

func (s *agreedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls = append(s.calls, r.URL.Path)
	sdk := strings.Contains(r.URL.Path, "/sdk/")
	want := map[bool]string{true: "Bearer device", false: "Bearer backend"}[sdk]
	if r.URL.Path != "/oauth2/token" && (r.Header.Get("Authorization") != want || (r.Header.Get("X-Client-Id") == "client") != sdk) {
		s.t.Errorf("%s: called as %q, client %q", r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("X-Client-Id"))
	}
	var in struct {
		SessionID string   `json:"session_id"`
		Images    []string `json:"images"`
		Type      string   `json:"document_type_e"`
		Consented bool     `json:"consented"`
		Identity  string   `json:"identity_id"`
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			s.t.Errorf("%s: %v", r.URL.Path, err)
		}
		if !strings.HasSuffix(r.URL.Path, "/session/create") && in.SessionID != "s1" {
			s.t.Errorf("%s: session %q", r.URL.Path, in.SessionID)
		}
	}
	answer := `{}`
	switch r.URL.Path {
	case "/oauth2/token":
		id, secret, _ := r.BasicAuth()
		kind := "backend"
		if r.FormValue("scope") == "sdk" && r.FormValue("session_id") == "s1" {
			kind = "device"
		}
		if id != "client" || secret != url.QueryEscape("s+cret") || r.FormValue("grant_type") != "client_credentials" {
			s.t.Errorf("token asked for as %q", id)
		}
		answer = `{"access_token":"` + kind + `","token_type":"Bearer","expires_in":60,"scope":""}`
	case "/v2/idv/session/create":
		answer = `{"session_id":"s1"}`
	case "/v2/ida/session/create":
		if in.Identity != "i1" {
			s.t.Errorf("identity %q", in.Identity)
		}
		answer = `{"session_id":"s1"}`
	case "/v2/idv/session/read":
		answer = `{"session_id":"s1","identity_id":"i1"}`
	case "/v2/idv/sdk/consent/add":
		if !in.Consented {
			s.t.Error("no consent")
		}
	case "/v2/idv/sdk/document/type/update":
		if in.Type != "driver_license" {
			s.t.Errorf("type %q", in.Type)
		}
	case "/v2/idv/sdk/document/front/add", "/v2/idv/sdk/document/back/add":
		file, _, err := r.FormFile("image")
		if err != nil {
			s.t.Errorf("%s: %v", r.URL.Path, err)
			break
		}
		if _, err := jpeg.DecodeConfig(file); err != nil || r.FormValue("session_id") != "s1" || r.FormValue("latitude") == "" {
			s.t.Errorf("%s: %v", r.URL.Path, err)
		}
	case "/v2/idv/sdk/liveness/generate", "/v2/ida/sdk/liveness/generate":
		answer = `{"token":"challenge"}`
	case "/v2/idv/sdk/liveness/process", "/v2/ida/sdk/liveness/process":
		if frame, err := base64.StdEncoding.DecodeString(in.Images[0]); err != nil || string(frame) != "selfie" {
			s.t.Errorf("frame: %v", err)
		}
		answer = `{"token":""}`
	case "/v2/idv/sdk/finalize":
		answer = s.finalize
		s.deliveries.Go(func() {
			deliver(s.t, s.receiver, s.secret, "", time.Now(),
				[]byte(`{"type":"idv.session.`+s.status+`","timestamp":"2026-01-01T00:00:00Z","data":{"session_id":"s1","status_e":"`+s.status+`","verified":`+s.verified+`}}`))
		})
	case "/v2/ida/sdk/finalize":
		answer = s.finalize
		s.deliveries.Go(func() {
			deliver(s.t, s.receiver, s.secret, "", time.Now(),
				[]byte(`{"type":"ida.session.`+s.status+`","timestamp":"2026-01-01T00:00:00Z","data":{"session_id":"s1","status_e":"`+s.status+`","authenticated":`+s.verified+`}}`))
		})
	case "/v2/idv/session/test/read":
		answer = `{"decision":{"verdict":"` + map[string]string{"true": "verified", "false": "not_verified"}[s.verified] + `","score":0.5,"reasons":["face_mismatch"],` +
			`"pieces":[{"name":"face_match","state":"fail","value":0.2,"tolerance":0.5,"weight":0,"contribution":0,"gate":true,"required":true,"reason":"face_mismatch"}]}}`
	default:
		s.t.Errorf("%s is not of this way", r.URL.Path)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, answer)
}

// The whole way, against a server that is none: order of the calls, who calls, what is sent, what is made of the answers.
func TestDemoVerify(t *testing.T) {
	picture, err := landscape(1)
	if err != nil {
		t.Fatal(err)
	}
	photograph := func(specimen.Document, uint64) (front, back []byte, err error) { return picture, picture, nil }
	secret, err := webhook.NewSecret(bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		finalize, status, verified, reason string
		problem                            string
	}{
		"verified":           {`{"verified":true,"status_e":"complete","reasons":[]}`, "complete", "true", "", ""},
		"refused":            {`{"verified":false,"status_e":"complete","reasons":["face_mismatch"]}`, "complete", "false", "face_mismatch", ""},
		"wrongly refused":    {`{"verified":false,"status_e":"complete","reasons":["face_mismatch"]}`, "complete", "false", "", "refused for face_mismatch"},
		"decided afterwards": {`{"verified":false,"status_e":"temporarily_complete","reasons":["analysis_pending"]}`, "complete", "true", "", ""},
		"waits for a person": {`{"verified":false,"status_e":"temporarily_complete","reasons":["liveness_unavailable"]}`, "temporarily_complete", "false", "face_mismatch", "the session is temporarily_complete (face_mismatch)"},
	} {
		t.Run(name, func(t *testing.T) {
			receiver, err := openDemoReceiver()
			if err != nil {
				t.Fatal(err)
			}
			defer receiver.close()
			receiver.secret = secret
			fake := &agreedServer{t: t, receiver: receiver, secret: secret, finalize: tt.finalize, status: tt.status, verified: tt.verified}
			server := httptest.NewServer(fake)
			defer server.Close()
			v := demoVerifier{
				api: newDemoAPI(server.URL, "client", "s+cret"), receiver: receiver, photograph: photograph, progress: io.Discard,
			}
			outcome := v.verify(t.Context(), demoCase{name: "x", reason: tt.reason, selfie: []byte("selfie")}, 1)
			fake.deliveries.Wait() // the receiver has the event; its sender must not outlive the test
			if outcome.Problem != tt.problem || outcome.OK != (tt.problem == "") {
				t.Fatalf("problem %q, want %q", outcome.Problem, tt.problem)
			}
			want := []string{
				"/oauth2/token", "/v2/idv/session/create", "/oauth2/token", "/v2/idv/sdk/consent/add", "/v2/idv/sdk/document/type/update",
				"/v2/idv/sdk/document/front/add", "/v2/idv/sdk/document/back/add", "/v2/idv/sdk/liveness/generate",
				"/v2/idv/sdk/liveness/process", "/v2/idv/sdk/finalize",
			}
			identity := ""
			if tt.verified == "true" {
				want, identity = append(want, "/v2/idv/session/read"), "i1"
			}
			want = append(want, "/v2/idv/session/test/read")
			if outcome.IdentityID != identity {
				t.Errorf("identity %q", outcome.IdentityID)
			}
			if !slices.Equal(fake.calls, want) {
				t.Errorf("called %v", fake.calls)
			}
			if outcome.LastUploadToDecision <= 0 || len(outcome.Pieces) != 1 || len(outcome.Steps) != len(want)+2 || outcome.Webhook.Status != tt.status {
				t.Errorf("got %+v", outcome)
			}
			var shown bytes.Buffer
			if err := outcome.writeDecision(&shown); err != nil || !strings.Contains(shown.String(), "face_mismatch") {
				t.Errorf("shown: %s %v", shown.String(), err)
			}
		})
	}
}

// The way of who comes again, likewise.
func TestDemoAuthenticate(t *testing.T) {
	secret, err := webhook.NewSecret(bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		finalize, status, verified, reason string
		problem                            string
	}{
		"recognised":         {`{"authenticated":true,"status_e":"complete","reasons":[]}`, "complete", "true", "", ""},
		"refused":            {`{"authenticated":false,"status_e":"complete","reasons":["face_mismatch"]}`, "complete", "false", "face_mismatch", ""},
		"wrongly recognised": {`{"authenticated":true,"status_e":"complete","reasons":[]}`, "complete", "true", "face_mismatch", "verified"},
		"decided afterwards": {`{"authenticated":false,"status_e":"temporarily_complete","reasons":["analysis_pending"]}`, "complete", "true", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			receiver, err := openDemoReceiver()
			if err != nil {
				t.Fatal(err)
			}
			defer receiver.close()
			receiver.secret = secret
			fake := &agreedServer{t: t, receiver: receiver, secret: secret, finalize: tt.finalize, status: tt.status, verified: tt.verified}
			server := httptest.NewServer(fake)
			defer server.Close()
			v := demoVerifier{api: newDemoAPI(server.URL, "client", "s+cret"), receiver: receiver, progress: io.Discard}
			outcome := v.authenticate(t.Context(), demoCase{name: "x", reason: tt.reason, selfie: []byte("selfie"), again: true}, "i1")
			fake.deliveries.Wait()
			if outcome.Problem != tt.problem || outcome.OK != (tt.problem == "") {
				t.Fatalf("problem %q, want %q", outcome.Problem, tt.problem)
			}
			want := []string{
				"/oauth2/token", "/v2/ida/session/create", "/oauth2/token", "/v2/ida/sdk/liveness/generate", "/v2/ida/sdk/liveness/process", "/v2/ida/sdk/finalize",
			}
			if !slices.Equal(fake.calls, want) {
				t.Errorf("called %v", fake.calls)
			}
		})
	}
}

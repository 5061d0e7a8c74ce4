package azureface

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kycd/kyc/azureface/simulator"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

const (
	keyCanary   = "canarykey0123456789"
	tokenCanary = "canarytoken0123456789"
	imageCanary = "canaryimage0123456789"
	azureCanary = "canaryazure0123456789"
)

// leaks tells whether a text shows one of the canaries, in any of the ways in which fmt and JSON write bytes.
func leaks(text string) bool {
	small := strings.ToLower(text)
	for _, canary := range []string{keyCanary, tokenCanary, imageCanary, azureCanary} {
		decimal := strings.Trim(fmt.Sprint([]byte(canary)), "[]")
		for _, form := range []string{canary, hex.EncodeToString([]byte(canary)), decimal, strings.ReplaceAll(decimal, " ", ", ")} {
			if strings.Contains(small, form) {
				return true
			}
		}
		if strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(canary)[:18])) {
			return true
		}
	}
	return false
}

// prints writes a value in every way in which it may come into a log.
func prints(value any) string {
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&b, verb+"\n", value)
	}
	encoded, err := json.Marshal(value)
	fmt.Fprintf(&b, "%s %v\n", encoded, err)
	slog.New(slog.NewTextHandler(&b, nil)).Info("text", "value", value)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("json", "value", value)
	return b.String()
}

// The canaries would be found.
func TestLeaksFinds(t *testing.T) {
	for _, value := range []any{
		struct{ Key string }{keyCanary}, []byte(imageCanary), struct{ Bytes []byte }{[]byte(imageCanary)}, errors.New("of " + tokenCanary),
	} {
		for _, line := range strings.Split(prints(value), "\n")[:2] {
			if !leaks(line) {
				t.Errorf("not found in %q", line)
			}
		}
	}
}

func TestValuesAreRedacted(t *testing.T) {
	image := VerifyImage{Bytes: []byte(imageCanary), ContentType: "image/jpeg"}
	config := Config{Endpoint: "https://acme.example", Key: keyCanary}
	session := Session{ID: "a6e7193e", AuthToken: tokenCanary}
	request := SessionRequest{Mode: Passive, Verify: &image}
	client := newClient(t, config)
	for name, value := range map[string]any{
		"config": config, "pointer to config": &config, "a struct with it": struct{ Azure Config }{config},
		"a config with a password": Config{Endpoint: "https://user:" + keyCanary + "@acme.example", Key: keyCanary},
		"image":                    image, "pointer to image": &image, "request": request, "pointer to request": &request,
		"session": session, "pointer to session": &session, "sessions": []Session{session}, "client": client, "client itself": *client,
	} {
		if text := prints(value); leaks(text) {
			t.Errorf("%s: %s", name, text)
		}
	}
	for name, text := range map[string]string{"config": config.String(), "session": session.String(), "image": image.String()} {
		if want := map[string]string{
			"config": "azureface.Config{endpoint https://acme.example, version v1.2, credential key}", "session": "azureface.Session{a6e7193e}",
			"image": "azureface.VerifyImage{21 bytes}",
		}[name]; text != want {
			t.Errorf("%q, want %q", text, want)
		}
	}
}

// A server that repeats everything it was sent, everywhere, gets nothing of it into an error.
func TestErrorsAreRedacted(t *testing.T) {
	var sent bytes.Buffer
	for _, status := range []int{200, 204, 302, 400, 401, 403, 404, 408, 413, 418, 429, 500, 503, 600} {
		for _, where := range []string{keyCanary, tokenCanary, azureCanary, imageCanary} {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				sent.Write(body)
				if r.Header.Get("Ocp-Apim-Subscription-Key") != keyCanary {
					t.Error("the key was not sent")
				}
				for _, name := range []string{"Apim-Request-Id", "Retry-After", "Location", "Content-Type", "Www-Authenticate"} {
					w.Header().Set(name, where)
				}
				w.Header().Set("X-Ms-Error-Code", where+" of "+r.URL.Path)
				if where == keyCanary {
					w.Header().Set("X-Ms-Error-Code", keyCanary)
				}
				w.WriteHeader(status)
				if status != 204 {
					fmt.Fprintf(w, `{"error":{"code":%q,"message":%q},"sessionId":%q,"authToken":%q,"status":%q,"modelVersion":%q,"echo":%q}`,
						where, where, "../"+where, where, where, where, body)
				}
			}))
			server.Config.ErrorLog = quiet()
			server.Start()
			client := newClient(t, Config{Endpoint: server.URL, Key: keyCanary, Now: time.Now, Sleep: func(context.Context, time.Duration) error { return nil }})
			jpeg := &VerifyImage{Bytes: []byte("\xff\xd8\xff" + imageCanary), ContentType: "image/jpeg"}
			_, created := client.Create(t.Context(), passive(jpeg))
			_, asked := client.Result(t.Context(), azureCanary, true)
			_, waited := client.Wait(t.Context(), azureCanary, true, time.Second)
			_, image := client.Image(t.Context(), azureCanary)
			deleted := client.Delete(t.Context(), azureCanary, true)
			server.Close()
			_, unreachable := client.Result(t.Context(), azureCanary, true)
			for name, err := range map[string]error{
				"create": created, "result": asked, "wait": waited, "image": image, "delete": deleted, "unreachable": unreachable,
			} {
				if err == nil {
					if name == "image" && status == 200 || name == "delete" && (status < 300 || status == 404) {
						continue
					}
					t.Errorf("%d: %s succeeds", status, name)
					continue
				}
				asError(t, err)
				if text := prints(err); leaks(text) {
					t.Errorf("%d: %s: %s", status, name, text)
				}
			}
		}
	}
	if !strings.Contains(sent.String(), imageCanary) {
		t.Error("the picture was not sent: the test looks for nothing")
	}
}

// The token source's own words stay there.
func TestTokenSourceIsRedacted(t *testing.T) {
	for _, source := range []tokens{
		func(context.Context) (string, error) { return "", errors.New(tokenCanary) },
		func(context.Context) (string, error) { return tokenCanary + "\n", nil },
		func(context.Context) (string, error) { return tokenCanary, nil },
	} {
		client := newClient(t, Config{Endpoint: "http://127.0.0.1:1", TokenSource: source, Timeout: time.Second})
		_, err := client.Create(t.Context(), passive(nil))
		if err == nil || leaks(prints(err)) || leaks(prints(client)) {
			t.Errorf("%v", err)
		}
	}
}

// The simulator's log tells what was done, and of nobody.
func TestSimulatorLog(t *testing.T) {
	var lines bytes.Buffer
	clock := newClock()
	sim, err := simulator.New(simulator.Config{
		Key: keyCanary, Seed: []byte("seed"), Now: clock.Now, Sleep: clock.Sleep, Log: slog.New(slog.NewTextHandler(&lines, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	defer server.Close()
	client := newClient(t, Config{Endpoint: server.URL, Key: keyCanary})
	session, err := client.Create(t.Context(), passive(&VerifyImage{Bytes: []byte("\xff\xd8\xff" + imageCanary), ContentType: "image/jpeg"}))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(server.URL+"/simulator/sessions/"+session.AuthToken+"/attempt", "application/json", nil)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%v, %v", response, err)
	}
	response.Body.Close()
	if _, err := client.Result(t.Context(), session.ID, true); err != nil {
		t.Fatal(err)
	}
	server.Close() // the last line is written after the answer
	text := lines.String()
	if leaks(text) || strings.Contains(text, session.AuthToken) || strings.Contains(text, session.ID) || strings.Count(text, "status=200") != 3 ||
		!strings.Contains(text, "operation=create") || !strings.Contains(text, "operation=attempt") || !strings.Contains(text, "operation=result") {
		t.Error(text)
	}
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"strings"
	"testing"
	"time"

	"kycd/kyc/azureface"
)

// simulate runs the command until the test ends it, and gives what it printed first.
func simulate(t *testing.T, args ...string) (introduction string, stop func() error, log *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	cmd, log := rootCommand(), &bytes.Buffer{}
	cmd.SetArgs(append([]string{"simulate", "azure-face"}, args...))
	cmd.SetOut(writer)
	cmd.SetErr(log)
	ended := make(chan error, 1)
	go func() {
		err := cmd.ExecuteContext(ctx)
		writer.CloseWithError(io.EOF)
		ended <- err
	}()
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		introduction += lines.Text() + "\n"
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			break
		}
	}
	return introduction, func() error { cancel(); return <-ended }, log
}

// What it prints is all that is needed: the key, the address, and the lines to type.
func TestSimulateAzureFace(t *testing.T) {
	t.Setenv(azureFaceKeyVariable, "")
	introduction, stop, log := simulate(t)
	found := regexp.MustCompile(`KYCD_AZURE_FACE_KEY=(\S+) kycd serve --azure-face-endpoint (http://127\.0\.0\.1:\d+)\n`).FindStringSubmatch(introduction)
	if found == nil || len(found[1]) < 20 {
		t.Fatalf("%s", introduction)
	}
	client, err := azureface.New(azureface.Config{Endpoint: found[2], Key: found[1]})
	if err != nil {
		t.Fatal(err)
	}
	session, err := client.Create(t.Context(), azureface.SessionRequest{Mode: azureface.PassiveActive, DeviceCorrelationID: "7b3f1c52-9d0e-4a6b-8f21-00000000beef"})
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`curl -d '(.*)' (\S+/simulator/sessions/)TOKEN(/attempt)\n`).FindStringSubmatch(introduction)
	if line == nil {
		t.Fatalf("%s", introduction)
	}
	post(t, line[2]+session.AuthToken+line[3], "", line[1])
	result, err := client.Wait(t.Context(), session.ID, false, 0)
	if score, measured := result.Score(); err != nil || score != 1 || !measured {
		t.Errorf("%+v, %v", result, err)
	}
	line = regexp.MustCompile(`curl -H 'Ocp-Apim-Subscription-Key: (\S+)' -d '(.*)' (\S+/simulator/faults)\n`).FindStringSubmatch(introduction)
	if line == nil || line[1] != found[1] {
		t.Fatalf("%s", introduction)
	}
	post(t, line[3], line[1], line[2])
	start := time.Now()
	if _, err := client.Result(t.Context(), session.ID, false); err != nil || time.Since(start) < 2*time.Second {
		t.Errorf("three faults: %v after %v", err, time.Since(start))
	}
	if err := stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := client.Result(t.Context(), session.ID, false); !errors.Is(err, azureface.ErrUnreachable) {
		t.Errorf("afterwards: %v", err)
	}
	if text := log.String(); !strings.Contains(text, "operation=create status=200") || strings.Contains(text, session.AuthToken) || strings.Contains(text, found[1]) {
		t.Error(text)
	}
}

func post(t *testing.T, url, key, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Ocp-Apim-Subscription-Key", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, response.Status)
	}
}

// A slow answer does not hold up the end.
func TestSimulateAzureFaceEnds(t *testing.T) {
	t.Setenv(azureFaceKeyVariable, "from-the-environment")
	introduction, stop, _ := simulate(t, "--listen", "localhost:0")
	url := regexp.MustCompile(`http://\S+`).FindString(introduction)
	url = strings.TrimSuffix(url, ".")
	post(t, url+"/simulator/faults", "from-the-environment", `{"kind":"slow","delay_ms":600000}`)
	client, err := azureface.New(azureface.Config{Endpoint: url, Key: "from-the-environment", Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	sent, asked := make(chan struct{}), make(chan error, 1)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) }})
	go func() {
		_, err := client.Result(ctx, "7b3f1c52", false)
		asked <- err
	}()
	<-sent
	start := time.Now()
	if err := stop(); err != nil || time.Since(start) > 4*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	if err := <-asked; !errors.Is(err, azureface.ErrUnreachable) {
		t.Errorf("%v", err)
	}
}

func TestSimulateAzureFaceRefuses(t *testing.T) {
	t.Setenv(azureFaceKeyVariable, "")
	for name, tt := range map[string]struct {
		args []string
		want string // part of the error
	}{
		"every address":    {[]string{"--listen", ":0"}, "--allow-remote"},
		"every address, 4": {[]string{"--listen", "0.0.0.0:0"}, "--allow-remote"},
		"every address, 6": {[]string{"--listen", "[::]:0"}, "--allow-remote"},
		"another machine":  {[]string{"--listen", "192.0.2.1:0"}, "--allow-remote"},
		"no port":          {[]string{"--listen", "127.0.0.1"}, "--listen"},
		"not here":         {[]string{"--listen", "192.0.2.1:0", "--allow-remote"}, "--listen"},
		"a key of words":   {[]string{"--key", "two words"}, "--key"},
		"nothing kept":     {[]string{"--keep", "0s"}, "--keep"},
		"an argument":      {[]string{"x"}, "unknown command"},
	} {
		cmd := rootCommand()
		cmd.SetArgs(append([]string{"simulate", "azure-face"}, tt.args...))
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		err := cmd.ExecuteContext(ctx)
		cancel()
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (azureFaceSimulation{listen: ":0", allowRemote: true}).address(); err != nil {
		t.Errorf("with leave: %v", err)
	}
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"

	"kycd/ent/session"
)

func TestSessionRowIsTheWholeTable(t *testing.T) {
	got, want := slices.Sorted(slices.Values(sessionRow{}.columns())), slices.Sorted(slices.Values(session.Columns))
	if !slices.Equal(got, want) {
		t.Errorf("columns %v, want %v", got, want)
	}
}

// TestBothAnswerTheSame: what is compared are two ways to the same session, decided and with everything that a decided one has.
func TestBothAnswerTheSame(t *testing.T) {
	ctx := context.Background()
	in, err := openInstallation(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := in.close(); err != nil {
			t.Error(err)
		}
	}()
	requests, err := in.readRequests(ctx, 2*connections)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := openRowReader(ctx, in.path())
	if err != nil {
		t.Fatal(err)
	}
	defer bare.close()
	for _, request := range requests[:3] {
		var row struct {
			ID           string `json:"id"`
			Status       string `json:"status"`
			Verified     bool   `json:"verified"`
			CompletedAt  string `json:"completed_at"`
			PersonSealed []byte `json:"person_sealed"`
		}
		ask(t, bare.handler(), request, &row)
		var whole struct {
			ID          string            `json:"session_id"`
			Status      string            `json:"status_e"`
			Verified    bool              `json:"verified"`
			CompletedAt string            `json:"completed_at"`
			FirstName   string            `json:"first_name"`
			Metadata    map[string]string `json:"metadata"`
			History     []any             `json:"history"`
		}
		ask(t, in.handler(), request, &whole)
		if row.ID != whole.ID || row.Status != whole.Status || row.Verified != whole.Verified || row.CompletedAt != whole.CompletedAt {
			t.Errorf("the row says %+v, the session %+v", row, whole)
		}
		if !bytes.Contains(request, []byte(row.ID)) || len(row.PersonSealed) == 0 || !whole.Verified ||
			whole.FirstName != "Ada" || whole.Metadata["customer"] == "" || len(whole.History) < 9 {
			t.Errorf("%+v is no decided session", whole)
		}
	}
	rates, err := takeTurns(ctx, []http.Handler{bare.handler(), in.handler()}, requests, 500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for i, all := range rates {
		if len(all) != readRounds || slices.Min(all) <= 0 {
			t.Errorf("handler %d: %v requests a second, want %d rounds", i, all, readRounds)
		}
	}
}

func ask(t *testing.T, handler http.Handler, request []byte, into any) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	if err := json.Unmarshal(answer.Body.Bytes(), into); err != nil {
		t.Fatal(err)
	}
}

// TestLoadCountsGoodAnswersOnly: a server that refuses is not a fast one.
func TestLoadCountsGoodAnswersOnly(t *testing.T) {
	for status, ok := range map[int]bool{http.StatusOK: true, http.StatusTooManyRequests: false, http.StatusNotFound: false} {
		address, stop, err := listen(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		if err != nil {
			t.Fatal(err)
		}
		requests := slices.Repeat([][]byte{readRequest("token", "id")}, connections)
		rate, err := load(context.Background(), address, requests, 500*time.Millisecond)
		if (err == nil) != ok || ok != (rate > 0) {
			t.Errorf("status %d: %.0f requests a second, %v", status, rate, err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
}

func TestCompareRates(t *testing.T) {
	got := compareRates("what", []float64{1000, 2000, 1000}, []float64{900, 1000, 800}) // 90, 50 and 80 %
	want := finding{What: "what", Baseline: "1000/s / 1000/s", Ours: "900/s / 800/s", Ratio: "80 % / 50 %"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestMedian(t *testing.T) {
	for want, all := range map[float64][]float64{1: {1}, 2: {3, 1, 2}, 2.5: {4, 1, 2, 3}} {
		if got := median(all); got != want {
			t.Errorf("median of %v is %v, want %v", all, got, want)
		}
	}
}

// TestMeasureSQLite: all that is measured is written to the end, in folders that are gone afterwards.
func TestMeasureSQLite(t *testing.T) {
	folder := t.TempDir()
	findings, err := measureSQLite(context.Background(), speedOptions{folder: folder, writeFor: writeRounds * 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) != 2 {
		t.Fatalf("%d findings, want 2", len(findings))
	}
	for _, f := range findings {
		if f.Ours == "" || f.Goal == "" || f.Missing != "" {
			t.Errorf("%+v", f)
		}
	}
	if left, err := inFolder(folder, func(string) ([]time.Duration, error) { return nil, fmt.Errorf("no") }); err == nil || left != nil {
		t.Errorf("an error was lost: %v, %v", left, err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("%d folders are left, %v", len(left), err)
	}
}

func TestWriteRound(t *testing.T) {
	var r writeRound
	for _, worst := range []time.Duration{9, 30, 12} {
		took := slices.Repeat([]time.Duration{time.Millisecond}, 98)
		r.add(append(took, worst*time.Millisecond, worst*time.Millisecond), time.Second)
	}
	if got := r.p99(); got != 12*time.Millisecond {
		t.Errorf("p99 %v, want that of the middle round", got)
	}
	if got, want := r.String(), "12.0 ms / 30.0 ms (100/s)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWriteGivesItsError(t *testing.T) {
	if _, err := write(time.Minute, func(name string) error { return fmt.Errorf("no %s", name) }); err == nil {
		t.Error("an error was lost")
	}
}

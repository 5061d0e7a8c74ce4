package models

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func pinOf(content string) Pin {
	sum := sha256.Sum256([]byte(content))
	return Pin{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}
}

// bench is a models folder, a mirror and a public server for one test.
type bench struct {
	opts     Options
	progress *bytes.Buffer
	clock    time.Time
	server   *httptest.Server
	hits     atomic.Int32
	served   string // what the server answers; empty is 404
}

func newBench(t *testing.T) *bench {
	b := &bench{progress: &bytes.Buffer{}, clock: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
	b.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.hits.Add(1)
		if b.served == "" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(b.served))
	}))
	t.Cleanup(b.server.Close)
	b.opts = Options{
		Dir: filepath.Join(t.TempDir(), "models"), Mirror: t.TempDir(), Cache: t.TempDir(),
		Progress: b.progress, HTTP: b.server.Client(), Now: func() time.Time { return b.clock },
	}
	return b
}

const soundContent = "these are the weights"

// weight is a weight with one file, net.onnx, that a mirror and the server may have.
func (b *bench) weight(required bool) []Weight {
	return []Weight{{
		Name: "net", Title: "a net", Version: "1", Licence: "MIT", Checks: []string{"looking"},
		Required: required, Loss: "nothing is looked at", Remedy: "bring it",
		Files: []File{{Name: "net.onnx", Sources: mirrorThenWeb("net.onnx", b.server.URL+"/net.onnx", pinOf(soundContent))}},
	}}
}

func (b *bench) mirror(t *testing.T, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(b.opts.Mirror, "net.onnx"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// fetched asserts what the folder holds after a fetch, and that nothing half-made lies there.
func (b *bench) fetched(t *testing.T, name, want string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(b.opts.Dir, name))
	if want == "" && errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", name, got, err, want)
	}
	entries, err := os.ReadDir(b.opts.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

func TestFetchFromMirrorThenNothingToDo(t *testing.T) {
	b := newBench(t)
	b.mirror(t, soundContent)
	report, err := fetch(t.Context(), b.opts, b.weight(true))
	if err != nil {
		t.Fatal(err)
	}
	b.fetched(t, "net.onnx", soundContent)
	file := report.Weights[0].Files[0]
	if file.State != StateOK || file.Source != "mirror "+b.opts.Mirror || report.Path("net.onnx") != file.Path || !report.Has("net") {
		t.Errorf("status %+v", file)
	}
	b.progress.Reset()
	again, err := fetch(t.Context(), b.opts, b.weight(true))
	if err != nil || b.progress.Len() > 0 || b.hits.Load() > 0 {
		t.Errorf("second run: %v, said %q, %d downloads", err, b.progress, b.hits.Load())
	}
	if again.Weights[0].Files[0].Source != file.Source {
		t.Errorf("the source was forgotten: %q", again.Weights[0].Files[0].Source)
	}
}

func TestBadMirrorFileIsRefusedByNameAndFetchedFromTheNextSource(t *testing.T) {
	flipped := "T" + soundContent[1:]
	for name, c := range map[string]struct{ content, want string }{
		"cut off":       {soundContent[:10], "weights_truncated: net.onnx: cut off: 10 B of 21 B"},
		"empty":         {"", "weights_truncated: net.onnx: cut off: 0 B of 21 B"},
		"too long":      {soundContent + "!", "weights_truncated: net.onnx: longer than the pinned 21 B"},
		"wrong content": {flipped, "weights_mismatch: net.onnx: wrong content: sha256 " + short(pinOf(flipped).SHA256)},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.mirror(t, c.content)
			b.served = soundContent
			report, err := fetch(t.Context(), b.opts, b.weight(true))
			if err != nil {
				t.Fatal(err)
			}
			b.fetched(t, "net.onnx", soundContent)
			if !strings.Contains(b.progress.String(), c.want) {
				t.Errorf("said %q, want %q", b.progress, c.want)
			}
			if got := report.Weights[0].Files[0].Source; got != "web "+b.server.URL+"/net.onnx" {
				t.Errorf("source %q", got)
			}
		})
	}
}

func TestDamagedFileIsRefusedByNameAndFetchedAgain(t *testing.T) {
	b := newBench(t)
	b.mirror(t, soundContent)
	if _, err := fetch(t.Context(), b.opts, b.weight(true)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(b.opts.Dir, "net.onnx")
	for name, damage := range map[string]string{"cut off": soundContent[:5], "flipped": "X" + soundContent[1:], "emptied": ""} {
		if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		report, err := inspect(t.Context(), b.opts.Dir, b.weight(true))
		if err != nil || report.Weights[0].State != StateDamaged || report.Path("net.onnx") != "" {
			t.Errorf("%s: %v, %+v", name, err, report.Weights[0])
		}
		var named *Error
		if !errors.As(report.Err(), &named) || named.Code != CodeDamaged || named.Subject != "net.onnx" {
			t.Errorf("%s: verdict %v", name, report.Err())
		}
		b.progress.Reset()
		if _, err := fetch(t.Context(), b.opts, b.weight(true)); err != nil {
			t.Fatal(err)
		}
		b.fetched(t, "net.onnx", soundContent)
		if !strings.Contains(b.progress.String(), "net.onnx is refused") {
			t.Errorf("%s: said %q", name, b.progress)
		}
	}
}

func TestMissing(t *testing.T) {
	for name, required := range map[string]bool{"required": true, "optional": false} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.mirror(t, "rubbish")
			report, err := fetch(t.Context(), b.opts, b.weight(required))
			b.fetched(t, "net.onnx", "")
			if required {
				var missing *Error
				if !errors.As(err, &missing) || missing.Code != CodeMissing || missing.Subject != "net" {
					t.Fatalf("error %v", err)
				}
				for _, want := range []string{"nothing is looked at", "cut off: 7 B of 21 B", "404 Not Found", "bring it"} {
					if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
						t.Errorf("%q is not one line with %q", err, want)
					}
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if got := report.Degraded(); !slices.Equal(got, []string{"net missing: nothing is looked at"}) {
				t.Errorf("degraded %q", got)
			}
		})
	}
}

func TestReservedWeightDegradesNothing(t *testing.T) {
	b := newBench(t)
	weights := b.weight(false)
	weights[0].Reserved = true
	report, err := fetch(t.Context(), b.opts, weights)
	if err != nil || len(report.Degraded()) > 0 || report.Has("net") {
		t.Errorf("%v, degraded %q", err, report.Degraded())
	}
}

func TestMirrorNone(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"kycd", "shared/models"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "kycd", "go.mod"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(root, "kycd"))
	b := newBench(t)
	b.opts.Mirror = filepath.Join(root, "shared", "models")
	b.mirror(t, soundContent)

	b.opts.Mirror = MirrorNone
	report, err := fetch(t.Context(), b.opts, b.weight(false))
	if err != nil || report.Has("net") {
		t.Fatalf("%v: the mirror was used although it is off", err)
	}
	if tried := report.Weights[0].Files[0].Tried; len(tried) != 1 || !strings.HasPrefix(tried[0], "web ") {
		t.Errorf("tried %q", tried)
	}
	b.opts.Mirror = ""
	if report, err = fetch(t.Context(), b.opts, b.weight(false)); err != nil || !report.Has("net") {
		t.Errorf("%v: the default mirror was not used", err)
	}
}

func TestOfflineAsksNoServer(t *testing.T) {
	b := newBench(t)
	b.served, b.opts.Offline = soundContent, true
	report, err := fetch(t.Context(), b.opts, b.weight(false))
	if err != nil || b.hits.Load() != 0 || report.Has("net") {
		t.Errorf("%v, %d downloads", err, b.hits.Load())
	}
}

// A server that has nothing is not asked at every start, only after a while, on request, or for what is required.
func TestFailedServerIsLeftAlone(t *testing.T) {
	b := newBench(t)
	run := func(required bool) int32 {
		t.Helper()
		before := b.hits.Load()
		if _, err := fetch(t.Context(), b.opts, b.weight(required)); err != nil && !required {
			t.Fatal(err)
		}
		return b.hits.Load() - before
	}
	steps := []struct {
		name string
		do   func()
		need bool
		want int32
	}{
		{"first run", func() {}, false, 1},
		{"next start", func() {}, false, 0},
		{"just before a day is over", func() { b.clock = b.clock.Add(24*time.Hour - time.Second) }, false, 0},
		{"a day later", func() { b.clock = b.clock.Add(time.Second) }, false, 1},
		{"required", func() {}, true, 1},
		{"on request", func() { b.opts.Retry = true }, false, 1},
		{"once it is there", func() { b.served = soundContent }, false, 1},
		{"and then not again", func() {}, false, 0},
	}
	for _, s := range steps {
		s.do()
		if got := run(s.need); got != s.want {
			t.Errorf("%s: asked %d times, want %d", s.name, got, s.want)
		}
	}
}

func TestUnreachableHostIsAskedOnceAndInOneLine(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	b := newBench(t)
	dials := 0
	client := newClient()
	client.Transport = &http.Transport{DialContext: func(ctx context.Context, network, a string) (net.Conn, error) {
		dials++
		return (&net.Dialer{}).DialContext(ctx, network, a)
	}}
	b.opts.HTTP = client
	weights := b.weight(false)
	weights[0].Files = nil
	for _, name := range []string{"a", "b", "c"} {
		weights[0].Files = append(weights[0].Files, File{Name: name, Sources: []Source{fromWeb("https://"+address+"/"+name, pinOf(name))}})
	}
	report, err := fetch(t.Context(), b.opts, weights)
	if err != nil || dials != 1 {
		t.Errorf("%v, %d connections tried", err, dials)
	}
	for _, f := range report.Weights[0].Files {
		if len(f.Tried) != 1 || strings.Contains(f.Tried[0], "\n") || !strings.Contains(f.Tried[0], "not reachable") {
			t.Errorf("%s tried %q", f.Name, f.Tried)
		}
	}
}

func TestOnlyHTTPS(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(soundContent))
	}))
	defer plain.Close()
	redirecting := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer redirecting.Close()
	client := newClient()
	client.Transport = redirecting.Client().Transport
	for name, address := range map[string]string{"plain address": plain.URL, "redirect to one": redirecting.URL} {
		w := &web{client: client, unreachable: map[string]error{}}
		if body, err := w.open(t.Context(), address); err == nil {
			body.Close()
			t.Errorf("%s was followed", name)
		}
	}
}

func TestOwnPredictor(t *testing.T) {
	b := newBench(t)
	pinned := filepath.Join(t.TempDir(), "pinned.dat")
	own := filepath.Join(t.TempDir(), "own.dat")
	for path, content := range map[string]string{pinned: "pinned predictor", own: "own predictor"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pin := pinOf("pinned predictor")
	weights := []Weight{{Name: WeightShapePredictor, Required: true, Files: []File{{
		Name: FileShapePredictor, Sources: []Source{{Kind: KindSystem, Parts: []Part{{pinned, pin}}, Result: pin}},
	}}}}
	step := func(name, predictor, want, source string) {
		t.Helper()
		b.opts.Predictor = predictor
		report, err := fetch(t.Context(), b.opts, weights)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b.fetched(t, FileShapePredictor, want)
		if got := report.Weights[0].Files[0].Source; got != source {
			t.Errorf("%s: source %q", name, got)
		}
		if looked, err := inspect(t.Context(), b.opts.Dir, weights); err != nil || looked.Err() != nil {
			t.Errorf("%s: %v, %v", name, err, looked.Err())
		}
	}
	step("pinned", "", "pinned predictor", "system "+pinned)
	step("own", own, "own predictor", "operator "+own)
	if err := os.WriteFile(own, []byte("own predictor, newer"), 0o600); err != nil {
		t.Fatal(err)
	}
	if report, _ := inspect(t.Context(), b.opts.Dir, weights); report.Err() == nil {
		t.Error("a predictor that changed behind our back is taken for sound")
	}
	step("own, changed", own, "own predictor, newer", "operator "+own)
	step("given up", "", "pinned predictor", "system "+pinned)

	b.opts.Predictor = filepath.Join(t.TempDir(), "nowhere.dat")
	if report, err := fetch(t.Context(), b.opts, weights); err == nil || report.Has(WeightShapePredictor) {
		t.Error("the pinned predictor silently stands in for one that was named and is not there")
	}
	b.opts.Predictor = ""
	if err := os.Remove(pinned); err != nil {
		t.Fatal(err)
	}
	if report, _ := inspect(t.Context(), b.opts.Dir, weights); report.Weights[0].State != StateDamaged {
		t.Errorf("a link to nothing is %s", report.Weights[0].State)
	}
}

func TestEmptyDetectorIsBuiltWhenNothingElseHasIt(t *testing.T) {
	b := newBench(t)
	weights := slices.DeleteFunc(Manifest(), func(w Weight) bool { return w.Name != "mmod_detector" })
	b.opts.Offline = true
	report, err := fetch(t.Context(), b.opts, weights)
	if err != nil {
		t.Fatal(err)
	}
	file := report.Weights[0].Files[0]
	if file.State != StateOK || file.Size != 1549 || file.Source != "built" {
		t.Errorf("%+v", file)
	}
}

// TestStandInGivesWay: once the mirror has the true weights, they take the place of the stand-in that was written.
func TestStandInGivesWay(t *testing.T) {
	b := newBench(t)
	b.opts.Offline = true
	empty := Source{Kind: KindBuilt, Convert: ConvertEmptyDetector, Result: emptyDetectorPin(t)}
	weights := b.weight(true)
	weights[0].Files[0].Sources = append(weights[0].Files[0].Sources, empty)
	for range 2 {
		report, err := fetch(t.Context(), b.opts, weights)
		if err != nil || report.Weights[0].Files[0].Source != "built" {
			t.Fatalf("%+v, %v", report.Weights, err)
		}
	}
	b.mirror(t, soundContent)
	report, err := fetch(t.Context(), b.opts, weights)
	if err != nil || !strings.HasPrefix(report.Weights[0].Files[0].Source, "mirror") {
		t.Fatalf("%+v, %v", report.Weights, err)
	}
	b.fetched(t, "net.onnx", soundContent)
}

func emptyDetectorPin(t *testing.T) Pin {
	t.Helper()
	i := slices.IndexFunc(Manifest(), func(w Weight) bool { return w.Name == "mmod_detector" })
	for _, s := range Manifest()[i].Files[0].Sources {
		if s.Kind == KindBuilt {
			return s.Result
		}
	}
	t.Fatal("the manifest has no stand-in")
	return Pin{}
}

func TestConversionResultIsVerified(t *testing.T) {
	b := newBench(t)
	weights := []Weight{{Name: "net", Required: true, Files: []File{{Name: "net.dat", Sources: []Source{
		{Kind: KindBuilt, Convert: ConvertEmptyDetector, Result: pinOf(strings.Repeat("x", 1549))},
	}}}}}
	_, err := fetch(t.Context(), b.opts, weights)
	if err == nil || !strings.Contains(err.Error(), string(CodeMismatch)) {
		t.Errorf("error %v", err)
	}
	b.fetched(t, "net.dat", "")
}

func TestConversionOfRubbish(t *testing.T) {
	if _, err := convertEncoder([]byte(`[{"weights":[{"name":"a","shape":[1],"dtype":"float32"}]}]`), make([]byte, 4)); err == nil {
		t.Error("one tensor became a face encoder")
	}
	if _, err := Conversion("unknown").apply(nil); err == nil {
		t.Error("an unknown conversion ran")
	}
}

func TestCancelledFetchLeavesNothing(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	stuck := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(soundContent[:4]))
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}))
	defer stuck.Close()
	b.opts.HTTP = stuck.Client()
	weights := b.weight(true)
	weights[0].Files[0].Sources = []Source{fromWeb(stuck.URL, pinOf(soundContent))}
	if _, err := fetch(ctx, b.opts, weights); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	b.fetched(t, "net.onnx", "")
}

func TestLeftoversOfAKilledFetchAreRemoved(t *testing.T) {
	b := newBench(t)
	b.mirror(t, soundContent)
	if err := os.MkdirAll(b.opts.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.opts.Dir, tempPrefix+"123"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := fetch(t.Context(), b.opts, b.weight(true)); err != nil {
		t.Fatal(err)
	}
	b.fetched(t, "net.onnx", soundContent)
}

func TestTwoFetchesDownloadOnce(t *testing.T) {
	b := newBench(t)
	b.served = soundContent
	b.opts.Progress = nil // not for two writers
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if _, err := fetch(t.Context(), b.opts, b.weight(true)); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if b.hits.Load() != 1 {
		t.Errorf("%d downloads", b.hits.Load())
	}
}

// lockHelperVariable tells a copy of this test program to hold the lock of a folder until its input ends.
const lockHelperVariable = "KYCD_TEST_LOCK_FOLDER"

func TestLockAgainstAnotherProcess(t *testing.T) {
	if dir := os.Getenv(lockHelperVariable); dir != "" {
		if _, err := lockFolder(t.Context(), dir, func(string, ...any) {}); err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("held\n")
		_, _ = os.Stdin.Read(make([]byte, 1))
		return
	}
	b := newBench(t)
	b.mirror(t, soundContent)
	if err := os.MkdirAll(b.opts.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	other := exec.Command(os.Args[0], "-test.run=^TestLockAgainstAnotherProcess$")
	other.Env = append(os.Environ(), lockHelperVariable+"="+b.opts.Dir)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if n, err := out.Read(make([]byte, 5)); n != 5 || err != nil {
		t.Fatalf("the other process does not hold the lock: %d, %v", n, err)
	}

	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := fetch(short, b.opts, b.weight(true)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the other process holds the lock: %v", err)
	}
	b.fetched(t, "net.onnx", "")
	if said := b.progress.String(); strings.Count(said, "waiting for process ") != 1 {
		t.Errorf("said %q", said)
	}

	done := make(chan error, 1)
	go func() {
		_, err := fetch(t.Context(), b.opts, b.weight(true))
		done <- err
	}()
	select {
	case err := <-done:
		t.Errorf("did not wait: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	// The process is killed, not asked: its lock must not outlive it.
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	in.Close()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the lock of a dead process still holds")
	}
	b.fetched(t, "net.onnx", soundContent)
}

func TestReportRendering(t *testing.T) {
	b := newBench(t)
	weights := append(b.weight(false), Weight{
		Name: "here", Title: "h", Version: "2", Licence: "BSD", Note: "handle with care", Checks: []string{"a", "b"}, Required: true,
		Files: []File{{Name: "here.dat", Sources: []Source{mirrored("here.dat", pinOf("here"))}}},
	})
	if err := os.WriteFile(filepath.Join(b.opts.Mirror, "here.dat"), []byte("here"), 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := fetch(t.Context(), b.opts, weights)
	if err != nil {
		t.Fatal(err)
	}
	var table, object bytes.Buffer
	if err := errors.Join(report.WriteTable(&table), report.WriteJSON(&object)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(table.String(), "\n")
	for _, want := range [][]string{
		{"net", "missing", "optional", "looking", "-", "MIT", "-"},
		{"here", "ok", "required", "a,b", "4", "B", "BSD", "mirror", b.opts.Mirror},
	} {
		if !slices.ContainsFunc(lines, func(l string) bool { return slices.Equal(strings.Fields(l), want) }) {
			t.Errorf("no line %q in\n%s", want, table.String())
		}
	}
	for _, want := range []string{"net (missing): nothing is looked at | tried mirror", "bring it", "here: handle with care"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
	var back Report
	if err := json.Unmarshal(object.Bytes(), &back); err != nil || len(back.Weights) != 2 || back.Weights[1].Files[0].SHA256 != pinOf("here").SHA256 {
		t.Errorf("%v in %s", err, object.String())
	}
}

func TestFolderProblems(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"no folder": "", "a file": file} {
		_, err := Fetch(t.Context(), Options{Dir: dir, Mirror: MirrorNone})
		var folder *Error
		if !errors.As(err, &folder) || folder.Code != CodeFolder {
			t.Errorf("%s: %v", name, err)
		}
	}
	report, err := Verify(t.Context(), filepath.Join(t.TempDir(), "nowhere"))
	if err == nil || report.Has(WeightFaceEncoder) {
		t.Errorf("a folder that does not exist is sound: %v", err)
	}
}

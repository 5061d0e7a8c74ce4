package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kycd/ent/database/databasetest"
	"kycd/kyc"
)

// These tests run the two programs as they are built, and look at them from outside: through the REST API,
// the process table, the database and the files they leave behind.

// TestMain lets the test program be started as a sidecar, see standin_test.go.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == standInName {
		os.Exit(standIn())
	}
	os.Exit(m.Run())
}

// lacks ends a test for want of something outside the project: in CI that is a failure.
func lacks(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// programPath gives the path of a built program: in KYCD_BIN, or in bin of the repository.
func programPath(t testing.TB, name string) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("needs programs: processes are looked at through Linux's /proc")
	}
	dir := os.Getenv("KYCD_BIN")
	if dir == "" {
		dir = filepath.Join("..", "..", "bin")
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		lacks(t, "needs programs: "+path+" (make build, or KYCD_BIN)")
	}
	return path
}

// weightsPath gives the folder of the weights: KYCD_MODELS, or data/models of the repository.
func weightsPath(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("KYCD_MODELS")
	if dir == "" {
		dir = filepath.Join("..", "..", "data", "models")
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(path, "dlib_face_recognition_resnet_model_v1.dat")); err != nil {
		lacks(t, "needs weights: "+path+" (bin/kycd models --fetch, or KYCD_MODELS)")
	}
	return path
}

// place is where an installation keeps its things.
type place struct {
	data            string // folder
	database, redis string // URLs; empty for what is built in
	log             string // file of what kycd and its children logged
	addr            string
	kycd, sidecar   string // programs; an empty sidecar is the real one
	weights         string // folder
}

// newPlace makes an installation with what is built in: SQLite, the queue inside the process, a folder.
func newPlace(t testing.TB) place {
	t.Helper()
	dir := t.TempDir()
	p := place{
		data: filepath.Join(dir, "data"), log: filepath.Join(dir, "log"),
		addr: freeAddress(t), kycd: programPath(t, "kycd"), weights: weightsPath(t),
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the log:\n%s", tail(p.log, 30))
		}
	})
	return p
}

// outside gives the place a PostgreSQL database and a Redis database of its own, by its number.
func (p place) outside(t testing.TB, redisNumber int) place {
	t.Helper()
	p.database, p.redis = databasetest.Postgres(t), redisDatabase(t, redisNumber)
	return p
}

// eachPlace runs a test on what is built in, and on PostgreSQL with Redis.
func eachPlace(t *testing.T, redisNumber int, test func(t *testing.T, p place)) {
	t.Run("built in", func(t *testing.T) {
		t.Parallel()
		test(t, newPlace(t))
	})
	t.Run("PostgreSQL and Redis", func(t *testing.T) {
		t.Parallel()
		test(t, newPlace(t).outside(t, redisNumber))
	})
}

// redisDatabase gives the URL of an empty database of the Redis that KYCD_TEST_REDIS names.
func redisDatabase(t testing.TB, number int) string {
	t.Helper()
	given := os.Getenv("KYCD_TEST_REDIS")
	if given == "" {
		lacks(t, "needs Redis: KYCD_TEST_REDIS is not set (make test starts one)")
	}
	u, err := url.Parse(given)
	if err != nil {
		t.Fatal("KYCD_TEST_REDIS is not a URL")
	}
	u.Path = "/" + strconv.Itoa(number)
	options, err := redis.ParseURL(u.String())
	if err != nil {
		t.Fatal("KYCD_TEST_REDIS is not the URL of a Redis")
	}
	client := redis.NewClient(options)
	t.Cleanup(func() {
		client.FlushDB(context.Background())
		_ = client.Close()
	})
	if err := client.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	return u.String()
}

// freeAddress finds a port below those that the system hands out to outgoing connections, so that it is
// still free when a server is started on it for the tenth time.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(18000))
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

func (p place) url() string { return "http://" + p.addr }

// storeFlags are what every command needs to find the store.
func (p place) storeFlags() []string {
	flags := []string{"--data", p.data}
	if p.database != "" {
		flags = append(flags, "--database", p.database)
	}
	return flags
}

// environment keeps what the machine is set to from reaching the programs under test.
func (p place) environment() []string {
	var kept []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "KYCD_") || strings.HasPrefix(entry, "KYCD_MODELS_") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// newClient runs kycd client create.
func (p place) newClient(t testing.TB, name string) kyc.Credentials {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), p.kycd, append([]string{"client", "create", "--name", name, "--json"}, p.storeFlags()...)...)
	cmd.Env = p.environment()
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	p.note(said.Bytes())
	if err != nil {
		t.Fatalf("client create: %v\n%s", err, &said)
	}
	var made kyc.Credentials
	if err := json.Unmarshal(out, &made); err != nil || made.ClientID == "" || made.ClientSecret == "" {
		t.Fatalf("client create printed no credentials: %v", err)
	}
	return made
}

// note adds to the log.
func (p place) note(said []byte) {
	f, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = f.Write(said)
	_ = f.Close()
}

// running is a kycd serve that was started.
type running struct {
	place
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process is gone
	err   error         // of its end; set before ended is closed
	once  sync.Once
}

// serve starts kycd serve. When the test ends, it is killed if it still runs.
func (p place) serve(t testing.TB, more ...string) *running {
	t.Helper()
	r, err := p.start(more...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.kill)
	return r
}

func (p place) start(more ...string) (*running, error) {
	args := append([]string{"serve", "--addr", p.addr, "--models", p.weights}, p.storeFlags()...)
	args = append(args, "--rate-client", "0", "--rate-session", "0", "--rate-address", "0") // tests ask without pause
	if p.redis != "" {
		args = append(args, "--redis", p.redis)
	}
	if p.sidecar != "" {
		args = append(args, "--sidecar", p.sidecar)
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	cmd := exec.Command(p.kycd, append(args, more...)...)
	cmd.Env = p.environment()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &running{place: p, cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.err = cmd.Wait()
	}()
	return r, nil
}

func (r *running) pid() int { return r.cmd.Process.Pid }

// kill ends the process as a power cut would.
func (r *running) kill() {
	r.once.Do(func() { _ = r.cmd.Process.Kill() })
	<-r.ended
}

// stop asks the process to end, and waits for it.
func (r *running) stop(t testing.TB, within time.Duration) {
	t.Helper()
	sidecar := children(r.pid())
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.ended:
	case <-time.After(within):
		t.Fatalf("SIGTERM did not end kycd within %v", within)
	}
	if r.err != nil {
		t.Errorf("kycd ended with %v after SIGTERM", r.err)
	}
	for _, pid := range sidecar {
		if alive(pid) {
			t.Errorf("the child %d outlived kycd", pid)
		}
	}
}

// answers waits until GET of a path is answered with 200.
func (r *running) answers(path string, within time.Duration) error {
	client := &http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	last := "no answer"
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		select {
		case <-r.ended:
			return fmt.Errorf("kycd ended: %w", r.err)
		default:
		}
		response, err := client.Get(r.url() + path)
		if err != nil {
			last = err.Error()
			continue
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(response.Body)
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return nil
		}
		last = fmt.Sprintf("%d %s", response.StatusCode, &body)
	}
	return fmt.Errorf("GET %s: not 200 within %v: %s", path, within, last)
}

// ready waits until everything, the sidecar too, is ready.
func (r *running) ready(t testing.TB) *running {
	t.Helper()
	if err := r.answers("/ready", 60*time.Second); err != nil {
		t.Fatalf("%v\n%s", err, tail(r.log, 30))
	}
	return r
}

// vision is the process id of the sidecar. There must be one.
func (r *running) vision(t testing.TB) int {
	t.Helper()
	pids := children(r.pid())
	if len(pids) != 1 {
		t.Fatalf("kycd has the children %v, want one", pids)
	}
	return pids[0]
}

// children lists the processes whose parent is pid, and that are not dead already.
func children(pid int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []int
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if state, parent := procStatus(child); parent == pid && state != "Z" {
			found = append(found, child)
		}
	}
	return found
}

func alive(pid int) bool {
	state, _ := procStatus(pid)
	return state != "" && state != "Z"
}

// tail gives the last lines of a log, without those about requests that went well.
func tail(path string, lines int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := slices.DeleteFunc(strings.Split(strings.TrimRight(string(b), "\n"), "\n"), func(line string) bool {
		return strings.Contains(line, "msg=request") && !strings.Contains(line, "status=5") || strings.Contains(line, "route=/ready")
	})
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// memory is what a process holds, in bytes.
type memory struct{ now, peak int64 }

// memoryOf reads the resident set of a process, and the most that it ever was.
func memoryOf(t testing.TB, pid int) memory {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	var m memory
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			m.now = kib << 10
		case "VmHWM":
			m.peak = kib << 10
		}
	}
	if m.now == 0 || m.peak == 0 {
		t.Fatalf("no figures of memory for process %d", pid)
	}
	return m
}

// eventually waits until something holds.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// procStatus gives the state letter and the parent of a process; nothing if there is none.
func procStatus(pid int) (state string, parent int) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	_, rest, ok := strings.Cut(string(b), ") ") // the name before it may hold anything
	fields := strings.Fields(rest)
	if !ok || len(fields) < 2 {
		return "", 0
	}
	parent, _ = strconv.Atoi(fields[1])
	return fields[0], parent
}

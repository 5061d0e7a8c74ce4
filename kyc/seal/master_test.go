package seal

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	keyOne = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=" // 32 bytes of 1
	keyTwo = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=" // 32 bytes of 2
)

func openMaster(t testing.TB, source string) *Master {
	t.Helper()
	master, err := OpenMaster(context.Background(), source, t.TempDir())
	if err != nil {
		t.Fatalf("open %q: %v", source, err)
	}
	t.Cleanup(func() { master.Close() })
	return master
}

func TestMasterSources(t *testing.T) {
	t.Setenv("KYCD_TEST_MASTER", keyOne)
	t.Setenv("KYCD_TEST_EMPTY", "")
	urlSafe := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xff\xfe", 16)))
	tests := []struct {
		name, source string
		want         error
	}{
		{"raw base64", keyOne, nil},
		{"no padding, URL alphabet", urlSafe, nil},
		{"two keys", keyTwo + ",\n" + keyOne, nil},
		{"variable", "env:KYCD_TEST_MASTER", nil},
		{"keeper", "base64key://" + keyOne, nil},
		{"unset variable", "env:KYCD_TEST_ABSENT", ErrMasterConfig},
		{"empty variable", "env:KYCD_TEST_EMPTY", ErrMasterConfig},
		{"short key", "AQEB", ErrMasterConfig},
		{"not base64", "this is no key!", ErrMasterConfig},
		{"same key twice", keyOne + " " + keyOne, ErrMasterConfig},
		{"unknown keeper", "gopher://key", ErrMasterConfig},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			master, err := OpenMaster(context.Background(), test.source, t.TempDir())
			if !errors.Is(err, test.want) {
				t.Fatalf("error %v, want %v", err, test.want)
			}
			if test.want != nil {
				var code Code
				if !errors.As(err, &code) || code != ErrMasterConfig {
					t.Fatalf("no stable code in %v", err)
				}
				if strings.Contains(err.Error(), "AQEB") {
					t.Fatalf("the error quotes the key: %v", err)
				}
				return
			}
			defer master.Close()
			wrapped, key, err := master.NewDataKey(context.Background(), []byte("session/1"))
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := key.Seal([]byte("Ada Sample"), Row("documents", "name", "1"))
			if err != nil {
				t.Fatal(err)
			}
			again, err := master.Unwrap(context.Background(), wrapped, []byte("session/1"))
			if err != nil {
				t.Fatal(err)
			}
			plain, err := again.Open(sealed, Row("documents", "name", "1"))
			if err != nil || string(plain) != "Ada Sample" {
				t.Fatalf("opened %q, %v", plain, err)
			}
			if _, err := master.Unwrap(context.Background(), wrapped, []byte("session/2")); !errors.Is(err, ErrUnreadable) {
				t.Fatalf("another owner's key opened: %v", err)
			}
			wrapped[len(wrapped)-1] ^= 1
			if _, err := master.Unwrap(context.Background(), wrapped, []byte("session/1")); !errors.Is(err, ErrUnreadable) {
				t.Fatalf("a changed wrapped key opened: %v", err)
			}
		})
	}
}

// fakeKMS answers the two calls of AWS KMS that wrapping needs; down makes it fail as an outage does.
func fakeKMS(t *testing.T, down *atomic.Bool) *httptest.Server {
	mark := []byte("sealed by the service:")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct{ Plaintext, CiphertextBlob []byte }
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
			t.Errorf("request: %v", err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		switch {
		case down.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.Header.Get("X-Amz-Target") == "TrentService.Encrypt":
			json.NewEncoder(w).Encode(map[string]any{"CiphertextBlob": append(bytes.Clone(mark), call.Plaintext...)})
		case bytes.HasPrefix(call.CiphertextBlob, mark):
			json.NewEncoder(w).Encode(map[string]any{"Plaintext": bytes.TrimPrefix(call.CiphertextBlob, mark)})
		default:
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"__type":"InvalidCiphertextException"}`)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// A key management service that is down is an outage; what it refuses, or gives back for another row, is unreadable.
func TestMasterKMS(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	var down atomic.Bool
	server := fakeKMS(t, &down)
	master := openMaster(t, "awskms:///11111111-2222-3333-4444-555555555555?region=eu-west-1&endpoint="+server.URL)
	ctx, owner := context.Background(), []byte("session/1")
	wrapped, key, err := master.NewDataKey(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := key.Seal([]byte("Sample"), []byte("row"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := master.Unwrap(ctx, wrapped, owner)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := again.Open(sealed, []byte("row")); err != nil || string(plain) != "Sample" {
		t.Fatalf("opened %q, %v", plain, err)
	}
	if _, err := master.Unwrap(ctx, wrapped, []byte("session/2")); !errors.Is(err, ErrUnreadable) {
		t.Errorf("another owner: %v", err)
	}
	if _, err := master.Unwrap(ctx, []byte("foreign"), owner); !errors.Is(err, ErrUnreadable) {
		t.Errorf("foreign bytes: %v", err)
	}
	down.Store(true)
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond) // the SDK tries again for longer
	defer cancel()
	if _, err := master.Unwrap(short, wrapped, owner); !errors.Is(err, ErrMasterUnavailable) || errors.Is(err, ErrUnreadable) {
		t.Errorf("an outage: %v", err)
	}
}

func TestMasterRotation(t *testing.T) {
	ctx, owner := context.Background(), []byte("session/1")
	old, both, fresh := openMaster(t, keyOne), openMaster(t, keyTwo+" "+keyOne), openMaster(t, keyTwo)
	wrappedOld, _, err := old.NewDataKey(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := both.Unwrap(ctx, wrappedOld, owner); err != nil {
		t.Fatalf("the second key does not unwrap: %v", err)
	}
	wrappedNew, _, err := both.NewDataKey(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.Unwrap(ctx, wrappedNew, owner); err != nil {
		t.Fatalf("the first key did not wrap: %v", err)
	}
	if _, err := fresh.Unwrap(ctx, wrappedOld, owner); !errors.Is(err, ErrUnreadable) {
		t.Fatalf("a key that was removed still unwraps: %v", err)
	}
}

func TestMasterFile(t *testing.T) {
	ctx, dir := context.Background(), filepath.Join(t.TempDir(), "data")
	first, err := OpenMaster(ctx, "", dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "master.key"))
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Fatalf("left in the folder: %v, %v", names, err)
	}
	wrapped, _, err := first.NewDataKey(ctx, []byte("session/1"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := OpenMaster(ctx, "", dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Unwrap(ctx, wrapped, []byte("session/1")); err != nil {
		t.Fatalf("a second start reads another key: %v", err)
	}
}

func TestMasterFileRefused(t *testing.T) {
	write := func(text string, mode os.FileMode) func(string) error {
		return func(path string) error {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				return err
			}
			return os.Chmod(path, mode)
		}
	}
	tests := []struct {
		name string
		make func(path string) error
		want error
	}{
		{"owner only", write(keyOne, 0o600), nil},
		{"owner, read only", write(keyOne, 0o400), nil},
		{"group may read", write(keyOne, 0o640), ErrMasterMode},
		{"world may read", write(keyOne, 0o604), ErrMasterMode},
		{"group may write", write(keyOne, 0o620), ErrMasterMode},
		{"a folder", func(path string) error { return os.Mkdir(path, 0o700) }, ErrMasterMode},
		{"a link", func(path string) error { return os.Symlink("elsewhere", path) }, ErrMasterMode},
		{"empty", write("", 0o600), ErrMasterConfig},
		{"cut off", write(keyOne[:20], 0o600), ErrMasterConfig},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := test.make(filepath.Join(dir, "master.key")); err != nil {
				t.Fatal(err)
			}
			if _, err := OpenMaster(context.Background(), "", dir); !errors.Is(err, test.want) {
				t.Fatalf("error %v, want %v", err, test.want)
			}
		})
	}
}

// TestMasterFileProcesses starts processes that all find no key file; everything that any of them wraps must open
// with the file that remains.
func TestMasterFileProcesses(t *testing.T) {
	ctx, owner := context.Background(), []byte("session/1")
	if dir := os.Getenv("KYCD_SEAL_CHILD"); dir != "" {
		master, err := OpenMaster(ctx, "", dir)
		if err != nil {
			t.Fatal(err)
		}
		wrapped, _, err := master.NewDataKey(ctx, owner)
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("wrapped=" + hex.EncodeToString(wrapped) + "\n")
		return
	}
	dir := filepath.Join(t.TempDir(), "data")
	outputs := make([]string, 6)
	var children sync.WaitGroup
	for i := range outputs {
		children.Go(func() {
			child := exec.Command(os.Args[0], "-test.run=^TestMasterFileProcesses$")
			child.Env = append(os.Environ(), "KYCD_SEAL_CHILD="+dir)
			output, err := child.CombinedOutput()
			if err != nil {
				t.Errorf("child: %v\n%s", err, output)
			}
			outputs[i] = string(output)
		})
	}
	children.Wait()
	master, err := OpenMaster(ctx, "", dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, output := range outputs {
		_, rest, found := strings.Cut(output, "wrapped=")
		digits, _, _ := strings.Cut(rest, "\n")
		wrapped, err := hex.DecodeString(digits)
		if !found || err != nil {
			t.Fatalf("child %d said %q", i, output)
		}
		if _, err := master.Unwrap(ctx, wrapped, owner); err != nil {
			t.Errorf("child %d used another key: %v", i, err)
		}
	}
}

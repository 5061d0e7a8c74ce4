package blob

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeS3 is a bucket named "bucket" behind the part of the S3 protocol that a Store uses.
type fakeS3 struct {
	mu      sync.Mutex
	objects map[string][]byte
	down    bool
}

func (f *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case f.down:
		w.WriteHeader(http.StatusForbidden)
	case bucket != "bucket":
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, "<Error><Code>NoSuchBucket</Code></Error>")
	case r.Method == http.MethodPut:
		f.objects[key], _ = io.ReadAll(r.Body)
		w.Header().Set("ETag", `"1"`)
	case r.Method == http.MethodDelete:
		delete(f.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case r.URL.Query().Get("list-type") == "2":
		f.list(w, r.URL.Query())
	case f.objects[key] == nil:
		w.WriteHeader(http.StatusNotFound)
		if r.Method == http.MethodGet {
			io.WriteString(w, "<Error><Code>NoSuchKey</Code></Error>")
		}
	default:
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Last-Modified", time.Unix(0, 0).UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Length", fmt.Sprint(len(f.objects[key])))
		w.Write(f.objects[key])
	}
}

// list gives pages of two keys, so that a test with three needs a second page.
func (f *fakeS3) list(w io.Writer, query url.Values) {
	type object struct {
		Key, ETag, LastModified string
		Size                    int
	}
	var page struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string
		Contents              []object
	}
	var keys []string
	for key := range f.objects {
		if strings.HasPrefix(key, query.Get("prefix")) && key > query.Get("continuation-token") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if len(keys) > 2 {
		keys, page.IsTruncated, page.NextContinuationToken = keys[:2], true, keys[1]
	}
	for _, key := range keys {
		page.Contents = append(page.Contents, object{key, "1", "2030-01-01T00:00:00Z", len(f.objects[key])})
	}
	xml.NewEncoder(w).Encode(page)
}

func serveS3(t *testing.T) (address string, fake *fakeS3) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	fake = &fakeS3{objects: map[string][]byte{}}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	return "s3://bucket?endpoint=" + url.QueryEscape(server.URL), fake
}

func open(t *testing.T, address, dataDir string) Store {
	t.Helper()
	store, err := Open(context.Background(), address, dataDir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// TestStores asks the same of every kind of store.
func TestStores(t *testing.T) {
	bucket, _ := serveS3(t)
	prefixed, fake := serveS3(t)
	for name, store := range map[string]Store{
		"folder":      open(t, "", t.TempDir()),
		"file URL":    open(t, "file://"+t.TempDir(), ""),
		"bucket":      open(t, bucket, ""),
		"with prefix": open(t, prefixed+"&prefix=kycd/one", ""),
	} {
		t.Run(name, func(t *testing.T) { testStore(t, store) })
	}
	for key := range fake.objects {
		if !strings.HasPrefix(key, "kycd/one/") {
			t.Errorf("%q lies outside the bucket's prefix", key)
		}
	}
	if len(fake.objects) == 0 {
		t.Error("the bucket with prefix is empty")
	}
}

func testStore(t *testing.T, store Store) {
	ctx := context.Background()
	if err := store.Ping(ctx); err != nil {
		t.Fatalf("ping: %v", err)
	}
	image := bytes.Repeat([]byte{0, 1, 2, 0xff}, 5000)
	put := func(key string, sealed []byte) {
		t.Helper()
		if err := store.Put(ctx, key, sealed); err != nil {
			t.Fatalf("put %s: %v", key, err)
		}
	}
	stored := func(key string, want []byte) {
		t.Helper()
		got, err := store.Get(ctx, key, 1<<20)
		if want == nil && !errors.Is(err, ErrNotFound) {
			t.Fatalf("get %s: %d bytes, %v; want %v", key, len(got), err, ErrNotFound)
		}
		if want != nil && (err != nil || !bytes.Equal(got, want)) {
			t.Fatalf("get %s: %d bytes, %v; want %d bytes", key, len(got), err, len(want))
		}
	}
	stored("sessions/1/front", nil)
	put("sessions/1/front", image)
	put("sessions/1/back", []byte("back"))
	put("sessions/1/frames/0", []byte("frame"))
	put("sessions/12/front", []byte("neighbour"))
	stored("sessions/1/front", image)
	put("sessions/1/front", []byte("newer"))
	stored("sessions/1/front", []byte("newer"))
	put("sessions/1/empty", []byte{})
	stored("sessions/1/empty", []byte{})

	if _, err := store.Get(ctx, "sessions/1/back", 3); !errors.Is(err, ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
	if got, err := store.Get(ctx, "sessions/1/back", 4); err != nil || string(got) != "back" {
		t.Errorf("at the limit: %q, %v", got, err)
	}
	stored("sessions/1", nil)
	stored("sessions/1/front/deeper", nil)

	for _, key := range []string{"sessions/1/back", "sessions/1/back", "sessions/9/never"} {
		if err := store.Delete(ctx, key); err != nil {
			t.Errorf("delete %s: %v", key, err)
		}
	}
	stored("sessions/1/back", nil)
	if err := store.Delete(ctx, "sessions/1"); err != nil {
		t.Errorf("delete of a prefix: %v", err)
	}
	stored("sessions/1/front", []byte("newer"))
	for range 2 {
		if err := store.DeletePrefix(ctx, "sessions/1"); err != nil {
			t.Fatalf("delete prefix: %v", err)
		}
	}
	stored("sessions/1/front", nil)
	stored("sessions/1/frames/0", nil)
	stored("sessions/12/front", []byte("neighbour"))
	if err := store.DeletePrefix(ctx, "sessions/12/front"); err != nil {
		t.Fatal(err)
	}
	stored("sessions/12/front", []byte("neighbour"))

	for _, key := range badKeys() {
		_, getErr := store.Get(ctx, key, 10)
		for call, err := range map[string]error{
			"put": store.Put(ctx, key, []byte("x")), "get": getErr,
			"delete": store.Delete(ctx, key), "delete prefix": store.DeletePrefix(ctx, key),
		} {
			if !errors.Is(err, ErrInvalidKey) || key != "" && len(key) > 3 && strings.Contains(err.Error(), key) {
				t.Errorf("%s of %q: %v", call, key, err)
			}
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := store.Put(ended, "sessions/3/front", image); err == nil {
		t.Error("put after the context ended")
	}
	stored("sessions/3/front", nil)
}

func badKeys() []string {
	return []string{
		"", "/", "/etc/passwd", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "./a", ".drafts/x", "a/.hidden",
		`a\b`, "a b", "a\x00b", "a\nb", "ä", "a%2fb", "C:/x", "a?b", "a*b", strings.Repeat("a", 513),
	}
}

func FuzzValidKey(f *testing.F) {
	for _, key := range append(badKeys(), "a", "sessions/1/front", "a..b") {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if ValidKey(key) && (!filepath.IsLocal(key) || !fs.ValidPath(key) || strings.HasPrefix(key, draftFolder)) {
			t.Errorf("%q is accepted", key)
		}
	})
}

func TestOpenRefused(t *testing.T) {
	for _, address := range []string{
		"gs://bucket", "mem://", "file://relative/path", "file:relative", "s3://bucket?nonsense=1&region=x",
		"s3://bucket?region=x&prefix=../up", "http://%zz", "/some/path",
	} {
		if store, err := Open(context.Background(), address, t.TempDir()); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v, %v", address, store, err)
		}
	}
}

func TestBucketUnavailable(t *testing.T) {
	ctx := context.Background()
	address, fake := serveS3(t)
	missing := open(t, strings.Replace(address, "s3://bucket", "s3://missing", 1), "")
	_, getErr := missing.Get(ctx, "a", 10)
	for call, err := range map[string]error{"ping": missing.Ping(ctx), "put": missing.Put(ctx, "a", nil), "get": getErr} {
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s in a bucket that does not exist: %v", call, err)
		}
	}
	store := open(t, address, "")
	fake.down = true
	_, getErr = store.Get(ctx, "a", 10)
	for call, err := range map[string]error{
		"ping": store.Ping(ctx), "put": store.Put(ctx, "a", nil), "get": getErr,
		"delete": store.Delete(ctx, "a"), "delete prefix": store.DeletePrefix(ctx, "a"),
	} {
		if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrNotFound) {
			t.Errorf("%s refused by the service: %v", call, err)
		}
	}
}

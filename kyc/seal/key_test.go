package seal

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"
)

func newTestKey(t testing.TB) *Key {
	t.Helper()
	_, key, err := openMaster(t, keyOne).NewDataKey(context.Background(), []byte("session/1"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSealRoundTrip(t *testing.T) {
	key := newTestKey(t)
	for _, size := range []int{0, 1, 15, 16, 17, 1 << 16} {
		plain := bytes.Repeat([]byte{0x5a}, size)
		sealed, err := key.Seal(plain, Row("captures", "image", "7"))
		if err != nil {
			t.Fatal(err)
		}
		if len(sealed) != size+Overhead {
			t.Errorf("%d bytes became %d, want %d more", size, len(sealed), Overhead)
		}
		if size > 15 && bytes.Contains(sealed, plain[:16]) {
			t.Error("the plaintext shows through")
		}
		opened, err := key.Open(sealed, Row("captures", "image", "7"))
		if err != nil || !bytes.Equal(opened, plain) {
			t.Fatalf("size %d: opened %d bytes, %v", size, len(opened), err)
		}
	}
	one, _ := key.Seal([]byte("same"), []byte("row"))
	two, _ := key.Seal([]byte("same"), []byte("row"))
	if bytes.Equal(one, two) {
		t.Error("sealing twice gave equal bytes")
	}
}

func TestSealTampered(t *testing.T) {
	key, row := newTestKey(t), Row("documents", "last_name", "7")
	sealed, err := key.Seal([]byte("Sample"), row)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 0x80
		if _, err := key.Open(changed, row); !errors.Is(err, ErrUnreadable) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	for size := range sealed {
		if _, err := key.Open(sealed[:size], row); !errors.Is(err, ErrUnreadable) {
			t.Fatalf("cut to %d bytes: %v", size, err)
		}
	}
	if _, err := newTestKey(t).Open(sealed, row); !errors.Is(err, ErrUnreadable) {
		t.Fatalf("another key: %v", err)
	}
}

func TestSealAssociatedData(t *testing.T) {
	key := newTestKey(t)
	sealed, err := key.Seal([]byte("Sample"), Row("documents", "last_name", "7"))
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string][]byte{
		"table":         Row("identities", "last_name", "7"),
		"column":        Row("documents", "first_name", "7"),
		"id":            Row("documents", "last_name", "8"),
		"shifted parts": Row("documentsl", "ast_name", "7"),
		"none":          nil,
	} {
		if _, err := key.Open(sealed, row); !errors.Is(err, ErrUnreadable) {
			t.Errorf("other %s: %v", name, err)
		}
	}
	if _, err := key.Seal([]byte("Sample"), nil); !errors.Is(err, ErrUnbound) {
		t.Errorf("sealed without a row: %v", err)
	}
}

func TestSealJSON(t *testing.T) {
	type person struct {
		First string `json:"first"`
		Born  int    `json:"born"`
	}
	key, row := newTestKey(t), Row("identities", "person", "7")
	want := person{First: "Ada", Born: 1990}
	sealed, err := key.SealJSON(want, row)
	if err != nil {
		t.Fatal(err)
	}
	var got person
	if err := key.OpenJSON(sealed, row, &got); err != nil || got != want {
		t.Fatalf("opened %+v, %v", got, err)
	}
	var number int
	if err := key.OpenJSON(sealed, row, &number); !errors.Is(err, ErrEncoding) || strings.Contains(err.Error(), "Ada") {
		t.Errorf("JSON of another type: %v", err)
	}
	if err := key.OpenJSON(sealed, Row("identities", "person", "8"), &got); !errors.Is(err, ErrUnreadable) {
		t.Errorf("another row: %v", err)
	}
	if _, err := key.SealJSON(math.NaN(), row); !errors.Is(err, ErrEncoding) {
		t.Errorf("NaN: %v", err)
	}
}

// BenchmarkSeal4MB seals a picture's worth of bytes; the goal is at most 1 ms.
func BenchmarkSeal4MB(b *testing.B) {
	key, row, plain := newTestKey(b), Row("captures", "image", "7"), make([]byte, 4<<20)
	b.SetBytes(int64(len(plain)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := key.Seal(plain, row); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen4MB(b *testing.B) {
	key, row := newTestKey(b), Row("captures", "image", "7")
	sealed, err := key.Seal(make([]byte, 4<<20), row)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(4 << 20)
	for b.Loop() {
		if _, err := key.Open(sealed, row); err != nil {
			b.Fatal(err)
		}
	}
}

package auth

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

func TestClientSecret(t *testing.T) {
	secret, hash, err := NewClientSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(secret, "kycs_") || len(secret) != len("kycs_")+43 {
		t.Errorf("secret of %d characters", len(secret))
	}
	if want := sha256.Sum256([]byte(secret)); !bytes.Equal(hash, want[:]) {
		t.Error("the hash is not the secret's")
	}
	other, otherHash, err := NewClientSecret(rand.Reader)
	if err != nil || other == secret {
		t.Errorf("the same secret twice, %v", err)
	}
	for _, test := range []struct {
		name, presented string
		hashes          [][]byte
		want            bool
	}{
		{"right", secret, [][]byte{hash}, true},
		{"right, second", secret, [][]byte{otherHash, hash}, true},
		{"wrong", other, [][]byte{hash}, false},
		{"cut off", secret[:len(secret)-1], [][]byte{hash}, false},
		{"longer", secret + "x", [][]byte{hash}, false},
		{"other case", strings.ToUpper(secret), [][]byte{hash}, false},
		{"the hash itself", string(hash), [][]byte{hash}, false},
		{"empty", "", [][]byte{hash}, false},
		{"no hash", secret, nil, false},
		{"empty hash", "", [][]byte{{}, nil}, false},
		{"both match", secret, [][]byte{hash, hash}, true},
	} {
		if got := CheckSecret(test.presented, test.hashes...); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	if _, _, err := NewClientSecret(iotest.ErrReader(errors.New("empty"))); err == nil {
		t.Error("a secret without randomness")
	}
}

func TestParseScopes(t *testing.T) {
	for _, test := range []struct {
		list, joined string
		want         error
	}{
		{"", "", nil},
		{"idv", "idv", nil},
		{"webhook  idv idv", "idv webhook", nil},
		{"idv ida identity webhook config dashboard sdk", "config dashboard ida identity idv sdk webhook", nil},
		{"IDV", "", ErrInvalidScope},
		{"idv admin", "", ErrInvalidScope},
		{"idv,ida", "", ErrInvalidScope},
	} {
		scopes, err := ParseScopes(test.list)
		if joined := JoinScopes(scopes); joined != test.joined || !errors.Is(err, test.want) {
			t.Errorf("%q: %q, %v", test.list, joined, err)
		}
	}
}

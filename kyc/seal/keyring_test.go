package seal

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tink-crypto/tink-go/v2/tink"
)

// countingAEAD counts unwraps and lets a test act in the middle of one.
type countingAEAD struct {
	tink.AEADWithContext
	unwraps int
	during  func()
}

func (c *countingAEAD) DecryptWithContext(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	c.unwraps++
	if c.during != nil {
		c.during()
	}
	return c.AEADWithContext.DecryptWithContext(ctx, sealed, associated)
}

func newTestKeyring(t *testing.T, capacity int) (*Keyring, *countingAEAD, *time.Time) {
	t.Helper()
	master := openMaster(t, keyOne)
	counter := &countingAEAD{AEADWithContext: master.aead}
	master.aead = counter
	clock := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	return NewKeyring(master, capacity, time.Minute, func() time.Time { return clock }), counter, &clock
}

func TestKeyringRemembers(t *testing.T) {
	ctx := context.Background()
	ring, counter, clock := newTestKeyring(t, 8)
	wrapped, key, err := ring.New(ctx, "session/1")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := key.Seal([]byte("Sample"), []byte("row"))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		again, err := ring.Key(ctx, "session/1", wrapped)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := again.Open(sealed, []byte("row")); err != nil || string(plain) != "Sample" {
			t.Fatalf("opened %q, %v", plain, err)
		}
	}
	if counter.unwraps != 0 {
		t.Errorf("%d unwraps of a key that was just made", counter.unwraps)
	}
	*clock = clock.Add(time.Minute)
	if _, err := ring.Key(ctx, "session/1", wrapped); err != nil {
		t.Fatal(err)
	}
	if counter.unwraps != 1 {
		t.Errorf("%d unwraps after the time to live, want 1", counter.unwraps)
	}
	if _, err := ring.Key(ctx, "session/2", wrapped); !errors.Is(err, ErrUnreadable) {
		t.Errorf("another owner's wrapped key: %v", err)
	}
	other, _, err := ring.master.NewDataKey(ctx, ownerData("session/1"))
	if err != nil {
		t.Fatal(err)
	}
	replaced, err := ring.Key(ctx, "session/1", other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := replaced.Open(sealed, []byte("row")); !errors.Is(err, ErrUnreadable) {
		t.Errorf("the remembered key answered for another wrapped form: %v", err)
	}
}

func TestKeyringDestroyed(t *testing.T) {
	ctx := context.Background()
	ring, _, _ := newTestKeyring(t, 8)
	wrapped, key, err := ring.New(ctx, "session/1")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := key.Seal([]byte("Sample"), []byte("row"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Key(ctx, "session/1", nil); !errors.Is(err, ErrDestroyed) {
		t.Fatalf("a destroyed key: %v", err)
	}
	if ring.Len() != 0 {
		t.Error("a destroyed key stays in memory")
	}
	fresh, err := ring.Key(ctx, "session/1", wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.Open(sealed, []byte("row")); err != nil {
		t.Fatal(err)
	}
	ring.Forget("session/1")
	ring.Forget("session/unknown")
	_, second, err := ring.New(ctx, "session/1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Open(sealed, []byte("row")); !errors.Is(err, ErrUnreadable) {
		t.Errorf("a new key opens what the destroyed one sealed: %v", err)
	}
}

// A key that is being unwrapped while its owner is forgotten must not come back into memory.
func TestKeyringForgetDuringUnwrap(t *testing.T) {
	ctx := context.Background()
	ring, counter, _ := newTestKeyring(t, 8)
	wrapped, _, err := ring.New(ctx, "session/1")
	if err != nil {
		t.Fatal(err)
	}
	ring.Forget("session/1")
	counter.during = func() { ring.Forget("session/1") }
	if _, err := ring.Key(ctx, "session/1", wrapped); err != nil {
		t.Fatal(err)
	}
	if ring.Len() != 0 {
		t.Error("the forgotten key is back in memory")
	}
}

func TestKeyringBounded(t *testing.T) {
	ctx := context.Background()
	ring, counter, _ := newTestKeyring(t, 4)
	stored := map[string][]byte{}
	for i := range 10 {
		id := fmt.Sprintf("session/%d", i)
		wrapped, _, err := ring.New(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		stored[id] = wrapped
		if _, err := ring.Key(ctx, "session/0", stored["session/0"]); err != nil {
			t.Fatal(err)
		}
	}
	if ring.Len() != 4 {
		t.Errorf("%d keys held, want 4", ring.Len())
	}
	if counter.unwraps != 0 {
		t.Errorf("the key in constant use was dropped %d times", counter.unwraps)
	}
	if _, err := ring.Key(ctx, "session/1", stored["session/1"]); err != nil || counter.unwraps != 1 {
		t.Errorf("the oldest key: %v, %d unwraps", err, counter.unwraps)
	}
}

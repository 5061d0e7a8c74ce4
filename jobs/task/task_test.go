package task

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

func TestKindsHaveQueuesOfTheirArea(t *testing.T) {
	want := map[Kind]Queue{
		"vision:analyze":  "vision",
		"session:decide":  "session",
		"webhook:deliver": "webhook",
	}
	if len(Kinds()) != len(want) {
		t.Fatalf("%d kinds, want %d", len(Kinds()), len(want))
	}
	for _, kind := range Kinds() {
		queue, ok := kind.Queue()
		if !ok || queue != want[kind] {
			t.Errorf("%s lies on %q (%v), want %q", kind, queue, ok, want[kind])
		}
		if area, _, _ := strings.Cut(string(kind), ":"); area != string(queue) {
			t.Errorf("%s lies on %q, not on its area's queue", kind, queue)
		}
		if kind.Budget() <= 0 || kind.Budget() >= timeout {
			t.Errorf("%s has the budget %v, which must lie below asynq's own limit", kind, kind.Budget())
		}
	}
	for _, kind := range []Kind{"", "vision", "vision:", "vision:analyze2", "session", "Vision:analyze"} {
		if queue, ok := kind.Queue(); ok {
			t.Errorf("%q is taken for a kind of queue %q", kind, queue)
		}
	}
}

func TestTaskCarriesAnIDAndNothingElse(t *testing.T) {
	made, err := New(VisionAnalyze, "0199-abc", 3)
	if err != nil {
		t.Fatal(err)
	}
	if made.Type() != "vision:analyze" || string(made.Payload()) != `{"outbox_id":"0199-abc"}` {
		t.Errorf("made %s %s", made.Type(), made.Payload())
	}
	id, err := Decode(made.Payload())
	if err != nil || id != "0199-abc" {
		t.Errorf("decoded %q, %v", id, err)
	}
}

func TestNewRefusesWhatIsNoTask(t *testing.T) {
	cases := []struct {
		kind Kind
		id   string
	}{
		{"vision", "a"}, {"", "a"}, {VisionAnalyze, ""}, {VisionAnalyze, "a:b"}, {VisionAnalyze, "../x"},
		{VisionAnalyze, strings.Repeat("a", 37)}, {VisionAnalyze, "é"}, {VisionAnalyze, "a\n"},
	}
	for _, c := range cases {
		if _, err := New(c.kind, c.id, 0); !errors.Is(err, ErrMalformed) {
			t.Errorf("New(%q, %q): %v", c.kind, c.id, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"outbox_id":"a"}`, `{}`, `null`, `[]`, ``, `{"outbox_id":5}`, `{"outbox_id":"a:b"}`,
		`{"outbox_id":"` + strings.Repeat("a", 300) + `"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		id, err := Decode(body)
		if err != nil {
			if !errors.Is(err, ErrMalformed) || id != "" {
				t.Fatalf("%q, %v", id, err)
			}
			return
		}
		again, err := json.Marshal(payload{OutboxID: id})
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Decode(again); err != nil || back != id || !ValidID(id) {
			t.Fatalf("%q came back as %q, %v", id, back, err)
		}
	})
}

// What asynq writes must be what this package looks at.
func TestKeysAreThoseOfAsynq(t *testing.T) {
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	sender := asynq.NewClientFromRedisClient(client)
	made, err := New(WebhookDeliver, "row", 2)
	if err != nil {
		t.Fatal(err)
	}
	info, err := sender.Enqueue(made)
	if err != nil {
		t.Fatal(err)
	}
	if info.ID != ID("row", 2) || info.Queue != string(QueueWebhook) || info.MaxRetry != 0 || info.Retention != 0 || info.Timeout != timeout {
		t.Errorf("enqueued %+v", info)
	}
	ctx := context.Background()
	if waiting := client.LRange(ctx, PendingKey(QueueWebhook), 0, -1).Val(); len(waiting) != 1 || waiting[0] != "row:2" {
		t.Errorf("pending: %v", waiting)
	}
	if state := client.HGet(ctx, RecordKey(QueueWebhook, "row:2"), StateField).Val(); state != StatePending {
		t.Errorf("state: %q", state)
	}
	inspector := asynq.NewInspectorFromRedisClient(client)
	if err := inspector.PauseQueue(string(QueueWebhook)); err != nil {
		t.Fatal(err)
	}
	if client.Exists(ctx, PausedKey(QueueWebhook)).Val() != 1 {
		t.Error("the mark of a paused queue lies elsewhere")
	}
	if _, err := sender.Enqueue(made); !errors.Is(err, asynq.ErrTaskIDConflict) {
		t.Errorf("the same sending twice: %v", err)
	}
}

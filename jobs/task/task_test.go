package task

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
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
		"session:erase":   "session",
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

func TestTaskCarriesIDsAndNothingElse(t *testing.T) {
	for _, c := range []struct {
		request, body string
	}{
		{"", `{"outbox_id":"0199-abc"}`},
		{"caller-4711.x_y", `{"outbox_id":"0199-abc","request_id":"caller-4711.x_y"}`},
		{"not <an> id", `{"outbox_id":"0199-abc"}`},
		{strings.Repeat("x", 128), `{"outbox_id":"0199-abc","request_id":"` + strings.Repeat("x", 128) + `"}`},
		{strings.Repeat("x", 129), `{"outbox_id":"0199-abc"}`},
	} {
		made, err := New(VisionAnalyze, Payload{"0199-abc", c.request}, 3)
		if err != nil {
			t.Fatal(err)
		}
		if made.Type() != "vision:analyze" || string(made.Payload()) != c.body {
			t.Errorf("made %s %s, want %s", made.Type(), made.Payload(), c.body)
		}
		got, err := Decode(made.Payload())
		if err != nil || got.OutboxID != "0199-abc" || got.RequestID != "" && got.RequestID != c.request {
			t.Errorf("decoded %+v, %v", got, err)
		}
	}
}

func TestLogNamesTheRequest(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, nil))
	Log(WithRequestID(context.Background(), "caller-4711"), log).Info("with")
	Log(WithRequestID(context.Background(), ""), log).Info("without")
	if text := out.String(); !strings.Contains(text, "msg=with request_id=caller-4711\n") || !strings.HasSuffix(text, "msg=without\n") {
		t.Errorf("log: %s", text)
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
		if _, err := New(c.kind, Payload{OutboxID: c.id}, 0); !errors.Is(err, ErrMalformed) {
			t.Errorf("New(%q, %q): %v", c.kind, c.id, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"outbox_id":"a"}`, `{}`, `null`, `[]`, ``, `{"outbox_id":5}`, `{"outbox_id":"a:b"}`,
		`{"outbox_id":"a","request_id":"b"}`, `{"outbox_id":"a","request_id":"b\n"}`,
		`{"outbox_id":"` + strings.Repeat("a", 300) + `"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := Decode(body)
		if err != nil {
			if !errors.Is(err, ErrMalformed) || p != (Payload{}) {
				t.Fatalf("%+v, %v", p, err)
			}
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Decode(again); err != nil || back != p || !ValidID(p.OutboxID) {
			t.Fatalf("%+v came back as %+v, %v", p, back, err)
		}
	})
}

// What asynq writes must be what this package looks at.
func TestKeysAreThoseOfAsynq(t *testing.T) {
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	sender := asynq.NewClientFromRedisClient(client)
	made, err := New(WebhookDeliver, Payload{OutboxID: "row"}, 2)
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

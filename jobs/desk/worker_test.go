package desk

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"kycd/vision"
)

type analyzerFunc func(ctx context.Context, image []byte, ask vision.Ask) vision.Analysis

func (f analyzerFunc) Analyze(ctx context.Context, image []byte, ask vision.Ask) vision.Analysis {
	return f(ctx, image, ask)
}

func TestAWorkerFetchesMeasuresAndHandsIn(t *testing.T) {
	analyst := &fakeAnalyst{finished: map[string]vision.Analysis{}}
	s := open(t, "", analyst, nil, quiet())
	measured := 0
	w := NewWorker(client(t, s.URL(), token, time.Second), analyzerFunc(func(_ context.Context, image []byte, ask vision.Ask) vision.Analysis {
		measured++
		if !ask.MRZ || len(image) == 0 {
			t.Errorf("asked %+v about %d bytes", ask, len(image))
		}
		return vision.Analysis{Width: 5}
	}), quiet())
	w.Do(context.Background(), "row")
	if analyst.finished["row"].Width != 5 {
		t.Error("nothing was handed in")
	}
	w.Do(context.Background(), "finished-before")
	if measured != 1 {
		t.Errorf("measured %d times: finished work was done again", measured)
	}
}

// At the end of the process a hurried answer is no answer.
func TestAStoppedWorkerHandsNothingIn(t *testing.T) {
	analyst := &fakeAnalyst{finished: map[string]vision.Analysis{}}
	s := open(t, "", analyst, nil, quiet())
	ctx, cancel := context.WithCancel(context.Background())
	w := NewWorker(client(t, s.URL(), token, time.Second), analyzerFunc(func(context.Context, []byte, vision.Ask) vision.Analysis {
		cancel()
		return vision.Analysis{Error: string(vision.CodeTimeout)}
	}), quiet())
	w.Do(ctx, "row")
	if len(analyst.finished) != 0 {
		t.Error("a result was handed in")
	}
	select {
	case <-w.Hung():
		t.Error("a stop was taken for a hang")
	default:
	}
}

func TestAHungAnalysisIsHandedInAndReported(t *testing.T) {
	analyst := &fakeAnalyst{finished: map[string]vision.Analysis{}}
	s := open(t, "", analyst, nil, quiet())
	w := NewWorker(client(t, s.URL(), token, time.Second), analyzerFunc(func(ctx context.Context, _ []byte, _ vision.Ask) vision.Analysis {
		<-ctx.Done()
		return vision.Analysis{Error: string(vision.CodeTimeout)}
	}), quiet())
	for range 2 {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		w.Do(ctx, "row")
		cancel()
	}
	if analyst.finished["row"].Error != string(vision.CodeTimeout) {
		t.Errorf("handed in %+v", analyst.finished["row"])
	}
	select {
	case <-w.Hung():
	default:
		t.Error("nobody was told")
	}
}

func TestIntroduce(t *testing.T) {
	var greeted atomic.Int64
	s := open(t, "", &fakeAnalyst{}, func(Hello) { greeted.Add(1) }, quiet())
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	w := NewWorker(client(t, s.URL(), token, time.Second), nil, quiet())
	if err := w.Introduce(ctx, Hello{Worker: "w"}, 20*time.Millisecond); err != nil || greeted.Load() < 3 {
		t.Errorf("%v after %d times", err, greeted.Load())
	}
	w = NewWorker(client(t, s.URL(), "another-token-altogether", time.Second), nil, quiet())
	if err := w.Introduce(context.Background(), Hello{}, time.Minute); !errors.Is(err, ErrRefused) {
		t.Errorf("%v with a wrong token", err)
	}
}

// A server that answers an image without saying what to measure is not asked twice.
func TestAnImageWithoutAnAskIsRefused(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("image")) }))
	t.Cleanup(s.Close)
	if _, _, err := client(t, s.URL, token, time.Second).Begin(context.Background(), "row"); !errors.Is(err, ErrRefused) {
		t.Errorf("%v", err)
	}
}

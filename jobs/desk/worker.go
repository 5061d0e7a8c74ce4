package desk

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"kycd/jobs/task"
	"kycd/vision"
)

// Analyzer measures an image. What went wrong is in the Analysis, by code. ctx bounds the wait; a call into
// a C library may go on beyond it.
type Analyzer interface {
	Analyze(ctx context.Context, image []byte, ask vision.Ask) vision.Analysis
}

// Worker does pieces of work one at a time or several at once: fetches the image, has it measured, hands in
// the result.
type Worker struct {
	client   *Client
	analyzer Analyzer
	log      *slog.Logger

	once sync.Once
	hung chan struct{}
}

// beginWithin bounds the wait for an image: soon after it the sweeper gives the work to somebody else.
const beginWithin = 10 * time.Second

// NewWorker makes a worker.
func NewWorker(client *Client, analyzer Analyzer, log *slog.Logger) *Worker {
	return &Worker{client: client, analyzer: analyzer, log: log, hung: make(chan struct{})}
}

// Hung is closed when a measurement did not come back in its time. Its slot is lost as long as this process
// lives, so the process should finish what else it does, end, and be started again.
func (w *Worker) Hung() <-chan struct{} { return w.hung }

// Do does one piece of work. ctx ends with the time that one run may take, or is cancelled when the process is
// to end. What it does not finish comes again.
func (w *Worker) Do(ctx context.Context, outboxID string) {
	log := task.Log(ctx, w.log).With("outbox_id", outboxID)
	began := time.Now()
	ask, image, err := w.begin(ctx, outboxID)
	switch {
	case errors.Is(err, ErrNothingToDo):
		return
	case err != nil:
		log.Warn("no image", "error", err)
		return
	}
	analysis := w.analyzer.Analyze(ctx, image, ask)
	switch ctx.Err() {
	case context.Canceled: // the process ends: what the analyzer said in its hurry says nothing of the image
		return
	case context.DeadlineExceeded:
		log.Error("an analysis hangs")
		w.once.Do(func() { close(w.hung) })
	}
	// The time may be over, and the result is still worth handing in.
	if err := w.client.Finish(context.WithoutCancel(ctx), outboxID, analysis); err != nil && !errors.Is(err, ErrNothingToDo) {
		log.Warn("the result was not taken", "error", err)
		return
	}
	log.Info("analysed", "bytes", len(image), "code", analysis.Error, "took", time.Since(began).Round(time.Millisecond))
}

func (w *Worker) begin(ctx context.Context, outboxID string) (vision.Ask, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, beginWithin)
	defer cancel()
	return w.client.Begin(ctx, outboxID)
}

// Introduce says hello, and again every so often, since the server may be started anew. It returns when ctx
// ends, or with ErrRefused when the server does not want this worker.
func (w *Worker) Introduce(ctx context.Context, h Hello, every time.Duration) error {
	for {
		err := w.client.Hello(ctx, h)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrUnavailable):
			w.log.Warn("the server is away")
			continue // the client has waited already
		case err != nil:
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

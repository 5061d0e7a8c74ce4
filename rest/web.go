package rest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// What one connection may cost.
const (
	// maxHeaders bounds a request's line and headers. A token of ours takes 1 KiB.
	maxHeaders    = 32 << 10
	headerTimeout = 10 * time.Second
	// readTimeout bounds the reading of what no operation reads, such as the body of a request that was refused.
	readTimeout = defaultTimeLimit + 5*time.Second
	// maxTimeLimit is the longest that an operation may take; writeTimeout lets its answer out too.
	maxTimeLimit = 150 * time.Second
	writeTimeout = maxTimeLimit + 30*time.Second
	idleTimeout  = 2 * time.Minute
)

// Web serves the API on a network address until it is stopped.
type Web struct {
	server *http.Server
	cut    context.CancelCauseFunc
	failed chan error
}

// Serve begins to serve.
func Serve(listener net.Listener, handler http.Handler, log *slog.Logger) *Web {
	base, cut := context.WithCancelCause(context.Background())
	w := &Web{cut: cut, failed: make(chan error, 1), server: &http.Server{
		Handler: handler, BaseContext: func(net.Listener) context.Context { return base },
		MaxHeaderBytes: maxHeaders, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
	go func() {
		if err := w.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			w.failed <- err
		}
	}()
	return w
}

// Failed gives the error with which serving ended although nobody stopped it.
func (w *Web) Failed() <-chan error { return w.failed }

// Stopping says how a server stops.
type Stopping struct {
	Drain  time.Duration // it goes on as before, so that balancers can see at /ready that it is about to go
	Finish time.Duration // then it takes nothing new, and what is under way may end
}

// cutWithin is how long requests get to answer once they were told to end.
const cutWithin = 2 * time.Second

// Stop ends the serving: at first nothing changes, then nothing new is taken, and at last what is still under way is
// told to end and answers 503. It takes Drain, Finish and cutWithin at most, as a rule only Drain.
func (w *Web) Stop(stopping Stopping) error {
	time.Sleep(stopping.Drain)
	last := time.AfterFunc(stopping.Finish, func() { w.cut(ErrStopping) })
	defer last.Stop()
	defer w.cut(ErrStopping)
	ctx, cancel := context.WithTimeout(context.Background(), stopping.Finish+cutWithin)
	defer cancel()
	if err := w.server.Shutdown(ctx); err != nil {
		return errors.Join(err, w.server.Close())
	}
	return nil
}

package desk

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"kycd/jobs/task"
	"kycd/vision"
)

// Analyst knows what is to be analysed and takes the results.
type Analyst interface {
	// BeginAnalysis counts a start and gives what to measure and the encoded image.
	BeginAnalysis(ctx context.Context, outboxID string) (ask vision.Ask, image []byte, err error)
	// FinishAnalysis takes a result. The first one counts.
	FinishAnalysis(ctx context.Context, outboxID string, analysis vision.Analysis) error
}

// Config is what a Server needs.
type Config struct {
	Addr    string // host:port; an empty one means a free loopback port
	Token   string // shared with the workers, 16 characters or more
	Analyst Analyst
	Settled func(error) bool // an Analyst's error that means that there is nothing to do any more
	// Named notes for the Analyst which request its work was made by; may be nil.
	Named   func(ctx context.Context, requestID string) context.Context
	OnHello func(Hello) // may be nil
	Log     *slog.Logger
}

// Server listens for workers on an address of its own: none of its routes is ever reachable from outside
// by way of the public API.
type Server struct {
	config   Config
	token    [sha256.Size]byte
	listener net.Listener
	http     *http.Server
	done     chan struct{}
}

// Open listens and serves until Close.
func Open(c Config) (*Server, error) {
	if len(c.Token) < minToken {
		return nil, fmt.Errorf("desk: the token has less than %d characters", minToken)
	}
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return nil, fmt.Errorf("desk: %w", err)
	}
	s := &Server{config: c, token: sha256.Sum256([]byte(c.Token)), listener: listener, done: make(chan struct{})}
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			c.Log.Error("the desk closed", "error", err)
		}
	}()
	return s, nil
}

// URL is where workers find the server.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Close waits for the requests that run, as long as ctx lives.
func (s *Server) Close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.done
	return err
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathHello, s.hello)
	mux.HandleFunc("POST "+pathBegin, s.begin)
	mux.HandleFunc("POST "+pathFinish, s.finish)
	return s.guard(mux)
}

// guard lets nothing through without the token. Both sides are hashed, so the comparison takes the same time
// whatever the length.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), bearer)
		sum := sha256.Sum256([]byte(given))
		if subtle.ConstantTimeCompare(sum[:], s.token[:]) != 1 || !ok {
			refuse(w, http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) hello(w http.ResponseWriter, r *http.Request) {
	var h Hello
	if status := decode(w, r, maxHello, &h); status != http.StatusOK {
		refuse(w, status)
		return
	}
	if s.config.OnHello != nil {
		s.config.OnHello(h)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) begin(w http.ResponseWriter, r *http.Request) {
	id, ok := outboxID(w, r)
	if !ok {
		return
	}
	ctx := s.named(r)
	ask, image, err := s.config.Analyst.BeginAnalysis(ctx, id)
	if err != nil {
		s.fail(ctx, w, "begin", id, err)
		return
	}
	header, err := json.Marshal(ask)
	if err != nil {
		s.fail(ctx, w, "begin", id, err)
		return
	}
	w.Header().Set(askHeader, string(header))
	w.Header().Set("Content-Type", imageType)
	w.Header().Set("Content-Length", fmt.Sprint(len(image)))
	_, _ = w.Write(image) // the worker sees what is missing
}

func (s *Server) finish(w http.ResponseWriter, r *http.Request) {
	id, ok := outboxID(w, r)
	if !ok {
		return
	}
	var analysis vision.Analysis
	if status := decode(w, r, maxAnalysis, &analysis); status != http.StatusOK {
		refuse(w, status)
		return
	}
	ctx := s.named(r)
	if err := s.config.Analyst.FinishAnalysis(ctx, id, analysis); err != nil {
		s.fail(ctx, w, "finish", id, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// named is a request's context, which knows the request of the API that made the work.
func (s *Server) named(r *http.Request) context.Context {
	ctx, id := r.Context(), r.Header.Get(nameHeader)
	if !task.ValidRequestID(id) {
		return ctx
	}
	ctx = task.WithRequestID(ctx, id)
	if s.config.Named != nil {
		ctx = s.config.Named(ctx, id)
	}
	return ctx
}

// fail answers an Analyst's error by its status alone. The cause is not even logged here: it may quote what
// it was about.
func (s *Server) fail(ctx context.Context, w http.ResponseWriter, what, outboxID string, err error) {
	if s.config.Settled(err) {
		refuse(w, http.StatusGone)
		return
	}
	task.Log(ctx, s.config.Log).Error("the desk failed", "request", what, "outbox_id", outboxID)
	refuse(w, http.StatusServiceUnavailable)
}

func outboxID(w http.ResponseWriter, r *http.Request) (string, bool) {
	id := r.PathValue("outbox_id")
	if !task.ValidID(id) {
		refuse(w, http.StatusNotFound)
		return "", false
	}
	return id, true
}

// decode reads one JSON value of at most limit bytes into out, and gives the status to answer.
func decode(w http.ResponseWriter, r *http.Request, limit int64, out any) int {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit)).Decode(out)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge
	case err != nil:
		return http.StatusBadRequest
	}
	return http.StatusOK
}

func refuse(w http.ResponseWriter, status int) { http.Error(w, http.StatusText(status), status) }

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"kycd/rest"
)

// Reading a session, measured against reading its row.
const (
	readGoal     = 0.7 // of the bare handler's throughput; the median of the rounds
	readRounds   = 5
	readSessions = 2000 // twice what the server remembers, so that asked for in turn each is new to it
	readAgain    = 500  // of them, all of which it remembers
	readPath     = "/v2/idv/session/read"
)

// measureReading: how many sessions a second the whole server gives (authentication, limits, validation, tenancy,
// decryption, decision, history, log, metrics), and how many a handler that reads one row of the same table by the same
// id, and nothing else. Both are asked in turn, over the same number of connections, by the same process that serves them.
func measureReading(ctx context.Context, o speedOptions) (_ []finding, err error) {
	folder, err := os.MkdirTemp(o.folder, "kycd-eval")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	in, err := openInstallation(ctx, folder)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	requests, err := in.readRequests(ctx, readSessions)
	if err != nil {
		return nil, err
	}
	bare, err := openRowReader(ctx, in.path())
	if err != nil {
		return nil, err
	}
	defer bare.close()
	handlers := []http.Handler{bare.handler(), in.handler()}
	again, err := takeTurns(ctx, handlers, requests[:readAgain], o.readFor/readRounds)
	if err != nil {
		return nil, err
	}
	first, err := takeTurns(ctx, handlers, requests, o.readFor/readRounds)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("a second over %d connections; median / worst of %d (a bare handler that reads the same row)", connections, readRounds)
	goal := compareRates("sessions read again, as by a backend that waits, "+what, again[0], again[1])
	goal.Goal, goal.Met = fmt.Sprintf("≥ %.0f %%", 100*readGoal), median(shares(again[0], again[1])) >= readGoal
	known := compareRates("sessions read that the server does not remember; the same", first[0], first[1])
	known.Goal, known.Met = noGoal, true
	return []finding{goal, known}, nil
}

// takeTurns loads the handlers one after the other, again and again, and gives the requests a second of each round,
// by handler. What else the machine does meanwhile slows all of them down.
func takeTurns(ctx context.Context, handlers []http.Handler, requests [][]byte, lasting time.Duration) (_ [][]float64, err error) {
	addresses := make([]string, len(handlers))
	for i, handler := range handlers {
		address, stop, err := listen(handler)
		if err != nil {
			return nil, err
		}
		defer func() { _ = stop() }()
		addresses[i] = address
	}
	rates := make([][]float64, len(handlers))
	for round := range 1 + readRounds {
		for i, address := range addresses {
			runtime.GC() // nobody pays for the garbage of the one before
			rate, err := load(ctx, address, requests, lasting)
			if err != nil {
				return nil, err
			}
			if round > 0 { // the first one warms up: prepared statements, keys, the token
				rates[i] = append(rates[i], rate)
			}
		}
	}
	return rates, nil
}

// compareRates tells what two gave in each round.
func compareRates(what string, bare, ours []float64) finding {
	all := shares(bare, ours)
	return finding{
		What:     what,
		Baseline: fmt.Sprintf("%.0f/s / %.0f/s", median(bare), slices.Min(bare)),
		Ours:     fmt.Sprintf("%.0f/s / %.0f/s", median(ours), slices.Min(ours)),
		Ratio:    fmt.Sprintf("%.0f %% / %.0f %%", 100*median(all), 100*slices.Min(all)),
	}
}

// shares are taken round by round: the two of one round had the same neighbours.
func shares(bare, ours []float64) []float64 {
	all := make([]float64, len(ours))
	for i := range ours {
		all[i] = ours[i] / bare[i]
	}
	return all
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// handler is the whole REST API, with limits that nobody reaches and a log that is written and thrown away.
func (in *installation) handler() http.Handler {
	return rest.New(rest.Options{
		Service: in.service, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, //nolint:sloglint // writing the line is part of the cost
		Limits: rest.Limits{Client: 1e9, Session: 1e9, Address: 1e9},
	})
}

// readRequests makes decided sessions, and for each the bytes of a request that reads it.
func (in *installation) readRequests(ctx context.Context, sessions int) ([][]byte, error) {
	token, err := in.service.IssueToken(ctx, in.client.ClientID, in.client.ClientSecret, nil, "")
	if err != nil {
		return nil, err
	}
	requests := make([][]byte, sessions)
	for i := range requests {
		id, err := in.decided(ctx, fmt.Sprint("customer-", i))
		if err != nil {
			return nil, err
		}
		requests[i] = readRequest(token.AccessToken, id)
	}
	return requests, nil
}

func readRequest(token, id string) []byte {
	body := `{"session_id":"` + id + `"}`
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		readPath, token, len(body), body)
}

// sessionRow is every column of the table of sessions.
type sessionRow struct {
	ID                    string     `json:"id"`
	UserID                string     `json:"user_id"`
	ClientID              string     `json:"client_id"`
	KeyID                 string     `json:"key_id"`
	WeightsID             string     `json:"weights_id"`
	IdentityID            *string    `json:"identity_id"`
	Kind                  string     `json:"kind"`
	Status                string     `json:"status"`
	DocumentType          string     `json:"document_type"`
	LivenessMode          string     `json:"liveness_mode"`
	LivenessProvider      string     `json:"liveness_provider"`
	CreatedAt             time.Time  `json:"created_at"`
	ExpiresAt             time.Time  `json:"expires_at"`
	Consented             *bool      `json:"consented"`
	ConsentedAt           *time.Time `json:"consented_at"`
	DocumentFrontGivenAt  *time.Time `json:"document_front_given_at"`
	DocumentBackGivenAt   *time.Time `json:"document_back_given_at"`
	SelfieGivenAt         *time.Time `json:"selfie_given_at"`
	DocumentFrontAttempts int        `json:"document_front_attempts"`
	DocumentBackAttempts  int        `json:"document_back_attempts"`
	LivenessDetected      *bool      `json:"liveness_detected"`
	LivenessDetectedAt    *time.Time `json:"liveness_detected_at"`
	DMVStatus             string     `json:"dmv_status"`
	DMVDetectedAt         *time.Time `json:"dmv_detected_at"`
	OFACStatus            string     `json:"ofac_status"`
	OFACDetectedAt        *time.Time `json:"ofac_detected_at"`
	OnSanctionList        *bool      `json:"on_sanction_list"`
	FinalizeRequestedAt   *time.Time `json:"finalize_requested_at"`
	CompletedAt           *time.Time `json:"completed_at"`
	Verified              *bool      `json:"verified"`
	VerifiedAt            *time.Time `json:"verified_at"`
	Authenticated         *bool      `json:"authenticated"`
	Score                 *float64   `json:"score"`
	Attempts              int        `json:"attempts"`
	BlockedUntil          *time.Time `json:"blocked_until"`
	PersonSealed          []byte     `json:"person_sealed"`
	MetadataSealed        []byte     `json:"metadata_sealed"`
	SDKMetadataSealed     []byte     `json:"sdk_metadata_sealed"`
	SettingsSealed        []byte     `json:"settings_sealed"`
	WebhookURLSealed      []byte     `json:"webhook_url_sealed"`
	AnonymizedAt          *time.Time `json:"anonymized_at"`
	DeletedAt             *time.Time `json:"deleted_at"`
}

// columns are the names of the row's columns.
func (sessionRow) columns() []string {
	var names []string
	for field := range reflect.TypeFor[sessionRow]().Fields() {
		names = append(names, field.Tag.Get("json"))
	}
	return names
}

// places are where the columns are scanned into.
func (r *sessionRow) places() []any {
	places := make([]any, 0, reflect.TypeFor[sessionRow]().NumField())
	for _, field := range reflect.ValueOf(r).Elem().Fields() {
		places = append(places, field.Addr().Interface())
	}
	return places
}

// rowReader is the baseline: the file opened as kycd opens it for reading, and one prepared statement.
type rowReader struct {
	pool *sql.DB
	find *sql.Stmt
}

func openRowReader(ctx context.Context, path string) (*rowReader, error) {
	settings := url.Values{"mode": {"ro"}, "_time_format": {"sqlite"}, "_pragma": {"busy_timeout(10000)", "query_only(1)"}}
	pool, err := sql.Open("sqlite", "file:"+url.PathEscape(path)+"?"+settings.Encode())
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(4 * runtime.NumCPU())
	pool.SetMaxIdleConns(4 * runtime.NumCPU())
	find, err := pool.PrepareContext(ctx, "SELECT "+strings.Join(sessionRow{}.columns(), ", ")+" FROM sessions WHERE id = ?")
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &rowReader{pool, find}, nil
}

func (r *rowReader) close() { _ = errors.Join(r.find.Close(), r.pool.Close()) }

// handler answers the row that a request names.
func (r *rowReader) handler() http.Handler {
	router := chi.NewRouter()
	router.Post(readPath, func(w http.ResponseWriter, request *http.Request) {
		var asked struct {
			SessionID string `json:"session_id"`
		}
		if err := json.NewDecoder(request.Body).Decode(&asked); err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		var row sessionRow
		if err := r.find.QueryRowContext(request.Context(), asked.SessionID).Scan(row.places()...); err != nil {
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(&row) // a client that went away needs no answer
	})
	return router
}

// Package kyc holds the rules: who may do what with a session, what a session needs, when it is decided,
// and what the decision says. It knows the database and nothing of HTTP, queues or C libraries.
package kyc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"kycd/ent"
	"kycd/ent/database"
	"kycd/kyc/auth"
	"kycd/kyc/seal"
	"kycd/kyc/webhook"
)

// Blobs is where sealed images lie.
type Blobs interface {
	Put(ctx context.Context, key string, sealed []byte) error
	Get(ctx context.Context, key string, limit int64) ([]byte, error)
	Delete(ctx context.Context, key string) error
}

// Notifier puts work on the queue, after the transaction that wrote it was committed. It may fail or be
// late: the sweeper finds what it lost.
type Notifier interface {
	Enqueue(ctx context.Context, work []Work)
}

// Deps is everything a Service uses. All fields but Azure and Log are needed.
type Deps struct {
	DB       *database.Database
	Master   *seal.Master
	Blobs    Blobs
	Notifier Notifier
	Now      func() time.Time // the clock
	NewID    func() string    // UUIDv7
	Azure    AzureFace        // nil: not configured
	Config   Config
	Log      *slog.Logger
}

// Config is what an operator chooses for the whole installation.
type Config struct {
	Issuer            string        // of access tokens: the service's own URL
	TokenLifetime     time.Duration // of a client's access token
	SDKTokenLifetime  time.Duration
	SessionLifetime   time.Duration // until an unfinished session expires
	FinalizeWait      time.Duration // how long finalize waits for measurements that still run
	ChallengeLifetime time.Duration
	LivenessWait      time.Duration // how long a device that handed in frames waits to hear what it can do better
	DocumentWait      time.Duration // the same of a device that handed in a picture of a document
	LivenessProvider  string        // for sessions that name none: local or azure; empty means local
	AzureVerify       bool          // have Azure compare the live face with the front of the document
	Webhooks          webhook.Policy
	AllowDegraded     bool                 // accept measurements of weaker fall-back models
	External          *auth.ExternalConfig // another issuer of access tokens; nil: none
}

// DefaultConfig is what holds where an operator says nothing.
func DefaultConfig() Config {
	return Config{
		Issuer:            "http://127.0.0.1:8080",
		TokenLifetime:     time.Hour,
		SDKTokenLifetime:  15 * time.Minute,
		SessionLifetime:   24 * time.Hour,
		FinalizeWait:      20 * time.Second,
		ChallengeLifetime: 10 * time.Minute,
		LivenessWait:      8 * time.Second,
		DocumentWait:      8 * time.Second,
	}
}

// Service is the one door to the rules, for REST, GraphQL and jobs alike.
type Service struct {
	db       *database.Database
	blobs    Blobs
	notifier Notifier
	now      func() time.Time
	newID    func() string
	config   Config
	log      *slog.Logger

	keys     *seal.Keyring
	index    *seal.Indexer
	tokens   *tokens
	webhooks *webhook.Client
	analysed *bulletin
	azure    AzureFace
	lineup   *lineup
	albums   *albums

	logEmptied atomic.Bool // no destroyed key is in the database's log; not known after a start
}

// keyTTL bounds how long a data key that another process destroyed stays usable in this one.
const keyTTL = time.Minute

// New makes a Service. It opens the installation's own keys, and makes them on the first start: a master
// key that does not fit the database is found here, not at the first request.
func New(ctx context.Context, d Deps) (*Service, error) {
	if d.DB == nil || d.Master == nil || d.Blobs == nil || d.Notifier == nil || d.Now == nil || d.NewID == nil {
		return nil, errors.New("kyc.New: a dependency is missing")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		db: d.DB, blobs: d.Blobs, notifier: d.Notifier, now: d.Now, newID: d.NewID, config: d.Config, log: d.Log,
		keys:     seal.NewKeyring(d.Master, 4096, keyTTL, d.Now),
		analysed: newBulletin(), azure: d.Azure, lineup: newLineup(), albums: newAlbums(),
	}
	if err := s.openSystemKeys(ctx, d.Master); err != nil {
		return nil, err
	}
	s.webhooks = webhook.NewClient(d.Config.Webhooks, 0, d.Now)
	return s, nil
}

// change is one transaction: a fixed time, and the work that must be done once it is committed.
type change struct {
	*ent.Tx
	s    *Service
	now  time.Time
	work []Work
}

// change runs do in a transaction and, after the commit, hands its work to the queue. An error of do
// undoes everything.
func (s *Service) change(ctx context.Context, do func(c *change) error) (err error) {
	tx, err := s.db.Ent.Tx(ctx)
	if err != nil {
		return Internal(fmt.Errorf("begin: %w", err))
	}
	c := &change{Tx: tx, s: s, now: s.now().UTC().Truncate(time.Microsecond)}
	committed := false
	defer func() {
		if !committed {
			if rollback := tx.Rollback(); rollback != nil && err == nil {
				err = Internal(rollback)
			}
		}
	}()
	if err := do(c); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return Internal(fmt.Errorf("commit: %w", err))
	}
	committed = true
	if len(c.work) > 0 {
		s.notifier.Enqueue(context.WithoutCancel(ctx), c.work)
	}
	return nil
}

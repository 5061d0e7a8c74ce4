package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kycd/ent/database"
	"kycd/kyc"
	"kycd/kyc/blob"
	"kycd/kyc/seal"
)

// store is the opened and migrated database, with its master key and its images.
type store struct {
	db     *database.Database
	master *seal.Master
	blobs  blob.Store
}

// openStore opens everything that outlives the process. The data folder is made if it is missing, for its
// owner alone.
func (c *config) openStore(ctx context.Context, migrate bool, log *slog.Logger) (s *store, err error) {
	if err := os.MkdirAll(c.data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	s = &store{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.db, err = database.Open(ctx, c.database, c.data); err != nil {
		return s, err
	}
	if migrate {
		applied, err := s.db.Migrate(ctx)
		if err != nil {
			return s, err
		}
		for _, name := range applied {
			log.Info("migration applied", "name", name)
		}
	}
	if s.master, err = seal.OpenMaster(ctx, c.masterKey, c.data); err != nil {
		return s, fmt.Errorf("master key: %w", err)
	}
	if s.blobs, err = blob.Open(ctx, c.blobs, c.data); err != nil {
		return s, fmt.Errorf("images: %w", err)
	}
	return s, nil
}

func (s *store) close() error {
	var errs []error
	if s.blobs != nil {
		errs = append(errs, s.blobs.Close())
	}
	if s.master != nil {
		errs = append(errs, s.master.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// service puts the rules on top of the store.
func (c *config) service(ctx context.Context, s *store, notifier kyc.Notifier, log *slog.Logger) (*kyc.Service, error) {
	azure, err := c.azureFace()
	if err != nil {
		return nil, err
	}
	return kyc.New(ctx, kyc.Deps{
		DB: s.db, Azure: azure, Master: s.master, Blobs: s.blobs, Notifier: notifier, Now: time.Now, NewID: newID, Config: c.rules(), Log: log,
	})
}

// newID is a UUIDv7: unique, and in the order of time.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// noQueue is for commands that make no work.
type noQueue struct{}

func (noQueue) Enqueue(context.Context, []kyc.Work) {}

func visit(cmd *cobra.Command, each func(name string, changed bool)) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) { each(f.Name, f.Changed) })
}

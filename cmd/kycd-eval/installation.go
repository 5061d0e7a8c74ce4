package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"kycd/ent/database"
	"kycd/ent/decision"
	"kycd/ent/session"
	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/blob"
	"kycd/kyc/seal"
)

// installation is the rules on a SQLite file of their own, with one client and without queue and sidecar.
type installation struct {
	folder  string
	db      *database.Database
	master  *seal.Master
	blobs   blob.Store
	service *kyc.Service
	client  kyc.Credentials
}

// noQueue is for an installation in which nothing waits to be done.
type noQueue struct{}

func (noQueue) Enqueue(context.Context, []kyc.Work) {}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func openInstallation(ctx context.Context, folder string) (in *installation, err error) {
	in = &installation{folder: folder}
	defer func() {
		if err != nil {
			err = errors.Join(err, in.close())
		}
	}()
	if in.db, err = database.Open(ctx, "", folder); err != nil {
		return in, err
	}
	if _, err := in.db.Migrate(ctx); err != nil {
		return in, err
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return in, err
	}
	if in.master, err = seal.OpenMaster(ctx, base64.StdEncoding.EncodeToString(key), ""); err != nil {
		return in, err
	}
	if in.blobs, err = blob.Open(ctx, "", folder); err != nil {
		return in, err
	}
	in.service, err = kyc.New(ctx, kyc.Deps{
		DB: in.db, Master: in.master, Blobs: in.blobs, Notifier: noQueue{}, Now: time.Now, NewID: newID, Config: kyc.DefaultConfig(),
	})
	if err != nil {
		return in, err
	}
	in.client, err = in.service.CreateClient(ctx, "Borduria Bank")
	return in, err
}

func (in *installation) close() error {
	var errs []error
	if in.blobs != nil {
		errs = append(errs, in.blobs.Close())
	}
	if in.master != nil {
		errs = append(errs, in.master.Close())
	}
	if in.db != nil {
		errs = append(errs, in.db.Close())
	}
	return errors.Join(errs...)
}

// path is the database file.
func (in *installation) path() string { return filepath.Join(in.folder, "kycd.db") }

// backend is what the client's own server may do.
func (in *installation) backend() auth.Principal {
	return auth.Principal{UserID: in.client.UserID, ClientID: in.client.ClientID, Scopes: []auth.Scope{auth.ScopeIDV}}
}

// begin begins a session as an integrator's backend would.
func (in *installation) begin(ctx context.Context, reference string) (string, error) {
	return in.service.CreateSession(ctx, in.backend(), kyc.SessionInput{
		Metadata: map[string]any{"customer": reference, "branch": "Szohôd"},
		Settings: map[string]any{"document_types": []any{"driver_license"}, "locale": "en-US"},
	})
}

// decided makes a session that has come to its end: with a person, a decision and the history of a usual
// verification. What the sidecar would have measured is written as if it had.
func (in *installation) decided(ctx context.Context, reference string) (string, error) {
	id, err := in.begin(ctx, reference)
	if err != nil {
		return "", err
	}
	err = errors.Join(
		in.service.AddConsent(ctx, in.backend(), id, true),
		in.service.UpdateDocumentType(ctx, in.backend(), id, "driver_license"),
	)
	if err != nil {
		return "", err
	}
	row, err := in.db.Ent.Session.Get(ctx, id)
	if err != nil {
		return "", err
	}
	dataKey, err := in.db.Ent.DataKey.Get(ctx, row.KeyID)
	if err != nil {
		return "", err
	}
	key, err := seal.NewKeyring(in.master, 1, time.Minute, time.Now).Key(ctx, row.KeyID, dataKey.Wrapped)
	if err != nil {
		return "", err
	}
	person, err := key.SealJSON(kyc.Person{FirstName: "Ada", MiddleName: "May", LastName: "Sample", Gender: "female", BirthDate: "1990-04-01"},
		seal.Row("sessions", "person", id))
	if err != nil {
		return "", err
	}
	tx, err := in.db.Ent.Tx(ctx)
	if err != nil {
		return "", err
	}
	now, score := time.Now().UTC(), 0.98
	err = tx.Session.UpdateOneID(id).SetStatus(session.StatusComplete).SetPersonSealed(person).SetVerified(true).SetVerifiedAt(now).SetCompletedAt(now).
		SetDocumentFrontGivenAt(now).SetDocumentBackGivenAt(now).SetSelfieGivenAt(now).SetFinalizeRequestedAt(now).
		SetLivenessDetected(true).SetLivenessDetectedAt(now).SetScore(score).Exec(ctx)
	err = errors.Join(err, tx.Decision.Create().SetID(newID()).SetSessionID(id).SetWeightsID(row.WeightsID).SetScore(score).SetVerified(true).
		SetVerdict(decision.VerdictVerified).SetReasons([]string{}).SetVersions(map[string]string{"face": "1"}).SetCreatedAt(now).Exec(ctx))
	for _, event := range []string{"document_front_added", "document_back_added", "liveness_token_generated", "selfie_added", "finalize_requested", "decided"} {
		err = errors.Join(err, tx.History.Create().SetID(newID()).SetSessionID(id).SetAt(now).SetActor("client:"+in.client.ClientID).SetEvent(event).Exec(ctx))
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("decide a session: %w", err), tx.Rollback())
	}
	return id, tx.Commit()
}

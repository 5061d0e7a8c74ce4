package kyc_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kycd/ent/datakey"
	"kycd/ent/history"
	"kycd/ent/idempotencykey"
	"kycd/ent/identity"
	"kycd/ent/outbox"
	"kycd/ent/searchterm"
	"kycd/kyc"
)

// pictures are the files that lie in the folder of images.
func (h *house) pictures() []string {
	h.t.Helper()
	var files []string
	err := filepath.WalkDir(filepath.Join(h.data, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	must(h.t, err)
	return files
}

func TestAnonymizeSession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p, hook := context.Background(), h.client("Borduria Bank"), listen(t)
		id, identityID := h.verified(p, kyc.SessionInput{
			Metadata: map[string]any{"order": "A-17"}, Settings: map[string]any{"note": "x"}, WebhookURL: hook.URL,
		})
		h.take(kyc.WorkDeliver)
		key := h.db.Ent.DataKey.Query().Where(datakey.PurposeEQ(datakey.PurposeSession)).OnlyX(ctx)
		if len(h.pictures()) != 3 {
			t.Fatalf("pictures %v", h.pictures())
		}
		for range 2 { // the second time changes nothing
			must(t, h.AnonymizeSession(ctx, p, id))
		}
		s, err := h.ReadSession(ctx, p, kyc.IDV, id)
		must(t, err)
		if s.AnonymizedAt == nil || s.Person != (kyc.Person{}) || s.Metadata != nil || s.Settings != nil || s.WebhookURL != "" {
			t.Errorf("session %+v", s)
		}
		if s.Status != "complete" || s.Verified == nil || !*s.Verified || s.IdentityID == nil || *s.IdentityID != identityID {
			t.Errorf("what stays: %+v", s)
		}
		if n := h.db.Ent.History.Query().Where(history.SessionID(id), history.Event("anonymized")).CountX(ctx); n != 1 {
			t.Errorf("%d times in the history", n)
		}
		if files := h.pictures(); len(files) != 0 {
			t.Errorf("pictures stay: %v", files)
		}
		for name, n := range map[string]int{
			"documents": h.db.Ent.Document.Query().CountX(ctx), "captures": h.db.Ent.Capture.Query().CountX(ctx),
			"locations": h.db.Ent.Location.Query().CountX(ctx), "challenges": h.db.Ent.LivenessChallenge.Query().CountX(ctx),
			"terms":   h.db.Ent.SearchTerm.Query().Where(searchterm.OwnerEQ(searchterm.OwnerSession)).CountX(ctx),
			"pending": h.db.Ent.Outbox.Query().Where(outbox.DoneAtIsNil()).CountX(ctx),
		} {
			if n != 0 {
				t.Errorf("%d %s stay", n, name)
			}
		}
		if work := h.take(kyc.WorkDeliver); len(work) != 0 {
			t.Errorf("%d deliveries to an address that is gone", len(work))
		}
		if h.db.Dialect == "sqlite3" { // the key that would open a backup is in no file any more
			for _, name := range []string{"kycd.db", "kycd.db-wal"} {
				b, err := os.ReadFile(filepath.Join(h.data, name))
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				must(t, err)
				if bytes.Contains(b, key.Wrapped) {
					t.Errorf("the destroyed key is in %s", name)
				}
			}
		}
		_, err = h.ReadDocument(ctx, p, id)
		want(t, err, kyc.CodeNotFound)
		_, err = h.DownloadDocument(ctx, p, id, "selfie")
		want(t, err, kyc.CodeNotFound)
		spot, err := h.ReadLocation(ctx, p, kyc.IDV, id, "unknown")
		must(t, err)
		if spot != (kyc.Location{}) {
			t.Errorf("location %+v", spot)
		}
		tests, err := h.ReadTests(ctx, p, id)
		must(t, err)
		if tests.Verdict != "" || tests.Pieces != nil {
			t.Errorf("tests %+v", tests)
		}
		page, err := h.ListSessions(ctx, p, kyc.IDV, kyc.SessionQuery{SearchTerm: "peppercorne"})
		must(t, err)
		if len(page.Sessions) != 0 {
			t.Error("the name still finds the session")
		}
		// The identity is the person's own to be asked about; it stands until it is anonymized itself.
		if ok, err := h.IdentityVerified(ctx, p, identityID); err != nil || !ok {
			t.Errorf("identity: %v, %v", ok, err)
		}
	})
}

func TestDeleteSession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		id := h.give(p, kyc.SessionInput{})
		analyses := h.take(kyc.WorkAnalyze)
		want(t, h.DeleteSession(ctx, h.client("Syldavia Bank"), kyc.IDV, id), kyc.CodeNotFound)
		want(t, h.DeleteSession(ctx, p, kyc.IDA, id), kyc.CodeNotFound)
		for range 2 {
			must(t, h.DeleteSession(ctx, p, kyc.IDV, id))
		}
		_, err := h.ReadSession(ctx, p, kyc.IDV, id)
		want(t, err, kyc.CodeNotFound)
		want(t, h.AnonymizeSession(ctx, p, id), kyc.CodeNotFound)
		want(t, h.DeleteSession(ctx, h.client("Syldavia Bank"), kyc.IDV, id), kyc.CodeNotFound)
		want(t, h.AddConsent(ctx, p, id, true), kyc.CodeNotFound)
		page, err := h.ListSessions(ctx, p, kyc.IDV, kyc.SessionQuery{})
		must(t, err)
		if page.Counts["total"] != 0 {
			t.Errorf("counts %v", page.Counts)
		}
		row := h.db.Ent.Session.GetX(ctx, id)
		if row.Status != "expired" || row.AnonymizedAt == nil {
			t.Errorf("what is left is %s", row.Status)
		}
		// A worker that had a picture in its hands finds its work done.
		for _, w := range analyses {
			_, _, err := h.BeginAnalysis(ctx, w.ID)
			want(t, err, kyc.CodeConflict)
			must(t, h.FinishAnalysis(ctx, w.ID, measured(t, "front")))
		}
		if n := h.db.Ent.Capture.Query().CountX(ctx); n != 0 {
			t.Errorf("%d captures", n)
		}
	})
}

// TestErasureIsFinishedByTheJob: a storage that is down does not keep an erasure from happening.
func TestErasureIsFinishedByTheJob(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		id, _ := h.verified(p, kyc.SessionInput{})
		h.storageDown.Store(true)
		must(t, h.AnonymizeSession(ctx, p, id))
		if n := h.db.Ent.Outbox.Query().Where(outbox.Kind(kyc.WorkErase), outbox.DoneAtIsNil()).CountX(ctx); n != 1 {
			t.Fatalf("%d pieces of work", n)
		}
		_, err := h.DownloadDocument(ctx, p, id, "selfie")
		want(t, err, kyc.CodeNotFound)
		work := h.take(kyc.WorkErase)
		want(t, h.EraseSession(ctx, work[0].ID), kyc.CodeUnavailable)
		h.storageDown.Store(false)
		for range 2 {
			must(t, h.EraseSession(ctx, work[0].ID))
		}
		if files := h.pictures(); len(files) != 0 {
			t.Errorf("pictures stay: %v", files)
		}
		if n := h.db.Ent.Outbox.Query().Where(outbox.DoneAtIsNil()).CountX(ctx); n != 0 {
			t.Errorf("%d pieces of work are left", n)
		}
	})
}

func TestAnonymizeIdentity(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		idv, id := h.verified(p, kyc.SessionInput{})
		ida, err := h.CreateAuthentication(ctx, p, id, kyc.SessionInput{})
		must(t, err)
		h.show(p, ida, 0)
		// A kept answer may tell of the person.
		claim := &kyc.Claim{Route: "identityRead", Key: "k", Body: "b"}
		_, err = h.Remember(ctx, p, claim, []byte(`{"last_name":"PEPPERCORNE"}`))
		must(t, err)
		for range 2 {
			must(t, h.AnonymizeIdentity(ctx, p, id))
		}
		row := h.db.Ent.Identity.Query().Where(identity.ID(id)).OnlyX(ctx)
		if row.AnonymizedAt == nil || row.PersonSealed != nil || row.MetadataSealed != nil {
			t.Errorf("identity %+v", row)
		}
		for name, n := range map[string]int{
			"faces": h.db.Ent.FaceEncoding.Query().CountX(ctx), "terms": h.db.Ent.SearchTerm.Query().CountX(ctx),
			"answers": h.db.Ent.IdempotencyKey.Query().Where(idempotencykey.Effect(false)).CountX(ctx),
			"keys":    h.db.Ent.DataKey.Query().Where(datakey.PurposeIn(datakey.PurposeSession, datakey.PurposeIdentity), datakey.WrappedNotNil()).CountX(ctx),
			"files":   len(h.pictures()),
		} {
			if n != 0 {
				t.Errorf("%d %s stay", n, name)
			}
		}
		view, err := h.ReadIdentities(ctx, p, []string{id}, nil)
		must(t, err)
		if got := view[0]; got.AnonymizedAt == nil || got.Person != (kyc.Person{}) || got.Street != "" || got.DocumentFrontGivenAt != nil {
			t.Errorf("identity %+v", got)
		}
		if ok, err := h.IdentityVerified(ctx, p, id); err != nil || ok {
			t.Errorf("verified: %v, %v", ok, err)
		}
		_, err = h.CreateAuthentication(ctx, p, id, kyc.SessionInput{})
		want(t, err, kyc.CodeNotFound)
		_, err = h.FinalizeAuthentication(ctx, p, ida)
		want(t, err, kyc.CodeSessionExpired)
		_, err = h.ReadIdentityDocument(ctx, p, id, "unknown")
		want(t, err, kyc.CodeNotFound)
		for kind, session := range map[kyc.SessionKind]string{kyc.IDV: idv, kyc.IDA: ida} {
			s, err := h.ReadSession(ctx, p, kind, session)
			must(t, err)
			if s.AnonymizedAt == nil || s.Person != (kyc.Person{}) {
				t.Errorf("%s session %+v", kind, s)
			}
		}
		// The person may come again, as somebody new.
		_, again := h.verified(p, kyc.SessionInput{})
		if again == id {
			t.Error("an erased identity came back")
		}
		for _, e := range h.db.Ent.History.Query().AllX(ctx) {
			for key, value := range e.Detail {
				if strings.Contains(value, "PEPPERCORNE") {
					t.Errorf("the history names the person: %s", key)
				}
			}
		}
	})
}

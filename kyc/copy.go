package kyc

import (
	"context"
	"slices"
	"sync"
	"time"

	"kycd/ent"
	"kycd/ent/capture"
	"kycd/ent/fingerprint"
	"kycd/ent/session"
	"kycd/kyc/gallery"
	"kycd/vision"
)

// copied says that a picture shows nothing new: it is an earlier one, to the byte or made over.
type copied struct {
	CaptureID string  `json:"capture_id"` // of the earlier picture
	SessionID string  `json:"session_id"`
	Likeness  float64 `json:"likeness"` // 1 for the same bytes
	Exact     bool    `json:"exact"`
}

// albums hold the fingerprints of each organisation's pictures in memory, as lineup does with faces.
type albums struct {
	mu    sync.Mutex
	users map[string]*album
}

// album is the fingerprints of one organisation.
type album struct {
	mu     sync.Mutex
	rows   map[string]string // row id → capture
	of     map[string]string // capture → session
	copies *gallery.Copies
	newest time.Time
}

func newAlbums() *albums { return &albums{users: map[string]*album{}} }

func (a *albums) of(userID string) *album {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.users[userID] == nil {
		a.users[userID] = &album{rows: map[string]string{}, of: map[string]string{}, copies: gallery.NewCopies()}
	}
	return a.users[userID]
}

// copiesOf finds, for each picture of a session, the earlier one of the organisation that it is a copy of. The bytes of a live
// face must be new even within its session; a side of a document may be sent again. Ids are UUIDv7: the lesser one came earlier.
func (s *Service) copiesOf(ctx context.Context, db *ent.Client, row *ent.Session, captures []*measured) (map[string]copied, error) {
	found := map[string]copied{}
	album := s.albums.of(row.UserID)
	album.mu.Lock()
	defer album.mu.Unlock()
	if err := s.refreshAlbum(ctx, db, row.UserID, album); err != nil {
		return nil, err
	}
	for _, m := range captures {
		same, err := exactCopy(ctx, db, row.ID, m)
		if err != nil {
			return nil, err
		}
		if same != nil {
			found[m.id] = copied{CaptureID: same.ID, SessionID: same.SessionID, Likeness: 1, Exact: true}
			continue
		}
		if m.analysis == nil || m.analysis.Fingerprint == nil {
			continue
		}
		for _, hit := range album.copies.Find(*m.analysis.Fingerprint) {
			of := album.of[hit.ID]
			if hit.ID >= m.id || of == row.ID { // of one person in one place, frames are as alike as copies
				continue
			}
			if known, ok := found[m.id]; !ok || hit.Likeness > known.Likeness {
				found[m.id] = copied{CaptureID: hit.ID, SessionID: of, Likeness: hit.Likeness}
			}
		}
	}
	return found, nil
}

// exactCopy is an earlier picture with the same bytes; nil if there is none. The keyed hash is the organisation's own, so
// nobody else's pictures are ever met.
func exactCopy(ctx context.Context, db *ent.Client, sessionID string, m *measured) (*ent.Capture, error) {
	query := db.Capture.Query().Where(capture.DigestTerm(m.digest), capture.IDLT(m.id))
	if m.side != captureLiveness {
		query.Where(capture.SessionIDNEQ(sessionID))
	}
	same, err := query.Order(ent.Asc(capture.FieldID)).First(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, Internal(err)
	}
	return same, nil
}

// refreshAlbum takes in what changed since the last search.
func (s *Service) refreshAlbum(ctx context.Context, db *ent.Client, userID string, album *album) error {
	ofUser := func() *ent.FingerprintQuery { return db.Fingerprint.Query().Where(fingerprint.UserID(userID)) }
	rows, err := ofUser().Where(fingerprint.CreatedAtGTE(album.newest.Add(-recentRows))).Order(ent.Asc(fingerprint.FieldID)).All(ctx)
	if err != nil {
		return Internal(err)
	}
	rows = slices.DeleteFunc(rows, func(row *ent.Fingerprint) bool { _, known := album.rows[row.ID]; return known })
	keys := make([]string, 0, len(rows))
	for _, row := range rows {
		keys = append(keys, row.KeyID)
	}
	vaults, err := s.vaults(ctx, db.DataKey, keys)
	if err != nil {
		return err
	}
	for _, row := range rows {
		v, ok := vaults[row.KeyID]
		if !ok {
			continue // erased meanwhile
		}
		var print vision.Fingerprint
		if err := v.open("fingerprints", "hashes", row.ID, row.HashesSealed, &print); err != nil {
			return err
		}
		album.newest = later(album.newest, row.CreatedAt)
		album.rows[row.ID], album.of[row.CaptureID] = row.CaptureID, row.SessionID
		album.copies.Add(row.CaptureID, print)
	}
	n, err := ofUser().Count(ctx)
	if err != nil {
		return Internal(err)
	}
	if n == len(album.rows) {
		return nil
	}
	ids, err := ofUser().IDs(ctx)
	if err != nil {
		return Internal(err)
	}
	there := make(map[string]bool, len(ids))
	for _, id := range ids {
		there[id] = true
	}
	for id, captureID := range album.rows {
		if !there[id] {
			album.leave(id, captureID)
		}
	}
	return nil
}

func (a *album) leave(row, captureID string) {
	delete(a.rows, row)
	delete(a.of, captureID)
	a.copies.Remove(captureID)
}

// forget removes the pictures of a session at once.
func (a *albums) forget(userID, sessionID string) {
	album := a.of(userID)
	album.mu.Lock()
	defer album.mu.Unlock()
	for row, captureID := range album.rows {
		if album.of[captureID] == sessionID {
			album.leave(row, captureID)
		}
	}
}

// keepFingerprint keeps what copies of a picture will be recognised by.
func (c *change) keepFingerprint(ctx context.Context, v vault, row *ent.Session, pic *ent.Capture, print *vision.Fingerprint) error {
	if print == nil {
		return nil
	}
	id := c.s.newID()
	sealed, err := v.seal("fingerprints", "hashes", id, print)
	if err != nil {
		return err
	}
	err = c.Fingerprint.Create().SetID(id).SetUserID(row.UserID).SetSessionID(row.ID).SetCaptureID(pic.ID).SetKeyID(row.KeyID).
		SetHashesSealed(sealed).SetCreatedAt(c.now).Exec(ctx)
	if err != nil {
		return Internal(err)
	}
	return nil
}

// prepareSearches reads what the decision will search in, before it holds the writer's lock: after a start that takes a while.
func (s *Service) prepareSearches(ctx context.Context, id string) error {
	row, err := s.db.Ent.Session.Query().Where(session.ID(id)).Select(session.FieldUserID).Only(ctx)
	if err != nil {
		return Internal(err)
	}
	album, crowd := s.albums.of(row.UserID), s.lineup.of(row.UserID)
	album.mu.Lock()
	err = s.refreshAlbum(ctx, s.db.Ent, row.UserID, album)
	album.mu.Unlock()
	if err != nil {
		return err
	}
	crowd.mu.Lock()
	defer crowd.mu.Unlock()
	return s.refreshCrowd(ctx, s.db.Ent, row.UserID, crowd)
}

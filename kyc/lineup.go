package kyc

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"kycd/ent"
	"kycd/ent/faceencoding"
	"kycd/kyc/gallery"
	"kycd/vision"
)

// lookalike is somebody else's identity whose face is near. That is a reason for a person to look, and no verdict: among
// many people, strangers look alike.
type lookalike struct {
	IdentityID string  `json:"identity_id"`
	Distance   float64 `json:"distance"`
	Encoder    string  `json:"encoder"`
}

// mostLookalikes bounds how many are reported, the nearest first.
const mostLookalikes = 10

// recentRows is how far back a refresh looks for rows of transactions that began before others that are known already.
const recentRows = 2 * time.Minute

// lineup holds the enrolled faces of each organisation in memory, to search among all of them. The database is the truth:
// each search first takes in what was added or erased since, by this process or another.
type lineup struct {
	mu    sync.Mutex
	users map[string]*crowd
}

// crowd is the enrolled faces of one organisation.
type crowd struct {
	mu        sync.Mutex
	rows      map[string]string           // row id → face
	identity  map[string]string           // face → identity
	galleries map[string]*gallery.Gallery // what the encodings of a face are made by, together → their vectors by face
	newest    time.Time
}

func newLineup() *lineup { return &lineup{users: map[string]*crowd{}} }

func (l *lineup) of(userID string) *crowd {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users[userID] == nil {
		l.users[userID] = &crowd{rows: map[string]string{}, identity: map[string]string{}, galleries: map[string]*gallery.Gallery{}}
	}
	return l.users[userID]
}

// lookalikes searches the faces of all identities of a user for one, exactly. Each identity is reported once, by its
// nearest face.
func (s *Service) lookalikes(ctx context.Context, db *ent.Client, userID string, face *vision.Face, radius float64) ([]lookalike, error) {
	if len(face.Template()) == 0 {
		return nil, nil
	}
	crowd := s.lineup.of(userID)
	crowd.mu.Lock()
	defer crowd.mu.Unlock()
	if err := s.refreshCrowd(ctx, db, userID, crowd); err != nil {
		return nil, err
	}
	best := map[string]lookalike{}
	var stronger []*gallery.Gallery // what they hold, they have judged
	for _, vector := range face.Template().Vectors() {
		among := crowd.galleries[vector.Encoder]
		if among == nil {
			continue
		}
		hits, err := among.Within(vector.Values, radius, 0)
		if err != nil {
			return nil, Internal(err)
		}
		for _, hit := range hits {
			if slices.ContainsFunc(stronger, func(g *gallery.Gallery) bool { return g.Has(hit.ID) }) {
				continue
			}
			id := crowd.identity[hit.ID]
			if known, ok := best[id]; !ok || hit.Distance < known.Distance {
				best[id] = lookalike{IdentityID: id, Distance: hit.Distance, Encoder: vector.Encoder}
			}
		}
		stronger = append(stronger, among)
	}
	list := make([]lookalike, 0, len(best))
	for _, l := range best {
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b lookalike) int {
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.IdentityID, b.IdentityID))
	})
	return list[:min(len(list), mostLookalikes)], nil
}

// refreshCrowd takes in what changed since the last search.
func (s *Service) refreshCrowd(ctx context.Context, db *ent.Client, userID string, crowd *crowd) error {
	enrolled := func() *ent.FaceEncodingQuery {
		return db.FaceEncoding.Query().Where(faceencoding.UserID(userID), faceencoding.IdentityIDNotNil())
	}
	rows, err := enrolled().Where(faceencoding.CreatedAtGTE(crowd.newest.Add(-recentRows))).Order(ent.Asc(faceencoding.FieldID)).All(ctx)
	if err != nil {
		return Internal(err)
	}
	rows = slices.DeleteFunc(rows, func(row *ent.FaceEncoding) bool { _, known := crowd.rows[row.ID]; return known })
	if err := s.joinCrowd(ctx, db, crowd, rows); err != nil {
		return err
	}
	n, err := enrolled().Count(ctx)
	if err != nil {
		return Internal(err)
	}
	if n == len(crowd.rows) {
		return nil
	}
	ids, err := enrolled().IDs(ctx)
	if err != nil {
		return Internal(err)
	}
	there := make(map[string]bool, len(ids))
	for _, id := range ids {
		there[id] = true
	}
	for id, face := range crowd.rows {
		if !there[id] {
			crowd.leave(id, face)
		}
	}
	return nil
}

// joinCrowd adds faces, which their rows hold sealed.
func (s *Service) joinCrowd(ctx context.Context, db *ent.Client, crowd *crowd, rows []*ent.FaceEncoding) error {
	keys := make([]string, 0, len(rows))
	for _, row := range rows {
		keys = append(keys, row.KeyID)
	}
	vaults, err := s.vaults(ctx, db.DataKey, keys)
	if err != nil {
		return err
	}
	templates := map[string]vision.Template{}
	for _, row := range rows {
		crowd.newest = later(crowd.newest, row.CreatedAt)
		v, ok := vaults[row.KeyID]
		if !ok {
			continue // erased meanwhile
		}
		encoding := vision.Encoding{Encoder: row.Encoder}
		if err := v.open("face_encodings", "vector", row.ID, row.VectorSealed, &encoding.Values); err != nil {
			return err
		}
		face := faceKey(row)
		crowd.rows[row.ID], crowd.identity[face] = face, *row.IdentityID
		templates[face] = append(templates[face], encoding)
	}
	for face, template := range templates {
		for _, vector := range template.Vectors() {
			among := crowd.galleries[vector.Encoder]
			if among == nil {
				among = gallery.New(len(vector.Values))
				crowd.galleries[vector.Encoder] = among
			}
			if err := among.Add(face, vector.Values); err != nil {
				return Internal(err)
			}
		}
	}
	return nil
}

// leave removes a face that is no longer enrolled.
func (c *crowd) leave(row, face string) {
	delete(c.rows, row)
	delete(c.identity, face)
	for _, among := range c.galleries {
		among.Remove(face)
	}
}

// forget removes the faces of an identity at once.
func (l *lineup) forget(userID, identityID string) {
	crowd := l.of(userID)
	crowd.mu.Lock()
	defer crowd.mu.Unlock()
	for row, face := range crowd.rows {
		if crowd.identity[face] == identityID {
			crowd.leave(row, face)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

package kyc

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"

	"kycd/ent"
	"kycd/ent/datakey"
	"kycd/ent/decision"
	"kycd/ent/predicate"
	"kycd/ent/searchterm"
	"kycd/ent/session"
	"kycd/kyc/auth"
	"kycd/kyc/seal"
)

// CreateSession begins a verification.
func (s *Service) CreateSession(ctx context.Context, p auth.Principal, in SessionInput) (string, error) {
	return s.createSession(ctx, p, IDV, in, nil)
}

// createSession makes a session of a kind. begin, where it is given, looks at what the session needs, fills in
// what is peculiar to the kind, and says what follows once the session is there.
func (s *Service) createSession(ctx context.Context, p auth.Principal, kind SessionKind, in SessionInput, begin func(*change, *ent.SessionCreate) (then func(*ent.Session) error, err error)) (string, error) {
	mode := session.LivenessModePassive
	switch in.LivenessMode {
	case "", "passive":
	case "passive_active":
		mode = session.LivenessModePassiveActive
	default:
		return "", invalid("/liveness_mode", "is not a liveness mode")
	}
	settings, err := ParseSettings(in.Settings)
	if err != nil {
		return "", err
	}
	if in.WebhookURL != "" {
		if _, err := s.config.Webhooks.ParseURL(in.WebhookURL); err != nil {
			return "", refusedURL("/webhook_url", err)
		}
	}
	provider, err := s.provider(settings)
	if err != nil {
		return "", err
	}
	lifetime := s.config.SessionLifetime
	if settings.ExpiresInSeconds != nil {
		lifetime = time.Duration(*settings.ExpiresInSeconds) * time.Second
	}
	return once(ctx, s, p, func(c *change) (string, error) {
		id := s.newID()
		weightsID, err := c.weightsFor(ctx, p.UserID, p.ClientID)
		if err != nil {
			return "", err
		}
		keyID, v, err := c.newVault(ctx, datakey.PurposeSession)
		if err != nil {
			return "", err
		}
		create := c.Session.Create().SetID(id).SetUserID(p.UserID).SetClientID(p.ClientID).SetKeyID(keyID).SetWeightsID(weightsID).
			SetKind(session.Kind(kind)).SetLivenessMode(mode).SetLivenessProvider(provider).
			SetCreatedAt(c.now).SetExpiresAt(c.now.Add(lifetime))
		var then func(*ent.Session) error
		if begin != nil {
			if then, err = begin(c, create); err != nil {
				return "", err
			}
		}
		metadata, err1 := v.seal("sessions", "metadata", id, in.Metadata)
		set, err2 := v.seal("sessions", "settings", id, in.Settings)
		url, err3 := v.seal("sessions", "webhook_url", id, in.WebhookURL)
		if err := firstError(err1, err2, err3); err != nil {
			return "", err
		}
		row, err := create.SetMetadataSealed(metadata).SetSettingsSealed(set).SetWebhookURLSealed(url).Save(ctx)
		if err != nil {
			return "", Internal(err)
		}
		if err := c.indexTerms(ctx, p.UserID, searchterm.OwnerSession, id, metadataTerms(in.Metadata)); err != nil {
			return "", err
		}
		if err := c.note(ctx, id, actorOf(p), "created", "", InProgress, nil); err != nil {
			return "", err
		}
		if then != nil {
			return id, then(row)
		}
		return id, nil
	})
}

// metadataTerms are what a session or an identity is found by, key by key of the integrator's metadata.
func metadataTerms(metadata map[string]any) map[string][]string {
	terms := map[string][]string{}
	for key, value := range metadata {
		terms["metadata"] = append(terms["metadata"], metadataTerm(key, value))
	}
	return terms
}

// metadataTerm is what a key of the integrator's metadata and its value are found by.
func metadataTerm(key string, value any) string { return canonicalJSON([]any{key, value}) }

// mine is the predicate of everything a caller may see: tenancy stands here and nowhere else.
func mine(p auth.Principal) []predicate.Session { return append(owned(p), session.DeletedAtIsNil()) }

// owned is mine with what was deleted.
func owned(p auth.Principal) []predicate.Session {
	where := []predicate.Session{session.UserID(p.UserID)}
	if p.ClientID != "" {
		where = append(where, session.ClientID(p.ClientID))
	}
	if p.SessionID != "" {
		where = append(where, session.ID(p.SessionID))
	}
	return where
}

// find gives the caller's session of that kind and id. Somebody else's does not exist. No kind is any kind.
func find(ctx context.Context, sessions *ent.SessionClient, p auth.Principal, kind SessionKind, id string) (*ent.Session, error) {
	query := sessions.Query().Where(mine(p)...).Where(session.ID(id))
	if kind != "" {
		query.Where(session.KindEQ(session.Kind(kind)))
	}
	row, err := query.Only(ctx)
	if ent.IsNotFound(err) {
		return nil, notFound("session")
	}
	if err != nil {
		return nil, Internal(err)
	}
	return row, nil
}

// find is find inside a transaction: nobody else changes the session until it ends. SQLite has one writer
// anyhow; PostgreSQL locks the row.
func (c *change) find(ctx context.Context, p auth.Principal, kind SessionKind, id string) (*ent.Session, error) {
	if err := c.lock(ctx, id); err != nil {
		return nil, err
	}
	return find(ctx, c.Session, p, kind, id)
}

// session is find for the system itself, which may see every session.
func (c *change) session(ctx context.Context, id string) (*ent.Session, error) {
	if err := c.lock(ctx, id); err != nil {
		return nil, err
	}
	row, err := c.Session.Get(ctx, id)
	if err != nil {
		return nil, Internal(err)
	}
	return row, nil
}

func (c *change) lock(ctx context.Context, sessionID string) error {
	if c.s.db.Dialect != dialect.Postgres {
		return nil
	}
	if _, err := c.Session.Query().Where(session.ID(sessionID)).ForUpdate().IDs(ctx); err != nil {
		return Internal(err)
	}
	return nil
}

// ReadSession gives everything of one session to its owner.
func (s *Service) ReadSession(ctx context.Context, p auth.Principal, kind SessionKind, id string) (Session, error) {
	row, err := find(ctx, s.db.Ent.Session, p, kind, id)
	if err != nil {
		return Session{}, err
	}
	view, err := s.view(ctx, row)
	if err != nil {
		return Session{}, err
	}
	if view.History, err = s.history(ctx, s.db.Ent, id); err != nil {
		return Session{}, err
	}
	if row.FinalizeRequestedAt == nil { // not decided: there are no reasons
		return view, nil
	}
	reasons, err := s.reasons(ctx, id)
	view.Reasons = reasons[id]
	return view, err
}

// ReadSDKSession gives the device what it may know. The names of whom it is about to recognise are part of that; what a
// document says is not.
func (s *Service) ReadSDKSession(ctx context.Context, p auth.Principal, kind SessionKind, id string) (Session, error) {
	row, err := find(ctx, s.db.Ent.Session, p, kind, id)
	if err != nil {
		return Session{}, err
	}
	view, err := s.view(ctx, row)
	if kind == IDV {
		view.Person = Person{}
	}
	view.Metadata, view.WebhookURL = nil, ""
	return view, err
}

// view opens what is sealed. A session whose key was destroyed still shows its states and times.
func (s *Service) view(ctx context.Context, row *ent.Session) (Session, error) {
	view := Session{
		ID: row.ID, UserID: row.UserID, ClientID: row.ClientID, WeightsID: row.WeightsID, IdentityID: row.IdentityID,
		Kind: SessionKind(row.Kind), Authenticated: row.Authenticated, AnonymizedAt: row.AnonymizedAt,
		Status: string(row.Status), DocumentType: string(row.DocumentType),
		LivenessMode: string(row.LivenessMode), LivenessProvider: string(row.LivenessProvider),
		CreatedAt: row.CreatedAt, ExpiresAt: row.ExpiresAt, CompletedAt: row.CompletedAt,
		Consented: row.Consented, ConsentedAt: row.ConsentedAt,
		DocumentFrontGivenAt: row.DocumentFrontGivenAt, DocumentBackGivenAt: row.DocumentBackGivenAt,
		DocumentFrontAttempts: row.DocumentFrontAttempts, DocumentBackAttempts: row.DocumentBackAttempts,
		LivenessDetected: row.LivenessDetected, LivenessDetectedAt: row.LivenessDetectedAt, SelfieGivenAt: row.SelfieGivenAt,
		DMVStatus: string(row.DmvStatus), DMVDetectedAt: row.DmvDetectedAt,
		OFACStatus: string(row.OfacStatus), OFACDetectedAt: row.OfacDetectedAt,
		Verified: row.Verified, VerifiedAt: row.VerifiedAt, OnSanctionList: row.OnSanctionList, Score: row.Score,
	}
	v, err := s.vaultOf(ctx, row)
	if e := AsError(err); e != nil {
		if e.Code == CodeErased {
			return view, nil
		}
		return view, err
	}
	if row.Kind == session.KindIda {
		if view.Person, err = s.personOfIdentity(ctx, row); err != nil {
			return view, err
		}
	}
	return view, firstError(
		v.open("sessions", "person", row.ID, row.PersonSealed, &view.Person),
		v.open("sessions", "metadata", row.ID, row.MetadataSealed, &view.Metadata),
		v.open("sessions", "sdk_metadata", row.ID, row.SdkMetadataSealed, &view.SDKMetadata),
		v.open("sessions", "settings", row.ID, row.SettingsSealed, &view.Settings),
		v.open("sessions", "webhook_url", row.ID, row.WebhookURLSealed, &view.WebhookURL),
	)
}

// maxTake caps every list.
const maxTake = 200

func page(take, skip int) (int, int) {
	if take <= 0 {
		take = 20
	}
	return min(take, maxTake), max(skip, 0)
}

// ListSessions gives the caller's sessions of a kind, newest first, and how many there are of each status.
func (s *Service) ListSessions(ctx context.Context, p auth.Principal, kind SessionKind, q SessionQuery) (SessionPage, error) {
	where := append(mine(p), session.KindEQ(session.Kind(kind)))
	if q.Start != nil {
		where = append(where, session.CreatedAtGTE(*q.Start))
	}
	if q.End != nil {
		where = append(where, session.CreatedAtLTE(*q.End))
	}
	if len(q.IdentityIDs) > 0 {
		where = append(where, session.IdentityIDIn(q.IdentityIDs...))
	}
	if len(q.ClientIDs) > 0 {
		where = append(where, session.ClientIDIn(q.ClientIDs...))
	}
	if len(q.UserIDs) > 0 {
		where = append(where, session.UserIDIn(q.UserIDs...))
	}
	if q.Verified != nil && kind == IDA {
		where = append(where, session.Authenticated(*q.Verified))
	} else if q.Verified != nil {
		where = append(where, session.Verified(*q.Verified))
	}
	if len(q.Metadata) > 0 { // every given key must match
		where = append(where, sessionWith(p.UserID, "metadata", s.terms(p.UserID, "metadata", metadataTerms(q.Metadata)["metadata"]...)))
	}
	switch {
	case q.SearchTerm == "":
	case kind == IDA: // an authentication is found by whom it is about
		where = append(where, session.Or(session.ID(q.SearchTerm), session.HasIdentityWith(s.searchIdentities(p.UserID, q.SearchTerm))))
	default:
		where = append(where, s.searchSessions(p.UserID, q.SearchTerm))
	}
	counts, err := s.countByStatus(ctx, where)
	if err != nil {
		return SessionPage{}, err
	}
	switch q.Status {
	case "":
	case "unknown": // never stored
		return SessionPage{Counts: counts}, nil
	default:
		where = append(where, session.StatusEQ(session.Status(q.Status)))
	}
	take, skip := page(q.Take, q.Skip)
	rows, err := s.db.Ent.Session.Query().Where(where...).Order(ent.Desc(session.FieldCreatedAt, session.FieldID)).Limit(take).Offset(skip).All(ctx)
	if err != nil {
		return SessionPage{}, Internal(err)
	}
	ids := make([]string, 0, len(rows))
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	reasons, err := s.reasons(ctx, ids...)
	if err != nil {
		return SessionPage{}, err
	}
	result := SessionPage{Sessions: make([]Session, 0, len(rows)), Counts: counts}
	for _, row := range rows {
		view, err := s.view(ctx, row)
		if err != nil {
			return SessionPage{}, err
		}
		view.Reasons = reasons[row.ID]
		result.Sessions = append(result.Sessions, view)
	}
	return result, nil
}

// reasons gives the decisions' reasons, by session.
func (s *Service) reasons(ctx context.Context, sessionIDs ...string) (map[string][]string, error) {
	rows, err := s.db.Ent.Decision.Query().Where(decision.SessionIDIn(sessionIDs...)).
		Select(decision.FieldSessionID, decision.FieldReasons).All(ctx)
	if err != nil {
		return nil, Internal(err)
	}
	reasons := map[string][]string{}
	for _, row := range rows {
		reasons[row.SessionID] = row.Reasons
	}
	return reasons, nil
}

func (s *Service) countByStatus(ctx context.Context, where []predicate.Session) (map[string]int, error) {
	var rows []struct {
		Status string `json:"status"`
		Count  int    `json:"count"`
	}
	err := s.db.Ent.Session.Query().Where(where...).GroupBy(session.FieldStatus).Aggregate(ent.Count()).Scan(ctx, &rows)
	if err != nil {
		return nil, Internal(err)
	}
	counts := map[string]int{"total": 0}
	for _, st := range Statuses() {
		counts[string(st)] = 0
	}
	for _, r := range rows {
		counts[r.Status] = r.Count
		counts["total"] += r.Count
	}
	return counts, nil
}

// searchSessions matches an id, a document number, or every word of a name.
func (s *Service) searchSessions(userID, term string) predicate.Session {
	or := []predicate.Session{session.ID(term)}
	if number := seal.NormalNumber(term); number != "" {
		or = append(or, sessionWith(userID, "document_number", s.terms(userID, "document_number", number)))
	}
	if words := strings.Fields(seal.NormalName(term)); len(words) > 0 {
		or = append(or, sessionWith(userID, "name", s.terms(userID, "name", words...)))
	}
	return session.Or(or...)
}

// UpdateSDKMetadata replaces what the device says of itself.
func (s *Service) UpdateSDKMetadata(ctx context.Context, p auth.Principal, kind SessionKind, id string, metadata map[string]any) error {
	return s.apply(ctx, p, func(c *change) error {
		row, err := c.open(ctx, p, kind, id)
		if err != nil {
			return err
		}
		v, err := s.vault(ctx, c.DataKey, row.KeyID)
		if err != nil {
			return err
		}
		sealed, err := v.seal("sessions", "sdk_metadata", id, metadata)
		if err != nil {
			return err
		}
		if err := c.Session.UpdateOne(row).SetSdkMetadataSealed(sealed).Exec(ctx); err != nil {
			return Internal(err)
		}
		return c.note(ctx, id, actorOf(p), "sdk_metadata_updated", "", "", nil)
	})
}

// AddConsent records the person's answer. Refusing blocks the rest until the person agrees.
func (s *Service) AddConsent(ctx context.Context, p auth.Principal, id string, consented bool) error {
	return s.apply(ctx, p, func(c *change) error {
		row, err := c.find(ctx, p, IDV, id)
		if err != nil {
			return err
		}
		if err := unfinished(row, c.now); err != nil {
			return err
		}
		if err := c.Consent.Create().SetID(s.newID()).SetSessionID(id).SetConsented(consented).SetCreatedAt(c.now).Exec(ctx); err != nil {
			return Internal(err)
		}
		if err := c.Session.UpdateOne(row).SetConsented(consented).SetConsentedAt(c.now).Exec(ctx); err != nil {
			return Internal(err)
		}
		event := "consent_given"
		if !consented {
			event = "consent_refused"
		}
		return c.note(ctx, id, actorOf(p), event, "", "", nil)
	})
}

// UpdateDocumentType says which document will be shown. Pictures of another type that were taken before
// no longer count.
func (s *Service) UpdateDocumentType(ctx context.Context, p auth.Principal, id, documentType string) error {
	if !slices.Contains(DocumentTypes(), documentType) {
		return invalid("/document_type_e", "must be one of "+strings.Join(DocumentTypes(), ", "))
	}
	return s.apply(ctx, p, func(c *change) error {
		row, err := c.open(ctx, p, IDV, id)
		if err != nil {
			return err
		}
		settings, err := s.settings(ctx, c.DataKey, row)
		if err != nil {
			return err
		}
		if !settings.Allows(documentType) {
			return invalid("/document_type_e", "is not among the document types of this session")
		}
		update := c.Session.UpdateOne(row).SetDocumentType(session.DocumentType(documentType))
		if row.DocumentType != session.DocumentType(documentType) && row.DocumentType != session.DocumentTypeUnknown {
			if err := c.supersede(ctx, id, captureFront, captureBack); err != nil {
				return err
			}
			update.ClearDocumentFrontGivenAt().ClearDocumentBackGivenAt()
		}
		if err := update.Exec(ctx); err != nil {
			return Internal(err)
		}
		return c.note(ctx, id, actorOf(p), "document_type_set", "", "", map[string]string{"document_type_e": documentType})
	})
}

// open gives the caller's session if it still takes input: consented, unfinished, in time.
func (c *change) open(ctx context.Context, p auth.Principal, kind SessionKind, id string) (*ent.Session, error) {
	row, err := c.find(ctx, p, kind, id)
	if err != nil {
		return nil, err
	}
	return row, takesInput(row, c.now)
}

// takesInput says why a session takes no more input, or nothing.
func takesInput(row *ent.Session, now time.Time) error {
	if err := unfinished(row, now); err != nil {
		return err
	}
	switch {
	case row.Consented == nil:
		return Errorf(CodeConsentRequired, "the person has not consented yet")
	case !*row.Consented:
		return Errorf(CodeConsentRefused, "the person refused consent")
	}
	return nil
}

func unfinished(row *ent.Session, now time.Time) error {
	switch {
	case row.Status == session.StatusComplete, row.Status == session.StatusTemporarilyComplete:
		return Errorf(CodeSessionComplete, "the session is finished")
	case row.Status == session.StatusTemporarilyBlocked:
		return Errorf(CodeSessionBlocked, "too many attempts failed; try again later")
	case row.Status == session.StatusExpired, now.After(row.ExpiresAt):
		return Errorf(CodeSessionExpired, "the session expired")
	case row.FinalizeRequestedAt != nil:
		return Errorf(CodeSessionFinalizing, "the session is being decided")
	case row.AnonymizedAt != nil:
		return Errorf(CodeSessionComplete, "the session was anonymized")
	}
	return nil
}

// move applies an event, guarded: it fails with CodeConflict if the session is not where the event may
// happen, whatever the caller read before.
func (c *change) move(ctx context.Context, row *ent.Session, on Event, actor string, detail map[string]string, with func(*ent.SessionUpdate)) error {
	to, ok := Next(Status(row.Status), on)
	if !ok {
		return Errorf(CodeConflict, "a session that is %s cannot %s", row.Status, on)
	}
	update := c.Session.Update().Where(session.ID(row.ID), session.StatusEQ(row.Status)).SetStatus(session.Status(to))
	if with != nil {
		with(update)
	}
	n, err := update.Save(ctx)
	if err != nil {
		return Internal(err)
	}
	if n != 1 {
		return Errorf(CodeConflict, "the session changed meanwhile")
	}
	return c.note(ctx, row.ID, actor, string(on), Status(row.Status), to, detail)
}

// ExpireSessions moves the sessions whose time has come: those that ran out of it end, those whose cool-down
// is over go on. It returns how many ended. A session that was finalized waits for its decision instead.
func (s *Service) ExpireSessions(ctx context.Context) (int, error) {
	now := s.now().UTC()
	late := []predicate.Session{
		session.StatusIn(session.StatusInProgress, session.StatusTemporarilyBlocked),
		session.ExpiresAtLT(now), session.FinalizeRequestedAtIsNil(), session.DeletedAtIsNil(),
	}
	cooled := []predicate.Session{
		session.StatusEQ(session.StatusTemporarilyBlocked), session.BlockedUntilLT(now), session.ExpiresAtGTE(now), session.DeletedAtIsNil(),
	}
	ended, err := s.moveAll(ctx, late, EventExpire, func(ctx context.Context, c *change, row *ent.Session) error {
		return c.announce(ctx, row, "expired", Expired, nil)
	})
	if err != nil {
		return 0, err
	}
	_, err = s.moveAll(ctx, cooled, EventUnblock, func(ctx context.Context, c *change, row *ent.Session) error {
		if err := c.Session.UpdateOneID(row.ID).ClearBlockedUntil().SetAttempts(0).Exec(ctx); err != nil {
			return Internal(err)
		}
		return nil
	})
	return ended, err
}

// moveAll applies an event to up to a hundred sessions, and what follows from it.
func (s *Service) moveAll(ctx context.Context, which []predicate.Session, on Event, then func(context.Context, *change, *ent.Session) error) (int, error) {
	// A plain read first: as long as there is nothing to do, the writer's lock is left alone.
	ids, err := s.db.Ent.Session.Query().Where(which...).Limit(100).IDs(ctx)
	if err != nil {
		return 0, Internal(err)
	}
	moved := 0
	for _, id := range ids {
		err := s.change(ctx, func(c *change) error {
			row, err := c.session(ctx, id)
			if err != nil {
				return err
			}
			if err := c.move(ctx, row, on, actorSystem, nil, nil); err != nil {
				return err
			}
			return then(ctx, c, row)
		})
		switch e := AsError(err); {
		case e == nil:
			moved++
		case e.Code != CodeConflict: // another server was faster, or the person was
			return moved, err
		}
	}
	return moved, nil
}

// settings opens and reads a session's settings, which were validated when they came in.
func (s *Service) settings(ctx context.Context, keys *ent.DataKeyClient, row *ent.Session) (Settings, error) {
	v, err := s.vault(ctx, keys, row.KeyID)
	if err != nil {
		return Settings{}, err
	}
	raw := map[string]any{}
	if err := v.open("sessions", "settings", row.ID, row.SettingsSealed, &raw); err != nil {
		return Settings{}, err
	}
	return ParseSettings(raw)
}

func invalid(pointer, message string) *Error {
	return &Error{Code: CodeInvalid, Message: "the request is not valid", Fields: []FieldError{{Pointer: pointer, Code: "invalid", Message: message}}}
}

func refusedURL(pointer string, cause error) *Error {
	return &Error{
		Code: CodeURLRefused, Message: "the URL cannot be used for webhooks", cause: cause,
		Fields: []FieldError{{Pointer: pointer, Code: string(CodeURLRefused), Message: "must be an http or https URL of a public host"}},
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// sortedKeys is for messages and rows that must not depend on a map's order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

package kyc

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"kycd/ent"
	"kycd/ent/check"
	"kycd/ent/decision"
	"kycd/ent/document"
	"kycd/ent/searchterm"
	"kycd/ent/session"
	"kycd/kyc/crosscheck"
	"kycd/kyc/scoring"
)

// verdict is a decision with what it was drawn from.
type verdict struct {
	scoring.Decision
	signals []scoring.Signal
	cross   *crosscheck.Result // nil: nothing to compare
	agrees  crosscheck.Match   // which parts of the document agree with each other
	// issued compares the state of the issuer with that of the address; nil: nothing to compare. That they differ is told, and
	// for a person to look at: soldiers live elsewhere, and so do forgers' addresses.
	issued    *crosscheck.FieldMatch
	elsewhere bool
	// lookalikes are other people's identities with a face like this one: for a person to look at.
	lookalikes []lookalike
}

// judge draws the decision from the facts. It is pure: the same facts give the same decision.
func judge(f *facts) (verdict, error) {
	var v verdict
	if f.printed != nil && f.encoded != nil {
		result := crosscheck.CompareCut(f.printed, f.encoded, f.cut)
		v.cross, v.agrees = &result, result.Match(f.crossTolerance())
	}
	if issued := crosscheck.IssuingState(f.printed, f.encoded); issued.Compared {
		v.issued = &issued
		v.elsewhere = issued.Similarity < f.crossTolerance()
	}
	v.signals = []scoring.Signal{
		f.consent(), f.requiredFields(), f.inDate(), f.faceMatch(), f.liveness(), f.sanctions(),
		f.suspiciousWords(scoring.CheckFrontSuspiciousWords, f.front),
		{Check: scoring.CheckFrontImageManipulation, State: scoring.StateNotRun},
		f.seenBefore(scoring.CheckFrontOnlineDuplication, f.front),
		{Check: scoring.CheckFrontIsIdentityDocument, State: scoring.StateNotRun},
		{Check: scoring.CheckDMV, State: scoring.StateNotRun, Required: f.settings.Wants(CheckDMV)},
		f.gender(), f.age(),
	}
	if f.back != nil {
		v.signals = append(v.signals, f.suspiciousWords(scoring.CheckBackSuspiciousWords, f.back),
			scoring.Signal{Check: scoring.CheckBackImageManipulation, State: scoring.StateNotRun},
			f.seenBefore(scoring.CheckBackOnlineDuplication, f.back),
			scoring.Signal{Check: scoring.CheckBackIsIdentityDocument, State: scoring.StateNotRun})
	}
	if name, ok := scoring.MatchOf(f.documentType); ok {
		v.signals = append(v.signals, f.crossCheck(name, v))
	}
	decision, err := scoring.Score(f.weights, v.signals)
	if err != nil {
		return v, Internal(err)
	}
	v.Decision = decision
	return v, nil
}

// The check that an issuer's state is that of the address, and what is told where it is not.
const (
	issuingStateCheck   = "issuing_state_crosscheck"
	issuingStateDiffers = "issuing_state_differs"
)

func truth(ok bool) *float64 {
	if ok {
		return scoring.Number(1)
	}
	return scoring.Number(0)
}

func (f *facts) consent() scoring.Signal {
	return scoring.Signal{Check: scoring.CheckConsent, Value: truth(f.consented), Required: true}
}

// requiredFields is a gate: a document that lacks what the law asks for identifies nobody.
func (f *facts) requiredFields() scoring.Signal {
	s := scoring.Signal{Check: scoring.CheckRequiredFields, Required: true}
	asked, lacking := []string{}, []string{}
	for _, n := range f.required {
		asked = append(asked, n.String())
		if !f.lacks(n) {
			continue
		}
		lacking = append(lacking, n.String())
		if reason := scoring.RequiredFieldMissing(n.field); !slices.Contains(s.Reasons, reason) {
			s.Reasons = append(s.Reasons, reason)
		}
	}
	s.Evidence = map[string]any{"required": asked, "missing": lacking}
	if len(lacking) > 0 && f.unread() { // what is missing may well stand on the picture
		s.State, s.Reasons = scoring.StateUnavailable, []scoring.Reason{scoring.ReasonAnalysisFailed}
		return s
	}
	s.Value = truth(len(lacking) == 0)
	return s
}

// unread says that a picture of the document was given and could not be analysed: nothing is known of what it
// shows, so nothing may be held against the person.
func (f *facts) unread() bool { return f.front.failed() || f.back.failed() }

// inDate is a gate. A document whose date could not be read is not in date; the missing field says why.
func (f *facts) inDate() scoring.Signal {
	s := scoring.Signal{Check: scoring.CheckDocumentInDate, Required: true}
	today := f.now.Format(time.DateOnly)
	expires, issued := f.merged["expires_at"], f.merged["issued_at"]
	s.Evidence = map[string]any{"expires_at": expires, "issued_at": issued, "today": today}
	switch {
	case expires == "" && f.unread():
		s.State, s.Reasons = scoring.StateUnavailable, []scoring.Reason{scoring.ReasonAnalysisFailed}
	case expires == "":
		s.State = scoring.StateUnavailable
		s.Reasons = []scoring.Reason{scoring.RequiredFieldMissing("expires_at")}
	case expires < today:
		s.Value, s.Reasons = truth(false), []scoring.Reason{scoring.ReasonDocumentExpired}
	case issued > today:
		s.Value, s.Reasons = truth(false), []scoring.Reason{scoring.ReasonDocumentNotYetValid}
	default:
		s.Value = truth(true)
	}
	return s
}

// sanctions are not screened yet: asked for, the session waits for a person; not asked for, nothing is claimed.
func (f *facts) sanctions() scoring.Signal {
	return scoring.Signal{Check: scoring.CheckSanctions, State: scoring.StateNotRun, Required: f.settings.Wants(CheckOFAC)}
}

// suspicious are words that stand on specimens and novelties, and on no document that was issued.
func suspicious() []string { return []string{"SPECIMEN", "SAMPLE", "VOID", "NOVELTY", "TEST"} }

func (f *facts) suspiciousWords(name scoring.Check, side *measured) scoring.Signal {
	s := scoring.Signal{Check: name}
	switch {
	case side == nil:
		s.State = scoring.StateNotRun
		return s
	case side.failed():
		s.State = scoring.StateUnavailable
		return s
	case strings.TrimSpace(side.analysis.Text) == "":
		s.State = scoring.StateUnavailable // nothing was read, so nothing is known
		return s
	}
	found := []string{}
	for _, word := range strings.FieldsFunc(strings.ToUpper(side.analysis.Text), func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) {
		if slices.Contains(suspicious(), word) && !slices.Contains(found, word) {
			found = append(found, word)
		}
	}
	s.Value = truth(len(found) == 0)
	s.Evidence = map[string]any{"words": found}
	return s
}

// crossCheck compares what is printed with what is encoded. A document that has a code which could not be
// read is not cross-checked, and that is required: the code is the part that is hardest to forge.
func (f *facts) crossCheck(name scoring.Check, v verdict) scoring.Signal {
	s := scoring.Signal{Check: name, Required: f.settings.Wants(CheckDocumentBack) || f.documentType == "passport"}
	switch {
	case f.encoded == nil && f.unread():
		s.State, s.Reasons = scoring.StateUnavailable, []scoring.Reason{scoring.ReasonAnalysisFailed}
	case f.encoded == nil && f.zoneWrong:
		s.State, s.Reasons = scoring.StateUnavailable, []scoring.Reason{scoring.ReasonMRZCheckDigits}
	case f.encoded == nil && (f.documentType == "passport" || f.documentType == "passport_card"):
		s.State, s.Reasons = scoring.StateUnavailable, []scoring.Reason{scoring.ReasonMRZUnreadable}
	case f.encoded == nil:
		s.State, s.Reasons = scoring.StateUnavailable, []scoring.Reason{scoring.ReasonBarcodeUnreadable}
	case v.cross == nil || !v.cross.Compared:
		s.State = scoring.StateUnavailable
	default:
		s.Value, s.Evidence = scoring.Number(v.cross.Similarity), v.cross.Fields
		for _, part := range []struct {
			agrees *bool
			reason scoring.Reason
		}{
			{v.agrees.Name, scoring.ReasonNameCrosscheck}, {v.agrees.Number, scoring.ReasonDocumentNumberCrosscheck},
			{v.agrees.BirthDate, scoring.ReasonBirthDateCrosscheck}, {v.agrees.Address, scoring.ReasonAddressCrosscheck},
		} {
			if part.agrees != nil && !*part.agrees {
				s.Reasons = append(s.Reasons, part.reason)
			}
		}
	}
	return s
}

// crossTolerance is how alike two readings of one field must be, for the type of document.
func (f *facts) crossTolerance() float64 {
	switch f.documentType {
	case "identification_card":
		return f.weights.StateIDFuzzyMatchTolerance
	case "passport":
		return f.weights.PassportFuzzyMatchTolerance
	case "passport_card":
		return f.weights.PassportCardFuzzyMatchTolerance
	default:
		return f.weights.DriverLicenseFuzzyMatchTolerance
	}
}

// record writes a decision and everything that follows from it.
func (c *change) record(ctx context.Context, row *ent.Session, f *facts, result verdict) error {
	known, err := c.Decision.Query().Where(decision.SessionID(row.ID)).Exist(ctx)
	if err != nil {
		return Internal(err)
	}
	if known {
		return nil // a person's turn
	}
	v, err := c.s.vault(ctx, c.DataKey, row.KeyID)
	if err != nil {
		return err
	}
	for _, src := range f.sources {
		if err := c.keepDocument(ctx, v, row, src.from, false, src.fields); err != nil {
			return err
		}
	}
	if len(f.merged) > 0 {
		best := document.DataSourceUnknown
		if len(f.sources) > 0 {
			best = f.sources[0].from
		}
		if err := c.keepDocument(ctx, v, row, best, true, f.merged); err != nil {
			return err
		}
		if err := c.indexTerms(ctx, row.UserID, searchterm.OwnerSession, row.ID, personTerms(f.merged)); err != nil {
			return err
		}
	}
	reasons := make([]string, 0, len(result.Reasons))
	for _, r := range result.Reasons {
		reasons = append(reasons, string(r))
	}
	var enrolled enrolment
	if row.Kind == session.KindIdv && result.Verified {
		if enrolled, err = c.enrol(ctx, row, f, result.Score); err != nil {
			return err
		}
		if enrolled.reason != "" {
			reasons = append(reasons, enrolled.reason)
		}
	}
	if len(f.lookalikes) > 0 {
		own := enrolled
		if own.identityID == "" { // whom the document says it is, though nothing proves it
			if own, err = c.known(ctx, row.UserID, f); err != nil {
				return err
			}
		}
		if result.lookalikes = f.strangersLike(own.identityID); len(result.lookalikes) > 0 {
			reasons = append(reasons, possibleDuplicate)
		}
	}
	if result.elsewhere {
		reasons = append(reasons, issuingStateDiffers)
	}
	if err := c.keepChecks(ctx, v, row, result); err != nil {
		return err
	}
	id := c.s.newID()
	sealed, err := v.seal("decisions", "pieces", id, result.Decision)
	if err != nil {
		return err
	}
	err = c.Decision.Create().SetID(id).SetSessionID(row.ID).SetWeightsID(row.WeightsID).SetScore(result.Score).SetVerified(result.Verified).
		SetVerdict(decision.Verdict(result.Verdict)).SetReasons(reasons).SetVersions(f.versions()).SetPiecesSealed(sealed).SetCreatedAt(c.now).Exec(ctx)
	if ent.IsConstraintError(err) {
		return Errorf(CodeConflict, "the session was decided meanwhile")
	}
	if err != nil {
		return Internal(err)
	}
	return c.settle(ctx, v, row, f, result, enrolled)
}

// settle moves the session to where its decision leads, and tells those who asked.
func (c *change) settle(ctx context.Context, v vault, row *ent.Session, f *facts, result verdict, enrolled enrolment) error {
	fill := func(u *ent.SessionUpdate) {
		if live := result.piece(scoring.CheckLiveness); live != nil && live.Value != nil {
			u.SetLivenessDetected(live.Verdict == scoring.StatePass).SetLivenessDetectedAt(c.now)
		}
	}
	if row.Kind == session.KindIdv {
		person, err := v.seal("sessions", "person", row.ID, personOf(f.merged))
		if err != nil {
			return err
		}
		measured := fill
		fill = func(u *ent.SessionUpdate) {
			measured(u)
			u.SetPersonSealed(person).SetScore(result.Score) // an authentication has gates only: nothing to weigh
			if enrolled.identityID != "" {
				u.SetIdentityID(enrolled.identityID)
			}
		}
	}
	detail := map[string]string{"verdict": string(result.Verdict)}
	if enrolled.reason != "" {
		detail["identity"] = enrolled.reason
	}
	if result.Verdict == scoring.VerdictReview {
		return c.await(ctx, row, result, detail, fill)
	}
	err := c.move(ctx, row, EventDecide, actorSystem, detail, func(u *ent.SessionUpdate) {
		fill(u)
		u.SetCompletedAt(c.now)
		if row.Kind == session.KindIda {
			u.SetAuthenticated(result.Verified)
			return
		}
		u.SetVerified(result.Verified)
		if result.Verified {
			u.SetVerifiedAt(c.now)
		}
	})
	if err != nil {
		return err
	}
	if row.Kind == session.KindIda {
		if err := c.authenticated(ctx, row, f, result.Verified); err != nil {
			return err
		}
	}
	if enrolled.identityID != "" {
		row.IdentityID = &enrolled.identityID
	}
	return c.announce(ctx, row, "complete", Complete, &result.Verified)
}

// await leaves the session to a person.
func (c *change) await(ctx context.Context, row *ent.Session, result verdict, detail map[string]string, fill func(*ent.SessionUpdate)) error {
	if Status(row.Status) == InProgress {
		if err := c.move(ctx, row, EventDefer, actorSystem, detail, fill); err != nil {
			return err
		}
	} else {
		update := c.Session.Update().Where(session.ID(row.ID), session.StatusEQ(row.Status))
		fill(update)
		if err := update.Exec(ctx); err != nil {
			return Internal(err)
		}
		if err := c.note(ctx, row.ID, actorSystem, "review", "", "", detail); err != nil {
			return err
		}
	}
	return c.announce(ctx, row, "temporarily_complete", TemporarilyComplete, &result.Verified)
}

func (c *change) keepChecks(ctx context.Context, v vault, row *ent.Session, result verdict) error {
	keep := func(name string, state scoring.State, value *float64, reasons []scoring.Reason, evidence any) error {
		id := c.s.newID()
		sealed, err := v.seal("checks", "evidence", id, evidence)
		if err != nil {
			return err
		}
		create := c.Check.Create().SetID(id).SetSessionID(row.ID).SetName(name).SetState(check.State(state)).
			SetNillableValue(value).SetEvidenceSealed(sealed).SetCreatedAt(c.now)
		if len(reasons) > 0 {
			create.SetReason(string(reasons[0]))
		}
		if err := create.Exec(ctx); err != nil {
			return Internal(err)
		}
		return nil
	}
	for _, p := range result.Pieces {
		if err := keep(string(p.Check), p.Verdict, p.Value, p.Reasons, p.Evidence); err != nil {
			return err
		}
	}
	if len(result.lookalikes) > 0 {
		if err := keep(possibleDuplicate, scoring.StateReview, nil, []scoring.Reason{possibleDuplicate}, result.lookalikes); err != nil {
			return err
		}
	}
	if result.issued != nil {
		state, reasons := scoring.StatePass, []scoring.Reason(nil)
		if result.elsewhere {
			state, reasons = scoring.StateReview, []scoring.Reason{issuingStateDiffers}
		}
		if err := keep(issuingStateCheck, state, scoring.Number(result.issued.Similarity), reasons, result.issued); err != nil {
			return err
		}
	}
	if result.cross == nil {
		return nil
	}
	for _, part := range []struct {
		name   string
		agrees *bool
		fields []string
	}{
		{"document_number_crosscheck", result.agrees.Number, []string{"document_number"}},
		{"name_crosscheck", result.agrees.Name, []string{"last_name", "first_name", "middle_name"}},
		{"address_crosscheck", result.agrees.Address, []string{"street", "city", "state", "postal_code"}},
	} {
		evidence := slices.DeleteFunc(slices.Clone(result.cross.Fields), func(m crosscheck.FieldMatch) bool {
			return !slices.Contains(part.fields, m.Field)
		})
		state, value := scoring.StateNotRun, (*float64)(nil)
		if part.agrees != nil {
			state, value = scoring.StateFail, truth(*part.agrees)
			if *part.agrees {
				state = scoring.StatePass
			}
		}
		if err := keep(part.name, state, value, nil, evidence); err != nil {
			return err
		}
	}
	return nil
}

func (v verdict) piece(name scoring.Check) *scoring.Piece {
	for i := range v.Pieces {
		if v.Pieces[i].Check == name {
			return &v.Pieces[i]
		}
	}
	return nil
}

// versions names the models that the measurements came from.
func (f *facts) versions() map[string]string {
	versions := map[string]string{}
	for _, m := range []*measured{f.front, f.back, f.live} {
		if m != nil && m.analysis != nil {
			maps.Copy(versions, m.analysis.Models)
		}
	}
	return versions
}

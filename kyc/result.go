package kyc

import (
	"context"
	"encoding/json"
	"strings"

	"kycd/ent"
	"kycd/ent/check"
	"kycd/ent/decision"
	"kycd/kyc/auth"
	"kycd/kyc/scoring"
)

// The fields of `session test read`.
func testTexts() []string {
	var names []string
	for _, side := range []string{"front", "back"} {
		for _, what := range []string{"image_manipulation", "is_identity_document", "online_duplication", "suspicious_words"} {
			names = append(names, "doc_"+side+"_"+what)
		}
	}
	return names
}

func testBools() []string {
	return []string{
		"dmv_document_number_match", "dmv_document_expiration_match", "dmv_document_issue_match", "dmv_document_category_match",
		"dmv_birth_date_match", "dmv_sex_match", "dmv_eye_color_match", "dmv_height_match", "dmv_weight_match",
		"dmv_first_name_match", "dmv_middle_name_match", "dmv_last_name_match", "dmv_suffix_name_match",
		"dmv_street_match", "dmv_city_match", "dmv_state_match", "dmv_postal_code_match",
		"document_number_crosscheck", "name_crosscheck", "address_crosscheck",
	}
}

// ReadTests gives every check of a session, and the decision piece by piece. What was not checked is
// not_run or null, never a pass.
func (s *Service) ReadTests(ctx context.Context, p auth.Principal, id string) (TestResults, error) {
	row, err := find(ctx, s.db.Ent.Session, p, IDV, id)
	if err != nil {
		return TestResults{}, err
	}
	checks, err := s.db.Ent.Check.Query().Where(check.SessionID(id)).All(ctx)
	if err != nil {
		return TestResults{}, Internal(err)
	}
	out := TestResults{Texts: map[string]string{}, Bools: map[string]*bool{}}
	for _, name := range testTexts() {
		out.Texts[name] = string(scoring.StateNotRun)
	}
	for _, name := range testBools() {
		out.Bools[name] = nil
	}
	for _, c := range checks {
		if _, ok := out.Texts[c.Name]; ok {
			out.Texts[c.Name] = string(c.State)
		}
		if _, ok := out.Bools[c.Name]; ok && c.Value != nil {
			passed := c.State == check.StatePass
			out.Bools[c.Name] = &passed
		}
	}
	stored, d, err := s.decision(ctx, row)
	if err != nil || stored == nil {
		return out, err
	}
	out.Score, out.Verdict, out.Reasons = &stored.Score, string(stored.Verdict), stored.Reasons
	for _, piece := range d.Pieces {
		out.Pieces = append(out.Pieces, pieceView(piece))
	}
	return out, nil
}

// decision opens the stored decision of a session; nil if there is none (any more).
func (s *Service) decision(ctx context.Context, row *ent.Session) (*ent.Decision, scoring.Decision, error) {
	var d scoring.Decision
	stored, err := s.db.Ent.Decision.Query().Where(decision.SessionID(row.ID)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, d, nil
	}
	if err != nil {
		return nil, d, Internal(err)
	}
	v, err := s.vaultOf(ctx, row)
	if e := AsError(err); e != nil {
		if e.Code == CodeErased {
			return nil, d, nil
		}
		return nil, d, err
	}
	return stored, d, v.open("decisions", "pieces", stored.ID, stored.PiecesSealed, &d)
}

func pieceView(p scoring.Piece) DecisionPiece {
	view := DecisionPiece{
		Name: string(p.Check), State: string(p.Verdict), Value: p.Value, Measure: p.Measure, Weight: p.Weight, Contribution: p.Contribution,
		Gate: p.Gate, Required: p.Required,
	}
	if p.Value != nil {
		view.Tolerance = &p.Tolerance
	}
	if p.Verdict == scoring.StateNotRun { // a measure below its tolerance gives no value: it stands for what would be
		view.Value = nil
	}
	why := p.Why()
	reasons := make([]string, 0, len(why))
	for _, r := range why {
		reasons = append(reasons, string(r))
	}
	view.Reason = strings.Join(reasons, " ")
	var evidence any
	if json.Unmarshal(p.Evidence, &evidence) == nil {
		switch e := evidence.(type) {
		case map[string]any:
			view.Evidence = e
		case nil:
		default:
			view.Evidence = map[string]any{"items": e}
		}
	}
	return view
}

// Replay computes a stored decision again from its stored pieces, under the weights it was made with, and
// reports whether every bit is the same.
func (s *Service) Replay(ctx context.Context, p auth.Principal, id string) (same bool, err error) {
	row, err := find(ctx, s.db.Ent.Session, p, IDV, id)
	if err != nil {
		return false, err
	}
	stored, d, err := s.decision(ctx, row)
	if err != nil {
		return false, err
	}
	if stored == nil {
		return false, notFound("decision")
	}
	w, err := weights(ctx, s.db.Ent.WeightsVersion, stored.WeightsID)
	if err != nil {
		return false, err
	}
	again, err := scoring.Rescore(d, w)
	if err != nil {
		return false, Internal(err)
	}
	return canonicalJSON(again) == canonicalJSON(d) && again.Score == stored.Score, nil
}

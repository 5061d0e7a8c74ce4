// Package scoring turns what was measured on a session into a decision. It is pure and total: the same signals and weights
// give the same decision to the last bit, on any machine and also after a journey through JSON, and no input makes it panic.
//
//	score    = Σ weight·value / Σ weight, over the checks that were measured
//	verified = every gate passes ∧ every required check was measured ∧ score ≥ idv_session_tolerance
package scoring

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// State is the verdict on one check.
type State string

// The states. Not measured is unavailable (a source or model failed) or not_run (nobody tried).
const (
	StatePass        State = "pass"
	StateFail        State = "fail"
	StateReview      State = "review"
	StateUnavailable State = "unavailable"
	StateNotRun      State = "not_run"
)

// Signal is what one check measured.
type Signal struct {
	Check Check
	// Value is in [0,1], 1 = good. Nil if it was not measured, and for the checks whose value follows from the measure.
	Value *float64
	// Measure is the number in the check's own unit that its tolerance is compared with:
	// face_match, account_face_match: Euclidean distance; ofac: best name score; age: difference in years (their values
	// follow from it); gender: the classifier's probability (the value says whether it agrees with the document).
	// Nil for all other checks.
	Measure *float64
	// State is empty for what is to be judged by its number. fail and review overrule the number, or stand in for it, as
	// when a selfie has no face. unavailable and not_run say why there is none; not_run is the default.
	State State
	// Required: the session does not pass unless this was measured.
	Required bool
	// Gate makes a check a gate that is none by itself. What is a gate by itself stays one.
	Gate bool
	// Reasons replace the check's own reason where it does not pass.
	Reasons []Reason
	// Evidence is what a person may want to see; it must be marshallable to JSON and changes nothing.
	Evidence any
}

// Number is a pointer to v, for Signal.
func Number(v float64) *float64 { return &v }

// Verdict is the outcome for the session.
type Verdict string

// The verdicts.
const (
	VerdictVerified    Verdict = "verified"
	VerdictNotVerified Verdict = "not_verified"
	VerdictReview      Verdict = "review" // nothing failed, but a person or a missing source has to be heard
)

// Kind says by which gates a decision was made.
type Kind string

// The kinds.
const (
	KindIDV Kind = "idv"
	KindIDA Kind = "ida"
)

// Piece is one check in a decision. Contribution is the piece's part of the score: weight·value / Σ weight. Of the two sides
// of a document the better one has the weight 0.
type Piece struct {
	Check        Check           `json:"name"`
	Value        *float64        `json:"value"`
	Measure      *float64        `json:"measure,omitempty"`
	Tolerance    float64         `json:"tolerance"`
	Weight       float64         `json:"weight"`
	Contribution float64         `json:"contribution"`
	Verdict      State           `json:"verdict"`
	Stated       State           `json:"stated,omitempty"` // Signal.State
	Required     bool            `json:"required"`
	Gate         bool            `json:"gate"`
	Reasons      []Reason        `json:"reasons,omitempty"` // Signal.Reasons
	Evidence     json.RawMessage `json:"evidence,omitempty"`
}

// Why gives the reasons of a piece that speaks against the session, or that was required and not measured; nothing
// for one that passes.
func (p Piece) Why() []Reason {
	blocks := p.Verdict == StateFail || p.Verdict == StateReview || (p.Required && !p.measured())
	switch {
	case !blocks:
		return nil
	case len(p.Reasons) > 0:
		return p.Reasons
	case p.measured() || p.Check == CheckConsent:
		r, _ := ruleOf(rules(), p.Check)
		return []Reason{r.reason}
	}
	return []Reason{NotMeasured(p.Check, p.Verdict)}
}

// Decision is the outcome with everything needed to understand it and to compute it again.
type Decision struct {
	Kind      Kind     `json:"kind"`
	Pieces    []Piece  `json:"pieces"` // in a fixed order
	Score     float64  `json:"score"`
	Scored    bool     `json:"scored"`    // false: no check with a weight was measured, and Score is 0
	Tolerance float64  `json:"tolerance"` // idv_session_tolerance; 0 for IDA, whose score decides nothing
	Verified  bool     `json:"verified"`
	Verdict   Verdict  `json:"verdict"`
	Reasons   []Reason `json:"reasons"` // in order of effect
}

// Code says what is wrong with the input of a decision.
type Code string

// The codes. All are mistakes of the program, not of the person who is verified.
const (
	CodeWeightsInvalid   Code = "weights_invalid"
	CodeCheckUnknown     Code = "check_unknown"
	CodeCheckRepeated    Code = "check_repeated"
	CodeNumberNotFinite  Code = "number_not_finite"
	CodeNumberOutOfRange Code = "number_out_of_range"
	CodeNumberUnexpected Code = "number_unexpected" // a value where the measure is wanted, or the other way round
	CodeStateUnknown     Code = "state_unknown"
	CodeStateContradicts Code = "state_contradicts" // not measured, but with a number; or pass without one
	CodeEvidenceInvalid  Code = "evidence_invalid"
	CodeKindUnknown      Code = "kind_unknown"
)

// Error refuses the input of a decision.
type Error struct {
	Code  Code
	Check Check
	Cause error
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %v", e.Code, e.Cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Check)
}

func (e *Error) Unwrap() error { return e.Cause }

// Score decides on an onboarding session. Signals may come in any order, each check at most once. A gate without signal
// counts as required and not run; who switches one off says so with a signal that is not_run and not Required.
// The error is an *Error.
func Score(w Weights, signals []Signal) (Decision, error) { return decide(KindIDV, w, signals) }

// ScoreAccount decides on an authentication session, whose gates are consent, account_face_match and liveness. Other checks
// may be added; the score is computed but decides nothing, because authentication may have no check with a weight.
func ScoreAccount(w Weights, signals []Signal) (Decision, error) { return decide(KindIDA, w, signals) }

// Rescore decides again from a decision's pieces: under its own weights it gives the same decision, under others it says what
// would have been. The error is an *Error.
func Rescore(d Decision, w Weights) (Decision, error) {
	table := rules()
	signals := make([]Signal, len(d.Pieces))
	for i, p := range d.Pieces {
		signals[i] = Signal{
			Check: p.Check, Value: p.Value, Measure: p.Measure, State: p.Stated,
			Required: p.Required, Gate: p.Gate, Reasons: p.Reasons,
		}
		if p.Evidence != nil {
			signals[i].Evidence = p.Evidence
		}
		if r, ok := ruleOf(table, p.Check); ok && r.measure != nil {
			signals[i].Value = nil // it follows from the measure
		}
	}
	return decide(d.Kind, w, signals)
}

func ruleOf(table []rule, check Check) (rule, bool) {
	for _, r := range table {
		if r.check == check {
			return r, true
		}
	}
	return rule{}, false
}

// gatesOf are the gates that a session of a kind cannot do without.
func gatesOf(kind Kind) []Check {
	switch kind {
	case KindIDV:
		return []Check{CheckConsent, CheckRequiredFields, CheckDocumentInDate, CheckFaceMatch, CheckLiveness, CheckSanctions}
	case KindIDA:
		return []Check{CheckConsent, CheckAccountFaceMatch, CheckLiveness}
	}
	return nil
}

func decide(kind Kind, w Weights, signals []Signal) (Decision, error) {
	gates := gatesOf(kind)
	if gates == nil {
		return Decision{}, &Error{Code: CodeKindUnknown}
	}
	if errs := w.Validate(); errs != nil {
		return Decision{}, &Error{Code: CodeWeightsInvalid, Cause: errs[0]}
	}
	byCheck := map[Check]Signal{}
	table := rules()
	for _, s := range signals {
		if _, ok := ruleOf(table, s.Check); !ok {
			return Decision{}, &Error{Code: CodeCheckUnknown, Check: s.Check}
		}
		if _, have := byCheck[s.Check]; have {
			return Decision{}, &Error{Code: CodeCheckRepeated, Check: s.Check}
		}
		byCheck[s.Check] = s
	}
	for _, g := range gates {
		if _, ok := byCheck[g]; !ok {
			byCheck[g] = Signal{Check: g, Required: true}
		}
	}
	d := Decision{Kind: kind, Pieces: []Piece{}, Reasons: []Reason{}}
	for _, r := range table {
		s, ok := byCheck[r.check]
		if !ok {
			continue
		}
		p, err := judge(r, w, s)
		if err != nil {
			return Decision{}, err
		}
		d.Pieces = append(d.Pieces, p)
	}
	weigh(table, w, d.Pieces)
	d.sum()
	if kind == KindIDV {
		d.Tolerance = w.IdvSessionTolerance
	}
	d.conclude(table)
	return d, nil
}

// judge makes the piece of a signal, without weight.
func judge(r rule, w Weights, s Signal) (Piece, error) {
	refuse := func(code Code) (Piece, error) { return Piece{}, &Error{Code: code, Check: s.Check} }
	p := Piece{
		Check: s.Check, Value: s.Value, Measure: s.Measure, Tolerance: evenOdds, Stated: s.State,
		Required: s.Required, Gate: s.Gate || r.gate,
	}
	if len(s.Reasons) > 0 {
		p.Reasons = slices.Clone(s.Reasons)
	}
	if r.tolerance != nil {
		p.Tolerance = r.tolerance(w)
	}
	if s.Evidence != nil {
		evidence, err := json.Marshal(s.Evidence)
		if err != nil {
			return refuse(CodeEvidenceInvalid)
		}
		p.Evidence = evidence
	}
	if code := checkNumbers(r, s); code != "" {
		return refuse(code)
	}
	if r.measure != nil && s.Measure != nil {
		p.Value = Number(r.measure(*s.Measure, p.Tolerance))
	}
	switch s.State {
	case "", StatePass:
		if p.Value == nil && s.State == StatePass {
			return refuse(CodeStateContradicts)
		}
		p.Verdict = r.verdict(p)
	case StateFail, StateReview:
		p.Verdict = s.State
	case StateUnavailable, StateNotRun:
		if p.Value != nil || s.Measure != nil {
			return refuse(CodeStateContradicts)
		}
		p.Verdict = s.State
	default:
		return refuse(CodeStateUnknown)
	}
	return p, nil
}

// checkNumbers refuses numbers that are not finite, out of range, or not what the check is fed with.
func checkNumbers(r rule, s Signal) Code {
	for _, n := range []struct {
		value *float64
		max   float64
	}{{s.Value, 1}, {s.Measure, r.maxMeasure}} {
		if n.value == nil {
			continue
		}
		switch v := *n.value; {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return CodeNumberNotFinite
		case n.max == 0 || v < 0 || v > n.max:
			if n.max == 0 {
				return CodeNumberUnexpected
			}
			return CodeNumberOutOfRange
		}
	}
	valueFollows := r.measure != nil && s.Value != nil
	halfGiven := r.measure == nil && r.maxMeasure > 0 && (s.Value == nil) != (s.Measure == nil)
	if valueFollows || halfGiven {
		return CodeNumberUnexpected
	}
	return ""
}

func (r rule) verdict(p Piece) State {
	if p.Value == nil || (r.counts != nil && !r.counts(*p.Measure, p.Tolerance)) {
		return StateNotRun
	}
	passes := *p.Value >= p.Tolerance
	if r.passes != nil {
		var measure float64
		if p.Measure != nil {
			measure = *p.Measure
		}
		passes = r.passes(*p.Value, measure, p.Tolerance)
	}
	switch {
	case passes:
		return StatePass
	case r.failure != "":
		return r.failure
	}
	return StateFail
}

// measured says whether the piece takes part in the sum.
func (p Piece) measured() bool {
	return p.Value != nil && p.Verdict != StateNotRun && p.Verdict != StateUnavailable
}

// weigh gives the measured pieces their weights. Of a document's two sides only the worse has one, the front if they are
// equal: one forged side is not made good by a genuine one.
func weigh(table []rule, w Weights, pieces []Piece) {
	find := func(check Check) *Piece {
		for i := range pieces {
			if pieces[i].Check == check && pieces[i].measured() {
				return &pieces[i]
			}
		}
		return nil
	}
	seen := map[Check]bool{}
	for _, r := range table {
		p := find(r.check)
		if p == nil || r.weight == nil {
			continue
		}
		seen[r.check] = true
		if r.side != "" {
			other := find(r.side)
			if other != nil && (*other.Value < *p.Value || (*other.Value == *p.Value && seen[r.side])) {
				continue
			}
		}
		p.Weight = r.weight(w)
	}
}

// sum computes score and contributions, always in the order of the pieces. The conversions keep the compiler from fusing
// multiplication and addition, which would give other bits on other processors.
func (d *Decision) sum() {
	var weighted, weights float64
	for _, p := range d.Pieces {
		if p.Weight > 0 {
			weighted += float64(p.Weight * *p.Value)
			weights += p.Weight
		}
	}
	if weights == 0 {
		return
	}
	d.Scored = true
	d.Score = min(1, weighted/weights)
	for i, p := range d.Pieces {
		if p.Weight > 0 {
			d.Pieces[i].Contribution = float64(p.Weight**p.Value) / weights
		}
	}
}

// finding is a reason with its effect: what blocks by itself weighs more than any part of the score.
type finding struct {
	reasons []Reason
	effect  float64
}

// The effects of what decides alone, from the strongest down.
const (
	effectGateFailed  = 4
	effectNotMeasured = 3
	effectReview      = 2
)

// conclude draws verdict and reasons from the pieces and the score.
func (d *Decision) conclude(table []rule) {
	var weights float64
	for _, p := range d.Pieces {
		weights += p.Weight
	}
	failed, review := false, false
	var findings []finding
	for _, p := range d.Pieces {
		r, _ := ruleOf(table, p.Check)
		reasons := p.Reasons
		if len(reasons) == 0 {
			reasons = []Reason{r.reason}
		}
		switch {
		case p.Verdict == StateFail && (p.Gate || (p.Required && !p.measured())):
			failed = true
			findings = append(findings, finding{reasons, effectGateFailed})
		case p.Required && !p.measured() && p.Verdict != StateReview:
			if len(p.Reasons) == 0 {
				reasons = []Reason{NotMeasured(p.Check, p.Verdict)}
			}
			// Nobody is let in without consent, and no source will ever answer for it.
			failed = failed || p.Check == CheckConsent
			if p.Check == CheckConsent {
				reasons = []Reason{r.reason}
			}
			review = true
			findings = append(findings, finding{reasons, effectNotMeasured})
		case p.Verdict == StateReview:
			review = true
			findings = append(findings, finding{reasons, effectReview})
		case p.Verdict == StateFail:
			lost := 0.0
			if p.Weight > 0 {
				lost = float64(p.Weight*(1-*p.Value)) / weights
			}
			findings = append(findings, finding{reasons, lost})
		}
	}
	slices.SortStableFunc(findings, func(a, b finding) int { return cmp.Compare(b.effect, a.effect) })
	for _, f := range findings {
		d.addReasons(f.reasons)
	}
	if d.Kind == KindIDV {
		switch {
		case !d.Scored:
			// If that is because sources are down, the session waits for them.
			failed = failed || !review
			d.addReasons([]Reason{ReasonNothingMeasured})
		case d.Score < d.Tolerance:
			failed = true
			d.addReasons([]Reason{ReasonScoreBelowTolerance})
		}
	}
	switch {
	case failed:
		d.Verdict = VerdictNotVerified
	case review:
		d.Verdict = VerdictReview
	default:
		d.Verdict, d.Verified = VerdictVerified, true
	}
}

func (d *Decision) addReasons(reasons []Reason) {
	for _, r := range reasons {
		if !slices.Contains(d.Reasons, r) {
			d.Reasons = append(d.Reasons, r)
		}
	}
}

package scoring

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// perfect has every check of a licence session, all at their best.
func perfect() []Signal {
	signals := []Signal{
		{Check: CheckFaceMatch, Measure: Number(0), Required: true},
		{Check: CheckSanctions, Measure: Number(0), Required: true},
		{Check: CheckGender, Value: Number(1), Measure: Number(1)},
		{Check: CheckAge, Measure: Number(0)},
	}
	for _, c := range []Check{
		CheckConsent, CheckRequiredFields, CheckDocumentInDate, CheckLiveness, CheckDriverLicenseMatch, CheckDMV,
		CheckFrontSuspiciousWords, CheckBackSuspiciousWords, CheckFrontImageManipulation, CheckBackImageManipulation,
		CheckFrontOnlineDuplication, CheckBackOnlineDuplication, CheckFrontIsIdentityDocument, CheckBackIsIdentityDocument,
	} {
		signals = append(signals, Signal{Check: c, Value: Number(1), Required: true})
	}
	return append(signals, Signal{Check: CheckStateIDMatch, State: StateNotRun})
}

func mustScore(t *testing.T, w Weights, signals []Signal) Decision {
	t.Helper()
	d, err := Score(w, signals)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func piece(t *testing.T, d Decision, check Check) Piece {
	t.Helper()
	for _, p := range d.Pieces {
		if p.Check == check {
			return p
		}
	}
	t.Fatalf("no piece %s", check)
	return Piece{}
}

func TestVerdictAndReasons(t *testing.T) {
	set := func(change Signal) func([]Signal) []Signal {
		return func(signals []Signal) []Signal {
			for i := range signals {
				if signals[i].Check == change.Check {
					change.Required = change.Required || signals[i].Required
					signals[i] = change
					return signals
				}
			}
			return append(signals, change)
		}
	}
	drop := func(check Check) func([]Signal) []Signal {
		return func(signals []Signal) []Signal {
			return slices.DeleteFunc(signals, func(s Signal) bool { return s.Check == check })
		}
	}
	for name, tc := range map[string]struct {
		changes []func([]Signal) []Signal
		verdict Verdict
		reasons []Reason
	}{
		"all well": {nil, VerdictVerified, []Reason{}},
		"someone else's selfie": {[]func([]Signal) []Signal{set(Signal{Check: CheckFaceMatch, Measure: Number(0.71)})},
			VerdictNotVerified, []Reason{ReasonFaceMismatch}},
		"distance at the tolerance": {[]func([]Signal) []Signal{set(Signal{Check: CheckFaceMatch, Measure: Number(Defaults().OnboardingFaceEncodingTolerance)})},
			VerdictVerified, []Reason{}},
		"selfie without face": {[]func([]Signal) []Signal{
			set(Signal{Check: CheckFaceMatch, State: StateFail, Reasons: []Reason{ReasonSelfieFaceNotFound}}),
			set(Signal{Check: CheckLiveness, State: StateFail, Reasons: []Reason{ReasonSelfieFaceNotFound}})},
			VerdictNotVerified, []Reason{ReasonSelfieFaceNotFound}},
		"other name in the barcode": {[]func([]Signal) []Signal{
			set(Signal{Check: CheckDriverLicenseMatch, Value: Number(0.1), Reasons: []Reason{ReasonNameCrosscheck}})},
			VerdictNotVerified, []Reason{ReasonNameCrosscheck, ReasonScoreBelowTolerance}},
		"expired": {[]func([]Signal) []Signal{set(Signal{Check: CheckDocumentInDate, Value: Number(0)})},
			VerdictNotVerified, []Reason{ReasonDocumentExpired}},
		"no consent": {[]func([]Signal) []Signal{drop(CheckConsent)},
			VerdictNotVerified, []Reason{ReasonConsentMissing}},
		"fields missing": {[]func([]Signal) []Signal{set(Signal{Check: CheckRequiredFields, Value: Number(0.8),
			Reasons: []Reason{RequiredFieldMissing("birth_date"), RequiredFieldMissing("city")}})},
			VerdictNotVerified, []Reason{"required_field_missing:birth_date", "required_field_missing:city"}},
		"on a list": {[]func([]Signal) []Signal{set(Signal{Check: CheckSanctions, Measure: Number(0.85)})},
			VerdictReview, []Reason{ReasonSanctionsPossibleMatch}},
		"nearly on a list": {[]func([]Signal) []Signal{set(Signal{Check: CheckSanctions, Measure: Number(0.8499)})},
			VerdictVerified, []Reason{}},
		"on a list and someone else": {[]func([]Signal) []Signal{
			set(Signal{Check: CheckSanctions, Measure: Number(1)}), set(Signal{Check: CheckFaceMatch, Measure: Number(0.9)})},
			VerdictNotVerified, []Reason{ReasonFaceMismatch, ReasonSanctionsPossibleMatch}},
		"list unavailable": {[]func([]Signal) []Signal{set(Signal{Check: CheckSanctions, State: StateUnavailable})},
			VerdictReview, []Reason{"ofac_unavailable"}},
		"liveness forgotten": {[]func([]Signal) []Signal{drop(CheckLiveness)},
			VerdictReview, []Reason{"liveness_not_run"}},
		"liveness switched off": {[]func([]Signal) []Signal{drop(CheckLiveness),
			func(s []Signal) []Signal { return append(s, Signal{Check: CheckLiveness, State: StateNotRun}) }},
			VerdictVerified, []Reason{}},
		"DMV down, wanted": {[]func([]Signal) []Signal{set(Signal{Check: CheckDMV, State: StateUnavailable})},
			VerdictReview, []Reason{"dmv_unavailable"}},
		"DMV not asked": {[]func([]Signal) []Signal{drop(CheckDMV)}, VerdictVerified, []Reason{}},
		"barcode unreadable, wanted": {[]func([]Signal) []Signal{
			set(Signal{Check: CheckDriverLicenseMatch, State: StateFail, Reasons: []Reason{ReasonBarcodeUnreadable}})},
			VerdictNotVerified, []Reason{ReasonBarcodeUnreadable}},
		"analysis failed twice": {[]func([]Signal) []Signal{
			set(Signal{Check: CheckLiveness, State: StateUnavailable, Reasons: []Reason{ReasonAnalysisFailed}})},
			VerdictReview, []Reason{ReasonAnalysisFailed}},
		"a person has to look": {[]func([]Signal) []Signal{set(Signal{Check: CheckDMV, Value: Number(1), State: StateReview})},
			VerdictReview, []Reason{ReasonDMVMismatch}},
		"a gate by policy": {[]func([]Signal) []Signal{set(Signal{Check: CheckDMV, Value: Number(0.7), Gate: true})},
			VerdictNotVerified, []Reason{ReasonDMVMismatch}},
		"weak doubts, the heavier first": {[]func([]Signal) []Signal{
			set(Signal{Check: CheckAge, Measure: Number(24)}), set(Signal{Check: CheckDMV, Value: Number(0.7)})},
			VerdictVerified, []Reason{ReasonDMVMismatch, ReasonAgeMismatch}},
		"gender without certainty": {[]func([]Signal) []Signal{set(Signal{Check: CheckGender, Value: Number(0), Measure: Number(0.9)})},
			VerdictVerified, []Reason{}},
		"gender with certainty": {[]func([]Signal) []Signal{set(Signal{Check: CheckGender, Value: Number(0), Measure: Number(0.99)})},
			VerdictVerified, []Reason{ReasonGenderMismatch}},
	} {
		t.Run(name, func(t *testing.T) {
			signals := perfect()
			for _, change := range tc.changes {
				signals = change(signals)
			}
			d := mustScore(t, Defaults(), signals)
			if d.Verdict != tc.verdict || d.Verified != (tc.verdict == VerdictVerified) || !slices.Equal(d.Reasons, tc.reasons) {
				t.Errorf("%s %v %v, want %s %v; score %g", d.Verdict, d.Verified, d.Reasons, tc.verdict, tc.reasons, d.Score)
			}
		})
	}
}

func TestScoreByHand(t *testing.T) {
	signals := []Signal{
		{Check: CheckConsent, Value: Number(1)}, {Check: CheckRequiredFields, Value: Number(1)},
		{Check: CheckDocumentInDate, Value: Number(1)}, {Check: CheckFaceMatch, Measure: Number(0.25)},
		{Check: CheckLiveness, Value: Number(0.9)}, {Check: CheckSanctions, Measure: Number(0.5)},
		{Check: CheckPassportMatch, Value: Number(0.75)}, {Check: CheckFrontSuspiciousWords, Value: Number(1)},
		{Check: CheckBackSuspiciousWords, Value: Number(0.5)}, {Check: CheckAge, Measure: Number(24)},
		{Check: CheckDMV, State: StateUnavailable},
	}
	w := Defaults()
	w.OfacFuzzyMatchWeight, w.PassportFuzzyMatchWeight, w.SuspiciousWordsWeight, w.AgeWeight = 2, 4, 1, 1
	d := mustScore(t, w, signals)
	// ofac 2·0.5, passport 4·0.75, the worse side 1·0.5, age 1·12/24: 5 of 8.
	if d.Score != 5.0/8 || !d.Scored {
		t.Errorf("score %g", d.Score)
	}
	for check, want := range map[Check][3]float64{ // value, weight, contribution
		CheckFaceMatch: {0.75, 0, 0}, CheckSanctions: {0.5, 2, 0.125}, CheckPassportMatch: {0.75, 4, 0.375},
		CheckFrontSuspiciousWords: {1, 0, 0}, CheckBackSuspiciousWords: {0.5, 1, 0.0625}, CheckAge: {0.5, 1, 0.0625},
	} {
		p := piece(t, d, check)
		if got := [3]float64{*p.Value, p.Weight, p.Contribution}; got != want {
			t.Errorf("%s: value, weight, contribution %v, want %v", check, got, want)
		}
	}
	if p := piece(t, d, CheckDMV); p.Value != nil || p.Weight != 0 || p.Verdict != StateUnavailable {
		t.Errorf("an unavailable check takes part: %+v", p)
	}
}

func TestNothingMeasured(t *testing.T) {
	gates := []Signal{
		{Check: CheckConsent, Value: Number(1)}, {Check: CheckRequiredFields, Value: Number(1)},
		{Check: CheckDocumentInDate, Value: Number(1)}, {Check: CheckFaceMatch, Measure: Number(0.2)},
		{Check: CheckLiveness, Value: Number(1)}, {Check: CheckSanctions, State: StateNotRun},
	}
	d := mustScore(t, Defaults(), gates)
	if d.Verified || d.Scored || d.Score != 0 || !slices.Equal(d.Reasons, []Reason{ReasonNothingMeasured}) {
		t.Errorf("%+v", d)
	}
}

func TestScoreAccount(t *testing.T) {
	signals := []Signal{
		{Check: CheckConsent, Value: Number(1)}, {Check: CheckLiveness, Value: Number(0.8)},
		{Check: CheckAccountFaceMatch, Measure: Number(Defaults().VerifiedAccountFaceEncodingTolerance)},
	}
	d, err := ScoreAccount(Defaults(), signals)
	if err != nil || !d.Verified || d.Kind != KindIDA {
		t.Fatalf("%v %+v", err, d)
	}
	signals[2].Measure = Number(Defaults().VerifiedAccountFaceEncodingTolerance + 0.01)
	if d, _ = ScoreAccount(Defaults(), signals); d.Verified || !slices.Equal(d.Reasons, []Reason{ReasonFaceMismatch}) {
		t.Errorf("%+v", d)
	}
	if d, _ = ScoreAccount(Defaults(), signals[:2]); d.Verified || d.Verdict != VerdictReview {
		t.Errorf("without a face: %+v", d)
	}
}

func TestRefused(t *testing.T) {
	w := Defaults()
	w.AgeWeight = math.NaN()
	for name, tc := range map[string]struct {
		weights Weights
		signal  Signal
		code    Code
	}{
		"weights":                     {w, Signal{Check: CheckDMV}, CodeWeightsInvalid},
		"unknown check":               {Defaults(), Signal{Check: "astrology", Value: Number(1)}, CodeCheckUnknown},
		"repeated check":              {Defaults(), Signal{Check: CheckConsent, Value: Number(1)}, CodeCheckRepeated},
		"NaN":                         {Defaults(), Signal{Check: CheckDMV, Value: Number(math.NaN())}, CodeNumberNotFinite},
		"infinite":                    {Defaults(), Signal{Check: CheckDMV, Value: Number(math.Inf(1))}, CodeNumberNotFinite},
		"infinite measure":            {Defaults(), Signal{Check: CheckAge, Measure: Number(math.Inf(1))}, CodeNumberNotFinite},
		"NaN measure":                 {Defaults(), Signal{Check: CheckFaceMatch, Measure: Number(math.NaN())}, CodeNumberNotFinite},
		"above one":                   {Defaults(), Signal{Check: CheckDMV, Value: Number(1.0000001)}, CodeNumberOutOfRange},
		"below nought":                {Defaults(), Signal{Check: CheckDMV, Value: Number(-0.1)}, CodeNumberOutOfRange},
		"distance":                    {Defaults(), Signal{Check: CheckFaceMatch, Measure: Number(2.1)}, CodeNumberOutOfRange},
		"value where a measure":       {Defaults(), Signal{Check: CheckFaceMatch, Value: Number(0.9)}, CodeNumberUnexpected},
		"measure where a value":       {Defaults(), Signal{Check: CheckDMV, Measure: Number(0.9)}, CodeNumberUnexpected},
		"gender without certainty":    {Defaults(), Signal{Check: CheckGender, Value: Number(1)}, CodeNumberUnexpected},
		"unknown state":               {Defaults(), Signal{Check: CheckDMV, State: "maybe"}, CodeStateUnknown},
		"unavailable with a number":   {Defaults(), Signal{Check: CheckDMV, Value: Number(1), State: StateUnavailable}, CodeStateContradicts},
		"pass without a number":       {Defaults(), Signal{Check: CheckDMV, State: StatePass}, CodeStateContradicts},
		"evidence that is not JSON":   {Defaults(), Signal{Check: CheckDMV, Evidence: math.NaN()}, CodeEvidenceInvalid},
		"evidence that is broken raw": {Defaults(), Signal{Check: CheckDMV, Evidence: json.RawMessage(`{"a":`)}, CodeEvidenceInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Score(tc.weights, []Signal{{Check: CheckConsent, Value: Number(1)}, tc.signal})
			var e *Error
			if !errors.As(err, &e) || e.Code != tc.code {
				t.Errorf("error %v, want %s", err, tc.code)
			}
		})
	}
	if _, err := Rescore(Decision{Kind: "other"}, Defaults()); err == nil {
		t.Error("a decision of unknown kind was computed again")
	}
}

func drawWeights(t *rapid.T) Weights {
	w := Defaults()
	weight := rapid.OneOf(rapid.Float64Range(0, 10), rapid.Just(0.0), rapid.Float64Range(0, 1e6))
	share := rapid.Float64Range(0, 1)
	for _, p := range []*float64{
		&w.DriverLicenseFuzzyMatchWeight, &w.StateIDFuzzyMatchWeight, &w.PassportFuzzyMatchWeight, &w.PassportCardFuzzyMatchWeight,
		&w.OfacFuzzyMatchWeight, &w.SuspiciousWordsWeight, &w.ImageManipulationWeight, &w.OnlineDuplicationWeight,
		&w.IsIdentityDocumentWeight, &w.AamvaMatchWeight, &w.GenderWeight,
	} {
		*p = weight.Draw(t, "weight")
	}
	for _, p := range []*float64{
		&w.DriverLicenseFuzzyMatchTolerance, &w.OfacFuzzyMatchTolerance, &w.AamvaMatchTolerance, &w.IdvSessionTolerance,
		&w.MinimumLivenessTolerance, &w.GenderProbabilityTolerance, &w.OnboardingFaceEncodingTolerance,
	} {
		*p = share.Draw(t, "tolerance")
	}
	w.AgeTolerance = rapid.Float64Range(0, 120).Draw(t, "years")
	w.AgeWeight = rapid.Float64Range(0.001, 5).Draw(t, "age weight") // one is positive
	return w
}

func drawSignals(t *rapid.T) []Signal {
	var signals []Signal
	for _, r := range rules() {
		if rapid.Bool().Draw(t, "absent "+string(r.check)) {
			continue
		}
		s := Signal{Check: r.check, Required: rapid.Bool().Draw(t, "required"), Gate: rapid.Bool().Draw(t, "gate")}
		s.State = rapid.SampledFrom([]State{"", "", "", StateFail, StateReview, StateUnavailable, StateNotRun}).Draw(t, "state")
		if s.State != StateUnavailable && s.State != StateNotRun && rapid.IntRange(0, 4).Draw(t, "measured") > 0 {
			if r.measure == nil {
				s.Value = Number(rapid.Float64Range(0, 1).Draw(t, "value"))
			}
			if r.maxMeasure > 0 {
				s.Measure = Number(rapid.Float64Range(0, r.maxMeasure).Draw(t, "measure"))
			}
		}
		if rapid.Bool().Draw(t, "evidence") {
			s.Evidence = map[string]any{"text": rapid.String().Draw(t, "text"), "number": rapid.Float64Range(-1e9, 1e9).Draw(t, "number")}
		}
		if rapid.Bool().Draw(t, "own reason") {
			s.Reasons = []Reason{ReasonAnalysisFailed}
		}
		signals = append(signals, s)
	}
	return signals
}

func drawDecision(t *rapid.T) (Weights, []Signal, Decision) {
	w, signals := drawWeights(t), drawSignals(t)
	decide := rapid.SampledFrom([]func(Weights, []Signal) (Decision, error){Score, ScoreAccount}).Draw(t, "kind")
	d, err := decide(w, signals)
	if err != nil {
		t.Fatal(err)
	}
	return w, signals, d
}

func encode(t *rapid.T, v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A decision read back from JSON, and computed again under weights read back from JSON, is the same to the last bit.
func TestReplayGivesTheSameBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, _, d := drawDecision(t)
		stored := encode(t, d)
		var readDecision Decision
		var readWeights Weights
		if err := errors.Join(json.Unmarshal(stored, &readDecision), json.Unmarshal(encode(t, w), &readWeights)); err != nil {
			t.Fatal(err)
		}
		again, err := Rescore(readDecision, readWeights)
		if err != nil {
			t.Fatal(err)
		}
		if math.Float64bits(again.Score) != math.Float64bits(d.Score) {
			t.Fatalf("score %x, was %x", again.Score, d.Score)
		}
		if got := encode(t, again); string(got) != string(stored) {
			t.Fatalf("replayed\n%s\nstored\n%s", got, stored)
		}
	})
}

// "What if" under other weights is what these weights would have given at first.
func TestWhatIfIsWhatWouldHaveBeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, signals, d := drawDecision(t)
		other := drawWeights(t)
		again, err := Rescore(d, other)
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := decide(d.Kind, other, signals)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := encode(t, again), encode(t, fresh); string(got) != string(want) {
			t.Fatalf("what if\n%s\nfresh\n%s", got, want)
		}
	})
}

func TestOrderOfSignalsIsOfNoEffect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, signals, d := drawDecision(t)
		shuffled, err := decide(d.Kind, w, rapid.Permutation(signals).Draw(t, "order"))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := encode(t, shuffled), encode(t, d); string(got) != string(want) {
			t.Fatalf("shuffled\n%s\nwas\n%s", got, want)
		}
	})
}

// A better number never lowers the score, and turns no verified session down.
func TestScoreIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, signals, d := drawDecision(t)
		if len(signals) == 0 {
			return
		}
		better := slices.Clone(signals)
		i := rapid.IntRange(0, len(better)-1).Draw(t, "which")
		s := &better[i]
		switch {
		case s.Value != nil:
			s.Value = Number(rapid.Float64Range(*s.Value, 1).Draw(t, "better value"))
		case s.Measure != nil:
			s.Measure = Number(rapid.Float64Range(0, *s.Measure).Draw(t, "better measure"))
		default:
			return
		}
		improved, err := decide(d.Kind, w, better)
		if err != nil {
			t.Fatal(err)
		}
		if improved.Score < d.Score || (d.Verified && !improved.Verified) {
			t.Fatalf("score %v → %v, verified %v → %v after improving %s", d.Score, improved.Score, d.Verified, improved.Verified, s.Check)
		}
	})
}

// What has no weight has no part in the score: leaving it out changes no bit of it.
func TestWeightlessPiecesAreOfNoEffect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, signals, d := drawDecision(t)
		weighty := map[Check]bool{}
		for _, p := range d.Pieces {
			weighty[p.Check] = p.Weight > 0
		}
		rest := slices.DeleteFunc(slices.Clone(signals), func(s Signal) bool { return !weighty[s.Check] })
		without, err := decide(d.Kind, w, rest)
		if err != nil {
			t.Fatal(err)
		}
		if math.Float64bits(without.Score) != math.Float64bits(d.Score) {
			t.Fatalf("score %v, without the weightless %v", d.Score, without.Score)
		}
	})
}

// The rule of verification, written down a second time and without regard to how decide does it.
func TestVerifiedIsTheRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, _, d := drawDecision(t)
		var weighted, weights, contributions float64
		want := true
		for _, p := range d.Pieces {
			notMeasured := p.Value == nil || p.Verdict == StateNotRun || p.Verdict == StateUnavailable
			if notMeasured && (p.Weight != 0 || p.Contribution != 0) {
				t.Fatalf("%s was not measured and weighs %v", p.Check, p.Weight)
			}
			if !notMeasured {
				weighted += p.Weight * *p.Value
				weights += p.Weight
			}
			contributions += p.Contribution
			if (p.Gate && p.Verdict == StateFail) || p.Verdict == StateReview || (p.Required && notMeasured) {
				want = false
			}
		}
		if weights > 0 && math.Abs(weighted/weights-d.Score) > 1e-12 || math.Abs(contributions-d.Score) > 1e-12 {
			t.Fatalf("score %v, by hand %v, contributions %v", d.Score, weighted/weights, contributions)
		}
		if d.Kind == KindIDV && (weights == 0 || d.Score < w.IdvSessionTolerance) {
			want = false
		}
		if d.Verified != want || (d.Verdict == VerdictVerified) != want {
			t.Fatalf("verified %v (%s), by the rule %v: %v", d.Verified, d.Verdict, want, d.Reasons)
		}
		if !d.Verified && len(d.Reasons) == 0 {
			t.Fatal("turned down without a reason")
		}
	})
}

// Whatever comes in: a decision with a score in [0,1], or a typed error. Never a panic.
func FuzzScore(f *testing.F) {
	f.Add(0.5, 0.5, 1.0, uint8(0), "face_match", "")
	f.Add(math.NaN(), math.Inf(1), -1.0, uint8(7), "gender", "fail")
	f.Add(0.0, 1e300, 1e-320, uint8(3), "age", "unavailable")
	f.Fuzz(func(t *testing.T, value, measure, weight float64, has uint8, check, state string) {
		s := Signal{Check: Check(check), State: State(state), Required: has&4 > 0, Gate: has&8 > 0}
		if has&1 > 0 {
			s.Value = &value
		}
		if has&2 > 0 {
			s.Measure = &measure
		}
		w := Defaults()
		w.AamvaMatchWeight, w.AgeTolerance = weight, measure
		d, err := Score(w, []Signal{s, {Check: CheckConsent, Value: Number(1)}})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Errorf("untyped error %v", err)
			}
			return
		}
		if !(d.Score >= 0 && d.Score <= 1) || d.Verified {
			t.Errorf("score %v, verified %v of a session with two signals", d.Score, d.Verified)
		}
	})
}

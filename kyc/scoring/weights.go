package scoring

import (
	"fmt"
	"math"
)

// Weights is one version of the tolerances and weights of a client, a user or the house. Versions are immutable. The JSON
// names are those of the API.
type Weights struct {
	OnboardingFaceEncodingTolerance      float64 `json:"onboarding_face_encoding_tolerance"`       // distance, at most
	VerifiedAccountFaceEncodingTolerance float64 `json:"verified_account_face_encoding_tolerance"` // distance, at most
	DriverLicenseFuzzyMatchTolerance     float64 `json:"driver_license_fuzzy_match_tolerance"`
	DriverLicenseFuzzyMatchWeight        float64 `json:"driver_license_fuzzy_match_weight"`
	StateIDFuzzyMatchTolerance           float64 `json:"state_id_fuzzy_match_tolerance"`
	StateIDFuzzyMatchWeight              float64 `json:"state_id_fuzzy_match_weight"`
	PassportFuzzyMatchTolerance          float64 `json:"passport_fuzzy_match_tolerance"`
	PassportFuzzyMatchWeight             float64 `json:"passport_fuzzy_match_weight"`
	PassportCardFuzzyMatchTolerance      float64 `json:"passport_card_fuzzy_match_tolerance"`
	PassportCardFuzzyMatchWeight         float64 `json:"passport_card_fuzzy_match_weight"`
	OfacFuzzyMatchTolerance              float64 `json:"ofac_fuzzy_match_tolerance"` // name score from which an entry is a hit
	OfacFuzzyMatchWeight                 float64 `json:"ofac_fuzzy_match_weight"`
	SuspiciousWordsWeight                float64 `json:"suspicious_words_weight"`
	ImageManipulationWeight              float64 `json:"image_manipulation_weight"`
	OnlineDuplicationWeight              float64 `json:"online_duplication_weight"`
	IsIdentityDocumentWeight             float64 `json:"is_identity_document_weight"`
	AamvaMatchTolerance                  float64 `json:"aamva_match_tolerance"`
	AamvaMatchWeight                     float64 `json:"aamva_match_weight"`
	IdvSessionTolerance                  float64 `json:"idv_session_tolerance"`
	MinimumLivenessTolerance             float64 `json:"minimum_liveness_tolerance"`
	PassiveActiveSkipTolerance           float64 `json:"passive_active_skip_tolerance"`
	GenderProbabilityTolerance           float64 `json:"gender_probability_tolerance"`
	GenderWeight                         float64 `json:"gender_weight"`
	ExpressionTolerance                  float64 `json:"expression_tolerance"`
	AgeTolerance                         float64 `json:"age_tolerance"` // years
	AgeWeight                            float64 `json:"age_weight"`
	DirectionTolerance                   float64 `json:"direction_tolerance"` // degrees
}

// Defaults are the weights of the house, for who sets none.
//
// How they hang together: a session passes at 0.85. The cross-check has a weight of 5 of at most 16.5, so that a document whose
// sides contradict each other (value 0.3 or less, see kyc/crosscheck) cannot reach 0.85 however good the rest is; so has a
// suspicious word, with 3 and the value 0. The apparent age and gender are weak evidence and weigh little. The sanctions
// value weighs little because a hit is a gate already and innocent names resemble listed ones.
func Defaults() Weights {
	return Weights{
		// The largest hundredth at which the one-sided 95 % bound of the false match rate, over all pairs of strangers in the
		// development pictures, is at most one in a thousand (docs/accuracy.md, with what that costs the people who are
		// refused). An account's face is compared with several encodings, each a chance of a false match, and two live
		// pictures are more alike than a picture and a printed portrait: so it can and must be stricter.
		OnboardingFaceEncodingTolerance:      0.39,
		VerifiedAccountFaceEncodingTolerance: 0.37,
		// Between what reading errors leave (0.8 and more) and what another name leaves; measured in kyc/crosscheck.
		DriverLicenseFuzzyMatchTolerance: 0.75,
		DriverLicenseFuzzyMatchWeight:    5,
		StateIDFuzzyMatchTolerance:       0.75,
		StateIDFuzzyMatchWeight:          5,
		PassportFuzzyMatchTolerance:      0.75,
		PassportFuzzyMatchWeight:         5,
		PassportCardFuzzyMatchTolerance:  0.75,
		PassportCardFuzzyMatchWeight:     5,
		// A hit costs a person's time, a miss the licence; to be calibrated with the lists.
		OfacFuzzyMatchTolerance:  0.85,
		OfacFuzzyMatchWeight:     0.5,
		SuspiciousWordsWeight:    3,
		ImageManipulationWeight:  1.5,
		OnlineDuplicationWeight:  1.5,
		IsIdentityDocumentWeight: 1,
		// Of the 17 indicators three may be false: an old address is street, city and postal code.
		AamvaMatchTolerance: 0.8,
		AamvaMatchWeight:    3,
		IdvSessionTolerance: 0.85,
		// More likely alive than not. No attack of the development pictures reaches the second, at which the active steps are
		// skipped.
		MinimumLivenessTolerance:   0.5,
		PassiveActiveSkipTolerance: 0.95,
		// Only a classifier that is nearly sure may contradict a document.
		GenderProbabilityTolerance: 0.95,
		GenderWeight:               0.5,
		ExpressionTolerance:        0.6,
		// Wide: over the pictures of one person the estimate alone varies by 4.6 years (standard deviation, development pictures).
		AgeTolerance:       12,
		AgeWeight:          0.5,
		DirectionTolerance: 15,
	}
}

// FieldError says what is wrong with one field of the weights.
type FieldError struct {
	Field   string `json:"field"`   // JSON name; empty for the whole
	Pointer string `json:"pointer"` // RFC 6901
	Message string `json:"message"`
}

func (e FieldError) Error() string { return e.Field + " " + e.Message }

// maxWeight keeps sums of weights far from overflow; only ratios matter, so it forbids nothing.
const maxWeight = 1e6

// maxFaceDistance is that of opposite unit vectors; no encoding is farther from another.
const maxFaceDistance = 2

type bounded struct {
	field    string
	value    float64
	max      float64
	isWeight bool
}

func (w Weights) fields() []bounded {
	return []bounded{
		{"onboarding_face_encoding_tolerance", w.OnboardingFaceEncodingTolerance, maxFaceDistance, false},
		{"verified_account_face_encoding_tolerance", w.VerifiedAccountFaceEncodingTolerance, maxFaceDistance, false},
		{"driver_license_fuzzy_match_tolerance", w.DriverLicenseFuzzyMatchTolerance, 1, false},
		{"driver_license_fuzzy_match_weight", w.DriverLicenseFuzzyMatchWeight, maxWeight, true},
		{"state_id_fuzzy_match_tolerance", w.StateIDFuzzyMatchTolerance, 1, false},
		{"state_id_fuzzy_match_weight", w.StateIDFuzzyMatchWeight, maxWeight, true},
		{"passport_fuzzy_match_tolerance", w.PassportFuzzyMatchTolerance, 1, false},
		{"passport_fuzzy_match_weight", w.PassportFuzzyMatchWeight, maxWeight, true},
		{"passport_card_fuzzy_match_tolerance", w.PassportCardFuzzyMatchTolerance, 1, false},
		{"passport_card_fuzzy_match_weight", w.PassportCardFuzzyMatchWeight, maxWeight, true},
		{"ofac_fuzzy_match_tolerance", w.OfacFuzzyMatchTolerance, 1, false},
		{"ofac_fuzzy_match_weight", w.OfacFuzzyMatchWeight, maxWeight, true},
		{"suspicious_words_weight", w.SuspiciousWordsWeight, maxWeight, true},
		{"image_manipulation_weight", w.ImageManipulationWeight, maxWeight, true},
		{"online_duplication_weight", w.OnlineDuplicationWeight, maxWeight, true},
		{"is_identity_document_weight", w.IsIdentityDocumentWeight, maxWeight, true},
		{"aamva_match_tolerance", w.AamvaMatchTolerance, 1, false},
		{"aamva_match_weight", w.AamvaMatchWeight, maxWeight, true},
		{"idv_session_tolerance", w.IdvSessionTolerance, 1, false},
		{"minimum_liveness_tolerance", w.MinimumLivenessTolerance, 1, false},
		{"passive_active_skip_tolerance", w.PassiveActiveSkipTolerance, 1, false},
		{"gender_probability_tolerance", w.GenderProbabilityTolerance, 1, false},
		{"gender_weight", w.GenderWeight, maxWeight, true},
		{"expression_tolerance", w.ExpressionTolerance, 1, false},
		{"age_tolerance", w.AgeTolerance, 120, false},
		{"age_weight", w.AgeWeight, maxWeight, true},
		{"direction_tolerance", w.DirectionTolerance, 90, false},
	}
}

// Validate names every field that is not a finite number within its bounds, in the order of the API. At least one weight
// must be positive, or no session could be scored. Nil means valid.
func (w Weights) Validate() []FieldError {
	var errs []FieldError
	positive := false
	for _, f := range w.fields() {
		fail := func(message string) {
			errs = append(errs, FieldError{Field: f.field, Pointer: "/" + f.field, Message: message})
		}
		switch {
		case math.IsNaN(f.value) || math.IsInf(f.value, 0):
			fail("must be a finite number")
		case f.value < 0 || f.value > f.max:
			fail(fmt.Sprintf("must be between 0 and %g", f.max))
		}
		positive = positive || (f.isWeight && f.value > 0)
	}
	if !positive {
		errs = append(errs, FieldError{Message: "at least one weight must be greater than 0"})
	}
	return errs
}

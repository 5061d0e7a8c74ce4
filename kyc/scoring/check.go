package scoring

// Check names one check of a session.
type Check string

// The checks. Those of one side of the document carry the names that the API's test read has for them.
const (
	CheckConsent          Check = "consent"
	CheckRequiredFields   Check = "required_fields"
	CheckDocumentInDate   Check = "document_in_date"
	CheckFaceMatch        Check = "face_match"         // document portrait and selfie
	CheckAccountFaceMatch Check = "account_face_match" // live face and the identity's enrolled encodings
	CheckLiveness         Check = "liveness"
	CheckSanctions        Check = "ofac"

	CheckDriverLicenseMatch Check = "driver_license_fuzzy_match"
	CheckStateIDMatch       Check = "state_id_fuzzy_match"
	CheckPassportMatch      Check = "passport_fuzzy_match"
	CheckPassportCardMatch  Check = "passport_card_fuzzy_match"

	CheckFrontSuspiciousWords    Check = "doc_front_suspicious_words"
	CheckBackSuspiciousWords     Check = "doc_back_suspicious_words"
	CheckFrontImageManipulation  Check = "doc_front_image_manipulation"
	CheckBackImageManipulation   Check = "doc_back_image_manipulation"
	CheckFrontOnlineDuplication  Check = "doc_front_online_duplication"
	CheckBackOnlineDuplication   Check = "doc_back_online_duplication"
	CheckFrontIsIdentityDocument Check = "doc_front_is_identity_document"
	CheckBackIsIdentityDocument  Check = "doc_back_is_identity_document"

	CheckDMV    Check = "dmv"
	CheckGender Check = "gender"
	CheckAge    Check = "age"
)

// MatchOf gives the cross-check of a document type of the API; false for a type that has none.
func MatchOf(documentType string) (Check, bool) {
	switch documentType {
	case "driver_license":
		return CheckDriverLicenseMatch, true
	case "identification_card":
		return CheckStateIDMatch, true
	case "passport":
		return CheckPassportMatch, true
	case "passport_card":
		return CheckPassportCardMatch, true
	}
	return "", false
}

// evenOdds judges the checks for which the weights have no tolerance: their values are probabilities, or 0 and 1.
const evenOdds = 0.5

// rule says how a check is judged. The order of rules is the order of a decision's pieces and of its sums.
type rule struct {
	check  Check
	gate   bool
	reason Reason // why it failed, unless the signal says so itself

	// side is the other side's check of the same kind, of which the worse counts.
	side Check

	weight    func(Weights) float64 // nil: none
	tolerance func(Weights) float64 // nil: evenOdds

	// measure derives the value from the signal's measure; nil: the signal brings the value.
	measure func(measure, tolerance float64) float64
	// maxMeasure bounds the measure; 0: the check has none.
	maxMeasure float64
	// passes judges; nil: value ≥ tolerance.
	passes func(value, measure, tolerance float64) bool
	// counts says whether the measurement is to be used at all; nil: always.
	counts func(measure, tolerance float64) bool
	// failure is the state of what does not pass; empty: fail.
	failure State
}

// rules is the table of all checks.
func rules() []rule {
	yes := func(Weights) float64 { return 1 }
	face := func(tolerance func(Weights) float64, check Check) rule {
		return rule{
			check: check, gate: true, reason: ReasonFaceMismatch, tolerance: tolerance, maxMeasure: maxFaceDistance,
			measure: func(distance, _ float64) float64 { return max(0, 1-distance) },
			passes:  func(_, distance, tolerance float64) bool { return distance <= tolerance },
		}
	}
	side := func(check, other Check, reason Reason, weight func(Weights) float64) rule {
		return rule{check: check, side: other, reason: reason, weight: weight}
	}
	suspicious := func(w Weights) float64 { return w.SuspiciousWordsWeight }
	manipulation := func(w Weights) float64 { return w.ImageManipulationWeight }
	duplication := func(w Weights) float64 { return w.OnlineDuplicationWeight }
	isDocument := func(w Weights) float64 { return w.IsIdentityDocumentWeight }

	return []rule{
		{check: CheckConsent, gate: true, reason: ReasonConsentMissing, tolerance: yes},
		{check: CheckRequiredFields, gate: true, reason: ReasonRequiredFieldMissing, tolerance: yes},
		{check: CheckDocumentInDate, gate: true, reason: ReasonDocumentExpired, tolerance: yes},
		face(func(w Weights) float64 { return w.OnboardingFaceEncodingTolerance }, CheckFaceMatch),
		face(func(w Weights) float64 { return w.VerifiedAccountFaceEncodingTolerance }, CheckAccountFaceMatch),
		{check: CheckLiveness, gate: true, reason: ReasonLivenessFailed,
			tolerance: func(w Weights) float64 { return w.MinimumLivenessTolerance }},
		{check: CheckSanctions, gate: true, reason: ReasonSanctionsPossibleMatch, failure: StateReview,
			weight:     func(w Weights) float64 { return w.OfacFuzzyMatchWeight },
			tolerance:  func(w Weights) float64 { return w.OfacFuzzyMatchTolerance },
			maxMeasure: 1,
			measure:    func(best, _ float64) float64 { return 1 - best },
			passes:     func(_, best, tolerance float64) bool { return best < tolerance }},

		{check: CheckDriverLicenseMatch, reason: ReasonCrosscheckFailed,
			weight:    func(w Weights) float64 { return w.DriverLicenseFuzzyMatchWeight },
			tolerance: func(w Weights) float64 { return w.DriverLicenseFuzzyMatchTolerance }},
		{check: CheckStateIDMatch, reason: ReasonCrosscheckFailed,
			weight:    func(w Weights) float64 { return w.StateIDFuzzyMatchWeight },
			tolerance: func(w Weights) float64 { return w.StateIDFuzzyMatchTolerance }},
		{check: CheckPassportMatch, reason: ReasonCrosscheckFailed,
			weight:    func(w Weights) float64 { return w.PassportFuzzyMatchWeight },
			tolerance: func(w Weights) float64 { return w.PassportFuzzyMatchTolerance }},
		{check: CheckPassportCardMatch, reason: ReasonCrosscheckFailed,
			weight:    func(w Weights) float64 { return w.PassportCardFuzzyMatchWeight },
			tolerance: func(w Weights) float64 { return w.PassportCardFuzzyMatchTolerance }},

		side(CheckFrontSuspiciousWords, CheckBackSuspiciousWords, ReasonSuspiciousWords, suspicious),
		side(CheckBackSuspiciousWords, CheckFrontSuspiciousWords, ReasonSuspiciousWords, suspicious),
		side(CheckFrontImageManipulation, CheckBackImageManipulation, ReasonImageManipulation, manipulation),
		side(CheckBackImageManipulation, CheckFrontImageManipulation, ReasonImageManipulation, manipulation),
		side(CheckFrontOnlineDuplication, CheckBackOnlineDuplication, ReasonOnlineDuplication, duplication),
		side(CheckBackOnlineDuplication, CheckFrontOnlineDuplication, ReasonOnlineDuplication, duplication),
		side(CheckFrontIsIdentityDocument, CheckBackIsIdentityDocument, ReasonNotIdentityDocument, isDocument),
		side(CheckBackIsIdentityDocument, CheckFrontIsIdentityDocument, ReasonNotIdentityDocument, isDocument),

		{check: CheckDMV, reason: ReasonDMVMismatch,
			weight:    func(w Weights) float64 { return w.AamvaMatchWeight },
			tolerance: func(w Weights) float64 { return w.AamvaMatchTolerance }},
		// The value says whether the genders agree, the measure how sure the classifier is of its own.
		{check: CheckGender, reason: ReasonGenderMismatch, maxMeasure: 1,
			weight:    func(w Weights) float64 { return w.GenderWeight },
			tolerance: func(w Weights) float64 { return w.GenderProbabilityTolerance },
			passes:    func(value, _, _ float64) bool { return value >= evenOdds },
			counts:    func(sure, tolerance float64) bool { return sure >= tolerance }},
		// The measure is the difference in years. Beyond the tolerance the value falls as its share of the difference.
		{check: CheckAge, reason: ReasonAgeMismatch, maxMeasure: 200,
			weight:    func(w Weights) float64 { return w.AgeWeight },
			tolerance: func(w Weights) float64 { return w.AgeTolerance },
			measure: func(years, tolerance float64) float64 {
				if years <= tolerance {
					return 1
				}
				return tolerance / years
			},
			passes: func(_, years, tolerance float64) bool { return years <= tolerance }},
	}
}

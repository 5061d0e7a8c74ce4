package scoring

// Reason is a stable code that says why a session was not verified, or what spoke against it.
type Reason string

// The reasons. Codes are never renamed; integrators branch on them.
const (
	ReasonConsentMissing           Reason = "consent_missing"
	ReasonDocumentFrontMissing     Reason = "document_front_missing"
	ReasonDocumentBackMissing      Reason = "document_back_missing"
	ReasonSelfieMissing            Reason = "selfie_missing"
	ReasonFaceMismatch             Reason = "face_mismatch"
	ReasonSelfieFaceNotFound       Reason = "selfie_face_not_found"
	ReasonSelfieSeveralFaces       Reason = "selfie_several_faces"
	ReasonDocumentPortraitNotFound Reason = "document_portrait_not_found"
	ReasonLivenessFailed           Reason = "liveness_failed"
	ReasonLivenessReplayed         Reason = "liveness_frame_replayed" // a frame is a copy of an earlier picture
	ReasonActiveStepsMissing       Reason = "liveness_steps_missing"  // the challenge's steps were not handed in
	ReasonActiveStepNotShown       Reason = "liveness_step_not_shown"
	ReasonActiveAnotherFace        Reason = "liveness_another_face" // the frames show different people
	ReasonActiveMotion             Reason = "liveness_implausible_motion"
	ReasonActiveFrameCopied        Reason = "liveness_frame_copied" // of another frame of the same challenge
	ReasonSanctionsPossibleMatch   Reason = "sanctions_possible_match"
	ReasonDocumentExpired          Reason = "document_expired"
	ReasonDocumentNotYetValid      Reason = "document_not_yet_valid"
	ReasonRequiredFieldMissing     Reason = "required_field_missing" // followed by a colon and the field, see RequiredFieldMissing
	ReasonBarcodeUnreadable        Reason = "barcode_unreadable"
	ReasonMRZUnreadable            Reason = "mrz_unreadable"
	ReasonMRZCheckDigits           Reason = "mrz_check_digits_wrong"
	ReasonCrosscheckFailed         Reason = "crosscheck_failed"
	ReasonNameCrosscheck           Reason = "name_crosscheck_failed"
	ReasonDocumentNumberCrosscheck Reason = "document_number_crosscheck_failed"
	ReasonAddressCrosscheck        Reason = "address_crosscheck_failed"
	ReasonBirthDateCrosscheck      Reason = "birth_date_crosscheck_failed"
	ReasonDMVMismatch              Reason = "dmv_mismatch"
	ReasonSuspiciousWords          Reason = "suspicious_words"
	ReasonImageManipulation        Reason = "image_manipulation"
	ReasonOnlineDuplication        Reason = "online_duplication"
	ReasonNotIdentityDocument      Reason = "not_identity_document"
	ReasonGenderMismatch           Reason = "gender_mismatch"
	ReasonAgeMismatch              Reason = "age_mismatch"
	ReasonAnalysisFailed           Reason = "analysis_failed"       // an image could not be analysed, twice
	ReasonNothingMeasured          Reason = "nothing_measured"      // no check that has a weight was measured
	ReasonScoreBelowTolerance      Reason = "score_below_tolerance" // the weighted score is under idv_session_tolerance
)

// RequiredFieldMissing is the reason for one field that the requirements name and the document lacks.
func RequiredFieldMissing(field string) Reason {
	return ReasonRequiredFieldMissing + ":" + Reason(field)
}

// NotMeasured is the reason for a required check that was not measured: liveness_unavailable, face_match_not_run …
func NotMeasured(check Check, state State) Reason {
	return Reason(string(check) + "_" + string(state))
}

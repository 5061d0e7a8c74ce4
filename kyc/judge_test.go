package kyc

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kycd/ent/document"
	"kycd/kyc/scoring"
	"kycd/vision"
)

// good is a licence and a selfie that pass; each test spoils one thing.
func good() *facts {
	encoding := func(shift float32) []float32 {
		v := make([]float32, 128)
		v[0] = 1 + shift
		return v
	}
	face := func(shift float32) []vision.Face {
		return []vision.Face{{Encoder: vision.FaceEncoder, Encoding: encoding(shift), Quality: 0.9}}
	}
	fields := map[string]string{
		"document_number": "K1234567", "first_name": "BIANCA", "last_name": "CASTAFIORE", "birth_date": "1980-02-03",
		"expires_at": "2031-02-03", "issued_at": "2023-02-03", "issuing_state": "ZZ",
	}
	clone := func() map[string]string {
		m := map[string]string{}
		for k, v := range fields {
			m[k] = v
		}
		return m
	}
	live := &measured{id: "live", side: captureLiveness, analysis: &vision.Analysis{Faces: face(0.2), Liveness: &vision.Liveness{Score: 0.97, Model: "m"}}}
	return &facts{
		now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), documentType: "driver_license", consented: true,
		weights: scoring.Defaults(), required: anyOf(defaultRequired("driver_license")), allowDegraded: true,
		front: &measured{id: "front", analysis: &vision.Analysis{Text: "STATE OF SYLDAVIA", Faces: face(0)}},
		back:  &measured{id: "back", analysis: &vision.Analysis{Text: "RESTRICTIONS NONE"}},
		live:  live, frames: []*measured{live},
		printed: clone(), encoded: clone(), merged: clone(),
	}
}

// anyOf asks for fields from whichever source.
func anyOf(fields []string) []need {
	var needs []need
	for _, field := range fields {
		needs = append(needs, need{anySource, field})
	}
	return needs
}

func TestJudge(t *testing.T) {
	cases := []struct {
		name    string
		spoil   func(f *facts)
		verdict scoring.Verdict
		first   scoring.Reason // the reason with the strongest effect
	}{
		{"all is well", func(*facts) {}, scoring.VerdictVerified, ""},
		{"no consent", func(f *facts) { f.consented = false }, scoring.VerdictNotVerified, scoring.ReasonConsentMissing},
		{"somebody else's face", func(f *facts) { f.live.analysis.Faces[0].Encoding[1] = 0.9 }, scoring.VerdictNotVerified, scoring.ReasonFaceMismatch},
		{"no face on the selfie", func(f *facts) { f.live.analysis.Faces = nil }, scoring.VerdictNotVerified, scoring.ReasonSelfieFaceNotFound},
		{"no portrait", func(f *facts) { f.front.analysis.Faces = nil }, scoring.VerdictNotVerified, scoring.ReasonDocumentPortraitNotFound},
		{"a photo of a photo", func(f *facts) { f.live.analysis.Liveness.Score = 0.1 }, scoring.VerdictNotVerified, scoring.ReasonLivenessFailed},
		{"no liveness weights", func(f *facts) { f.live.analysis.Liveness = nil }, scoring.VerdictReview, "liveness_unavailable"},
		{"degraded liveness in production", func(f *facts) { f.live.analysis.Degraded, f.allowDegraded = []string{"liveness"}, false }, scoring.VerdictReview, "liveness_unavailable"},
		{"degraded liveness allowed", func(f *facts) { f.live.analysis.Degraded = []string{"liveness"} }, scoring.VerdictVerified, ""},
		{"expired", func(f *facts) { f.merged["expires_at"] = "2026-10-31" }, scoring.VerdictNotVerified, scoring.ReasonDocumentExpired},
		{"expires today", func(f *facts) { f.merged["expires_at"] = "2026-11-01" }, scoring.VerdictVerified, ""},
		{"issued tomorrow", func(f *facts) { f.merged["issued_at"] = "2026-11-02" }, scoring.VerdictNotVerified, scoring.ReasonDocumentNotYetValid},
		{"no expiry", func(f *facts) { f.merged["expires_at"] = "" }, scoring.VerdictNotVerified, scoring.RequiredFieldMissing("expires_at")},
		{"no birth date", func(f *facts) { f.merged["birth_date"] = "" }, scoring.VerdictNotVerified, scoring.RequiredFieldMissing("birth_date")},
		{"another printed name", func(f *facts) { f.printed["last_name"] = "HADDOCK" }, scoring.VerdictNotVerified, scoring.ReasonNameCrosscheck},
		{"another printed number", func(f *facts) { f.printed["document_number"] = "X9999999" }, scoring.VerdictNotVerified, scoring.ReasonDocumentNumberCrosscheck},
		{"barcode unreadable", func(f *facts) { f.encoded = nil }, scoring.VerdictReview, scoring.ReasonBarcodeUnreadable},
		{"nothing printed was read", func(f *facts) { f.printed = map[string]string{} }, scoring.VerdictReview, "driver_license_fuzzy_match_unavailable"},
		{"SPECIMEN across it", func(f *facts) { f.front.analysis.Text = "ID\nSPECIMEN" }, scoring.VerdictNotVerified, scoring.ReasonSuspiciousWords},
		{"a surname that holds the word", func(f *facts) { f.front.analysis.Text = "TESTA VOIDSON" }, scoring.VerdictVerified, ""},
		{"sanctions asked for", func(f *facts) { f.settings.Checks = map[string]bool{CheckOFAC: true} }, scoring.VerdictReview, "ofac_not_run"},
		{"DMV asked for", func(f *facts) { f.settings.Checks = map[string]bool{CheckDMV: true} }, scoring.VerdictReview, "dmv_not_run"},
		{"the selfie crashed its worker", func(f *facts) { *f.live = measured{id: "live", code: codeCrashed} }, scoring.VerdictReview, scoring.ReasonAnalysisFailed},
		{"the back crashed its worker", func(f *facts) {
			f.back, f.encoded, f.merged["issuing_state"], f.merged["expires_at"] = &measured{id: "back", code: codeCrashed}, nil, "", ""
		}, scoring.VerdictReview, scoring.ReasonAnalysisFailed},
		{"the front crashed its worker", func(f *facts) {
			f.front, f.printed = &measured{id: "front", code: codeCrashed}, nil
		}, scoring.VerdictReview, scoring.ReasonAnalysisFailed},
		{"other encoder", func(f *facts) { f.live.analysis.Faces[0].Encoder = "e@2" }, scoring.VerdictReview, "face_match_unavailable"},
		{"active steps not handed in", func(f *facts) { f.active, f.live.analysis.Liveness.Score = true, 0.8 }, scoring.VerdictNotVerified, scoring.ReasonActiveStepsMissing},
		{"a selfie that was seen before", func(f *facts) { f.copies = map[string]copied{"live": {CaptureID: "earlier", Likeness: 1, Exact: true}} },
			scoring.VerdictNotVerified, scoring.ReasonLivenessReplayed},
		{"a licence that was seen before", func(f *facts) { f.copies = map[string]copied{"front": {CaptureID: "earlier", Likeness: 1}} },
			scoring.VerdictNotVerified, scoring.ReasonOnlineDuplication},
		{"looks another gender, surely", func(f *facts) {
			f.merged["gender"], f.live.analysis.Faces[0].Attributes = "female", &vision.Attributes{Age: 45, Gender: "male", GenderProbability: 0.99}
		}, scoring.VerdictVerified, scoring.ReasonGenderMismatch},
		{"looks another gender, perhaps", func(f *facts) {
			f.merged["gender"], f.live.analysis.Faces[0].Attributes = "female", &vision.Attributes{Age: 45, Gender: "male", GenderProbability: 0.8}
		}, scoring.VerdictVerified, ""},
		{"looks thirty years younger", func(f *facts) {
			f.live.analysis.Faces[0].Attributes = &vision.Attributes{Age: 16.7, Gender: "male", GenderProbability: 0.99}
		}, scoring.VerdictVerified, scoring.ReasonAgeMismatch},
		{"azure says alive", func(f *facts) { f.outside = &outsideLiveness{Score: scoring.Number(1)} }, scoring.VerdictVerified, ""},
		{"azure is not sure", func(f *facts) { f.outside = &outsideLiveness{Score: scoring.Number(0.4)} }, scoring.VerdictNotVerified, scoring.ReasonLivenessFailed},
		{"azure says somebody else", func(f *facts) { f.outside = &outsideLiveness{Score: scoring.Number(1), Identical: new(bool)} },
			scoring.VerdictNotVerified, scoring.ReasonFaceMismatch},
		{"azure decided nothing", func(f *facts) { f.outside = &outsideLiveness{} }, scoring.VerdictReview, "liveness_unavailable"},
		{"azure did not answer", func(f *facts) { f.outside = &outsideLiveness{Code: "unreachable"} }, scoring.VerdictReview, "liveness_unavailable"},
		{"azure gave no picture", func(f *facts) { f.outside, f.live, f.frames = &outsideLiveness{Score: scoring.Number(1)}, nil, nil },
			scoring.VerdictReview, "face_match_unavailable"},
		{"active steps skipped", func(f *facts) { f.active = true }, scoring.VerdictVerified, ""},
		{"a zone with wrong check digits", func(f *facts) { f.documentType, f.encoded, f.zoneWrong = "passport", nil, true }, scoring.VerdictReview, scoring.ReasonMRZCheckDigits},
		{"the barcode cut the name and says so", func(f *facts) {
			f.printed["last_name"], f.encoded["last_name"], f.cut = "CASTAFIORE-BORDURIANI", "CASTAFIO", map[string]bool{"last_name": true}
		}, scoring.VerdictVerified, ""},
		{"passport without MRZ", func(f *facts) { f.documentType, f.encoded = "passport", nil }, scoring.VerdictReview, scoring.ReasonMRZUnreadable},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := good()
			c.spoil(f)
			v, err := judge(f)
			if err != nil {
				t.Fatal(err)
			}
			if v.Verdict != c.verdict || v.Verified != (c.verdict == scoring.VerdictVerified) {
				t.Errorf("verdict %s, want %s (%v)", v.Verdict, c.verdict, v.Reasons)
			}
			switch {
			case c.first == "" && len(v.Reasons) > 0:
				t.Errorf("reasons %v, want none", v.Reasons)
			case c.first != "" && (len(v.Reasons) == 0 || v.Reasons[0] != c.first):
				t.Errorf("reasons %v, want %s first", v.Reasons, c.first)
			}
		})
	}
}

// TestIssuingState: an address in another state than the issuer's is told and decides nothing.
func TestIssuingState(t *testing.T) {
	for state, elsewhere := range map[string]bool{"": false, "ZZ": false, "NY": true} {
		f := good()
		f.printed["state"] = state
		v, err := judge(f)
		if err != nil || v.elsewhere != elsewhere || (v.issued != nil) != (state != "") || !v.Verified {
			t.Errorf("%q: %+v, elsewhere %v, verified %v, %v", state, v.issued, v.elsewhere, v.Verified, err)
		}
	}
}

// TestZones: of a zone whose check digits are wrong nothing is believed; a zone beside a barcode is a source of its own.
func TestZones(t *testing.T) {
	lines := []string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}
	zone := func(lines ...string) *measured {
		return &measured{analysis: &vision.Analysis{MRZ: &vision.MRZ{Lines: lines, Valid: true}}}
	}
	f := good()
	f.sources, f.encoded, f.front = nil, nil, zone(lines...)
	f.read()
	if f.encoded["document_number"] != "L898902C3" || !f.gave("mrz") || f.zoneWrong {
		t.Errorf("%v, wrong %v", f.encoded, f.zoneWrong)
	}
	f = good()
	f.sources, f.encoded, f.front = nil, nil, zone(lines[0], strings.Replace(lines[1], "L898902C36", "L898902C37", 1))
	f.read()
	if f.encoded != nil || f.gave("mrz") || !f.zoneWrong {
		t.Errorf("%v, wrong %v", f.encoded, f.zoneWrong)
	}
}

// TestUnmeasuredChecksClaimNothing: what no part of the program measures yet has no value and no weight.
func TestUnmeasuredChecksClaimNothing(t *testing.T) {
	v, err := judge(good())
	if err != nil {
		t.Fatal(err)
	}
	unmeasured := []scoring.Check{
		scoring.CheckSanctions, scoring.CheckDMV, scoring.CheckFrontImageManipulation,
		scoring.CheckBackImageManipulation,
		scoring.CheckFrontIsIdentityDocument, scoring.CheckBackIsIdentityDocument,
	}
	seen := 0
	for _, p := range v.Pieces {
		if slices.Contains(unmeasured, p.Check) {
			seen++
			if p.Value != nil || p.Weight != 0 || p.Contribution != 0 || p.Verdict != scoring.StateNotRun {
				t.Errorf("%s claims %+v", p.Check, p)
			}
		}
	}
	if seen != len(unmeasured) {
		t.Errorf("%d of %d unmeasured checks are shown", seen, len(unmeasured))
	}
}

func TestSettings(t *testing.T) {
	cases := []struct {
		raw     map[string]any
		pointer string // of the refused part; empty: accepted
	}{
		{nil, ""},
		{map[string]any{"checks": map[string]any{"ofac": true}, "theme": "dark"}, ""},
		{map[string]any{"checks": map[string]any{"aura": true}}, "/settings/checks/aura"},
		{map[string]any{"document_types": []any{"library_card"}}, "/settings/document_types"},
		{map[string]any{"max_attempts": 0}, "/settings/max_attempts"},
		{map[string]any{"expires_in_seconds": 59}, "/settings/expires_in_seconds"},
		{map[string]any{"finalize_wait_seconds": 121}, "/settings/finalize_wait_seconds"},
		{map[string]any{"retention_days": -1}, "/settings/retention_days"},
		{map[string]any{"max_attempts": "many"}, "/settings/max_attempts"},
	}
	for _, c := range cases {
		_, err := ParseSettings(c.raw)
		switch e := AsError(err); {
		case c.pointer == "" && err != nil:
			t.Errorf("%v: %v", c.raw, err)
		case c.pointer != "" && (e == nil || e.Code != CodeInvalid || len(e.Fields) != 1 || e.Fields[0].Pointer != c.pointer):
			t.Errorf("%v: got %+v, want %s", c.raw, e, c.pointer)
		}
	}
}

// TestFinalizeOnlyTightens: what the device sends at the end may add checks and remove none.
func TestFinalizeOnlyTightens(t *testing.T) {
	session := map[string]any{"checks": map[string]any{"liveness": true, "ofac": false}, "max_attempts": 3.0}
	got := switchOn(session, map[string]any{
		"checks": map[string]any{"liveness": false, "ofac": true, "face_match": false}, "max_attempts": 99.0, "document_types": []any{"passport"}, "note": "x",
	})
	s, err := ParseSettings(got)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Wants(CheckLiveness) || !s.Wants(CheckOFAC) || !s.Wants(CheckFaceMatch) || s.maxAttempts() != 3 || len(s.DocumentTypes) != 0 || got["note"] != "x" {
		t.Errorf("got %v", got)
	}
}

// TestOneFaceTolerance: what the programs compare by on their own is what sessions are judged by.
func TestOneFaceTolerance(t *testing.T) {
	if got := scoring.Defaults().OnboardingFaceEncodingTolerance; got != vision.DefaultFaceTolerance {
		t.Errorf("sessions %v, comparisons %v", got, vision.DefaultFaceTolerance)
	}
}

func TestJudgeAccount(t *testing.T) {
	known := func(shift float32) enrolledFace {
		e := make([]float32, 128)
		e[0], e[1] = 1, shift
		return enrolledFace{captureID: "known", template: vision.Template{{Encoder: vision.FaceEncoder, Values: e}}}
	}
	cases := []struct {
		name    string
		spoil   func(f *facts)
		verdict scoring.Verdict
		first   scoring.Reason
	}{
		{"the same person", func(*facts) {}, scoring.VerdictVerified, ""},
		{"one of several faces is near", func(f *facts) { f.enrolled = []enrolledFace{known(1), known(0.2)} }, scoring.VerdictVerified, ""},
		{"somebody else", func(f *facts) { f.enrolled = []enrolledFace{known(1)} }, scoring.VerdictNotVerified, scoring.ReasonFaceMismatch},
		{"just beyond the tolerance", func(f *facts) { f.enrolled = []enrolledFace{known(0.381)} }, scoring.VerdictNotVerified, scoring.ReasonFaceMismatch},
		{"enrolled by another encoder", func(f *facts) { f.enrolled[0].template[0].Encoder = "e@2" }, scoring.VerdictReview, "account_face_match_unavailable"},
		{"enrolled vector is cut off", func(f *facts) { f.enrolled[0].template[0].Values = f.enrolled[0].template[0].Values[:64] }, scoring.VerdictReview, "account_face_match_unavailable"},
		{"the identity was erased", func(f *facts) { f.enrolled = nil }, scoring.VerdictReview, "account_face_match_unavailable"},
		{"a photo of a photo", func(f *facts) { f.live.analysis.Liveness.Score = 0.1 }, scoring.VerdictNotVerified, scoring.ReasonLivenessFailed},
		{"liveness switched off by the session", func(f *facts) {
			f.settings.Checks = map[string]bool{CheckLiveness: false}
			f.live.analysis.Liveness = nil
		}, scoring.VerdictReview, "liveness_unavailable"},
		{"no face", func(f *facts) { f.live.analysis.Faces = nil }, scoring.VerdictNotVerified, scoring.ReasonSelfieFaceNotFound},
		{"no picture", func(f *facts) { f.live = nil }, scoring.VerdictNotVerified, scoring.ReasonSelfieMissing},
		{"the picture ended its worker twice", func(f *facts) { f.live = &measured{code: "analysis_crashed"} }, scoring.VerdictReview, scoring.ReasonAnalysisFailed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := good()
			f.enrolled = []enrolledFace{known(0.2)}
			c.spoil(f)
			v, err := judgeAccount(f)
			if err != nil {
				t.Fatal(err)
			}
			if v.Verdict != c.verdict {
				t.Errorf("verdict %s (%v), want %s", v.Verdict, v.Reasons, c.verdict)
			}
			if c.first != "" && (len(v.Reasons) == 0 || v.Reasons[0] != c.first) {
				t.Errorf("reasons %v, want %s first", v.Reasons, c.first)
			}
		})
	}
}

func TestNeeds(t *testing.T) {
	f := good()
	f.sources = []source{{document.DataSourcePdf417, f.encoded}, {document.DataSourceOcrFront, f.printed}}
	f.merged["endorsements"] = "M"
	for _, c := range []struct {
		need  need
		lacks bool
	}{
		{need{anySource, "document_number"}, false},
		{need{anySource, "middle_name"}, true},
		{need{anySource, "issue_at"}, false}, // the specification's name of issued_at
		{need{anySource, "mentions"}, false}, // and of the endorsements
		{need{"pdf417", "birth_date"}, false},
		{need{"pdf417", "hair_color"}, true},
		{need{"mrz", "birth_date"}, true}, // there is no such source
		{need{anySource, "raw_barcode"}, false},
		{need{anySource, "face_encoding"}, false},
	} {
		if got := f.lacks(c.need); got != c.lacks {
			t.Errorf("%v is lacking: %v", c.need, got)
		}
	}
	f.sources, f.front.analysis.Faces = f.sources[1:], nil
	for _, n := range []need{{anySource, "raw_barcode"}, {"ocr_front", "face_encoding"}} {
		if !f.lacks(n) {
			t.Errorf("%v is not lacking", n)
		}
	}
	f.required = []need{{"pdf417", "birth_date"}, {"mrz", "birth_date"}, {anySource, "document_number"}}
	v, err := judge(f)
	if err != nil {
		t.Fatal(err)
	}
	if v.Verdict != scoring.VerdictNotVerified || !slices.Contains(v.Reasons, scoring.RequiredFieldMissing("birth_date")) {
		t.Errorf("verdict %s, reasons %v", v.Verdict, v.Reasons)
	}
}

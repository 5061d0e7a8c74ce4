package scoring

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestDefaultsAreValid(t *testing.T) {
	if errs := Defaults().Validate(); errs != nil {
		t.Error(errs)
	}
}

// Every field is validated, under its JSON name: set one after the other to what no field may hold.
func TestValidateReachesEveryField(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -0.001, 1e7} {
		w := Defaults()
		v := reflect.ValueOf(&w).Elem()
		if v.NumField() != 27 {
			t.Fatalf("%d fields, the API has 27", v.NumField())
		}
		for i := range v.NumField() {
			old := v.Field(i).Float()
			v.Field(i).SetFloat(bad)
			name := v.Type().Field(i).Tag.Get("json")
			errs := w.Validate()
			if len(errs) != 1 || errs[0].Field != name || errs[0].Pointer != "/"+name || errs[0].Message == "" {
				t.Errorf("%s = %g: %v", name, bad, errs)
			}
			v.Field(i).SetFloat(old)
		}
	}
}

func TestValidateBounds(t *testing.T) {
	for field, bounds := range map[string][2]float64{
		"onboarding_face_encoding_tolerance": {2, 2.01}, "verified_account_face_encoding_tolerance": {0, 2.01},
		"driver_license_fuzzy_match_tolerance": {1, 1.01}, "ofac_fuzzy_match_tolerance": {0, 1.01},
		"idv_session_tolerance": {1, 1.01}, "age_tolerance": {120, 120.5}, "direction_tolerance": {90, 91},
		"passport_fuzzy_match_weight": {1e6, 1.1e6}, "gender_weight": {0, -1},
	} {
		for i, want := range []int{0, 1} {
			raw, _ := json.Marshal(Defaults())
			fields := map[string]float64{}
			if err := json.Unmarshal(raw, &fields); err != nil {
				t.Fatal(err)
			}
			if _, ok := fields[field]; !ok {
				t.Fatalf("no field %s", field)
			}
			fields[field] = bounds[i]
			raw, _ = json.Marshal(fields)
			var w Weights
			if err := json.Unmarshal(raw, &w); err != nil {
				t.Fatal(err)
			}
			if got := len(w.Validate()); got != want {
				t.Errorf("%s = %g: %d errors, want %d", field, bounds[i], got, want)
			}
		}
	}
}

func TestValidateWantsOneWeight(t *testing.T) {
	w := Defaults()
	v := reflect.ValueOf(&w).Elem()
	for i := range v.NumField() {
		if strings.HasSuffix(v.Type().Field(i).Tag.Get("json"), "_weight") {
			v.Field(i).SetFloat(0)
		}
	}
	if errs := w.Validate(); len(errs) != 1 || errs[0].Pointer != "" {
		t.Errorf("without any weight: %v", errs)
	}
	w.AgeWeight = 0.1
	if errs := w.Validate(); errs != nil {
		t.Errorf("with one weight: %v", errs)
	}
}

// What the comment of Defaults claims: a contradiction or a suspicious word sinks a session that is perfect otherwise.
func TestDefaultsSinkWhatTheyShould(t *testing.T) {
	for check, value := range map[Check]float64{
		CheckDriverLicenseMatch: 0.3, CheckFrontSuspiciousWords: 0, CheckBackSuspiciousWords: 0,
	} {
		signals := perfect()
		for i := range signals {
			if signals[i].Check == check {
				signals[i].Value = Number(value)
			}
		}
		d := mustScore(t, Defaults(), signals)
		if d.Verified || d.Score >= Defaults().IdvSessionTolerance {
			t.Errorf("%s %g: score %g", check, value, d.Score)
		}
	}
	if d := mustScore(t, Defaults(), perfect()); !d.Verified || d.Score != 1 || len(d.Pieces) != 19 {
		t.Errorf("perfect session: %+v", d)
	}
}

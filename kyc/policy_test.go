package kyc_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"

	"kycd/ent/capture"
	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/scoring"
)

// rule finds one rule in a list.
func rule(t *testing.T, rules []kyc.Requirement, documentType, source string) kyc.Requirement {
	t.Helper()
	i := slices.IndexFunc(rules, func(r kyc.Requirement) bool { return r.Type == documentType && r.DataSource == source })
	if i < 0 {
		t.Fatalf("no rule for %s from %s in %d", documentType, source, len(rules))
	}
	return rules[i]
}

// TestRequirements: the client's rule holds over the user's over the house's, for each type and source.
func TestRequirements(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p, sibling, stranger := context.Background(), h.client("Borduria Bank"), h.client("Borduria Bank"), h.client("Syldavia Bank")
		read := func(p auth.Principal, q kyc.RequirementQuery) []kyc.Requirement {
			t.Helper()
			rules, err := h.Requirements(ctx, p, q)
			must(t, err)
			return rules
		}
		all := read(p, kyc.RequirementQuery{})
		if len(all) != len(kyc.DocumentTypes())*len(kyc.DataSources()) {
			t.Fatalf("%d rules", len(all))
		}
		house := rule(t, all, "driver_license", "unknown")
		if !house.Fields["issuing_state"] || house.Fields["hair_color"] || house.UserID != nil || house.ClientID != nil || len(house.Fields) != 25 {
			t.Errorf("the house's rule is %+v", house)
		}
		set := func(p auth.Principal, r kyc.Requirement) { t.Helper(); must(t, h.UpdateRequirements(ctx, p, r)) }
		set(p, kyc.Requirement{UserID: &p.UserID, Type: "unknown", DataSource: "pdf417", Fields: map[string]bool{"eye_color": true}})
		set(p, kyc.Requirement{UserID: &p.UserID, Type: "driver_license", DataSource: "pdf417", Fields: map[string]bool{"height": true}})
		set(p, kyc.Requirement{Type: "driver_license", DataSource: "pdf417", Fields: map[string]bool{"raw_barcode": true, "height": false}})
		for name, c := range map[string]struct {
			caller       auth.Principal
			documentType string
			field        string
		}{
			"the client's own":         {p, "driver_license", "raw_barcode"},
			"the user's, for a sister": {sibling, "driver_license", "height"},
			"the user's for any type":  {p, "identification_card", "eye_color"},
		} {
			got := rule(t, read(c.caller, kyc.RequirementQuery{Type: c.documentType, DataSource: "pdf417"}), c.documentType, "pdf417")
			for field, on := range got.Fields {
				if on != (field == c.field) {
					t.Errorf("%s: %s is required: %v", name, field, on)
				}
			}
			if got.UpdatedAt == nil || *got.UserID != p.UserID {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if got := rule(t, read(stranger, kyc.RequirementQuery{}), "driver_license", "pdf417"); got.UserID != nil || got.Fields["height"] {
			t.Errorf("a stranger has %+v", got)
		}
		if got := read(p, kyc.RequirementQuery{UserID: p.UserID, Type: "driver_license", DataSource: "pdf417"}); got[0].ClientID != nil || !got[0].Fields["height"] {
			t.Errorf("the user's own is %+v", got[0])
		}
		for name, c := range map[string]struct {
			caller auth.Principal
			r      kyc.Requirement
			code   kyc.Code
		}{
			"unknown type":      {p, kyc.Requirement{Type: "library_card", DataSource: "mrz"}, kyc.CodeInvalid},
			"unknown source":    {p, kyc.Requirement{Type: "passport", DataSource: "tea_leaves"}, kyc.CodeInvalid},
			"unknown field":     {p, kyc.Requirement{Type: "passport", DataSource: "mrz", Fields: map[string]bool{"shoe_size": true}}, kyc.CodeInvalid},
			"a stranger's":      {stranger, kyc.Requirement{ClientID: &p.ClientID, Type: "passport", DataSource: "mrz"}, kyc.CodeNotFound},
			"a stranger's user": {stranger, kyc.Requirement{UserID: &p.UserID, Type: "passport", DataSource: "mrz"}, kyc.CodeNotFound},
			"a sister's":        {sibling, kyc.Requirement{ClientID: &p.ClientID, Type: "passport", DataSource: "mrz"}, kyc.CodeNotFound},
			"nobody's":          {p, kyc.Requirement{ClientID: new(string), UserID: &stranger.UserID, Type: "passport", DataSource: "mrz"}, kyc.CodeNotFound},
		} {
			if e := kyc.AsError(h.UpdateRequirements(ctx, c.caller, c.r)); e == nil || e.Code != c.code {
				t.Errorf("%s: %v", name, e)
			}
		}

		// What is on and not there shows in the decision, by the name of the field.
		set(p, kyc.Requirement{Type: "driver_license", DataSource: "ocr_back", Fields: map[string]bool{"document_number": true, "hair_color": true}})
		id := h.give(p, kyc.SessionInput{})
		for _, w := range h.take(kyc.WorkAnalyze) {
			_, _, err := h.BeginAnalysis(ctx, w.ID)
			must(t, err)
			must(t, h.FinishAnalysis(ctx, w.ID, measured(t, string(h.db.Ent.Capture.Query().Where(capture.ID(w.SubjectID)).OnlyX(ctx).Side))))
		}
		out, err := h.Finalize(ctx, p, id, nil)
		must(t, err)
		if out.Verified || !slices.Contains(out.Reasons, "required_field_missing:hair_color") || !slices.Contains(out.Reasons, "required_field_missing:document_number") {
			t.Errorf("outcome %+v", out)
		}
	})
}

// TestWeights: versions are never changed, the client's hold over the user's over the house's, and a session keeps its own.
func TestWeights(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p, sibling, stranger := context.Background(), h.client("Borduria Bank"), h.client("Borduria Bank"), h.client("Syldavia Bank")
		read := func(p auth.Principal) kyc.WeightsVersion {
			t.Helper()
			v, err := h.Weights(ctx, p, "", "")
			must(t, err)
			return v
		}
		house := read(p)
		if house.Weights != scoring.Defaults() || house.ClientID != nil || house.UserID != nil || read(p).ID != house.ID {
			t.Errorf("the house's weights are %+v", house)
		}
		session, err := h.CreateSession(ctx, p, kyc.SessionInput{})
		must(t, err)
		strict := scoring.Defaults()
		strict.IdvSessionTolerance = 0.99
		mine, err := h.UpdateWeights(ctx, p, "", "", strict)
		must(t, err)
		strict.IdvSessionTolerance = 0.95
		ours, err := h.UpdateWeights(ctx, p, "", p.UserID, strict)
		must(t, err)
		if got := read(p); got.ID != mine.ID || *got.ClientID != p.ClientID || got.Weights.IdvSessionTolerance != 0.99 {
			t.Errorf("the client's are %+v", got)
		}
		if got := read(sibling); got.ID != ours.ID || got.ClientID != nil || *got.UserID != p.UserID {
			t.Errorf("the user's are %+v", got)
		}
		if got := read(stranger); got.ID != house.ID {
			t.Errorf("a stranger's are %+v", got)
		}
		again, err := h.UpdateWeights(ctx, p, p.ClientID, "", scoring.Defaults())
		must(t, err)
		for name, c := range map[string]struct {
			caller auth.Principal
			id     string
			found  bool
		}{
			"the first of the client":    {p, mine.ID, true},
			"the latest of the client":   {p, again.ID, true},
			"the house's":                {stranger, house.ID, true},
			"the user's, for a sister":   {sibling, ours.ID, true},
			"the client's, for a sister": {sibling, mine.ID, false},
			"the user's, for a stranger": {stranger, ours.ID, false},
			"of nobody":                  {p, uuid.NewString(), false},
		} {
			got, err := h.WeightsByID(ctx, c.caller, c.id)
			if c.found != (err == nil) || (c.found && got.ID != c.id) {
				t.Errorf("%s: %v, %v", name, got.ID, err)
			}
		}
		s, err := h.ReadSession(ctx, p, kyc.IDV, session)
		must(t, err)
		if s.WeightsID != house.ID {
			t.Error("a session that had begun has other weights")
		}
		wrong := scoring.Defaults()
		wrong.AgeTolerance, wrong.GenderWeight = -1, 1e9
		_, err = h.UpdateWeights(ctx, p, "", "", wrong)
		want(t, err, kyc.CodeInvalid)
		var pointers []string
		for _, f := range kyc.AsError(err).Fields {
			pointers = append(pointers, f.Pointer)
		}
		slices.Sort(pointers)
		if !slices.Equal(pointers, []string{"/age_tolerance", "/gender_weight"}) {
			t.Errorf("pointers %v", pointers)
		}
		for _, c := range [][2]string{{p.ClientID, ""}, {"", p.UserID}, {uuid.NewString(), ""}} {
			_, err := h.UpdateWeights(ctx, stranger, c[0], c[1], scoring.Defaults())
			want(t, err, kyc.CodeNotFound)
			_, err = h.Weights(ctx, stranger, c[0], c[1])
			want(t, err, kyc.CodeNotFound)
		}
	})
}

package kyc

import (
	"context"
	"maps"
	"slices"
	"strings"

	"kycd/ent"
	"kycd/ent/document"
	"kycd/ent/oauthclient"
	"kycd/ent/predicate"
	"kycd/ent/requirement"
	"kycd/kyc/auth"
)

// RequirableFields are what can be required, under the names of the published specification. Most are fields of
// a document; raw_barcode is the barcode's payload, face_encoding the portrait.
func RequirableFields() []string {
	return []string{
		"document_number", "ref_number", "issue_at", "expires_at", "issuing_country", "issuing_state", "first_name", "middle_name",
		"last_name", "name_suffix", "street", "city", "state", "postal_code", "birth_date", "gender", "height", "weight", "eye_color",
		"hair_color", "class", "mentions", "restrictions", "raw_barcode", "face_encoding",
	}
}

// DataSources lists data_source_e. "unknown" stands for all of a document's sources together.
func DataSources() []string { return []string{anySource, "ocr_front", "ocr_back", "pdf417", "mrz"} }

// The words for "whichever".
const (
	anySource = "unknown"
	anyType   = "unknown"
)

// defaultRequired are the fields without which nobody is identified.
func defaultRequired(documentType string) []string {
	fields := []string{"document_number", "first_name", "last_name", "birth_date", "expires_at"}
	if documentType == "driver_license" || documentType == "identification_card" {
		fields = append(fields, "issuing_state")
	}
	return fields
}

// need is one field that one source of a document must give.
type need struct{ source, field string }

// String names the source where it is not any.
func (n need) String() string {
	if n.source == anySource {
		return n.field
	}
	return n.source + "." + n.field
}

// required is what a document of that type must give. For each of its sources the client's own rule holds over the
// user's over the house's, and a rule for the type over one for any type.
func required(ctx context.Context, db *ent.RequirementClient, userID, clientID, documentType string) ([]need, error) {
	rows, err := db.Query().Where(rulesFor(userID, clientID)...).Where(requirement.TypeIn(documentType, anyType)).All(ctx)
	if err != nil {
		return nil, Internal(err)
	}
	var needs []need
	for _, source := range DataSources() {
		rule := holds(rows, documentType, source)
		for _, field := range ruleFields(rule, documentType, source) {
			needs = append(needs, need{source, field})
		}
	}
	return needs, nil
}

// rulesFor are the rules of a client and of its user.
func rulesFor(userID, clientID string) []predicate.Requirement {
	owner := requirement.ClientIDIsNil()
	if clientID != "" {
		owner = requirement.Or(requirement.ClientIDIsNil(), requirement.ClientID(clientID))
	}
	return []predicate.Requirement{requirement.UserID(userID), owner}
}

// holds picks the rule that holds for a type and source; nil is the house's.
func holds(rows []*ent.Requirement, documentType, source string) *ent.Requirement {
	var best *ent.Requirement
	rank := func(r *ent.Requirement) int {
		n := 0
		if r.ClientID != nil {
			n += 2
		}
		if r.Type == documentType {
			n++
		}
		return n
	}
	for _, r := range rows {
		if r.DataSource == source && (r.Type == documentType || r.Type == anyType) && (best == nil || rank(r) > rank(best)) {
			best = r
		}
	}
	return best
}

func ruleFields(rule *ent.Requirement, documentType, source string) []string {
	switch {
	case rule != nil:
		return rule.Required
	case source == anySource:
		return defaultRequired(documentType)
	}
	return nil
}

// documentField is the name that a requirable field has in a document.
func documentField(name string) string {
	switch name {
	case "issue_at":
		return "issued_at"
	case "mentions":
		return "endorsements"
	}
	return name
}

// lacks says whether the document does not give what is needed.
func (f *facts) lacks(n need) bool {
	switch n.field {
	case "raw_barcode":
		return !f.gave(string(document.DataSourcePdf417))
	case "face_encoding":
		face := f.front.face()
		return face == nil || len(face.Encoding) == 0
	}
	if n.source == anySource {
		return f.merged[documentField(n.field)] == ""
	}
	for _, s := range f.sources {
		if string(s.from) == n.source {
			return s.fields[documentField(n.field)] == ""
		}
	}
	return true
}

// gave says whether a source could be read.
func (f *facts) gave(name string) bool {
	return slices.ContainsFunc(f.sources, func(s source) bool { return string(s.from) == name })
}

// Requirements gives the rules that hold, one per document type and source: those of a client, or, if only a user is
// named or the caller is no client, those of the user.
func (s *Service) Requirements(ctx context.Context, p auth.Principal, q RequirementQuery) ([]Requirement, error) {
	if q.Type != "" && q.Type != anyType && !slices.Contains(DocumentTypes(), q.Type) {
		return nil, invalid("/type_e", "must be one of "+strings.Join(DocumentTypes(), ", "))
	}
	if q.DataSource != "" && !slices.Contains(DataSources(), q.DataSource) {
		return nil, invalid("/data_source_e", "must be one of "+strings.Join(DataSources(), ", "))
	}
	_, clientID, err := owner(ctx, s.db.Ent.OAuthClient, p, q.ClientID, q.UserID)
	if err != nil {
		return nil, err
	}
	rows, err := s.db.Ent.Requirement.Query().Where(rulesFor(p.UserID, clientID)...).All(ctx)
	if err != nil {
		return nil, Internal(err)
	}
	rules := []Requirement{}
	for _, documentType := range DocumentTypes() {
		for _, source := range DataSources() {
			if (q.Type == "" || q.Type == anyType || q.Type == documentType) && (q.DataSource == "" || q.DataSource == source) {
				rules = append(rules, requirementView(holds(rows, documentType, source), documentType, source))
			}
		}
	}
	return rules, nil
}

func requirementView(rule *ent.Requirement, documentType, source string) Requirement {
	view := Requirement{Type: documentType, DataSource: source, Fields: map[string]bool{}}
	on := ruleFields(rule, documentType, source)
	for _, field := range RequirableFields() {
		view.Fields[field] = slices.Contains(on, field)
	}
	if rule != nil {
		view.UserID, view.ClientID, view.UpdatedAt = rule.UserID, rule.ClientID, &rule.UpdatedAt
	}
	return view
}

// UpdateRequirements sets the rule for one document type ("unknown": every type that has none of its own) and source, of
// the client or the user that it names. It holds for every session that is decided from now on.
func (s *Service) UpdateRequirements(ctx context.Context, p auth.Principal, r Requirement) error {
	if r.Type != anyType && !slices.Contains(DocumentTypes(), r.Type) {
		return invalid("/type_e", "must be one of "+strings.Join(DocumentTypes(), ", "))
	}
	if !slices.Contains(DataSources(), r.DataSource) {
		return invalid("/data_source_e", "must be one of "+strings.Join(DataSources(), ", "))
	}
	on := []string{}
	for _, field := range slices.Sorted(maps.Keys(r.Fields)) {
		if !slices.Contains(RequirableFields(), field) {
			return invalid("/"+field+"_required", "is not a field that can be required")
		}
		if r.Fields[field] {
			on = append(on, field)
		}
	}
	return s.change(ctx, func(c *change) error {
		userID, clientID, err := owner(ctx, c.OAuthClient, p, text(r.ClientID), text(r.UserID))
		if err != nil {
			return err
		}
		where := []predicate.Requirement{requirement.UserID(userID), requirement.Type(r.Type), requirement.DataSource(r.DataSource)}
		create := c.Requirement.Create().SetID(s.newID()).SetUserID(userID).SetType(r.Type).SetDataSource(r.DataSource).
			SetRequired(on).SetUpdatedAt(c.now)
		if clientID == "" {
			where = append(where, requirement.ClientIDIsNil())
		} else {
			where = append(where, requirement.ClientID(clientID))
			create.SetClientID(clientID)
		}
		if _, err := c.Requirement.Delete().Where(where...).Exec(ctx); err != nil {
			return Internal(err)
		}
		if err := create.Exec(ctx); err != nil {
			return Internal(err)
		}
		return nil
	})
}

// owner is whose weights or requirements a request is about: of the client that it names, or of the whole user if it
// names only that. Who names nobody means itself. A client, or a user, that is not the caller's does not exist.
func owner(ctx context.Context, clients *ent.OAuthClientClient, p auth.Principal, clientID, userID string) (user, client string, err error) {
	if userID != "" && userID != p.UserID {
		return "", "", notFound("user")
	}
	if clientID == "" {
		if userID != "" {
			return p.UserID, "", nil
		}
		return p.UserID, p.ClientID, nil
	}
	if p.ClientID != "" && clientID != p.ClientID {
		return "", "", notFound("client")
	}
	own, err := clients.Query().Where(oauthclient.ID(clientID), oauthclient.UserID(p.UserID), oauthclient.RevokedAtIsNil()).Exist(ctx)
	if err != nil {
		return "", "", Internal(err)
	}
	if !own {
		return "", "", notFound("client")
	}
	return p.UserID, clientID, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

package rest

import (
	"strings"
	"time"

	"kycd/kyc"
	api "kycd/rest/generated"
)

// From kyc's views to the contract's types. An empty text and a time that has not come are null.

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return utc(&t)
}

// enum is a value of an enumeration that has the word unknown.
func enum[E ~string](s string) E {
	if s == "" {
		return "unknown"
	}
	return E(s)
}

func object(m map[string]any) api.Object {
	if m == nil {
		return api.Object{}
	}
	return m
}

func texts(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func counts(m map[string]int) api.Counts {
	if m == nil {
		return api.Counts{}
	}
	return m
}

func list(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

func each[A, B any](in []A, convert func(A) B) []B {
	out := make([]B, len(in))
	for i, v := range in {
		out[i] = convert(v)
	}
	return out
}

func livenessMode(s string) api.LivenessMode {
	if s == "" {
		return api.LivenessModePassive
	}
	return api.LivenessMode(s)
}

func livenessProvider(s string) api.LivenessProviderE {
	if s == "" {
		return api.LivenessProviderELocal
	}
	return api.LivenessProviderE(s)
}

func toIdvSession(s kyc.Session) api.IdvSession {
	return api.IdvSession{
		SessionId:             s.ID,
		UserId:                s.UserID,
		ClientId:              s.ClientID,
		IdvWeightsId:          text(s.WeightsID),
		StatusE:               enum[api.StatusE](s.Status),
		DocumentTypeE:         enum[api.DocumentTypeE](s.DocumentType),
		CreatedAt:             s.CreatedAt.UTC(),
		ExpiresAt:             moment(s.ExpiresAt),
		CompletedAt:           utc(s.CompletedAt),
		FirstName:             text(s.Person.FirstName),
		MiddleName:            text(s.Person.MiddleName),
		LastName:              text(s.Person.LastName),
		SuffixName:            text(s.Person.SuffixName),
		GenderE:               enum[api.GenderE](s.Person.Gender),
		BirthDate:             text(s.Person.BirthDate),
		Consented:             s.Consented,
		ConsentedAt:           utc(s.ConsentedAt),
		DocumentFrontGiven:    s.DocumentFrontGivenAt != nil,
		DocumentFrontGivenAt:  utc(s.DocumentFrontGivenAt),
		DocumentBackGiven:     s.DocumentBackGivenAt != nil,
		DocumentBackGivenAt:   utc(s.DocumentBackGivenAt),
		DocumentFrontAttempts: s.DocumentFrontAttempts,
		DocumentBackAttempts:  s.DocumentBackAttempts,
		LivenessMode:          livenessMode(s.LivenessMode),
		LivenessDetected:      s.LivenessDetected,
		LivenessDetectedAt:    utc(s.LivenessDetectedAt),
		SelfieGiven:           s.SelfieGivenAt != nil,
		SelfieGivenAt:         utc(s.SelfieGivenAt),
		DmvStatusE:            enum[api.DmvStatusE](s.DMVStatus),
		DmvDetectedAt:         utc(s.DMVDetectedAt),
		OfacStatusE:           enum[api.OfacStatusE](s.OFACStatus),
		OfacDetectedAt:        utc(s.OFACDetectedAt),
		OnSanctionList:        s.OnSanctionList,
		Verified:              s.Verified,
		VerifiedAt:            utc(s.VerifiedAt),
		Score:                 s.Score,
		Reasons:               list(s.Reasons),
		IdentityId:            s.IdentityID,
		Metadata:              object(s.Metadata),
		WebhookUrl:            text(s.WebhookURL),
		Settings:              object(s.Settings),
		AnonymizedAt:          utc(s.AnonymizedAt),
		History:               each(s.History, toHistoryEntry),
	}
}

func toHistoryEntry(h kyc.HistoryEntry) api.HistoryEntry {
	return api.HistoryEntry{At: h.At.UTC(), Actor: h.Actor, Event: h.Event, From: text(h.From), To: text(h.To), Detail: texts(h.Detail)}
}

func toSdkSession(s kyc.Session) api.SdkSession {
	return api.SdkSession{
		SessionId:             s.ID,
		ClientId:              s.ClientID,
		StatusE:               enum[api.StatusE](s.Status),
		DocumentTypeE:         enum[api.DocumentTypeE](s.DocumentType),
		Consented:             s.Consented,
		DocumentFrontGiven:    s.DocumentFrontGivenAt != nil,
		DocumentBackGiven:     s.DocumentBackGivenAt != nil,
		DocumentFrontAttempts: s.DocumentFrontAttempts,
		DocumentBackAttempts:  s.DocumentBackAttempts,
		LivenessDetected:      s.LivenessDetected,
		SelfieGiven:           s.SelfieGivenAt != nil,
		LivenessMode:          livenessMode(s.LivenessMode),
		LivenessProviderE:     livenessProvider(s.LivenessProvider),
		SdkMetadata:           object(s.SDKMetadata),
		Settings:              object(s.Settings),
	}
}

func toIdaSession(s kyc.Session) api.IdaSession {
	return api.IdaSession{
		SessionId:          s.ID,
		UserId:             s.UserID,
		ClientId:           s.ClientID,
		IdvWeightsId:       text(s.WeightsID),
		StatusE:            enum[api.StatusE](s.Status),
		CreatedAt:          s.CreatedAt.UTC(),
		ExpiresAt:          moment(s.ExpiresAt),
		CompletedAt:        utc(s.CompletedAt),
		IdentityId:         s.IdentityID,
		FirstName:          text(s.Person.FirstName),
		MiddleName:         text(s.Person.MiddleName),
		LastName:           text(s.Person.LastName),
		SuffixName:         text(s.Person.SuffixName),
		LivenessMode:       livenessMode(s.LivenessMode),
		LivenessDetected:   s.LivenessDetected,
		LivenessDetectedAt: utc(s.LivenessDetectedAt),
		SelfieGiven:        s.SelfieGivenAt != nil,
		SelfieGivenAt:      utc(s.SelfieGivenAt),
		Authenticated:      s.Authenticated,
		Score:              s.Score,
		Reasons:            list(s.Reasons),
		Metadata:           object(s.Metadata),
		WebhookUrl:         text(s.WebhookURL),
		Settings:           object(s.Settings),
		AnonymizedAt:       utc(s.AnonymizedAt),
		History:            each(s.History, toHistoryEntry),
	}
}

func toIdaSdkSession(s kyc.Session) api.IdaSdkSession {
	return api.IdaSdkSession{
		SessionId:          s.ID,
		IdentityId:         s.IdentityID,
		UserId:             s.UserID,
		ClientId:           s.ClientID,
		StatusE:            enum[api.StatusE](s.Status),
		FirstName:          text(s.Person.FirstName),
		MiddleName:         text(s.Person.MiddleName),
		LastName:           text(s.Person.LastName),
		SuffixName:         text(s.Person.SuffixName),
		LivenessDetected:   s.LivenessDetected,
		LivenessDetectedAt: utc(s.LivenessDetectedAt),
		SelfieGiven:        s.SelfieGivenAt != nil,
		SelfieGivenAt:      utc(s.SelfieGivenAt),
		Authenticated:      s.Authenticated,
		LivenessMode:       livenessMode(s.LivenessMode),
		LivenessProviderE:  livenessProvider(s.LivenessProvider),
		SdkMetadata:        object(s.SDKMetadata),
		Settings:           object(s.Settings),
	}
}

func toLocation(l kyc.Location) api.Location {
	return api.Location{
		IpAddress:          text(l.IPAddress),
		IpLatitude:         l.IPLatitude,
		IpLongitude:        l.IPLongitude,
		IpCountry:          text(l.IPCountry),
		IpRegion:           text(l.IPRegion),
		IpCity:             text(l.IPCity),
		DeviceLocation:     text(l.Device),
		DeviceLatitude:     l.DeviceLatitude,
		DeviceLongitude:    l.DeviceLongitude,
		DeviceCountryName:  text(l.DeviceCountryName),
		DeviceCountryCode:  text(l.DeviceCountryCode),
		DeviceAdminArea:    text(l.DeviceAdminArea),
		DeviceSubAdminArea: text(l.DeviceSubAdminArea),
		DeviceLocality:     text(l.DeviceLocality),
	}
}

func toIdentity(i kyc.Identity) api.Identity {
	return api.Identity{
		IdentityId:           i.ID,
		UserId:               i.UserID,
		ClientId:             i.ClientID,
		CreatedAt:            i.CreatedAt.UTC(),
		FirstName:            text(i.Person.FirstName),
		MiddleName:           text(i.Person.MiddleName),
		LastName:             text(i.Person.LastName),
		SuffixName:           text(i.Person.SuffixName),
		BirthDate:            text(i.Person.BirthDate),
		GenderE:              enum[api.GenderE](i.Person.Gender),
		Street:               text(i.Street),
		City:                 text(i.City),
		State:                text(i.State),
		PostalCode:           text(i.PostalCode),
		DocumentFrontGiven:   i.DocumentFrontGivenAt != nil,
		DocumentFrontGivenAt: utc(i.DocumentFrontGivenAt),
		Verified:             i.VerifiedAt != nil,
		VerifiedAt:           utc(i.VerifiedAt),
		LivenessDetected:     i.LivenessDetected,
		LivenessDetectedAt:   utc(i.LivenessDetectedAt),
		OfacStatusE:          enum[api.OfacStatusE](i.OFACStatus),
		OfacDetectedAt:       utc(i.OFACDetectedAt),
		DmvStatusE:           enum[api.DmvStatusE](i.DMVStatus),
		DmvDetectedAt:        utc(i.DMVDetectedAt),
		Score:                i.Score,
		Metadata:             object(i.Metadata),
		AnonymizedAt:         utc(i.AnonymizedAt),
	}
}

// toIdentities repeats an identity's fields at the top where it is the only one: callers who ask for one id
// need not look into the list.
func toIdentities(found []kyc.Identity) api.Identities {
	out := api.Identities{Identities: each(found, toIdentity)}
	if len(found) != 1 {
		return out
	}
	i := out.Identities[0]
	out.IdentityId, out.UserId, out.ClientId, out.CreatedAt = &i.IdentityId, &i.UserId, &i.ClientId, &i.CreatedAt
	out.FirstName, out.MiddleName, out.LastName, out.SuffixName = i.FirstName, i.MiddleName, i.LastName, i.SuffixName
	out.BirthDate, out.GenderE = i.BirthDate, &i.GenderE
	out.Street, out.City, out.State, out.PostalCode = i.Street, i.City, i.State, i.PostalCode
	out.DocumentFrontGiven, out.DocumentFrontGivenAt = &i.DocumentFrontGiven, i.DocumentFrontGivenAt
	out.Verified, out.VerifiedAt = &i.Verified, i.VerifiedAt
	out.LivenessDetected, out.LivenessDetectedAt = i.LivenessDetected, i.LivenessDetectedAt
	out.OfacStatusE, out.OfacDetectedAt = &i.OfacStatusE, i.OfacDetectedAt
	out.DmvStatusE, out.DmvDetectedAt = &i.DmvStatusE, i.DmvDetectedAt
	out.Score, out.Metadata, out.AnonymizedAt = i.Score, &i.Metadata, i.AnonymizedAt
	return out
}

// toIdentityDocument has names of its own for some of a document's fields.
func toIdentityDocument(d kyc.Document) api.IdentityDocument {
	field := func(name string) *string { return text(d.Fields[name]) }
	return api.IdentityDocument{
		DocumentId:          d.ID,
		DocumentTypeE:       enum[api.DocumentTypeE](d.Type),
		DocumentDataSourceE: enum[api.DataSourceE](d.DataSource),
		DocumentNumber:      field("document_number"),
		IssueDate:           field("issued_at"),
		ExpirationDate:      field("expires_at"),
		RefNumber:           field("ref_number"),
		IssuingCountry:      field("issuing_country"),
		IssuingState:        field("issuing_state"),
		BirthDate:           field("birth_date"),
		GenderE:             enum[api.GenderE](d.Fields["gender"]),
		FirstName:           field("first_name"),
		MiddleName:          field("middle_name"),
		LastName:            field("last_name"),
		SuffixName:          field("name_suffix"),
		Street:              field("street"),
		City:                field("city"),
		State:               field("state"),
		PostalCode:          field("postal_code"),
		Height:              field("height"),
		Weight:              field("weight"),
		EyeColor:            field("eye_color"),
		HairColor:           field("hair_color"),
	}
}

func toIdvDocument(d kyc.Document) api.IdvDocument {
	field := func(name string) *string { return text(d.Fields[name]) }
	return api.IdvDocument{
		SessionId:      d.SessionID,
		DocumentId:     d.ID,
		TypeE:          enum[api.DocumentTypeE](d.Type),
		DataSourceE:    enum[api.DataSourceE](d.DataSource),
		Merged:         d.Merged,
		CreatedAt:      d.CreatedAt.UTC(),
		DocumentNumber: field("document_number"),
		RefNumber:      field("ref_number"),
		IssuedAt:       field("issued_at"),
		ExpiresAt:      field("expires_at"),
		IssuingCountry: field("issuing_country"),
		IssuingState:   field("issuing_state"),
		FirstName:      field("first_name"),
		MiddleName:     field("middle_name"),
		LastName:       field("last_name"),
		NameSuffix:     field("name_suffix"),
		Street:         field("street"),
		City:           field("city"),
		State:          field("state"),
		PostalCode:     field("postal_code"),
		BirthDate:      field("birth_date"),
		GenderE:        enum[api.GenderE](d.Fields["gender"]),
		Height:         field("height"),
		Weight:         field("weight"),
		EyeColor:       field("eye_color"),
		HairColor:      field("hair_color"),
		Class:          field("class"),
		Restrictions:   field("restrictions"),
	}
}

func toIdvSessionTests(t kyc.TestResults) api.IdvSessionTests {
	said := func(name string) api.TestResultE {
		if result := t.Texts[name]; result != "" {
			return api.TestResultE(result)
		}
		return api.TestResultENotRun
	}
	out := api.IdvSessionTests{
		DocFrontImageManipulation:  said("doc_front_image_manipulation"),
		DocFrontIsIdentityDocument: said("doc_front_is_identity_document"),
		DocFrontOnlineDuplication:  said("doc_front_online_duplication"),
		DocFrontSuspiciousWords:    said("doc_front_suspicious_words"),
		DocBackImageManipulation:   said("doc_back_image_manipulation"),
		DocBackIsIdentityDocument:  said("doc_back_is_identity_document"),
		DocBackOnlineDuplication:   said("doc_back_online_duplication"),
		DocBackSuspiciousWords:     said("doc_back_suspicious_words"),
		DmvDocumentNumberMatch:     t.Bools["dmv_document_number_match"],
		DmvDocumentExpirationMatch: t.Bools["dmv_document_expiration_match"],
		DmvDocumentIssueMatch:      t.Bools["dmv_document_issue_match"],
		DmvDocumentCategoryMatch:   t.Bools["dmv_document_category_match"],
		DmvBirthDateMatch:          t.Bools["dmv_birth_date_match"],
		DmvSexMatch:                t.Bools["dmv_sex_match"],
		DmvEyeColorMatch:           t.Bools["dmv_eye_color_match"],
		DmvHeightMatch:             t.Bools["dmv_height_match"],
		DmvWeightMatch:             t.Bools["dmv_weight_match"],
		DmvFirstNameMatch:          t.Bools["dmv_first_name_match"],
		DmvMiddleNameMatch:         t.Bools["dmv_middle_name_match"],
		DmvLastNameMatch:           t.Bools["dmv_last_name_match"],
		DmvSuffixNameMatch:         t.Bools["dmv_suffix_name_match"],
		DmvStreetMatch:             t.Bools["dmv_street_match"],
		DmvCityMatch:               t.Bools["dmv_city_match"],
		DmvStateMatch:              t.Bools["dmv_state_match"],
		DmvPostalCodeMatch:         t.Bools["dmv_postal_code_match"],
		DocumentNumberCrosscheck:   t.Bools["document_number_crosscheck"],
		NameCrosscheck:             t.Bools["name_crosscheck"],
		AddressCrosscheck:          t.Bools["address_crosscheck"],
	}
	if t.Verdict != "" {
		out.Decision = &api.Decision{Verdict: t.Verdict, Score: t.Score, Reasons: list(t.Reasons), Pieces: each(t.Pieces, toDecisionPiece)}
	}
	return out
}

func toDecisionPiece(p kyc.DecisionPiece) api.DecisionPiece {
	return api.DecisionPiece{
		Name:         p.Name,
		State:        p.State,
		Value:        p.Value,
		Measure:      p.Measure,
		Tolerance:    p.Tolerance,
		Weight:       p.Weight,
		Contribution: p.Contribution,
		Gate:         p.Gate,
		Required:     p.Required,
		Reason:       text(p.Reason),
		Evidence:     object(p.Evidence),
	}
}

func toOutcome(o kyc.Outcome) api.Outcome {
	return api.Outcome{
		Verified: o.Verified, OnSanctionList: o.OnSanctionList, StatusE: enum[api.StatusE](o.Status), Reasons: list(o.Reasons), Score: o.Score,
	}
}

func toIdaOutcome(o kyc.Outcome) api.IdaOutcome {
	return api.IdaOutcome{Authenticated: o.Verified, StatusE: enum[api.StatusE](o.Status), Reasons: list(o.Reasons)}
}

func toWebhook(w kyc.Webhook, statistics map[string]int) api.Webhook {
	return api.Webhook{
		Id: w.ID, ClientId: w.ClientID, Name: w.Name, Url: w.URL, CreatedAt: w.CreatedAt.UTC(), DisabledAt: utc(w.DisabledAt),
		Statistics: counts(statistics),
	}
}

// From the contract's types to kyc's inputs. What is not there is a zero value.

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// oneOrMany reads "string or Array of strings".
func oneOrMany(p *api.StringOrStrings) []string {
	if p == nil {
		return nil
	}
	if many, err := p.AsStringOrStrings1(); err == nil {
		return many
	}
	if one, err := p.AsStringOrStrings0(); err == nil && one != "" {
		return []string{one}
	}
	return nil
}

// sessionInput is what a session of either kind is created with.
func sessionInput(metadata *api.Object, mode *api.LivenessMode, webhookURL *string, settings *api.Object) kyc.SessionInput {
	return kyc.SessionInput{
		Metadata:     value(metadata),
		LivenessMode: string(livenessMode(string(value(mode)))),
		WebhookURL:   value(webhookURL),
		Settings:     value(settings),
	}
}

// The size of a page: what it is without a wish, and what no wish exceeds.
const (
	defaultTake = 20
	maxTake     = 200
)

func page(take, skip *int32) (int, int) {
	n := int(value(take))
	if n == 0 {
		n = defaultTake
	}
	return min(n, maxTake), int(value(skip))
}

// period reads the two ends of a range of time.
func period(start, end *string) (from, to *time.Time, err error) {
	if from, err = dateOrTime("/start_date", start, false); err != nil {
		return nil, nil, err
	}
	if to, err = dateOrTime("/end_date", end, true); err != nil {
		return nil, nil, err
	}
	return from, to, nil
}

// dateOrTime reads a time, or a date as its first instant, or as its last one if it ends a range.
func dateOrTime(at string, p *string, end bool) (*time.Time, error) {
	if p == nil {
		return nil, nil
	}
	if t, err := time.Parse(time.RFC3339, strings.ToUpper(*p)); err == nil { // T and Z may be small (RFC 3339 §5.6)
		return utc(&t), nil
	}
	t, err := time.Parse(time.DateOnly, *p)
	if err != nil {
		return nil, invalid([]kyc.FieldError{{Pointer: at, Code: "format", Message: "must be an RFC 3339 time or an ISO 8601 date"}})
	}
	if end {
		t = t.AddDate(0, 0, 1).Add(-time.Microsecond)
	}
	return &t, nil
}

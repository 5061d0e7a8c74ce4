package kyc

import (
	"time"

	"kycd/kyc/scoring"
)

// What callers read. Personal fields are empty until a document was read, and for ever after an erasure.

// Person is what a document says of its holder.
type Person struct {
	FirstName  string `json:"first_name,omitempty"`
	MiddleName string `json:"middle_name,omitempty"`
	LastName   string `json:"last_name,omitempty"`
	SuffixName string `json:"suffix_name,omitempty"`
	Gender     string `json:"gender,omitempty"`     // gender_e
	BirthDate  string `json:"birth_date,omitempty"` // ISO 8601
}

// SessionKind is what a session is for. A session of one kind does not exist for the operations of the other.
type SessionKind string

// The kinds.
const (
	IDV SessionKind = "idv" // identity verification: who is this?
	IDA SessionKind = "ida" // identity authentication: is it still the same person?
)

// Session is one verification or authentication as its owner reads it. A nil time or bool has not happened or is
// not known.
type Session struct {
	ID, UserID, ClientID, WeightsID string
	Kind                            SessionKind
	IdentityID                      *string
	Status                          string // status_e
	DocumentType                    string // document_type_e
	LivenessMode, LivenessProvider  string
	CreatedAt                       time.Time
	ExpiresAt                       time.Time
	CompletedAt                     *time.Time
	Person                          Person
	Consented                       *bool
	ConsentedAt                     *time.Time
	DocumentFrontGivenAt            *time.Time
	DocumentBackGivenAt             *time.Time
	DocumentFrontAttempts           int // pictures handed in of the side, the one that counts included
	DocumentBackAttempts            int
	LivenessDetected                *bool
	LivenessDetectedAt              *time.Time
	SelfieGivenAt                   *time.Time
	DMVStatus                       string
	DMVDetectedAt                   *time.Time
	OFACStatus                      string
	OFACDetectedAt                  *time.Time
	Verified                        *bool // IDV: the decision
	VerifiedAt                      *time.Time
	Authenticated                   *bool // IDA: the decision
	AnonymizedAt                    *time.Time
	OnSanctionList                  *bool
	Score                           *float64
	Reasons                         []string // of the decision, in order of effect
	Metadata, SDKMetadata, Settings map[string]any
	WebhookURL                      string
	History                         []HistoryEntry
}

// HistoryEntry is one thing that happened.
type HistoryEntry struct {
	At     time.Time         `json:"at"`
	Actor  string            `json:"actor"`
	Event  string            `json:"event"`
	From   string            `json:"from,omitempty"`
	To     string            `json:"to,omitempty"`
	Detail map[string]string `json:"detail,omitempty"`
}

// SessionPage is one page of a list, with the counts over all that match.
type SessionPage struct {
	Sessions []Session
	Counts   map[string]int // "total", and one per status_e
}

// Document is what one source says, or the merged best.
type Document struct {
	SessionID, ID    string
	Type, DataSource string
	Merged           bool
	Fields           map[string]string // specification's names; dates ISO 8601
	CreatedAt        time.Time
}

// DocumentPage is one page of a session's documents.
type DocumentPage struct {
	Documents []Document
	Counts    map[string]int
}

// Image is a stored picture.
type Image struct {
	ContentType string
	Bytes       []byte
}

// TestResults are the answers of `session test read`. A nil bool was not checked.
type TestResults struct {
	Texts map[string]string // doc_front_image_manipulation … → pass, fail, review, unavailable, not_run
	Bools map[string]*bool  // dmv_document_number_match … , *_crosscheck
	// Pieces and Reasons explain the decision; nil before there is one.
	Pieces  []DecisionPiece
	Reasons []string
	Score   *float64
	Verdict string
}

// DecisionPiece is one line of a decision, for people.
type DecisionPiece struct {
	Name         string         `json:"name"`
	State        string         `json:"state"`
	Value        *float64       `json:"value"`
	Measure      *float64       `json:"measure"` // in the tolerance's own unit, where that is not the value's: a distance, years
	Tolerance    *float64       `json:"tolerance"`
	Weight       float64        `json:"weight"`
	Contribution float64        `json:"contribution"`
	Gate         bool           `json:"gate"`
	Required     bool           `json:"required"`
	Reason       string         `json:"reason,omitempty"`
	Evidence     map[string]any `json:"evidence,omitempty"`
}

// Outcome is the answer to finalize.
type Outcome struct {
	Verified       bool  // of an authentication: that it is the same person
	OnSanctionList *bool // nil: not checked
	Status         string
	Reasons        []string
	Score          *float64
}

// Place is where the device says it is, and the address that it called from.
type Place struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	IP        string  `json:"ip,omitempty"`
}

// SessionInput is what a session is created with.
type SessionInput struct {
	Metadata     map[string]any
	LivenessMode string // passive (default) or passive_active
	WebhookURL   string
	Settings     map[string]any
}

// SessionQuery narrows a list. Zero values do not narrow.
type SessionQuery struct {
	Take, Skip                      int
	SearchTerm, Status              string
	Start, End                      *time.Time
	Metadata                        map[string]any
	IdentityIDs, ClientIDs, UserIDs []string
	Verified                        *bool // the decision, whatever the kind calls it
}

// Identity is a person whom a session verified. What is said of checks and pictures is said of the latest session
// that verified the person; it is empty once that session was erased.
type Identity struct {
	ID, UserID, ClientID            string
	CreatedAt                       time.Time
	VerifiedAt, AnonymizedAt        *time.Time
	Person                          Person
	Street, City, State, PostalCode string
	DocumentFrontGivenAt            *time.Time
	LivenessDetected                *bool
	LivenessDetectedAt              *time.Time
	OFACStatus                      string // ofac_status_e
	OFACDetectedAt                  *time.Time
	DMVStatus                       string // dmv_status_e
	DMVDetectedAt                   *time.Time
	Score                           *float64
	Metadata                        map[string]any
}

// IdentityQuery narrows a list. Zero values do not narrow.
type IdentityQuery struct {
	Take, Skip         int
	SearchTerm         string
	Start, End         *time.Time
	Metadata           map[string]any
	ClientIDs, UserIDs []string
}

// IdentityPage is one page of identities, with the counts over all that match: total, verified, anonymized.
type IdentityPage struct {
	Identities []Identity
	Counts     map[string]int
}

// Location is where one picture of a session was taken. What is not known is nil or empty.
type Location struct {
	IPAddress                            string
	IPLatitude, IPLongitude              *float64 // degrees
	IPCountry, IPRegion, IPCity          string
	Device                               string   // ISO 6709
	DeviceLatitude, DeviceLongitude      *float64 // degrees
	DeviceCountryName, DeviceCountryCode string
	DeviceAdminArea, DeviceSubAdminArea  string
	DeviceLocality                       string
}

// Requirement says which fields a document of one type must give, and which of its sources must give them. The
// source "unknown" stands for all of them together.
type Requirement struct {
	UserID, ClientID *string         // whose rule it is; both nil: the house's
	Type, DataSource string          // document_type_e, data_source_e
	Fields           map[string]bool // RequirableFields
	UpdatedAt        *time.Time
}

// RequirementQuery narrows the rules that hold for a client. Zero values do not narrow.
type RequirementQuery struct{ ClientID, UserID, Type, DataSource string }

// WeightsVersion is one version of weights and tolerances, which never changes.
type WeightsVersion struct {
	ID               string
	UserID, ClientID *string // whose they are; both nil: the house's
	CreatedAt        time.Time
	Weights          scoring.Weights
}

// ClientSettings are what an operator set for one client, as the door needs them.
type ClientSettings struct {
	RequestsPerSecond float64  // 0: the installation's limit
	Origins           []string // web origins from which its SDK may call
}

// Webhook is a registered endpoint.
type Webhook struct {
	ID, ClientID, Name, URL string
	CreatedAt               time.Time
	DisabledAt              *time.Time
	Secret                  string // only in the answer to its creation
}

// WebhookPage is one page of endpoints, with the state of their deliveries.
type WebhookPage struct {
	Webhooks   []Webhook
	Statistics map[string]int // total, pending, delivered, failed
	PerWebhook map[string]map[string]int
}

// WebhookQuery narrows the list of endpoints.
type WebhookQuery struct {
	ClientID, SearchTerm string
	Take, Skip           int
}

// Credentials are a client's id and secret; the secret is shown once.
type Credentials struct {
	ClientID      string `json:"client_id"`
	ClientSecret  string `json:"client_secret"`
	WebhookSecret string `json:"webhook_secret"` // signs what goes to a session's own webhook_url
	UserID        string `json:"user_id"`
	Name          string `json:"name"`
}

// Token is an access token as OAuth 2.0 answers it.
type Token struct {
	AccessToken string
	ExpiresIn   time.Duration
	Scopes      []string
}

// Work is one outbox row that is due.
type Work struct {
	ID        string // outbox id
	Kind      string // vision:analyze, session:decide, webhook:deliver
	SubjectID string
	Sent      int // how often it was put on the queue before
	CreatedAt time.Time
	RequestID string // of the request that made it necessary; empty if none did
}

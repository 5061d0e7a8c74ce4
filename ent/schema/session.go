package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Session is one run of a verification (IDV) or of a re-authentication (IDA).
type Session struct{ ent.Schema }

// Fields of the table.
func (Session) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("user_id"), ref("client_id"), ref("key_id"), ref("weights_id"), optionalRef("identity_id"),
		field.Enum("kind").Values("idv", "ida").Immutable(),
		field.Enum("status").Values("in_progress", "complete", "temporarily_complete", "temporarily_blocked", "expired").Default("in_progress"),
		field.Enum("document_type").Values("unknown", "driver_license", "identification_card", "passport", "passport_card").Default("unknown"),
		field.Enum("liveness_mode").Values("passive", "passive_active").Immutable(),
		field.Enum("liveness_provider").Values("azure", "local"),
		createdAt(), at("expires_at"),
		field.Bool("consented").Optional().Nillable(), at("consented_at").optional(),
		at("document_front_given_at").optional(), at("document_back_given_at").optional(), at("selfie_given_at").optional(),
		field.Int("document_front_attempts").Default(0), field.Int("document_back_attempts").Default(0), // pictures handed in of each side
		field.Bool("liveness_detected").Optional().Nillable(), at("liveness_detected_at").optional(),
		field.Enum("dmv_status").Values("unknown", "match", "mismatch", "pending", "unavailable", "unsupported").Default("unknown"), at("dmv_detected_at").optional(),
		field.Enum("ofac_status").Values("unknown", "clear", "possible_match", "match", "unavailable").Default("unknown"), at("ofac_detected_at").optional(),
		field.Bool("on_sanction_list").Optional().Nillable(),
		at("finalize_requested_at").optional(), at("completed_at").optional(),
		field.Bool("verified").Optional().Nillable(), at("verified_at").optional(),
		field.Bool("authenticated").Optional().Nillable(),
		field.Float("score").Optional().Nillable(),
		field.Int("attempts").Default(0), at("blocked_until").optional(),
		sealed("person_sealed"),       // names, gender and birth date, once read
		sealed("metadata_sealed"),     // the integrator's
		sealed("sdk_metadata_sealed"), // the device's
		sealed("settings_sealed"),
		sealed("webhook_url_sealed"),
		at("anonymized_at").optional(), at("deleted_at").optional(),
	}
}

// Edges of the table.
func (Session) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("sessions").Field("user_id").Unique().Required().Immutable(),
		edge.From("client", OAuthClient.Type).Ref("sessions").Field("client_id").Unique().Required().Immutable(),
		edge.From("identity", Identity.Type).Ref("sessions").Field("identity_id").Unique(),
		edge.To("consents", Consent.Type), edge.To("captures", Capture.Type), edge.To("documents", Document.Type),
		edge.To("checks", Check.Type), edge.To("decision", Decision.Type).Unique(), edge.To("history", History.Type),
		edge.To("locations", Location.Type),
	}
}

// Indexes of the table.
func (Session) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "created_at"), index.Fields("client_id", "created_at"),
		index.Fields("status", "expires_at"), index.Fields("identity_id"),
	}
}

// Consent is one answer to the question whether the person agrees. The latest counts; none is overwritten.
type Consent struct{ ent.Schema }

// Fields of the table.
func (Consent) Fields() []ent.Field {
	return []ent.Field{id(), ref("session_id"), field.Bool("consented").Immutable(), createdAt()}
}

// Edges of the table.
func (Consent) Edges() []ent.Edge { return ofSession("consents") }

// Capture is one image that the device sent, and what the sidecar measured on it.
type Capture struct{ ent.Schema }

// Fields of the table.
func (Capture) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("session_id"),
		field.Enum("side").Values("front", "back", "selfie", "liveness").Immutable(),
		field.String("file_type").NotEmpty().Immutable(), // storage_file_type_e
		field.Int("step").Default(0).Immutable(),         // liveness: 0 passive, 1..4 active
		field.String("asked").Optional().Immutable(),     // liveness: the step that the challenge asked for
		field.String("blob_key").NotEmpty(),
		field.String("content_type").NotEmpty().Immutable(),
		field.Int("size").Immutable(), field.Int("width").Immutable(), field.Int("height").Immutable(),
		field.String("digest_term").NotEmpty().Immutable(), // keyed hash of the bytes
		field.Bool("superseded").Default(false),            // a later capture of the same side replaced it
		field.Enum("analysis_status").Values("pending", "done", "failed").Default("pending"),
		field.String("analysis_code").Optional(), // why it failed
		field.Strings("hints").Optional(),
		sealed("analysis_sealed"),
		createdAt(), at("analyzed_at").optional(),
	}
}

// Edges of the table.
func (Capture) Edges() []ent.Edge { return ofSession("captures") }

// Indexes of the table.
func (Capture) Indexes() []ent.Index {
	return []ent.Index{index.Fields("session_id", "side"), index.Fields("digest_term")}
}

// Fingerprint is what copies of one capture are recognised by.
type Fingerprint struct{ ent.Schema }

// Fields of the table.
func (Fingerprint) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("user_id"), ref("session_id"), ref("capture_id"), ref("key_id"),
		sealed("hashes_sealed"), createdAt(),
	}
}

// Indexes of the table.
func (Fingerprint) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "created_at"), index.Fields("session_id")}
}

// Document is what one source (print, barcode, MRZ) says, or the merged best of them.
type Document struct{ ent.Schema }

// Fields of the table.
func (Document) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("session_id"),
		field.String("type").NotEmpty().Immutable(),
		field.Enum("data_source").Values("unknown", "ocr_front", "ocr_back", "pdf417", "mrz").Immutable(),
		field.Bool("merged").Default(false).Immutable(),
		sealed("fields_sealed"), createdAt(),
	}
}

// Edges of the table.
func (Document) Edges() []ent.Edge { return ofSession("documents") }

// Indexes of the table.
func (Document) Indexes() []ent.Index { return []ent.Index{index.Fields("session_id")} }

// Check is one measured (or not measured) question, as it stood when the session was decided.
type Check struct{ ent.Schema }

// Fields of the table.
func (Check) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("session_id"), field.String("name").NotEmpty().Immutable(),
		field.Enum("state").Values("pass", "fail", "review", "unavailable", "not_run").Immutable(),
		field.Float("value").Optional().Nillable().Immutable(), // 0..1, 1 = good
		field.String("reason").Optional().Immutable(),
		sealed("evidence_sealed"), createdAt(),
	}
}

// Edges of the table.
func (Check) Edges() []ent.Edge { return ofSession("checks") }

// Indexes of the table.
func (Check) Indexes() []ent.Index { return []ent.Index{index.Fields("session_id", "name").Unique()} }

// Decision is the verdict with its pieces. A session has at most one: the unique index says so.
type Decision struct{ ent.Schema }

// Fields of the table.
func (Decision) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("session_id"), ref("weights_id"),
		field.Float("score").Immutable(), field.Bool("verified").Immutable(),
		field.Enum("verdict").Values("verified", "not_verified", "review").Immutable(),
		field.Strings("reasons").Immutable(),
		field.JSON("versions", map[string]string{}).Immutable(), // models and lists that were used
		sealed("pieces_sealed"), createdAt(),
	}
}

// Edges of the table.
func (Decision) Edges() []ent.Edge {
	return []ent.Edge{edge.From("session", Session.Type).Ref("decision").Field("session_id").Unique().Required().Immutable()}
}

// History is the append-only list of what happened. It holds no personal data and outlives the person's.
type History struct{ ent.Schema }

// Fields of the table.
func (History) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("session_id"), at("at").Immutable(),
		field.String("actor").NotEmpty().Immutable(), field.String("event").NotEmpty().Immutable(),
		field.String("from").Optional().Immutable(), field.String("to").Optional().Immutable(),
		field.JSON("detail", map[string]string{}).Optional().Immutable(),
	}
}

// Edges of the table.
func (History) Edges() []ent.Edge { return ofSession("history") }

// Indexes of the table.
func (History) Indexes() []ent.Index { return []ent.Index{index.Fields("session_id", "at")} }

// Location is where the device and its address were when an image was taken.
type Location struct{ ent.Schema }

// Fields of the table.
func (Location) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("session_id"),
		field.Enum("capture_type").Values("unknown", "front_doc_image_capture", "back_doc_image_capture", "selfie_image_capture").Immutable(),
		sealed("place_sealed"), createdAt(),
	}
}

// Edges of the table.
func (Location) Edges() []ent.Edge { return ofSession("locations") }

// LivenessChallenge is one token that a device was given; it is used once.
type LivenessChallenge struct{ ent.Schema }

// Fields of the table.
func (LivenessChallenge) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("session_id"), field.Strings("steps").Optional().Immutable(),
		field.String("nonce").Optional().Immutable(),
		field.String("provider_session").Optional().Immutable(), // of a provider outside, by its own id
		sealed("outcome_sealed"),                                // what that provider answered
		createdAt(), at("expires_at").Immutable(), at("used_at").optional(),
	}
}

// Indexes of the table.
func (LivenessChallenge) Indexes() []ent.Index { return []ent.Index{index.Fields("session_id")} }

// ofSession is the edge of everything that belongs to one session.
func ofSession(ref string) []ent.Edge {
	return []ent.Edge{edge.From("session", Session.Type).Ref(ref).Field("session_id").Unique().Required().Immutable()}
}

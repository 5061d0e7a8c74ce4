package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Identity is a person whom a session verified.
type Identity struct{ ent.Schema }

// Fields of the table.
func (Identity) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("user_id"), ref("client_id"), ref("key_id"),
		sealed("person_sealed"), sealed("metadata_sealed"),
		field.Float("score").Optional().Nillable(),
		field.Int("failed_authentications").Default(0), // since the last one that succeeded, or the last block
		at("blocked_until").optional(),
		createdAt(), at("verified_at").optional(), at("anonymized_at").optional(),
	}
}

// Edges of the table.
func (Identity) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("identities").Field("user_id").Unique().Required().Immutable(),
		edge.To("sessions", Session.Type), edge.To("encodings", FaceEncoding.Type),
	}
}

// Indexes of the table.
func (Identity) Indexes() []ent.Index { return []ent.Index{index.Fields("user_id", "created_at")} }

// FaceEncoding is one face as numbers. Encodings of different encoders are never compared.
type FaceEncoding struct{ ent.Schema }

// Fields of the table.
func (FaceEncoding) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("user_id"), ref("key_id"), optionalRef("session_id"), optionalRef("identity_id"), optionalRef("capture_id"),
		field.Enum("source").Values("portrait", "selfie").Immutable(),
		field.String("encoder").NotEmpty().Immutable(),     // name@version
		field.Float("quality").Default(0).Immutable(),      // vision.Face.Quality of the picture
		field.Bool("refreshed").Default(false).Immutable(), // of a later authentication, not of the enrolment
		sealed("vector_sealed"), createdAt(),
	}
}

// Edges of the table.
func (FaceEncoding) Edges() []ent.Edge {
	return []ent.Edge{edge.From("identity", Identity.Type).Ref("encodings").Field("identity_id").Unique()}
}

// Indexes of the table.
func (FaceEncoding) Indexes() []ent.Index {
	return []ent.Index{index.Fields("session_id"), index.Fields("identity_id"), index.Fields("user_id", "encoder"), index.Fields("user_id", "created_at")}
}

// SearchTerm is one keyed hash by which a session or an identity can be found without being readable.
type SearchTerm struct{ ent.Schema }

// Fields of the table.
func (SearchTerm) Fields() []ent.Field {
	return []ent.Field{
		ref("user_id"),
		field.Enum("owner").Values("session", "identity").Immutable(), ref("owner_id"),
		field.String("field").NotEmpty().Immutable(), field.String("term").NotEmpty().Immutable(),
	}
}

// Indexes of the table.
func (SearchTerm) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "owner", "field", "term"),
		index.Fields("owner", "owner_id", "field", "term").Unique(),
	}
}

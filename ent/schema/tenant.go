package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// User is the organisation that owns the data.
type User struct{ ent.Schema }

// Fields of the table.
func (User) Fields() []ent.Field {
	return []ent.Field{id(), field.String("name").NotEmpty(), createdAt()}
}

// Edges of the table.
func (User) Edges() []ent.Edge {
	return []ent.Edge{edge.To("clients", OAuthClient.Type), edge.To("sessions", Session.Type), edge.To("identities", Identity.Type)}
}

// OAuthClient is one integration of a user; it authenticates with a secret of which only a hash is kept.
type OAuthClient struct{ ent.Schema }

// Fields of the table.
func (OAuthClient) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("user_id"), ref("key_id"),
		field.String("name").NotEmpty(),
		field.Bytes("secret_hash").Sensitive(),
		sealed("webhook_secret_sealed"),                          // signs what goes to a session's own webhook_url
		field.Strings("scopes").Optional(),                       // what it may ask for; none named: everything but sdk
		field.Strings("origins").Optional(),                      // web origins from which its SDK may call (CORS)
		field.Float("requests_per_second").Optional().Nillable(), // its own rate limit; null: the installation's
		field.String("external_id").Optional().Nillable(),        // what an external issuer calls it
		createdAt(), at("revoked_at").optional(),
	}
}

// Edges of the table.
func (OAuthClient) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("clients").Field("user_id").Unique().Required().Immutable(),
		edge.To("sessions", Session.Type), edge.To("webhooks", Webhook.Type),
	}
}

// Annotations name the table; "Client" itself is taken by ent.
func (OAuthClient) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("clients")}
}

// Indexes of the table.
func (OAuthClient) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id"), index.Fields("external_id").Unique()}
}

// DataKey is one wrapped data key. Destroying it (wrapped = null) makes everything sealed with it
// unreadable for ever, in every backup too.
type DataKey struct{ ent.Schema }

// Fields of the table.
func (DataKey) Fields() []ent.Field {
	return []ent.Field{
		id(), field.Enum("purpose").Values("client", "session", "identity").Immutable(),
		field.Bytes("wrapped").Optional().Sensitive(), createdAt(), at("destroyed_at").optional(),
	}
}

// SystemKey is a key of the installation itself, wrapped by the master key: token signing, blind indexes.
type SystemKey struct{ ent.Schema }

// Fields of the table.
func (SystemKey) Fields() []ent.Field {
	return []ent.Field{
		id(), field.String("purpose").NotEmpty().Immutable(),
		field.Bytes("wrapped").Sensitive(), createdAt(), at("retired_at").optional(),
	}
}

// Indexes of the table.
func (SystemKey) Indexes() []ent.Index { return []ent.Index{index.Fields("purpose")} }

// WeightsVersion is one immutable set of weights and tolerances: client over user over default.
type WeightsVersion struct{ ent.Schema }

// Fields of the table.
func (WeightsVersion) Fields() []ent.Field {
	return []ent.Field{
		id(), optionalRef("user_id"), optionalRef("client_id"),
		field.Bytes("values").Immutable(), // JSON, kept as the bytes that were validated
		createdAt(),
	}
}

// Indexes of the table.
func (WeightsVersion) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "client_id", "created_at")}
}

// Requirement says which fields a document of one type and source must hold.
type Requirement struct{ ent.Schema }

// Fields of the table.
func (Requirement) Fields() []ent.Field {
	return []ent.Field{
		id(), optionalRef("user_id"), optionalRef("client_id"),
		field.String("type").NotEmpty(), field.String("data_source").NotEmpty(),
		field.Strings("required"), at("updated_at"),
	}
}

// Indexes of the table.
func (Requirement) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "client_id", "type", "data_source")}
}

// IdempotencyKey keeps what the first request under a key came to, so that a repeated one gets the same
// answer. An effect's row is written by the transaction of the effect.
type IdempotencyKey struct{ ent.Schema }

// Fields of the table.
func (IdempotencyKey) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("user_id"), ref("client_id"), // the tenant: nobody else ever gets this answer
		field.String("route").NotEmpty().Immutable(),
		field.String("key_hash").NotEmpty().Immutable(),
		field.String("body_hash").NotEmpty().Immutable(),
		field.Bool("effect").Immutable(), // false: the answer to a question, which holds what was asked for
		sealed("answer_sealed"), createdAt(), at("expires_at").Immutable(),
	}
}

// Indexes of the table.
func (IdempotencyKey) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("client_id", "route", "key_hash").Unique(), index.Fields("expires_at"), index.Fields("user_id", "effect"),
	}
}

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Outbox is the work that the database knows must be done. The row is written in the transaction that
// made the work necessary; the queue only carries its id. A row is finished when done_at is set, by the
// transaction that holds the effect.
type Outbox struct{ ent.Schema }

// Fields of the table.
func (Outbox) Fields() []ent.Field {
	return []ent.Field{
		id(), field.String("kind").NotEmpty().Immutable(), // area:verb
		ref("subject_id"), optionalRef("session_id"),
		field.Int("sent").Default(0),   // how often it was put on the queue
		field.Int("starts").Default(0), // how often a worker began it
		at("next_at"),                  // when it is due (again)
		createdAt(), at("done_at").optional(),
		field.String("code").Optional(),                   // the last failure's code
		field.String("request_id").Optional().Immutable(), // of the request that made the work, for the log
	}
}

// Indexes of the table.
func (Outbox) Indexes() []ent.Index {
	return []ent.Index{index.Fields("done_at", "next_at"), index.Fields("subject_id", "kind")}
}

// Webhook is an endpoint that a client registered.
type Webhook struct{ ent.Schema }

// Fields of the table.
func (Webhook) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("user_id"), ref("client_id"), ref("key_id"),
		field.String("name").NotEmpty(), sealed("url_sealed"), sealed("secret_sealed"),
		createdAt(), at("failing_since").optional(), at("disabled_at").optional(), at("deleted_at").optional(),
	}
}

// Edges of the table.
func (Webhook) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("client", OAuthClient.Type).Ref("webhooks").Field("client_id").Unique().Required().Immutable(),
		edge.To("deliveries", Delivery.Type),
	}
}

// Indexes of the table.
func (Webhook) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id"), index.Fields("client_id")}
}

// Delivery is one event on its way to one endpoint. The event id stays the same over all tries.
type Delivery struct{ ent.Schema }

// Fields of the table.
func (Delivery) Fields() []ent.Field {
	return []ent.Field{
		id(), ref("client_id"), optionalRef("webhook_id"), optionalRef("session_id"), // no webhook: the session's own webhook_url
		field.String("event_id").NotEmpty().Immutable(), field.String("event_type").NotEmpty().Immutable(),
		field.Bytes("body").Immutable(), // thin: ids, states and times, nothing of the person
		field.Enum("status").Values("pending", "delivered", "failed").Default("pending"),
		field.Int("attempts").Default(0), field.Int("last_status").Optional(), field.String("last_code").Optional(),
		createdAt(), at("delivered_at").optional(),
	}
}

// Edges of the table.
func (Delivery) Edges() []ent.Edge {
	return []ent.Edge{edge.From("webhook", Webhook.Type).Ref("deliveries").Field("webhook_id").Unique()}
}

// Indexes of the table.
func (Delivery) Indexes() []ent.Index {
	return []ent.Index{index.Fields("webhook_id", "status"), index.Fields("session_id"), index.Fields("event_id", "webhook_id").Unique()}
}

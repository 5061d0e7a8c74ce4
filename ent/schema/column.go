// Package schema describes the tables by hand; everything else below ent is generated from it.
//
// Three kinds of column hold what a person would call theirs, and none of them is plain text:
// "…_sealed" columns are encrypted with the data key that the row names, "term" columns are keyed
// blind indexes, and everything else is a fact about the process (an id, a time, a state, a count).
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/schema/field"
)

// id is a UUIDv7 in its text form, given by the caller: rows sort by the time they were made.
func id() ent.Field {
	return field.String("id").MaxLen(36).NotEmpty().Immutable()
}

// ref is a column that holds another row's id.
func ref(name string) ent.Field { return field.String(name).MaxLen(36).NotEmpty().Immutable() }

// optionalRef may be set later, or never.
func optionalRef(name string) ent.Field {
	return field.String(name).MaxLen(36).Optional().Nillable()
}

// createdAt is given by the caller's clock, never by the database's.
func createdAt() ent.Field { return at("created_at").Immutable() }

func at(name string) timeField {
	return timeField{field.Time(name).SchemaType(map[string]string{dialect.Postgres: "timestamptz"})}
}

// sealed is ciphertext: AES-256-GCM under the row's data key, bound to table, column and row.
func sealed(name string) ent.Field {
	return field.Bytes(name).Optional().Sensitive()
}

// timeField lets a time column read as a sentence: at("x").optional().
type timeField struct {
	builder interface{ Descriptor() *field.Descriptor }
}

// Descriptor implements ent.Field.
func (f timeField) Descriptor() *field.Descriptor { return f.builder.Descriptor() }

// Immutable marks a time that is written once.
func (f timeField) Immutable() timeField { f.Descriptor().Immutable = true; return f }

func (f timeField) optional() timeField {
	d := f.Descriptor()
	d.Optional, d.Nillable = true, true
	return f
}

// Package ent is the database: the schema is written by hand in ent/schema, everything else in this
// folder is generated from it, except ent/database (opening and migrating) and ent/migrate/versions.
package ent

//go:generate go tool ent generate --feature sql/lock,sql/upsert,sql/modifier,sql/execquery,sql/versioned-migration ./schema

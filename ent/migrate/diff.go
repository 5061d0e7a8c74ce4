//go:build ignore

// Diff writes the next migration, for both databases, from what the migrations so far build up to what
// ent/schema describes: go run ent/migrate/diff.go NAME. KYCD_DEV_POSTGRES names an empty database
// to replay the PostgreSQL migrations on (.ci/services gives one).
package main

import (
	"context"
	"database/sql"
	"log"
	"os"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	atlas "ariga.io/atlas/sql/migrate"

	"kycd/ent/migrate"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: go run ent/migrate/diff.go NAME")
	}
	name := os.Args[1]
	lite, err := sql.Open("sqlite", "file:diff?mode=memory&cache=shared&_pragma=foreign_keys(1)")
	if err != nil {
		log.Fatal(err)
	}
	defer lite.Close()
	diff(lite, dialect.SQLite, "ent/migrate/versions/sqlite", name)

	url := os.Getenv("KYCD_DEV_POSTGRES")
	if url == "" {
		log.Fatal("KYCD_DEV_POSTGRES is not set: the PostgreSQL migration was not written")
	}
	pg, err := sql.Open("pgx", url)
	if err != nil {
		log.Fatal(err)
	}
	defer pg.Close()
	diff(pg, dialect.Postgres, "ent/migrate/versions/postgres", name)
}

func diff(db *sql.DB, name, dir, label string) {
	d, err := atlas.NewLocalDir(dir)
	if err != nil {
		log.Fatal(err)
	}
	err = migrate.NewSchema(entsql.OpenDB(name, db)).NamedDiff(context.Background(), label,
		schema.WithDir(d), schema.WithMigrationMode(schema.ModeReplay), schema.WithDialect(name),
		schema.WithFormatter(atlas.DefaultFormatter), schema.WithDropColumn(true), schema.WithDropIndex(true))
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
}

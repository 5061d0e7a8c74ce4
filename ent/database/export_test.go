package database

import "context"

// MigrateSome applies at most n migrations, as an older program would have.
func (d *Database) MigrateSome(ctx context.Context, n int) ([]string, error) {
	return d.migrate(ctx, n)
}

// Exec runs one statement on the writer.
func (d *Database) Exec(ctx context.Context, statement string) error {
	_, err := d.writer.ExecContext(ctx, statement)
	return err
}

// Package versions holds the migrations, one folder per database, as files in the binary.
package versions

import "embed"

// Files are the SQL files and the checksum of each folder.
//
//go:embed sqlite/* postgres/*
var Files embed.FS

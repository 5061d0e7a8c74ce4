package main

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"kycd/models"
	"kycd/vision/engine"
)

// defaultModels is where the weights are looked for: KYCD_MODELS, else data/models in the working directory, else
// data/models beside the folder that this program lies in.
func defaultModels() string {
	if dir := os.Getenv("KYCD_MODELS"); dir != "" {
		return dir
	}
	here := filepath.Join("data", "models")
	if _, err := os.Stat(here); err == nil {
		return here
	}
	if program, err := os.Executable(); err == nil {
		return filepath.Join(filepath.Dir(filepath.Dir(program)), here)
	}
	return here
}

// openEngine loads the engine for a command that somebody runs by hand, and fetches the weights first if the
// required ones are not there: nobody should have to start the server in order to look at a picture.
func openEngine(ctx context.Context, dir string, slots int, progress io.Writer) (*engine.Engine, error) {
	report, err := models.Inspect(ctx, dir)
	if err != nil {
		return nil, err
	}
	if report.Err() != nil {
		_, err := models.Fetch(ctx, models.Options{
			Dir: dir, Mirror: mirror(), Cache: os.Getenv("KYCD_MODELS_CACHE"), Progress: progress,
		})
		if err != nil {
			return nil, err
		}
	}
	return engine.New(ctx, engine.Config{ModelsDir: dir, Slots: slots})
}

// mirror is KYCD_MODELS_MIRROR, or the folder beside the project that this program was built in, wherever it is
// called from.
func mirror() string {
	if named := os.Getenv("KYCD_MODELS_MIRROR"); named != "" {
		return named
	}
	if program, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(program))), "shared", "models")
		if info, err := os.Stat(beside); err == nil && info.IsDir() {
			return beside
		}
	}
	return ""
}

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"kycd/kyc/specimen"
)

// writePictures writes what the demo's person would photograph, for whoever tries the API by hand.
func (o *demoOptions) writePictures(ctx context.Context, out io.Writer) error {
	cast, err := o.cast(ctx, out)
	if err != nil {
		return err
	}
	cases, err := demoCases(cast, time.Now())
	if err != nil {
		return err
	}
	press, err := specimen.NewPress()
	if err != nil {
		return err
	}
	front, back, err := demoStudio{press: press, portrait: cast.portrait}.photograph(cases[0].licence, demoSeed)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.pictures, 0o700); err != nil {
		return err
	}
	for _, picture := range []struct {
		name    string
		content []byte
	}{
		{"front.jpg", front}, {"back.jpg", back}, {"selfie.jpg", cast.holder}, {"later.jpg", cast.later}, {"other.jpg", cast.other},
	} {
		path := filepath.Join(o.pictures, picture.name)
		if err := os.WriteFile(path, picture.content, 0o600); err != nil {
			return err
		}
		fmt.Fprintln(out, path)
	}
	return nil
}

package main_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"testing"
	"time"

	"kycd/kyc/specimen"
	"kycd/models"
)

// portraitFile is a photo of several people in a package of npm; portraitFace is where one of them looks
// into the camera.
const portraitFile = "demo/sample6.jpg"

func portraitFace() image.Rectangle { return image.Rect(662, 342, 662+203, 342+290) }

// newPortrait cuts the holder's picture out of the photo, which is no part of this project.
func newPortrait(t testing.TB) image.Image {
	t.Helper()
	b, err := models.NPMFile(t.Context(), models.Options{Dir: t.TempDir()}, "@vladmandic/face-api", portraitFile)
	if err != nil {
		lacks(t, "needs weights: the npm package with the photos: "+err.Error())
	}
	photo, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	portrait, err := specimen.HeadAndShoulders(photo, portraitFace())
	if err != nil {
		t.Fatal(err)
	}
	return portrait
}

// newLicence draws a fictional licence of the holder, photographs both sides, and takes a selfie.
func newLicence(t testing.TB, seed uint64) (papers, specimen.Document) {
	t.Helper()
	portrait := newPortrait(t)
	rng, now := rand.New(rand.NewPCG(seed, 0)), time.Now()
	d := specimen.RandomDocument(rng, specimen.DriverLicense, specimen.RandomPersonOf(rng, specimen.Female, now), now)
	press, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	front, err := press.Front(d, portrait)
	if err != nil {
		t.Fatal(err)
	}
	back, err := press.Back(d)
	if err != nil {
		t.Fatal(err)
	}
	shoot := func(side image.Image, seed uint64) []byte {
		photo, err := specimen.Photograph(side, specimen.Clean(seed))
		if err != nil {
			t.Fatal(err)
		}
		return photo.JPEG
	}
	selfie, err := specimen.Selfie(portrait, specimen.AtArmsLength(seed))
	if err != nil {
		t.Fatal(err)
	}
	return papers{kind: string(d.Type), front: shoot(front, 2*seed), back: shoot(back, 2*seed+1), selfie: selfie.JPEG}, d
}

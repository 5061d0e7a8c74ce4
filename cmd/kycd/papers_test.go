package main_test

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"testing"
	"time"

	"kycd/kyc/specimen"
	"kycd/models"
)

// The holder in a photograph of a package of npm: the face that is printed, and what is cut out as the selfie. Whoever
// measures liveness, by the networks or by their stand-in, takes it for a live person.
const portraitFile, selfieFile = "demo/sample3.jpg", "demo/sample3.jpg"

func portraitFace() image.Rectangle { return image.Rect(1082, 220, 1310, 512) }
func selfieCut() image.Rectangle    { return image.Rect(846, 0, 1546, 880) }

// photo fetches one of the photographs, which are no part of this project.
func photo(t testing.TB, file string) image.Image {
	t.Helper()
	b, err := models.NPMFile(t.Context(), models.Options{Dir: t.TempDir()}, "@vladmandic/face-api", file)
	if err != nil {
		lacks(t, "needs weights: the npm package with the photos: "+err.Error())
	}
	picture, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// newSelfie cuts the holder's selfie out.
func newSelfie(t testing.TB) []byte {
	t.Helper()
	cut := selfieCut()
	selfie := image.NewRGBA(image.Rect(0, 0, cut.Dx(), cut.Dy()))
	draw.Draw(selfie, selfie.Rect, photo(t, selfieFile), cut.Min, draw.Src)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, selfie, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// newLicence draws a fictional licence of the holder, photographs both sides, and takes a selfie.
func newLicence(t testing.TB, seed uint64) (papers, specimen.Document) {
	t.Helper()
	portrait, err := specimen.HeadAndShoulders(photo(t, portraitFile), portraitFace())
	if err != nil {
		t.Fatal(err)
	}
	made, d := licenceOf(t, portrait, seed)
	made.selfie = newSelfie(t)
	return made, d
}

// licenceOf draws a fictional licence of whom a portrait shows, and photographs both sides.
func licenceOf(t testing.TB, portrait image.Image, seed uint64) (papers, specimen.Document) {
	t.Helper()
	// The person and the number are the same every day; the card was issued a while ago and is valid for some years.
	rng, drawn := rand.New(rand.NewPCG(seed, 0)), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	d := specimen.RandomDocument(rng, specimen.DriverLicense, specimen.RandomPersonOf(rng, specimen.Female, drawn), drawn)
	year := time.Now().Year()
	d.Person.BirthDate = fmt.Sprintf("%d-05-17", year-28) // as old as the face looks
	d.IssuedAt, d.ExpiresAt = fmt.Sprintf("%d-03-04", year-3), fmt.Sprintf("%d-03-04", year+5)
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
	return papers{kind: string(d.Type), front: shoot(front, 2*seed), back: shoot(back, 2*seed+1)}, d
}

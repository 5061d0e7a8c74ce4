package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // formats that a portrait may have
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kycd/kyc/specimen"
)

// specimenOptions are the flags of kycd specimen.
type specimenOptions struct {
	kind, scene, out      string
	portrait, face        string
	sex, born, today      string
	overprint             string
	seed                  uint64
	count                 int
	mismatchName, expired bool
}

// specimenCommand draws fictional identity documents with known truth.
func specimenCommand() *cobra.Command {
	var options specimenOptions
	command := &cobra.Command{
		Use:   "specimen",
		Short: "Draw fictional identity documents with known truth, as a phone would photograph them",
		Long: `Draws documents of an invented state or country around a portrait and writes, for each, into OUT/TYPE-SEED/:
front and back as JPEG photographs (as PNG prints with --scene none), a selfie of the same portrait, and truth.json
with every field, the barcode's payload or the machine-readable zone, and the document's corners in each photograph.

Without --portrait a drawn cartoon silhouette is printed; no face will be found in it, and no selfie is written.
The same flags and seed give the same files, --today included.`,
		Example: `  kycd specimen --type driver_license --portrait me.jpg --out /tmp/specimens
  kycd specimen --type passport --portrait group.jpg --face 1210,330,180,220 --scene clean --seed 7
  kycd specimen --type driver_license --portrait me.jpg --mismatch-name`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			command.SilenceUsage = true
			return options.run(command.OutOrStdout())
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.kind, "type", string(specimen.DriverLicense), "driver_license, identification_card, passport or passport_card")
	flags.StringVar(&options.portrait, "portrait", "", "JPEG or PNG of the holder, head and shoulders (default: a drawn silhouette)")
	flags.StringVar(&options.face, "face", "", "X,Y,W,H of the face in the portrait file, to cut head and shoulders around it")
	flags.StringVar(&options.out, "out", "specimens", "folder to write into")
	flags.Uint64Var(&options.seed, "seed", 1, "seed of the first document; the next ones count up")
	flags.IntVar(&options.count, "count", 1, "number of documents")
	flags.StringVar(&options.scene, "scene", "handheld", "clean, handheld, poor, or none for the flat print")
	flags.StringVar(&options.sex, "sex", "", "male or female (default: by chance)")
	flags.StringVar(&options.born, "born", "", "the holder's birth date, YYYY-MM-DD (default: by chance)")
	flags.StringVar(&options.today, "today", "", "the date that the documents are valid at, YYYY-MM-DD (default: today)")
	flags.BoolVar(&options.mismatchName, "mismatch-name", false, "print another last name than the barcode or zone says")
	flags.BoolVar(&options.expired, "expired", false, "let the documents have run out")
	flags.StringVar(&options.overprint, "overprint", "", "word to print across the front, such as SPECIMEN")
	return command
}

func (o specimenOptions) run(progress io.Writer) error {
	now := time.Now().UTC()
	if o.today != "" {
		date, err := time.Parse(time.DateOnly, o.today)
		if err != nil {
			return errors.New("--today is no date of the form YYYY-MM-DD")
		}
		now = date
	}
	if o.count < 1 || o.count > 10000 {
		return errors.New("--count must be between 1 and 10000")
	}
	portrait, err := o.readPortrait()
	if err != nil {
		return err
	}
	press, err := specimen.NewPress()
	if err != nil {
		return err
	}
	for i := range o.count {
		seed := o.seed + uint64(i)
		started := time.Now()
		folder, err := o.writeOne(press, portrait, seed, now)
		if err != nil {
			return err
		}
		fmt.Fprintf(progress, "%d/%d %s (%d ms)\n", i+1, o.count, folder, time.Since(started).Milliseconds())
	}
	return nil
}

// document invents the document of one seed.
func (o specimenOptions) document(seed uint64, now time.Time) (specimen.Document, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	person := specimen.RandomPerson(rng, now)
	switch o.sex {
	case "":
	case string(specimen.Male), string(specimen.Female):
		person = specimen.RandomPersonOf(rng, specimen.Sex(o.sex), now)
	default:
		return specimen.Document{}, errors.New("--sex must be male or female")
	}
	if o.born != "" {
		person.BirthDate = o.born
	}
	document := specimen.RandomDocument(rng, specimen.Type(o.kind), person, now)
	document.Overprint = strings.ToUpper(o.overprint)
	if o.mismatchName {
		document = specimen.WithOtherName(document, rng)
	}
	if o.expired {
		return specimen.Expired(document, now)
	}
	return document, document.Validate()
}

// writeOne writes the files of one seed and returns their folder.
func (o specimenOptions) writeOne(press *specimen.Press, portrait image.Image, seed uint64, now time.Time) (string, error) {
	document, err := o.document(seed, now)
	if err != nil {
		return "", err
	}
	truth, err := document.Truth()
	if err != nil {
		return "", err
	}
	truth.Sides = map[string]specimen.View{}
	folder := filepath.Join(o.out, fmt.Sprintf("%s-%d", o.kind, seed))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	shown := portrait
	if shown == nil {
		shown = specimen.Silhouette()
	}
	front, err := press.Front(document, shown)
	if err != nil {
		return "", err
	}
	if truth.Sides["front"], err = o.writeSide(folder, "front", front, 2*seed); err != nil {
		return "", err
	}
	if document.Type.HasBack() {
		back, err := press.Back(document)
		if err != nil {
			return "", err
		}
		if truth.Sides["back"], err = o.writeSide(folder, "back", back, 2*seed+1); err != nil {
			return "", err
		}
	}
	if portrait != nil {
		selfie, err := specimen.Selfie(portrait, specimen.AtArmsLength(seed))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(folder, "selfie.jpg"), selfie.JPEG, 0o600); err != nil {
			return "", err
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // a zone is full of <
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(truth); err != nil {
		return "", err
	}
	return folder, os.WriteFile(filepath.Join(folder, "truth.json"), text.Bytes(), 0o600)
}

// writeSide writes one side as the scene wants it.
func (o specimenOptions) writeSide(folder, side string, print image.Image, seed uint64) (specimen.View, error) {
	var scene specimen.Scene
	switch o.scene {
	case "clean":
		scene = specimen.Clean(seed)
	case "handheld":
		scene = specimen.Handheld(seed)
	case "poor":
		scene = specimen.Poor(seed)
	case "none":
		var encoded bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&encoded, print); err != nil {
			return specimen.View{}, err
		}
		return specimen.FlatView(side+".png", print), os.WriteFile(filepath.Join(folder, side+".png"), encoded.Bytes(), 0o600)
	default:
		return specimen.View{}, errors.New("--scene must be clean, handheld, poor or none")
	}
	photo, err := specimen.Photograph(print, scene)
	if err != nil {
		return specimen.View{}, err
	}
	return photo.View(side + ".jpg"), os.WriteFile(filepath.Join(folder, side+".jpg"), photo.JPEG, 0o600)
}

// mostPortraitPixels keeps a wrong file from filling the memory.
const mostPortraitPixels = 60_000_000

// readPortrait reads the portrait, cut to head and shoulders where a face is given; nil if there is none.
func (o specimenOptions) readPortrait() (image.Image, error) {
	if o.portrait == "" {
		return nil, nil
	}
	file, err := os.Open(o.portrait)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, _, err := image.DecodeConfig(file)
	if err != nil {
		return nil, errors.New("--portrait is no JPEG or PNG")
	}
	if size.Height > 0 && size.Width > mostPortraitPixels/size.Height {
		return nil, errors.New("--portrait has too many pixels")
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	portrait, _, err := image.Decode(file)
	if err != nil {
		return nil, errors.New("--portrait cannot be decoded")
	}
	if o.face == "" {
		return portrait, nil
	}
	face, err := parseFace(o.face)
	if err != nil {
		return nil, err
	}
	return specimen.HeadAndShoulders(portrait, face)
}

// parseFace reads X,Y,W,H.
func parseFace(text string) (image.Rectangle, error) {
	wrong := errors.New("--face must be X,Y,W,H in pixels")
	parts := strings.Split(text, ",")
	if len(parts) != 4 {
		return image.Rectangle{}, wrong
	}
	var numbers [4]int
	for i, part := range parts {
		number, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || number < 0 || number > 100_000 {
			return image.Rectangle{}, wrong
		}
		numbers[i] = number
	}
	return image.Rect(numbers[0], numbers[1], numbers[0]+numbers[2], numbers[1]+numbers[3]), nil
}

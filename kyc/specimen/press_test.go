package specimen

import (
	"errors"
	"hash/maphash"
	"image"
	"image/color"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"kycd/kyc/aamva"
	"kycd/kyc/mrz"
)

func today() time.Time { return time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC) }

func invented(kind Type, seed uint64) Document {
	rng := rand.New(rand.NewPCG(seed, 0))
	return RandomDocument(rng, kind, RandomPerson(rng, today()), today())
}

func newPress(t testing.TB) *Press {
	t.Helper()
	press, err := NewPress()
	if err != nil {
		t.Fatal(err)
	}
	return press
}

func front(t testing.TB, d Document) *image.RGBA {
	t.Helper()
	img, err := newPress(t).Front(d, Silhouette())
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func back(t testing.TB, d Document) *image.RGBA {
	t.Helper()
	img, err := newPress(t).Back(d)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func codeOf(err error) Code {
	var known *Error
	if errors.As(err, &known) {
		return known.Code
	}
	return ""
}

func TestSidesHaveTheSizeOfTheirStandard(t *testing.T) {
	for _, kind := range Types() {
		want := image.Rect(0, 0, 1517, 956)
		if kind == Passport {
			want = image.Rect(0, 0, 2215, 1559)
		}
		d := invented(kind, 1)
		if got := front(t, d).Bounds(); got != want {
			t.Errorf("%s front is %v, want %v", kind, got, want)
		}
		_, err := newPress(t).Back(d)
		if kind == Passport {
			if codeOf(err) != CodeNoSuchSide {
				t.Errorf("passport back: %v", err)
			}
		} else if err != nil {
			t.Errorf("%s back: %v", kind, err)
		}
	}
}

func TestSameArgumentsGiveSameBytes(t *testing.T) {
	seed := maphash.MakeSeed()
	render := func(documentSeed, sceneSeed uint64) uint64 {
		photo, err := Photograph(back(t, invented(DriverLicense, documentSeed)), Handheld(sceneSeed))
		if err != nil {
			t.Fatal(err)
		}
		return maphash.Bytes(seed, photo.JPEG)
	}
	first := render(5, 9)
	cores := runtime.GOMAXPROCS(1)
	again := render(5, 9)
	runtime.GOMAXPROCS(cores)
	if first != again {
		t.Error("the same seeds gave different photographs")
	}
	if render(5, 10) == first || render(6, 9) == first {
		t.Error("another seed gave the same photograph")
	}
	print := front(t, invented(Passport, 5))
	if maphash.Bytes(seed, print.Pix) != maphash.Bytes(seed, front(t, invented(Passport, 5)).Pix) {
		t.Error("the same document was printed differently")
	}
}

func TestBarcodeTellsTheTruth(t *testing.T) {
	for seed := range uint64(40) {
		for _, kind := range []Type{DriverLicense, IdentificationCard} {
			d := invented(kind, seed)
			truth, err := d.Truth()
			if err != nil {
				t.Fatal(err)
			}
			payload, err := aamva.Parse([]byte(truth.Barcode))
			if err != nil {
				t.Fatal(err)
			}
			if len(payload.Repairs)+len(payload.Errors) > 0 {
				t.Errorf("%s %d: payload needs repair: %v %v", kind, seed, payload.Repairs, payload.Errors)
			}
			got := payload.Fields()
			for field, want := range map[string]string{
				"document_number": truth.DocumentNumber, "ref_number": truth.RefNumber, "issued_at": truth.IssuedAt,
				"expires_at": truth.ExpiresAt, "issuing_country": truth.IssuingCountry, "issuing_state": truth.IssuingState,
				"first_name": truth.FirstName, "middle_name": truth.MiddleName, "last_name": truth.LastName,
				"name_suffix": truth.NameSuffix, "street": truth.Street, "city": truth.City, "state": truth.State,
				"postal_code": truth.PostalCode, "birth_date": truth.BirthDate, "gender": string(truth.Gender),
				"height": truth.Height, "weight": truth.Weight, "eye_color": truth.EyeColor, "hair_color": truth.HairColor,
				"class": truth.Class, "restrictions": truth.Restrictions, "endorsements": truth.Endorsements,
			} {
				if got[field] != want {
					t.Errorf("%s %d: barcode says %s %q, truth %q", kind, seed, field, got[field], want)
				}
			}
		}
	}
}

func TestZoneTellsTheTruth(t *testing.T) {
	for seed := range uint64(40) {
		for _, kind := range []Type{Passport, PassportCard} {
			truth, err := invented(kind, seed).Truth()
			if err != nil {
				t.Fatal(err)
			}
			zone, err := mrz.Parse(truth.MRZ, today())
			if err != nil {
				t.Fatal(err)
			}
			if !zone.Valid || len(zone.Repairs) > 0 {
				t.Errorf("%s %d: check digits %v, repairs %v", kind, seed, zone.CheckDigits, zone.Repairs)
			}
			// A TD1 has room for 30 characters of name; what does not fit is cut at the end.
			given := strings.TrimSpace(truth.FirstName + " " + truth.MiddleName)
			if zone.Number != truth.DocumentNumber || zone.BirthDate != truth.BirthDate || zone.ExpiresAt != truth.ExpiresAt ||
				zone.Surname != truth.LastName || !strings.HasPrefix(given, zone.GivenNames) || zone.Issuer != truth.IssuingCountry {
				t.Errorf("%s %d: zone %+v, truth %+v", kind, seed, zone, truth)
			}
		}
	}
}

// readBarcode reads the modules of the PDF417 off the printed side: it finds the start pattern and steps on from there.
func readBarcode(t *testing.T, img *image.RGBA) symbol {
	t.Helper()
	dark := func(x, y int) bool { return color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y < 100 }
	probe := pixels(14)
	left := 0
	for left < img.Rect.Dx() && !dark(left, probe) {
		left++
	}
	end := left
	for end < img.Rect.Dx() && dark(end, probe) {
		end++
	}
	module := (end - left) / 8
	if module < 3 || (end-left)%8 != 0 {
		t.Fatalf("start pattern's first bar is %d pixels", end-left)
	}
	top := probe
	for top > 0 && dark(left, top-1) {
		top--
	}
	var rows symbol
	for y := top + module/2; dark(left, y); y += module * barcodeRow {
		var row []bool
		for x := left + module/2; x < img.Rect.Dx()-left; x += module {
			row = append(row, dark(x, y))
		}
		rows = append(rows, row)
	}
	return rows
}

func TestPrintedBarcodeHoldsThePayload(t *testing.T) {
	for seed := range uint64(3) {
		d := invented(DriverLicense, seed)
		want, err := d.Barcode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodePDF417(readBarcode(t, back(t, d)), barcodeCorrection)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("printed %q, want %q", got, want)
		}
	}
}

func TestPrintedOverridesChangeTheVisibleSideAlone(t *testing.T) {
	d := invented(DriverLicense, 3)
	forged := WithOtherName(d, rand.New(rand.NewPCG(1, 1)))
	if forged.Printed[FieldLast] == d.Person.Last || forged.Printed[FieldLast] == "" {
		t.Fatalf("printed name %q", forged.Printed[FieldLast])
	}
	a, _ := d.Barcode()
	b, err := forged.Barcode()
	if err != nil || a != b {
		t.Error("the barcode changed with the printed name")
	}
	// Only the row of the last name may differ, right of the portrait, and the signature below it.
	honest, lie := front(t, d), front(t, forged)
	changed := 0
	for y := range honest.Rect.Dy() {
		for x := range honest.Rect.Dx() {
			if honest.RGBAAt(x, y) == lie.RGBAAt(x, y) {
				continue
			}
			changed++
			row := y >= pixels(21) && y <= pixels(26.5) && x > pixels(30)
			scrawl := x < pixels(30) && y > pixels(43)
			if !row && !scrawl {
				t.Fatalf("pixel %d,%d changed", x, y)
			}
		}
	}
	if changed < 1000 {
		t.Errorf("only %d pixels changed", changed)
	}
}

func TestExpiredRanOut(t *testing.T) {
	for _, kind := range Types() {
		d, err := Expired(invented(kind, 2), today())
		if err != nil {
			t.Fatal(err)
		}
		if d.ExpiresAt >= today().Format(time.DateOnly) || d.IssuedAt >= d.ExpiresAt || d.IssuedAt <= d.Person.BirthDate {
			t.Errorf("%s: born %s, issued %s, expires %s", kind, d.Person.BirthDate, d.IssuedAt, d.ExpiresAt)
		}
	}
}

func TestOverprintIsOptional(t *testing.T) {
	d := invented(PassportCard, 4)
	plain := front(t, d)
	d.Overprint = "SPECIMEN"
	marked := front(t, d)
	differing := 0
	for i := 0; i < len(plain.Pix); i += 4 {
		if plain.Pix[i] != marked.Pix[i] || plain.Pix[i+1] != marked.Pix[i+1] {
			differing++
		}
	}
	if share := float64(differing) / float64(len(plain.Pix)/4); share < 0.02 || share > 0.4 {
		t.Errorf("overprint covers %.3f of the front", share)
	}
	d.Overprint = "ÄÖÜ"
	if _, err := newPress(t).Front(d, Silhouette()); codeOf(err) != CodeFieldUnprintable {
		t.Errorf("overprint with marks: %v", err)
	}
}

func TestBadInputIsRefusedByCode(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Document)
		want   Code
	}{
		"unknown type":           {func(d *Document) { d.Type = "library_card" }, CodeTypeUnknown},
		"no type":                {func(d *Document) { d.Type = "" }, CodeTypeUnknown},
		"no last name":           {func(d *Document) { d.Person.Last = "" }, CodeFieldMissing},
		"long last name":         {func(d *Document) { d.Person.Last = strings.Repeat("A", 41) }, CodeFieldTooLong},
		"wide names":             {func(d *Document) { d.Person.First, d.Person.Middle = strings.Repeat("W", 40), strings.Repeat("W", 40) }, CodeFieldTooLong},
		"small letters":          {func(d *Document) { d.Person.First = "Orson" }, CodeFieldUnprintable},
		"control character":      {func(d *Document) { d.Person.Last = "A\nB" }, CodeFieldUnprintable},
		"blank at the end":       {func(d *Document) { d.Person.Last = "A " }, CodeFieldUnprintable},
		"no number":              {func(d *Document) { d.Number = "" }, CodeFieldMissing},
		"birth not a date":       {func(d *Document) { d.Person.BirthDate = "2001-02-30" }, CodeFieldOutOfRange},
		"issued before birth":    {func(d *Document) { d.IssuedAt = "1900-01-01" }, CodeDatesOutOfOrder},
		"expires before issue":   {func(d *Document) { d.ExpiresAt = d.IssuedAt }, CodeDatesOutOfOrder},
		"no sex":                 {func(d *Document) { d.Person.Sex = "" }, CodeFieldOutOfRange},
		"too tall":               {func(d *Document) { d.Person.HeightInches = 120 }, CodeFieldOutOfRange},
		"weightless":             {func(d *Document) { d.Person.WeightPounds = 0 }, CodeFieldOutOfRange},
		"unknown printed field":  {func(d *Document) { d.Printed = map[Field]string{"shoe_size": "9"} }, CodeFieldUnknown},
		"unprintable override":   {func(d *Document) { d.Printed = map[Field]string{FieldLast: "é"} }, CodeFieldUnprintable},
		"override against dates": {func(d *Document) { d.Printed = map[Field]string{FieldExpiresAt: "1999-01-01"} }, CodeDatesOutOfOrder},
	} {
		t.Run(name, func(t *testing.T) {
			d := invented(DriverLicense, 1)
			test.change(&d)
			if _, err := newPress(t).Front(d, Silhouette()); codeOf(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	d := invented(DriverLicense, 1)
	if _, err := newPress(t).Front(d, nil); codeOf(err) != CodePortraitMissing {
		t.Errorf("no portrait: %v", err)
	}
	if _, err := newPress(t).Front(d, image.NewRGBA(image.Rect(0, 0, 20, 20))); codeOf(err) != CodePortraitTooSmall {
		t.Errorf("tiny portrait: %v", err)
	}
	if _, err := d.MRZ(); codeOf(err) != CodeTypeUnknown {
		t.Errorf("zone of a licence: %v", err)
	}
	if _, err := invented(Passport, 1).Barcode(); codeOf(err) != CodeTypeUnknown {
		t.Errorf("barcode of a passport: %v", err)
	}
	long := invented(Passport, 1)
	long.Number = "A123456789"
	if codeOf(long.Validate()) != CodeFieldTooLong {
		t.Error("a passport number of ten characters was taken")
	}
}

func TestErrorsKeepPersonalDataOut(t *testing.T) {
	d := invented(DriverLicense, 1)
	d.Person.Last = "Geheimnis"
	if err := d.Validate(); err == nil || strings.Contains(err.Error(), "Geheimnis") {
		t.Errorf("error %v", err)
	}
}

func TestRandomPersonIsGrownUpAndPrintable(t *testing.T) {
	names := map[string]bool{}
	for seed := range uint64(300) {
		for _, kind := range Types() {
			d := invented(kind, seed)
			if err := d.Validate(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if d.Person.BirthDate > today().AddDate(-19, 0, 0).Format(time.DateOnly) {
				t.Errorf("seed %d: born %s", seed, d.Person.BirthDate)
			}
			if d.ExpiresAt <= today().Format(time.DateOnly) {
				t.Errorf("seed %d: expired %s", seed, d.ExpiresAt)
			}
			names[d.Person.First+d.Person.Last] = true
		}
	}
	if len(names) < 100 {
		t.Errorf("only %d different names", len(names))
	}
}

func TestHeadAndShouldersFramesTheFace(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 400, 300))
	face := image.Rect(300, 20, 380, 120)
	for y := face.Min.Y; y < face.Max.Y; y++ {
		for x := face.Min.X; x < face.Max.X; x++ {
			img.SetRGBA(x, y, color.RGBA{255, 0, 0, 255})
		}
	}
	cut, err := HeadAndShoulders(img, face)
	if err != nil {
		t.Fatal(err)
	}
	if cut.Rect != image.Rect(0, 0, 152, 190) {
		t.Errorf("cut is %v", cut.Rect)
	}
	red := 0
	for i := 0; i < len(cut.Pix); i += 4 {
		if cut.Pix[i] == 255 {
			red++
		}
	}
	if red != face.Dx()*face.Dy() {
		t.Errorf("%d pixels of the face in the cut, want %d", red, face.Dx()*face.Dy())
	}
	for _, bad := range []image.Rectangle{{}, image.Rect(500, 500, 600, 600)} {
		if _, err := HeadAndShoulders(img, bad); codeOf(err) != CodePortraitMissing {
			t.Errorf("face %v: %v", bad, err)
		}
	}
}

func FuzzTruthIsTypedOrTrue(f *testing.F) {
	f.Add("ORSON", "QUILLFEATHER", "D123", "2030-01-01")
	f.Add("", "\x00", "<<<", "0000-00-00")
	f.Add("O'NEIL-X", "A.B, C", "#/1", "9999-12-31")
	f.Fuzz(func(t *testing.T, first, last, number, expires string) {
		for _, kind := range Types() {
			d := invented(kind, 1)
			d.Person.First, d.Person.Last, d.Number, d.ExpiresAt = first, last, number, expires
			truth, err := d.Truth()
			if err != nil {
				if codeOf(err) == "" {
					t.Fatalf("untyped error %v", err)
				}
				continue
			}
			if kind.travel() {
				if zone, err := mrz.Parse(truth.MRZ, today()); err != nil || !zone.Valid {
					t.Fatalf("zone is not valid: %v", err)
				}
			} else if _, err := aamva.Parse([]byte(truth.Barcode)); err != nil {
				t.Fatalf("payload cannot be read: %v", err)
			}
		}
	})
}

package specimen

import (
	"fmt"
	"image"

	"kycd/kyc/aamva"
)

// Truth is what a perfect reader would say about a document, under the names of the API. Fields that the type of
// document does not state are absent.
type Truth struct {
	Type           Type   `json:"type_e"`
	DocumentNumber string `json:"document_number"`
	RefNumber      string `json:"ref_number,omitempty"`
	IssuedAt       string `json:"issued_at"`
	ExpiresAt      string `json:"expires_at"`
	IssuingCountry string `json:"issuing_country"`
	IssuingState   string `json:"issuing_state,omitempty"`
	FirstName      string `json:"first_name"`
	MiddleName     string `json:"middle_name,omitempty"`
	LastName       string `json:"last_name"`
	NameSuffix     string `json:"name_suffix,omitempty"`
	Street         string `json:"street,omitempty"`
	City           string `json:"city,omitempty"`
	State          string `json:"state,omitempty"`
	PostalCode     string `json:"postal_code,omitempty"`
	BirthDate      string `json:"birth_date"`
	Gender         Sex    `json:"gender_e"`
	Height         string `json:"height,omitempty"` // "68 in"
	Weight         string `json:"weight,omitempty"` // "160 lb"
	EyeColor       string `json:"eye_color,omitempty"`
	HairColor      string `json:"hair_color,omitempty"`
	Class          string `json:"class,omitempty"`
	Restrictions   string `json:"restrictions,omitempty"`
	Endorsements   string `json:"endorsements,omitempty"`

	Barcode string           `json:"barcode,omitempty"` // payload of the PDF417, with its control characters
	MRZ     []string         `json:"mrz,omitempty"`     // lines of the machine-readable zone
	Printed map[Field]string `json:"printed,omitempty"` // what the visible side says instead
	Sides   map[string]View  `json:"sides,omitempty"`   // front, back → where the document stands in its picture
}

// View says where a document stands in a photograph.
type View struct {
	File    string   `json:"file,omitempty"`
	Width   int      `json:"width"`
	Height  int      `json:"height"`
	Corners [4]Point `json:"corners"` // clockwise from the upper left corner of the upright document, pixels
}

// FlatView is the view of a print that was not photographed: the document is the whole picture.
func FlatView(file string, print image.Image) View {
	w, h := float64(print.Bounds().Dx()), float64(print.Bounds().Dy())
	return View{
		File: file, Width: print.Bounds().Dx(), Height: print.Bounds().Dy(),
		Corners: [4]Point{{0, 0}, {w, 0}, {w, h}, {0, h}},
	}
}

// Truth gives what the document says. The error is an *Error.
func (d Document) Truth() (Truth, error) {
	if err := d.Validate(); err != nil {
		return Truth{}, err
	}
	p := d.Person
	t := Truth{
		Type: d.Type, DocumentNumber: d.Number, IssuedAt: d.IssuedAt, ExpiresAt: d.ExpiresAt,
		FirstName: p.First, MiddleName: p.Middle, LastName: p.Last, NameSuffix: p.Suffix,
		BirthDate: p.BirthDate, Gender: p.Sex, Printed: d.Printed,
	}
	if d.Type.travel() {
		lines, err := d.MRZ()
		t.MRZ, t.IssuingCountry = lines, CountryCode
		return t, err
	}
	payload, err := d.Barcode()
	t.Barcode, t.IssuingCountry, t.IssuingState = payload, "USA", aamva.SpecimenState
	t.RefNumber, t.Street, t.City, t.State, t.PostalCode = d.Ref, p.Street, p.City, p.State, p.Postal
	t.Height, t.Weight = fmt.Sprintf("%d in", p.HeightInches), fmt.Sprintf("%d lb", p.WeightPounds)
	t.EyeColor, t.HairColor = p.Eyes, p.Hair
	if d.Type == DriverLicense {
		t.Class, t.Restrictions, t.Endorsements = d.Class, d.Restrictions, d.Endorsements
	}
	return t, err
}

// fields are a card's values under the names that package aamva uses.
func (d Document) fields() map[string]string {
	p := d.Person
	fields := map[string]string{
		"document_number": d.Number, "ref_number": d.Ref, "issued_at": d.IssuedAt, "expires_at": d.ExpiresAt,
		"first_name": p.First, "middle_name": p.Middle, "last_name": p.Last, "name_suffix": p.Suffix,
		"birth_date": p.BirthDate, "gender": string(p.Sex), "issuing_country": "USA",
		"street": p.Street, "city": p.City, "state": p.State, "postal_code": p.Postal,
		"height": fmt.Sprintf("%d in", p.HeightInches), "weight": fmt.Sprintf("%d lb", p.WeightPounds),
		"eye_color": p.Eyes, "hair_color": p.Hair,
	}
	if d.Type == DriverLicense {
		fields["class"], fields["restrictions"], fields["endorsements"] = d.Class, d.Restrictions, d.Endorsements
	}
	return fields
}

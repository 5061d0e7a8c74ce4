package main

import (
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// testdata is the folder of the labelled pictures.
type testdata string

func (t testdata) path(name string) string { return filepath.Join(string(t), filepath.FromSlash(name)) }

// photo is a picture of one person.
type photo struct {
	file   string
	person string
	set    string // the collection that it comes from
}

func (t testdata) photos() ([]photo, error) {
	rows, err := t.table("faces/dev/identities.csv", "image", "person")
	if err != nil {
		return nil, err
	}
	photos := make([]photo, len(rows))
	for i, row := range rows {
		set, _, _ := strings.Cut(row[1], "/")
		photos[i] = photo{file: t.path("faces/dev/" + row[0]), person: row[1], set: set}
	}
	return photos, nil
}

// listedPairs are the pairs that pairs.csv names, and whether they show one person.
func (t testdata) listedPairs() (map[pair]bool, error) {
	rows, err := t.table("faces/dev/pairs.csv", "image_a", "image_b", "same_person")
	if err != nil {
		return nil, err
	}
	pairs := make(map[pair]bool, len(rows))
	for _, row := range rows {
		pairs[pair{t.path("faces/dev/" + row[0]), t.path("faces/dev/" + row[1])}] = row[2] == "1"
	}
	return pairs, nil
}

// crowd is a picture with a known number of faces.
type crowd struct {
	file     string
	min, max int
}

func (t testdata) crowds() ([]crowd, error) {
	rows, err := t.table("faces/dev/counts.csv", "image", "faces_min", "faces_max")
	if err != nil {
		return nil, err
	}
	crowds := make([]crowd, len(rows))
	for i, row := range rows {
		crowds[i].file = t.path("faces/dev/" + row[0])
		if _, err := fmt.Sscan(row[1]+" "+row[2], &crowds[i].min, &crowds[i].max); err != nil {
			return nil, fmt.Errorf("counts.csv, record %d: %w", i+2, err)
		}
	}
	return crowds, nil
}

// capture is a picture that a liveness check must accept or refuse.
type capture struct {
	file    string
	genuine bool
	attack  string // its kind
	subject string
	framing string // full, or tight around the face
}

func (t testdata) captures() ([]capture, error) {
	rows, err := t.table("spoof/dev/labels.csv", "image", "label", "attack_type", "subject", "framing")
	if err != nil {
		return nil, err
	}
	var captures []capture
	for _, row := range rows {
		if row[1] != "genuine" && row[1] != "attack" {
			continue // nobody knows what it shows
		}
		captures = append(captures, capture{
			file: t.path("spoof/dev/" + row[0]), genuine: row[1] == "genuine", attack: row[2], subject: row[3], framing: row[4],
		})
	}
	return captures, nil
}

// symbol is a picture of a PDF417 and its payload.
type symbol struct{ file, payload string }

func (t testdata) symbols() ([]symbol, error) {
	var records []struct {
		Image string  `json:"image"`
		Text  *string `json:"expected_text"`
		Hex   string  `json:"expected_bytes_hex"`
	}
	if err := t.json("aamva/dev/pdf417_expected.json", &records); err != nil {
		return nil, err
	}
	symbols := make([]symbol, len(records))
	for i, r := range records {
		symbols[i].file = t.path("aamva/dev/" + r.Image)
		if r.Text != nil {
			symbols[i].payload = *r.Text
			continue
		}
		raw, err := hex.DecodeString(strings.ReplaceAll(r.Hex, " ", ""))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Image, err)
		}
		symbols[i].payload = string(raw)
	}
	return symbols, nil
}

// zonePicture is a picture of a document with a machine-readable zone.
type zonePicture struct {
	file  string
	lines []string
}

func (t testdata) zones() ([]zonePicture, error) {
	var records []struct {
		Image string   `json:"image"`
		Lines []string `json:"expected_mrz"`
	}
	if err := t.json("mrz/dev/images_expected.json", &records); err != nil {
		return nil, err
	}
	var zones []zonePicture
	for _, r := range records {
		if len(r.Lines) > 0 {
			zones = append(zones, zonePicture{file: t.path("mrz/dev/" + r.Image), lines: r.Lines})
		}
	}
	return zones, nil
}

// table reads the named columns of a CSV file with a header.
func (t testdata) table(name string, columns ...string) ([][]string, error) {
	file, err := os.Open(t.path(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(rows) < 2 {
		return nil, fmt.Errorf("%s is empty", name)
	}
	at := map[string]int{}
	for i, column := range rows[0] {
		at[column] = i
	}
	picked := make([][]string, 0, len(rows)-1)
	for _, row := range rows[1:] {
		var cells []string
		for _, column := range columns {
			i, ok := at[column]
			if !ok {
				return nil, fmt.Errorf("%s has no column %s", name, column)
			}
			cells = append(cells, row[i])
		}
		picked = append(picked, cells)
	}
	return picked, nil
}

func (t testdata) json(name string, into any) error {
	data, err := os.ReadFile(t.path(name))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

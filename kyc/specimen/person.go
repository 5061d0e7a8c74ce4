package specimen

import (
	"fmt"
	"math/rand/v2"
	"time"

	"kycd/kyc/aamva"
)

// The invented country of the travel documents; ICAO sets its code aside for examples. The invented state of the cards
// is the one that package aamva knows.
const (
	CountryName = "UTOPIA"
	CountryCode = "UTO"
)

// RandomPerson invents a grown-up holder of either sex, 19 to 79 years old at now. Every name is from a story that
// nobody told: no phone book has them.
func RandomPerson(rng *rand.Rand, now time.Time) Person {
	sex := Female
	if rng.IntN(2) == 0 {
		sex = Male
	}
	return RandomPersonOf(rng, sex, now)
}

// RandomPersonOf invents a holder of the given sex, so that it can agree with a portrait.
func RandomPersonOf(rng *rand.Rand, sex Sex, now time.Time) Person {
	p := Person{Sex: sex, Last: pick(rng, lastNames()), State: aamva.SpecimenState, Postal: fmt.Sprintf("%05d", 90+rng.IntN(9))}
	given := femaleNames()
	if sex == Male {
		given = maleNames()
	}
	p.First = pick(rng, given)
	if rng.IntN(10) < 8 {
		for p.Middle == "" || p.Middle == p.First {
			p.Middle = pick(rng, given)
		}
	}
	if p.Sex == Male && rng.IntN(12) == 0 {
		p.Suffix = pick(rng, []string{"JR", "SR", "III"})
	}
	days := 19*366 + rng.IntN(60*365)
	p.BirthDate = now.UTC().AddDate(0, 0, -days).Format(time.DateOnly)
	p.Street = fmt.Sprintf("%d %s", 2+rng.IntN(9800), pick(rng, streets()))
	p.City = pick(rng, cities())
	p.HeightInches = 58 + rng.IntN(19)
	p.WeightPounds = 105 + rng.IntN(130)
	p.Eyes = pick(rng, []string{"BRO", "BLU", "GRN", "HAZ", "GRY"})
	p.Hair = pick(rng, []string{"BLK", "BRO", "BLN", "GRY", "RED"})
	return p
}

// RandomDocument invents a document of the person that is valid at now. Travel documents leave the suffix out, because
// their zone could not tell it from the last name.
func RandomDocument(rng *rand.Rand, kind Type, person Person, now time.Time) Document {
	if kind.travel() {
		person.Suffix = ""
	}
	issued := now.UTC().AddDate(0, 0, -30-rng.IntN(3*365))
	d := Document{Type: kind, Person: person, IssuedAt: issued.Format(time.DateOnly)}
	switch {
	case kind == Passport:
		d.Number = fmt.Sprintf("%c%08d", letter(rng), rng.IntN(1e8))
		d.ExpiresAt = issued.AddDate(10, 0, -1).Format(time.DateOnly)
	case kind == PassportCard:
		d.Number = fmt.Sprintf("C%08d", rng.IntN(1e8))
		d.ExpiresAt = issued.AddDate(10, 0, -1).Format(time.DateOnly)
	default:
		d.Number = fmt.Sprintf("%c%09d", letter(rng), rng.IntN(1e9))
		d.Ref = fmt.Sprintf("%08d%c%c%06d", rng.IntN(1e8), letter(rng), letter(rng), rng.IntN(1e6))
		d.ExpiresAt = issued.AddDate(8, 0, 0).Format(time.DateOnly)
	}
	if kind == DriverLicense {
		d.Class = pick(rng, []string{"C", "D", "M"})
		d.Restrictions = pick(rng, []string{"", "B", "B", "A"})
	}
	return d
}

// letter avoids I, O and Q, which issuers leave out because they look like numerals.
func letter(rng *rand.Rand) byte { return "ABCDEFGHJKLMNPRSTUVWXYZ"[rng.IntN(23)] }

func pick(rng *rand.Rand, from []string) string { return from[rng.IntN(len(from))] }

func femaleNames() []string {
	return []string{"WINIFRED", "MARIGOLD", "PETRONELLA", "CLEMENTINE", "ISOLDE", "ODALYS", "THOMASINA", "FELICITY",
		"ARABELLA", "SERAPHINE", "ROSALIND", "HYACINTH", "OTTOLINE", "JUNIPER", "CORDELIA", "ZENOBIA"}
}

func maleNames() []string {
	return []string{"BARTHOLOMEW", "ORSON", "LYSANDER", "PEREGRINE", "THADDEUS", "AMBROSE", "CASPIAN", "FITZGERALD",
		"ALOYSIUS", "BALTHAZAR", "EZEKIEL", "MORTIMER", "OSRIC", "PHINEAS", "RUFUS", "SEPTIMUS"}
}

func lastNames() []string {
	return []string{"QUILLFEATHER", "BRAMBLEWICK", "MOONHOLLOW", "THISTLEDOWN", "FIDDLESTONE", "MARZIPANE", "OWLSWORTH",
		"PUDDLEFORD", "SNAPDRAGON", "TUMBLEWEED", "WAFFLEBY", "BUTTERWHISTLE", "CLOUDBERRY", "DANDELYON", "EVERMOSS",
		"GINGERSNAP", "HONEYTHORN", "KETTLEBRIGHT", "LANTERNE", "NUTHATCH", "PEPPERCORNE", "RUMBLEDORE", "SILVERMINT", "YARROWGATE"}
}

func streets() []string {
	return []string{"MARZIPAN LANE", "TEAKETTLE ROAD", "GOBLIN MARKET ST", "DRAGONFLY AVE", "WISHING WELL CT", "STARDUST DR",
		"OLD RIDDLE WAY", "UNICORN TER", "MOONBEAM BLVD", "FAIRYTALE PL"}
}

func cities() []string {
	return []string{"PUDDLEWICK", "FERNHOLLOW", "CLOUDHAVEN", "MOSSBRIDGE", "LANTERN BAY", "TEACUP FALLS", "OWL CREEK", "GOOSEFEATHER"}
}

package crosscheck

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"kycd/kyc/mrz"
)

// specimen is a document of nobody as it was typed into the issuer's computer.
type specimen struct {
	kind                             string // card (with a barcode), passport (TD3) or passport_card (TD1)
	first, middle, last, suffix      string // with marks, in upper and lower case
	number, birth, expires, issued   string
	house, street, kindOfStreet, apt string
	city, state, postal              string
	sex                              string
}

// invent draws a document whose names come from a world without phone books. Short and similar names are among them.
func invent(random *rand.Rand) specimen {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('0' + random.IntN(10))
		}
		return string(b)
	}
	given := func() string {
		return pick("Odo", "Otto", "Isolde", "Isolda", "Peregrin", "Marigold", "Zenobia", "Zephyr", "Balthazar", "Caspian", "Cosmo", "Una",
			"Ann-Wren", "Ondine", "Orlando", "Rosalind", "Rosamund", "Quill", "Juno", "Juniper", "Hyacinth", "Égidia", "Björk", "Söfty", "Thaddeus",
			"Theodora", "Winifred", "Wilfred", "Mina", "Nina", "Fenno", "Ottoline", "Bartholomew", "Bo", "Jo", "Ygraine", "Lysander", "Leander",
			"Melisande", "Ambrose", "Seraphine", "Clementine", "Cordelia", "Ezekiel", "Phineas", "Octavia", "Octavian", "Rufus", "Osric", "Elric")
	}
	surname := func() string {
		switch random.IntN(12) {
		case 0:
			return pick("Ox", "Elm", "Fen", "Ash", "Oak", "Ewe", "Wren", "Moth", "Müll", "Lark")
		case 1:
			return pick("O'", "O’", "D'", "Mc", "de la ", "van der ", "St. ") + pick("Moonhollow", "Thistle", "Bramble", "Quirk", "Fiddle")
		case 2:
			return pick("Ångst", "Øyster", "Blümel", "Çelebi", "Größ", "Peña", "Žabka") + pick("ström", "feld", "wick", "ito", "mann")
		}
		return pick("Quill", "Bramble", "Moon", "Thistle", "Fiddle", "Owls", "Puddle", "Snap", "Tumble", "Waffle", "Butter", "Cloud", "Ginger", "Honey", "Kettle",
			"Lantern", "Pepper", "Rumble", "Silver", "Yarrow") +
			pick("feather", "wick", "hollow", "down", "stone", "worth", "ford", "dragon", "weed", "by", "whistle", "berry", "moss", "thorn", "bright", "gate", "mint")
	}
	s := specimen{kind: pick("card", "card", "passport", "passport_card"), first: given(), last: surname(), sex: pick("male", "female")}
	if random.IntN(10) < 7 {
		s.middle = given()
	}
	switch random.IntN(14) {
	case 0:
		s.last += pick("-", " ") + surname()
	case 1:
		s.middle = given() + " " + given()
	case 2: // long enough to be cut in a zone
		s.last, s.middle = surname()+"-"+surname()+"-"+surname(), given()+" "+given()
	}
	if random.IntN(15) == 0 && s.kind == "card" {
		s.suffix = pick("Jr", "Sr", "III", "II")
	}
	switch s.kind {
	case "card":
		s.number = pick("", pick("A", "K", "Y", "S", "B")) + digits(pick2(random, 7, 8, 9, 12, 13))
	default:
		s.number = pick("A", "C", "X", "P") + digits(8)
	}
	day := time.Date(1945, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, random.IntN(60*365))
	s.birth = day.Format(time.DateOnly)
	issued := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, random.IntN(5*365))
	s.issued, s.expires = issued.Format(time.DateOnly), issued.AddDate(8, 0, 0).Format(time.DateOnly)
	s.house, s.street = fmt.Sprint(1+random.IntN(9999)), pick("Marzipan", "Teakettle", "Goblin Market", "Dragonfly", "Wishing Well", "Stardust", "Riddle", "Unicorn",
		"Moonbeam", "Fairytale", "North Pumpkin", "Elm", "W 4th")
	s.kindOfStreet = pick("Street", "Avenue", "Lane", "Drive", "Court", "Boulevard", "Road", "Place", "Terrace")
	if random.IntN(5) == 0 {
		s.apt = fmt.Sprint(1 + random.IntN(40))
	}
	s.city, s.state, s.postal = pick("Puddlewick", "Fernhollow", "Cloudhaven", "Mossbridge", "Lantern Bay", "Owl Creek", "Goosefeather", "St. Quill"), "ZZ", "000"+digits(2)
	return s
}

func pick2(random *rand.Rand, from ...int) int { return from[random.IntN(len(from))] }

// encoded is what the barcode or the zone says, and which of its names the card admits to have cut.
func (s specimen) encoded(random *rand.Rand) (fields map[string]string, cut map[string]bool) {
	if s.kind != "card" {
		zone := mrz.Document{Format: mrz.TD3, Type: "P", Issuer: "UTO", Nationality: "UTO", Number: s.number, BirthDate: s.birth, ExpiresAt: s.expires,
			Sex: strings.ToUpper(s.sex[:1]), Surname: s.last, GivenNames: strings.TrimSpace(s.first + " " + s.middle)}
		if s.kind == "passport_card" {
			zone.Format, zone.Type = mrz.TD1, "IP"
		}
		lines, err := mrz.Compose(zone)
		if err != nil {
			panic(err)
		}
		read, err := mrz.Parse(lines, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		if err != nil {
			panic(err)
		}
		return read.Fields(), nil
	}
	plain := func(name string) string { return strings.ToUpper(dropMarks(name)) }
	fields = map[string]string{
		"last_name": plain(s.last), "first_name": plain(s.first), "middle_name": plain(s.middle), "name_suffix": plain(s.suffix), "document_number": s.number,
		"birth_date": s.birth, "expires_at": s.expires, "issued_at": s.issued, "gender": s.sex, "city": plain(s.city), "state": s.state, "postal_code": s.postal + "0000",
	}
	street := s.house + " " + s.street + " " + abbreviated(strings.ToUpper(s.kindOfStreet), abbreviations())
	if s.apt != "" {
		street += " APT " + s.apt
	}
	fields["street"] = strings.ToUpper(street)
	switch random.IntN(8) {
	case 0:
		fields["middle_name"] = fields["middle_name"][:min(1, len(fields["middle_name"]))]
	case 1: // an issuer with short columns, that says so
		cut = map[string]bool{}
		for _, name := range []string{"last_name", "first_name"} {
			if len(fields[name]) > 6 {
				fields[name], cut[name] = strings.TrimSpace(fields[name][:6]), true
			}
		}
	case 2:
		fields["last_name"] = strings.NewReplacer("-", " ", "'", "", "’", "").Replace(fields["last_name"])
	}
	return fields, cut
}

// printed is what the front says to a reader who makes an error in a character with the given chance.
func (s specimen) printed(rate float64, random *rand.Rand) map[string]string {
	fields := map[string]string{
		"last_name": s.last, "first_name": s.first, "middle_name": s.middle, "name_suffix": s.suffix, "document_number": s.number,
		"birth_date": s.birth, "expires_at": s.expires, "gender": s.sex,
	}
	if s.kind == "card" {
		street := s.house + " " + s.street + " " + s.kindOfStreet
		if random.IntN(2) == 0 {
			street = s.house + " " + s.street + " " + abbreviated(strings.ToUpper(s.kindOfStreet), abbreviations())
		}
		if s.apt != "" {
			street += []string{", Apt. ", " #", " Unit ", " APT "}[random.IntN(4)] + s.apt
		}
		fields["street"], fields["city"], fields["state"], fields["postal_code"], fields["issued_at"] = street, s.city, s.state, s.postal, s.issued
	}
	switch random.IntN(10) {
	case 0: // both given names in one line
		fields["first_name"], fields["middle_name"] = strings.TrimSpace(s.first+" "+s.middle), ""
	case 1:
		fields["last_name"] = strings.TrimSpace(s.last + " " + s.suffix)
		delete(fields, "name_suffix")
	case 2:
		fields["middle_name"] = ""
	case 3: // a card that prints the given name first, and a reader who knows no better
		fields["last_name"], fields["first_name"] = fields["first_name"], fields["last_name"]
	}
	for name, value := range fields {
		if random.IntN(40) == 0 {
			delete(fields, name) // under a reflection
			continue
		}
		switch name {
		case "birth_date", "expires_at", "issued_at":
			fields[name] = misreadDate(value, rate, random)
		case "gender":
		default:
			fields[name] = misread(value, rate, random)
		}
	}
	return fields
}

// misreadDate takes digits for digits; what is no date any more was not read.
func misreadDate(iso string, rate float64, random *rand.Rand) string {
	b := []byte(iso)
	for i, c := range b {
		if c == '-' || random.Float64() >= rate {
			continue
		}
		var like []byte
		for d := byte('0'); d <= '9'; d++ {
			if d != c && alike(c, d) {
				like = append(like, d)
			}
		}
		switch {
		case random.IntN(20) == 0:
			b[i] = byte('0' + random.IntN(10))
		case len(like) > 0:
			b[i] = like[random.IntN(len(like))]
		}
	}
	if _, ok := date(string(b)); !ok {
		return ""
	}
	return string(b)
}

// misread gives text as a reader would: rate is the chance of an error per character. Most errors are a like character, some
// drop one or see a speck beside it, and one in twenty is any character for any other.
func misread(text string, rate float64, random *rand.Rand) string {
	var b strings.Builder
	for _, r := range strings.ToUpper(text) {
		if random.Float64() >= rate || r == ' ' {
			b.WriteRune(r)
			continue
		}
		switch random.IntN(20) {
		case 0:
			b.WriteByte("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[random.IntN(36)])
		case 1, 2: // dropped
		case 3, 4:
			b.WriteRune(r)
			b.WriteByte(" .'I"[random.IntN(4)]) // a speck
		default:
			b.WriteRune(likeness(r, random))
		}
	}
	return b.String()
}

func likeness(r rune, random *rand.Rand) rune {
	var like []rune
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" {
		if c != r && r < 0x80 && alike(byte(r), byte(c)) {
			like = append(like, c)
		}
	}
	if len(like) == 0 {
		return r
	}
	return like[random.IntN(len(like))]
}

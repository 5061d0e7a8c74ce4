package aamva

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// stripe matches the three tracks of a magnetic stripe one behind the other, as some issuers put them into their first
// barcodes (DL/ID-2000, annex on magnetic stripes). Group 1: state; 2: city, name and address; 3: IIN; 4: number;
// 5: expiry; 6: birth date; 7: rest of a long number; 8: track 3, which may be missing.
var stripe = regexp.MustCompile(`%([A-Z]{2})([ ->@-~]{1,90})\?\s{0,4};(\d{6})([0-9A-Z]{1,13})=(\d{4})(\d{8})([0-9A-Z]{0,5})=?\?(?:\s{0,4}[%#+!]([ ->@-~]{29,110})\?)?`)

// readStripe reads a payload without header that has the tracks of a magnetic stripe; false if it has not. Its values stand
// under the ids that the standard has for them, its dates as CCYYMMDD.
func (p *Payload) readStripe(text string) bool {
	m := stripe.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	p.repair(RepairStripe)
	p.IIN = m[3]
	set := func(id, value string) {
		if value = strings.TrimSpace(value); value != "" {
			p.Elements[id] = value
		}
	}
	city, rest := cutTrack(m[2], 13)
	name, rest := cutTrack(rest, 35)
	address, _ := cutTrack(rest, 29)
	set("DAJ", m[1])
	set("DAI", city)
	parts := append(strings.SplitN(strings.ReplaceAll(name, ",", "$"), "$", 4), "", "", "", "")
	for i, id := range []string{"DCS", "DAC", "DAD", "DCU"} {
		set(id, parts[i])
	}
	set("DAG", strings.ReplaceAll(address, "$", " "))
	set("DAQ", m[4]+m[7])
	set("DBB", m[6])
	set("DBA", stripeExpiry(m[5], m[6]))
	track := m[8]
	if track == "" {
		return true
	}
	track = track[2:] // versions of the template and of the security function
	for _, f := range []struct {
		id    string
		width int
	}{{"DAK", 11}, {"DCA", 2}, {"DCB", 10}, {"DCD", 4}, {"DBC", 1}, {"DAU", 3}, {"DAW", 3}, {"DAZ", 3}, {"DAY", 3}} {
		width := min(f.width, len(track))
		set(f.id, track[:width])
		track = track[width:]
	}
	return true
}

// cutTrack takes a field of up to width characters off a track; a shorter one ends with ^.
func cutTrack(track string, width int) (field, rest string) {
	if at := strings.IndexByte(track, '^'); at >= 0 && at <= width {
		return track[:at], track[at+1:]
	}
	width = min(width, len(track))
	return track[:width], track[width:]
}

// stripeExpiry reads YYMM. Month 77 means never, 88 the last day of the birth month, 99 the birthday; else the card ends
// with the month.
func stripeExpiry(yymm, birth string) string {
	year, _ := strconv.Atoi("20" + yymm[:2])
	month, _ := strconv.Atoi(yymm[2:])
	born, _ := strconv.Atoi(birth[4:6])
	switch {
	case month == 99:
		return fmt.Sprintf("%04d%s", year, birth[4:])
	case month == 88:
		month = born
	}
	if month < 1 || month > 12 {
		return ""
	}
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Format("20060102")
}

package rest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kycd/kyc"
)

// FuzzDates: what is taken is a time that its text names, and a day that ends a range ends with its last instant.
func FuzzDates(f *testing.F) {
	for _, seed := range []string{
		"2024-02-29", "2023-02-29", "0000-01-01", "9999-12-31", "2024-05-06T07:08:09Z", "2024-05-06t07:08:09z", "2024-05-06T07:08:09.123456789+23:59",
		"2024-05-06T24:00:00Z",
		"2016-12-31T23:59:60Z", "2024-05-06T07:08:09", "2024-05-06T07:08:09+99:99", "2024-05-06T07:08:09,5Z", "", "2024", " 2024-01-01", "2024-01-01T",
		"2024-1-1", "٢٠٢٤-01-01",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		from, err := dateOrTime("/start_date", &text, false)
		to, err2 := dateOrTime("/end_date", &text, true)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%q: as a start %v, as an end %v", text, err, err2)
		}
		if err != nil {
			if e, ok := errors.AsType[*kyc.Error](err); !ok || e.Code != kyc.CodeInvalid || len(e.Fields) != 1 || e.Fields[0].Pointer != "/start_date" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if from.Location() != time.UTC || to.Location() != time.UTC {
			t.Fatalf("%q: not in UTC", text)
		}
		span := to.Sub(*from)
		switch {
		case len(text) == len(time.DateOnly) && (span != 24*time.Hour-time.Microsecond || from.Format(time.DateOnly) != text):
			t.Fatalf("%q: from %v to %v", text, from, to)
		case len(text) != len(time.DateOnly) && span != 0:
			t.Fatalf("%q is a time, and lasts %v", text, span)
		}
		if span == 0 && !strings.HasPrefix(strings.ToUpper(text), from.Format("2006-01-02T15:04:05")) && strings.HasSuffix(strings.ToUpper(text), "Z") {
			t.Fatalf("%q: %v", text, from)
		}
	})
}

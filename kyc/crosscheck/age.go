package crosscheck

import "time"

// Age is how many years old somebody born on an ISO 8601 date is on the day of now, in now's own time zone. Who was born on the
// 29th of February has, in other years, the birthday on the 1st of March. known is false for what is no date or lies ahead.
func Age(birthDate string, now time.Time) (years int, known bool) {
	born, err := time.Parse(time.DateOnly, birthDate)
	if err != nil {
		return 0, false
	}
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	if today.Before(born) {
		return 0, false
	}
	years = today.Year() - born.Year()
	if today.Before(born.AddDate(years, 0, 0)) {
		years--
	}
	return years, true
}

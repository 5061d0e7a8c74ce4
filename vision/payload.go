package vision

import (
	"strings"
	"unicode/utf8"
)

// PayloadText is a barcode's payload as text: bytes that are no UTF-8 are read as ISO 8859-1, so that they survive JSON.
func PayloadText(payload string) string {
	if utf8.ValidString(payload) {
		return payload
	}
	var b strings.Builder
	for i := range len(payload) {
		b.WriteRune(rune(payload[i]))
	}
	return b.String()
}

package rest

import (
	"strconv"
	"strings"
)

// prefers says which of the offered media types an Accept header likes best; of equals the first offered.
// Without a header, or if none is liked, it is the first offered: an answer helps more than a 406.
func prefers(accept string, offered ...string) string {
	best, bestQuality := offered[0], 0.0
	for _, offer := range offered {
		if q := quality(accept, offer); q > bestQuality {
			best, bestQuality = offer, q
		}
	}
	return best
}

// quality is the weight that an Accept header gives a media type (RFC 9110 §12.5.1): the most specific
// range that covers it decides.
func quality(accept, mediaType string) float64 {
	kind, _, _ := strings.Cut(mediaType, "/")
	q, specificity := 0.0, 0
	for item := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(item, ";")
		level := 0
		switch strings.ToLower(strings.TrimSpace(name)) {
		case mediaType:
			level = 3
		case kind + "/*":
			level = 2
		case "*/*":
			level = 1
		}
		if level > specificity {
			q, specificity = qualityParam(params), level
		}
	}
	return q
}

// qualityParam is the q of a media range's parameters, 1 if it has none.
func qualityParam(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if strings.EqualFold(name, "q") {
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || !(q >= 0 && q <= 1) {
				return 0
			}
			return q
		}
	}
	return 1
}

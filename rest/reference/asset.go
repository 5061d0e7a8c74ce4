package reference

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"sync"
	"time"
)

// asset is something that is served as it is, compressed where the caller takes that.
type asset struct {
	contentType, cacheControl string
	tag                       string
	body                      []byte
	compressed                func() []byte // made when it is first asked for
}

func newAsset(contentType, cacheControl string, body []byte) *asset {
	return &asset{
		contentType: contentType, cacheControl: cacheControl, tag: digest(body), body: body,
		compressed: sync.OnceValue(func() []byte { return compress(body) }),
	}
}

// ServeHTTP answers with the asset, or with 304 to a caller that has it.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", a.cacheControl)
	h.Set("Vary", "Accept-Encoding")
	body, tag := a.body, a.tag
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		body, tag = a.compressed(), a.tag+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+tag+`"`)
	// A part of a page is of no use, and the refusal of one would be the one error here that is no problem+json.
	r = r.Clone(r.Context())
	for _, name := range []string{"Range", "If-Match", "If-Unmodified-Since"} {
		r.Header.Del(name)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func compress(body []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(body) //nolint:errcheck // a buffer takes everything
	w.Close()
	return out.Bytes()
}

// takesGzip reads an Accept-Encoding header (RFC 9110 §12.5.3): gzip is named, and not with the weight 0.
func takesGzip(accept string) bool {
	for item := range strings.SplitSeq(accept, ",") {
		name, weight, _ := strings.Cut(item, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			_, q, _ := strings.Cut(weight, "=")
			return strings.Trim(q, " 0.") != "" || strings.TrimSpace(q) == ""
		}
	}
	return false
}

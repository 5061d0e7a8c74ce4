package vision

// Template is what a face is recognised by: one encoding by each encoder that was there. Encodings of different
// encoders are never compared with each other.
type Template []Encoding

// Template gathers the encodings of the face; it is empty if the face was not encoded.
func (f *Face) Template() Template {
	var t Template
	if f == nil || len(f.Encoding) == 0 {
		return t
	}
	t = append(t, Encoding{Encoder: f.Encoder, Values: f.Encoding})
	if f.Second != nil && len(f.Second.Values) > 0 {
		t = append(t, *f.Second)
	}
	return t
}

// By gives the encoding of one encoder; nil if there is none.
func (t Template) By(encoder string) []float32 {
	for _, e := range t {
		if e.Encoder == encoder {
			return e.Values
		}
	}
	return nil
}

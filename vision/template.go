package vision

import "math"

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

// Vectors gives, for each combination of encoders that the template has, the strongest first, one vector whose Euclidean
// distance from another's vector of the same Encoder is the distance that Compare speaks of. What is damaged is left out.
func (t Template) Vectors() []Encoding {
	var vectors []Encoding
	for _, c := range combinations() {
		if values, ok := c.vector(t); ok {
			vectors = append(vectors, Encoding{Encoder: c.name, Values: values})
		}
	}
	return vectors
}

// Vector is the strongest of Vectors; false if there is none.
func (t Template) Vector() (Encoding, bool) {
	vectors := t.Vectors()
	if len(vectors) == 0 {
		return Encoding{}, false
	}
	return vectors[0], true
}

// Match is how near two templates are.
type Match struct {
	Distance    float64 `json:"distance"`
	Probability float64 `json:"probability"` // of being one person, where one pair in two is
	Encoder     string  `json:"encoder"`     // the combination of encoders that was used, with their versions
}

// Compare measures how near two templates are, by the strongest combination of encoders that both have. It returns
// ErrNotComparable if they have none in common, and if an encoding that both have is damaged: a weaker combination must
// not decide then.
func Compare(a, b Template) (Match, error) {
	for _, c := range combinations() {
		if !c.within(a) || !c.within(b) {
			continue
		}
		x, ok := c.vector(a)
		y, okToo := c.vector(b)
		if !ok || !okToo {
			return Match{}, ErrNotComparable
		}
		distance, err := Distance(x, y)
		if err != nil {
			return Match{}, err
		}
		return Match{Distance: distance, Probability: c.probability(distance), Encoder: c.name}, nil
	}
	return Match{}, ErrNotComparable
}

// combination is how the encodings of one or more encoders make one vector, and what its distances mean.
type combination struct {
	name          string
	parts         []part
	middle, slope float64 // of the logistic curve: the probability is 1/2 at the middle
}

// part is one encoder's share: a squared distance of the combination is the sum of the parts' own, each times its weight.
type part struct {
	encoder string
	size    int
	weight  float64
}

// within tells whether the template has an encoding by each of the encoders.
func (c combination) within(t Template) bool {
	for _, p := range c.parts {
		if t.By(p.encoder) == nil {
			return false
		}
	}
	return true
}

// vector puts the encodings behind each other, each scaled by the root of its weight. It is false if one is missing, has
// another length, or holds what is no number.
func (c combination) vector(t Template) ([]float32, bool) {
	var vector []float32
	for _, p := range c.parts {
		values := t.By(p.encoder)
		if len(values) != p.size || !finite(values) {
			return nil, false
		}
		scale := float32(math.Sqrt(p.weight))
		for _, v := range values {
			vector = append(vector, scale*v)
		}
	}
	return vector, true
}

// probability falls with the distance. A distance that is no number gives 0.
func (c combination) probability(distance float64) float64 {
	if math.IsNaN(distance) {
		return 0
	}
	return 1 / (1 + math.Exp(c.slope*(distance-c.middle)))
}

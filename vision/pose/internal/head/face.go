package head

// Pair is a landmark of the 300-W mark-up on the person's left side and its mirror image on the right. On the midline
// both indices are the same and x is 0.
type Pair struct {
	Left, Right int
	At          Vector
	Spread      float64
}

// Anthropometric is the start from which Generic was refined: distances between bony and soft points as measured on
// adults (Farkas, Anthropometry of the Head and Face, 1994: the means of women and men, e.g. 89 mm between the outer
// eye corners, 32 mm between the inner, 53 mm from the nose's root to its base, 52 mm mouth width, 118 mm from the root
// to the chin, 20 mm nose protrusion), set out by hand over the mark-up. The origin lies between the eyes.
//
// Spreads are larger where detectors guess (the jaw's outline moves over the cheek when the head turns) and where
// people differ or move (brows, mouth corners). Lips are left out: they open and close.
func Anthropometric() []Pair {
	return []Pair{
		{16, 0, Vector{71, 4, 78}, 9}, {15, 1, Vector{70, 26, 76}, 9}, {14, 2, Vector{68, 46, 72}, 9}, {13, 3, Vector{64, 66, 64}, 8},
		{12, 4, Vector{56, 84, 52}, 8}, {11, 5, Vector{44, 98, 36}, 8}, {10, 6, Vector{30, 108, 18}, 8}, {9, 7, Vector{16, 115, 6}, 7},
		{8, 8, Vector{0, 117, 2}, 7},
		{22, 21, Vector{12, -21, -3}, 8}, {23, 20, Vector{22, -27, -3}, 8}, {24, 19, Vector{35, -29, 2}, 8},
		{25, 18, Vector{47, -25, 11}, 8}, {26, 17, Vector{56, -16, 23}, 8},
		{27, 27, Vector{0, -3, 0}, 3}, {28, 28, Vector{0, 11, -7}, 3}, {29, 29, Vector{0, 25, -15}, 3}, {30, 30, Vector{0, 40, -23}, 3},
		{35, 31, Vector{14, 48, 1}, 3}, {34, 32, Vector{7, 50, -4}, 3}, {33, 33, Vector{0, 51, -6}, 3},
		{42, 39, Vector{16.3, 1, 12}, 2}, {43, 38, Vector{25, -4, 9}, 2}, {44, 37, Vector{35, -4, 12}, 2},
		{45, 36, Vector{44.7, -1, 21}, 2.5}, {46, 41, Vector{35, 4, 13}, 2}, {47, 40, Vector{25, 4, 10}, 2},
		{54, 48, Vector{26, 71, 7}, 4},
	}
}

// Generic is the face of nobody: Anthropometric, refined by vision/pose/train on 61 photographs of half of the people of
// the development set. It lowers the median distance of the landmarks, for the other half's, from 1.01 to 0.60 spreads.
func Generic() []Pair {
	return []Pair{
		{16, 0, Vector{76.7, 6.6, 72.0}, 9},
		{15, 1, Vector{75.7, 26.5, 67.0}, 9},
		{14, 2, Vector{73.2, 46.1, 62.0}, 9},
		{13, 3, Vector{69.4, 65.1, 55.0}, 8},
		{12, 4, Vector{62.0, 82.1, 44.4}, 8},
		{11, 5, Vector{49.8, 95.8, 31.3}, 8},
		{10, 6, Vector{34.8, 106.5, 16.9}, 8},
		{9, 7, Vector{18.3, 115.1, 5.6}, 7},
		{8, 8, Vector{0.0, 117.0, 0.3}, 7},
		{22, 21, Vector{11.5, -15.0, -0.6}, 8},
		{23, 20, Vector{23.2, -20.0, 2.0}, 8},
		{24, 19, Vector{35.9, -21.6, 6.9}, 8},
		{25, 18, Vector{48.7, -19.0, 13.8}, 8},
		{26, 17, Vector{58.4, -10.8, 22.6}, 8},
		{27, 27, Vector{0.0, -1.2, -0.3}, 3},
		{28, 28, Vector{0.0, 11.4, -8.1}, 3},
		{29, 29, Vector{0.0, 23.7, -16.8}, 3},
		{30, 30, Vector{0.0, 36.2, -25.1}, 3},
		{35, 31, Vector{13.9, 45.1, -7.0}, 3},
		{34, 32, Vector{7.3, 47.3, -10.9}, 3},
		{33, 33, Vector{0.0, 49.6, -12.4}, 3},
		{42, 39, Vector{18.7, 3.3, 13.1}, 2},
		{43, 38, Vector{26.6, -2.8, 11.9}, 2},
		{44, 37, Vector{35.9, -3.0, 13.1}, 2},
		{45, 36, Vector{44.0, 1.9, 18.4}, 2.5},
		{46, 41, Vector{36.5, 4.6, 12.9}, 2},
		{47, 40, Vector{27.4, 4.6, 11.7}, 2},
		{54, 48, Vector{28.9, 67.7, 5.5}, 4},
	}
}

// Landmarks lays the pairs out on both sides.
func Landmarks(pairs []Pair) []Landmark {
	face := make([]Landmark, 0, 2*len(pairs))
	for _, p := range pairs {
		face = append(face, Landmark{p.Left, p.At, p.Spread})
		if p.Left != p.Right {
			face = append(face, Landmark{p.Right, Vector{-p.At[0], p.At[1], p.At[2]}, p.Spread})
		}
	}
	return face
}

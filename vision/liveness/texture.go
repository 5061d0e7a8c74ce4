package liveness

// textureModel names the fall-back in Analysis.Models.
const textureModel = "texture-cues-1"

// weight is one cue's share: its mean and spread among the training faces, and what one spread above the
// mean adds to the log-odds of a live person.
type weight struct{ mean, spread, weight float64 }

// textureBias and textureWeights are a penalised logistic regression over the cues in the order of Names,
// fitted by vision/liveness/train on 43 genuine faces and 47 attacks (41 replays, 4 prints, a mask, a generated
// face) of 15 subjects. With whole subjects left out its AUC is 0.73, against 0.89 of MiniFASNet on the same
// faces: enough to be better than chance, not enough to let anyone in unseen. Scores keep near 0.5 because the
// fit claims no more than it knows.
const textureBias = -0.0009

var textureWeights = [...]weight{
	{-5.2798, 0.53907, -0.0498},    // sharpness
	{-4.9312, 0.67329, -0.0501},    // high_band
	{-3.8413, 0.71015, 0.0128},     // mid_band
	{3.3134, 0.56302, 0.0088},      // moire
	{0.8923, 0.050206, 0.0972},     // flat_lbp
	{0.14186, 0.11845, 0.0642},     // redness
	{-0.086373, 0.0615, -0.1319},   // blueness
	{0.090761, 0.042653, 0.0257},   // chroma
	{0.19543, 0.0514, -0.0784},     // contrast
	{0.0081703, 0.023125, -0.0972}, // highlights
}

// textureScore is the model's probability of a live person.
func textureScore(c Cues) float64 {
	sum := textureBias
	for i, v := range c.Values() {
		w := textureWeights[i]
		sum += w.weight * (v - w.mean) / w.spread
	}
	return sigmoid(sum)
}

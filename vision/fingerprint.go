package vision

// Fingerprint is what copies of a picture are recognised by, whatever was done to their bytes.
type Fingerprint struct {
	Whole []uint64 `json:"whole"` // perceptual hash of the whole picture
	Face  []uint64 `json:"face"`  // perceptual hash of the main face, cut out by its landmarks; empty without a face
	Model string   `json:"model"` // name and version of the algorithm; hashes of different ones are never compared
}

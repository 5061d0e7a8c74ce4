// Package vision holds the contracts and the plain maths of images and faces.
//
// Nothing here needs cgo: the server, which is pure Go, and the sidecar, which is not, both import it.
// What turns bytes into an Analysis lives in the leaves below (vision/face, vision/ocr, …), which the
// sidecar alone imports.
package vision

import "kycd/kyc/mrz"

// Ask says which measurements of an image are wanted. The zero value asks for nothing but the size and
// the quality hints; asking for less makes an analysis cheaper, never different.
type Ask struct {
	Faces bool `json:"faces"` // find faces and encode them
	// Portrait says that the picture shows a document: the main face is the portrait printed on it.
	Portrait bool `json:"portrait"`
	Liveness bool `json:"liveness"` // passive liveness of the main face; implies Faces
	// Attributes asks for age, gender and expression of the main face; implies Faces.
	Attributes bool `json:"attributes"`
	// Fingerprint asks for what copies of the picture are recognised by.
	Fingerprint bool `json:"fingerprint"`
	Document    bool `json:"document"` // find the document's outline
	Barcodes    bool `json:"barcodes"` // PDF417 and what else is printed as a code
	MRZ         bool `json:"mrz"`      // machine-readable zone
	Text        bool `json:"text"`     // printed text, by OCR
}

// AskAll asks for everything that the sidecar can measure.
func AskAll() Ask {
	return Ask{Faces: true, Liveness: true, Attributes: true, Fingerprint: true, Document: true, Barcodes: true, MRZ: true, Text: true}
}

// The parts of an analysis, as Models, Degraded, Unavailable and Millis name them.
const (
	PartDecode      = "decode"
	PartQuality     = "quality"
	PartFaces       = "faces"
	PartEncoding    = "face_encoding"
	PartLiveness    = "liveness"
	PartAttributes  = "attributes"
	PartFingerprint = "fingerprint"
	PartDocument    = "document"
	PartBarcodes    = "barcodes"
	PartMRZ         = "mrz"
	PartText        = "text"
)

// Reason is a stable code that says why a part is in Analysis.Unavailable, or why faces could not be compared.
type Reason string

// The reasons.
const (
	ReasonNoFace         Reason = "no_face"          // there is nothing to measure it on
	ReasonFaceTooSmall   Reason = "face_too_small"   // the face shows too little of it
	ReasonFaceNotEncoded Reason = "face_not_encoded" // turned too far, blurred or hidden
	ReasonModelMissing   Reason = "model_missing"    // this installation lacks the weights or language data
	ReasonFailed         Reason = "failed"           // the library failed on this picture
	ReasonTimeout        Reason = "timeout"          // the time allowed ran out
)

// Hint is a machine code that tells a person how to take a better picture.
type Hint string

// The hints. Each is measured; none is guessed from another. What is missing is a hint only if it was asked for.
const (
	HintBlurred           Hint = "blurred"
	HintGlare             Hint = "glare"
	HintTooDark           Hint = "too_dark"
	HintFaceTooSmall      Hint = "face_too_small"
	HintNoFace            Hint = "no_face"
	HintSeveralFaces      Hint = "several_faces"
	HintFaceTurned        Hint = "face_turned"   // away from the camera, where a frontal face is wanted
	HintEyesCovered       Hint = "eyes_covered"  // by glasses, hair or a hand
	HintMouthCovered      Hint = "mouth_covered" // by a mask or a hand
	HintUpsideDown        Hint = "upside_down"   // the face was found only after the picture was turned
	HintNoDocument        Hint = "no_document"
	HintCutOff            Hint = "cut_off"           // a corner or an edge of the document lies outside of the picture
	HintTooSmall          Hint = "too_small"         // the document shows too few pixels to be read
	HintWrongSide         Hint = "wrong_side"        // the other side of the document than was asked for
	HintSeveralDocuments  Hint = "several_documents" // more than one in the picture
	HintBarcodeUnreadable Hint = "barcode_unreadable"
	HintMRZUnreadable     Hint = "mrz_unreadable" // a machine-readable zone is there, and was not read, or its check digits are wrong
)

// Analysis is everything the sidecar measured on one image, in pixels of the upright image (after the
// EXIF orientation was applied). A part that was asked for but could not be measured is nil and named,
// with its reason, in Unavailable: not measured is never the same as measured and found bad.
type Analysis struct {
	File        string            `json:"file,omitempty"`
	Error       string            `json:"error,omitempty"` // a Code of this package when the image could not be analysed at all
	Format      string            `json:"format,omitempty"`
	Width       int               `json:"width"`
	Height      int               `json:"height"`
	Hints       []Hint            `json:"hints"`
	Quality     *Quality          `json:"quality,omitempty"`
	Document    *Document         `json:"document"`
	Barcodes    []Barcode         `json:"barcodes"`
	AAMVA       map[string]string `json:"aamva"` // element id → value, of the first barcode that is an AAMVA payload
	MRZ         *MRZ              `json:"mrz"`
	Text        string            `json:"text"` // OCR text, lines separated by \n
	Words       []Word            `json:"words,omitempty"`
	Fields      map[string]Field  `json:"fields,omitempty"` // of the printed side, by the specification's names of a document's fields
	Faces       []Face            `json:"faces"`            // the main face first
	Turned      int               `json:"turned,omitempty"` // degrees, clockwise, by which the picture had to be turned to show a face: 0, 90, 180 or 270
	Liveness    *Liveness         `json:"liveness"`
	Fingerprint *Fingerprint      `json:"fingerprint,omitempty"`
	Models      map[string]string `json:"models,omitempty"`      // part → name and version of the weights used
	Degraded    []string          `json:"degraded,omitempty"`    // parts measured by a weaker fall-back
	Unavailable map[string]Reason `json:"unavailable,omitempty"` // part → reason code
	Millis      map[string]int64  `json:"millis,omitempty"`      // part → time spent, ms
}

// Failed is the analysis of an image that could not be analysed at all; its lists are empty, not null.
func Failed(file string, code Code) Analysis {
	return Analysis{File: file, Error: string(code), Hints: []Hint{}, Barcodes: []Barcode{}, Faces: []Face{}}
}

// Point is a position in pixels; the origin is the upper left corner.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Box is an axis-parallel rectangle in pixels.
type Box struct {
	X      int `json:"x"`
	Y      int `json:"y"`
	Width  int `json:"width"`
	Height int `json:"height"`
}

// Area is the number of pixels the box covers.
func (b Box) Area() int { return b.Width * b.Height }

// Quality holds what the hints are derived from, each for the whole image.
type Quality struct {
	Sharpness  float64 `json:"sharpness"`  // variance of the Laplacian at a working width of 1000 px
	Brightness float64 `json:"brightness"` // mean luma, 0..255
	Glare      float64 `json:"glare"`      // share of pixels in saturated blobs, 0..1
}

// Document is the outline of a card or page.
type Document struct {
	Type       string   `json:"type"`       // id1 (card), id3 (passport page) or unknown
	Confidence float64  `json:"confidence"` // 0..1
	Corners    [4]Point `json:"corners"`    // clockwise from the upper left of the upright document; may lie outside of the picture
	Side       string   `json:"side"`       // front, back or unknown
	DPI        float64  `json:"dpi"`        // pixels per inch at which the picture shows it
	CutOff     bool     `json:"cut_off"`    // a part of it lies outside of the picture
	Others     int      `json:"others"`     // further documents seen in the picture
}

// The sides of a document.
const (
	SideFront   = "front"
	SideBack    = "back"
	SideUnknown = "unknown"
)

// Barcode is one decoded symbol. Text is the payload as bytes in a string; it may hold control characters.
type Barcode struct {
	Format  string   `json:"format"` // PDF417, QRCode, …
	Text    string   `json:"text"`
	Corners [4]Point `json:"corners"`
}

// MRZ is a machine-readable zone found in the picture.
type MRZ struct {
	Lines  []string          `json:"lines"`
	Format string            `json:"format"` // TD1, TD2, TD3, MRVA, MRVB
	Valid  bool              `json:"valid"`  // every check digit is right
	Fields map[string]string `json:"fields"`
	// CheckDigits says of each field that has one whether it is right.
	CheckDigits map[string]bool `json:"check_digits"`
	Repairs     []mrz.Repair    `json:"repairs"` // what was changed in what was read; Lines are after it
}

// Doubtful is the confidence below which a field's value is one that no second reading confirmed: it is shown, and not heard.
const Doubtful = 0.5

// Field is one value of the printed side and how sure it is, 0..1: the reader's confidence in its words, lowered where
// the value was found by its format alone.
type Field struct {
	Value      string  `json:"value"`
	Confidence float64 `json:"confidence"`
	Box        Box     `json:"box"` // of its words
}

// Word is one OCR word with its place and the engine's confidence, 0..1.
type Word struct {
	Text       string  `json:"text"`
	Box        Box     `json:"box"`
	Confidence float64 `json:"confidence"`
	Line       int     `json:"line"` // words with the same number stand on one line
}

// Face is one face. Encoding is comparable only with encodings of the same Encoder; see Template.
type Face struct {
	Box        Box         `json:"box"`
	Confidence float64     `json:"confidence"`          // detector's score, 0..1
	Quality    float64     `json:"quality"`             // 0..1: no better than the worst of what Issues can name
	Issues     []FaceIssue `json:"issues,omitempty"`    // why Quality is low
	Landmarks  []Point     `json:"landmarks,omitempty"` // the person's right eye, left eye, nose tip, right and left mouth corner
	Detector   string      `json:"detector"`            // yunet or hog
	Encoder    string      `json:"encoder,omitempty"`   // name and version, e.g. dlib-resnet-v1@face-api-1.7.15
	Encoding   []float32   `json:"encoding"`            // 128 values; nil if it was not computed
	Second     *Encoding   `json:"second,omitempty"`    // by the second encoder, where its weights are present
	Pose       *Pose       `json:"pose,omitempty"`
	Openness   *Openness   `json:"openness,omitempty"`
	Attributes *Attributes `json:"attributes,omitempty"` // of the main face
}

// FaceIssue is a stable code that says what makes a face hard to compare.
type FaceIssue string

// The issues.
const (
	IssueTooSmall     FaceIssue = "too_small"
	IssueBlurred      FaceIssue = "blurred"
	IssueTooDark      FaceIssue = "too_dark"
	IssueTooBright    FaceIssue = "too_bright"
	IssueUnevenLight  FaceIssue = "uneven_light"
	IssueTurned       FaceIssue = "turned"
	IssueEyesCovered  FaceIssue = "eyes_covered"
	IssueMouthCovered FaceIssue = "mouth_covered"
	IssueCutOff       FaceIssue = "cut_off" // the face reaches beyond the picture
)

// Encoding is what one encoder says of a face.
type Encoding struct {
	Encoder string    `json:"encoder"` // name and version
	Values  []float32 `json:"values"`
}

// Pose is how the head is held, in degrees. All are 0 for a face that looks into the camera.
type Pose struct {
	Yaw   float64 `json:"yaw"`   // positive: turned towards the person's own left
	Pitch float64 `json:"pitch"` // positive: looking up
	Roll  float64 `json:"roll"`  // positive: tilted clockwise as the viewer sees it
}

// Openness is how far eyes and mouth are open, each as height over width: an open eye is about 0.3, a closed one
// below 0.15; lips that touch are below 0.1 (inner contour).
type Openness struct {
	RightEye float64 `json:"right_eye"` // the person's own right
	LeftEye  float64 `json:"left_eye"`
	Mouth    float64 `json:"mouth"`
}

// Attributes are what networks estimate of a face. They are estimates of appearance, not facts about a person.
type Attributes struct {
	Age               float64            `json:"age"`                // years
	Gender            string             `json:"gender"`             // male or female: the likelier of the two
	GenderProbability float64            `json:"gender_probability"` // of Gender, 0.5..1
	Expressions       map[string]float64 `json:"expressions"`        // neutral, happy, sad, angry, fearful, disgusted, surprised: probabilities that sum to 1
	Model             string             `json:"model"`
}

// Liveness is the passive presentation-attack score of the main face.
type Liveness struct {
	Score float64            `json:"score"` // 0..1, 1 = a live person
	Model string             `json:"model"`
	Cues  map[string]float64 `json:"cues"`
}

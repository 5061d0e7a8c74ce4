package models

import (
	"errors"
	"os"
	"path/filepath"

	"kycd/models/faceapi"
	"kycd/models/minifasnet"
	"kycd/models/tfjs"
)

// Net is a network of the models folder that is written anew, in memory, in the one format that all programs read.
type Net string

// The networks.
const (
	NetMobileFace Net = "mobileface"
	NetFaceRes    Net = "faceres"
	NetFaceMesh   Net = "facemesh"
	NetIris       Net = "iris"
	NetEmotion    Net = "emotion"
	NetAgeGender  Net = "age_gender"
	NetExpression Net = "expression"
	NetLandmarks  Net = "landmarks"
	// Crops of 2.7 and of 4 times the box of the face.
	NetMiniFASNetV2   Net = "minifasnet_v2"
	NetMiniFASNetV1SE Net = "minifasnet_v1se"
)

// Nets lists them all.
func Nets() []Net {
	return []Net{NetMobileFace, NetFaceRes, NetFaceMesh, NetIris, NetEmotion, NetAgeGender, NetExpression, NetLandmarks, NetMiniFASNetV2, NetMiniFASNetV1SE}
}

// Order is the order of a picture's colour planes.
type Order string

// The orders.
const (
	OrderRGB  Order = "RGB"
	OrderBGR  Order = "BGR"
	OrderGrey Order = "grey" // 0.2989 red + 0.5870 green + 0.1140 blue
)

// Layout is what goes into a network and what comes out.
type Layout struct {
	// The picture: float32 [Channels][Height][Width], one plane per colour in that order, values 0 to 255. What else a
	// network wants done with its pixels is part of it.
	Channels, Height, Width int
	Order                   Order
	Outputs                 []Output
}

// Output is one vector that a network gives.
type Output struct {
	Name string
	Size int
}

// network is how one is made.
type network struct {
	layout Layout
	files  []string
	write  func(files [][]byte) ([]byte, error)
}

func (n Net) network() (network, bool) {
	switch n {
	case NetMobileFace:
		return graphModel("mobileface", Layout{3, 112, 112, OrderRGB, []Output{{"embedding", 256}}}, 1, 0, "batchnorm0/add_1"), true
	case NetFaceRes:
		return graphModel("faceres", Layout{3, 224, 224, OrderRGB, []Output{{"age", 100}, {"gender", 1}, {"descriptor", 1024}}}, 1, 0,
			"age_pred/Softmax", "gender_pred/Sigmoid", "global_pooling/Mean"), true
	case NetFaceMesh:
		return graphModel("facemesh", Layout{3, 192, 192, OrderRGB, []Output{{"mesh", 3 * 468}, {"face", 1}, {"contours", 2 * 133}}}, 1.0/255, 0,
			"Identity_2", "Identity_1", "Identity"), true
	case NetIris:
		return graphModel("iris", Layout{3, 64, 64, OrderRGB, []Output{{"points", 3 * 76}}}, 1.0/255, 0, "Identity"), true
	case NetEmotion:
		return graphModel("emotion", Layout{1, 64, 64, OrderGrey, []Output{{"emotion", 7}}}, 2.0/255, -1, "Identity"), true
	case NetAgeGender:
		return faceAPINetwork("age_gender_model", faceapi.AgeGender, Output{"age", 1}, Output{"gender", 2}), true
	case NetExpression:
		return faceAPINetwork("face_expression_model", faceapi.Expression, Output{"expression", 7}), true
	case NetLandmarks:
		return faceAPINetwork("face_landmark_68_model", faceapi.Landmarks, Output{"points", 2 * 68}), true
	case NetMiniFASNetV2:
		return miniFASNet(FileMiniFASNetV2), true
	case NetMiniFASNetV1SE:
		return miniFASNet(FileMiniFASNetV1SE), true
	}
	return network{}, false
}

// graphModel is a graph of TensorFlow.js. Its pixels become v·scale + offset; nodes are those of the outputs.
func graphModel(file string, layout Layout, scale, offset float32, nodes ...string) network {
	spec := tfjs.Spec{Channels: layout.Channels, Height: layout.Height, Width: layout.Width, Scale: scale, Offset: offset}
	for i, node := range nodes {
		spec.Outputs = append(spec.Outputs, tfjs.Output{Node: node, Name: layout.Outputs[i].Name, Size: layout.Outputs[i].Size})
	}
	return network{
		layout,
		[]string{file + ".json", file + ".bin"},
		func(files [][]byte) ([]byte, error) { return tfjs.ONNX(files[0], files[1], spec) },
	}
}

func faceAPINetwork(file string, write func(manifest, weights []byte) ([]byte, error), outputs ...Output) network {
	return network{
		Layout{3, faceapi.Edge, faceapi.Edge, OrderRGB, outputs},
		[]string{file + "-weights_manifest.json", file + ".bin"},
		func(files [][]byte) ([]byte, error) { return write(files[0], files[1]) },
	}
}

func miniFASNet(file string) network {
	return network{
		Layout{3, minifasnet.Edge, minifasnet.Edge, OrderBGR, []Output{{minifasnet.Output, 3}}},
		[]string{file},
		func(files [][]byte) ([]byte, error) { return minifasnet.ONNX(files[0]) },
	}
}

// Layout gives what goes in and out. The second value is false for a network that does not exist.
func (n Net) Layout() (Layout, bool) {
	net, ok := n.network()
	return net.layout, ok
}

// ONNX reads a network's published weights from the models folder and gives it as an ONNX model. Nothing is written. An
// *Error with the code weights_missing, which is fs.ErrNotExist too, says that a file is not there; one with
// weights_conversion, that its content is not the network.
func ONNX(dir string, net Net) ([]byte, error) {
	n, ok := net.network()
	if !ok {
		return nil, &Error{Code: CodeConversion, Subject: string(net), Err: errors.New("no such network")}
	}
	files := make([][]byte, len(n.files))
	for i, name := range n.files {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			return nil, &Error{Code: CodeMissing, Subject: name, Err: err}
		}
		if err != nil {
			return nil, &Error{Code: CodeFolder, Subject: name, Err: err}
		}
		files[i] = b
	}
	model, err := n.write(files)
	if err != nil {
		return nil, &Error{Code: CodeConversion, Subject: string(net), Err: err}
	}
	return model, nil
}

// Files are the files of the models folder that the network is made of.
func (n Net) Files() []string {
	net, _ := n.network()
	return net.files
}

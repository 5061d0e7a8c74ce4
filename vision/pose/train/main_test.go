package main

import (
	"fmt"
	"math"
	"testing"

	"kycd/models"
	"kycd/vision"
	"kycd/vision/face"
	"kycd/vision/imaging"
	"kycd/vision/networks"
	"kycd/vision/pose"
	"kycd/vision/visiontest"
)

// eye finds the landmarks of a picture's main face.
type eye struct {
	finder  *face.Finder
	encoder *face.Encoder
}

func openEye(t *testing.T) eye {
	t.Helper()
	dir := visiontest.Models(t, face.YuNetFile, "dlib_face_recognition_resnet_model_v1.dat")
	finder, err := face.NewFinder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { finder.Close() })
	encoder, err := face.NewEncoder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(encoder.Close)
	return eye{finder, encoder}
}

func (e eye) shape(t *testing.T, pic *imaging.Picture) []vision.Point {
	t.Helper()
	found, err := e.finder.Find(pic)
	if err != nil || len(found) == 0 {
		t.Fatalf("%d faces, %v", len(found), err)
	}
	encoding, err := e.encoder.Encode(pic, found[0])
	if err != nil {
		t.Fatal(err)
	}
	return encoding.Shape
}

func (e eye) pose(t *testing.T, pic *imaging.Picture) vision.Pose {
	t.Helper()
	held, ok := pose.Estimate(e.shape(t, pic))
	if !ok {
		t.Fatal("no pose")
	}
	return held
}

// tilted turns a picture clockwise about its middle; what was beyond its edges is the edge.
func tilted(pic *imaging.Picture, degrees float64) *imaging.Picture {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	pix := make([]byte, len(pic.Pix))
	cx, cy := float64(pic.Width)/2, float64(pic.Height)/2
	for y := range pic.Height {
		for x := range pic.Width {
			dx, dy := float64(x)+0.5-cx, float64(y)+0.5-cy
			fromX := min(max(int(cx+cos*dx+sin*dy), 0), pic.Width-1)
			fromY := min(max(int(cy-sin*dx+cos*dy), 0), pic.Height-1)
			copy(pix[3*(y*pic.Width+x):][:3], pic.Pix[3*(fromY*pic.Width+fromX):][:3])
		}
	}
	return imaging.New(pix, pic.Width, pic.Height)
}

func photographs() []string {
	var names []string
	for _, person := range []string{"Colin_Powell", "Gerhard_Schroeder", "Hugo_Chavez", "Jacques_Chirac"} {
		for i := 1; i <= 3; i++ {
			names = append(names, fmt.Sprintf("faces/dev/identities/lfw/%s/%s_%04d.jpg", person, person, i))
		}
	}
	return names
}

func read(t *testing.T, name string) *imaging.Picture {
	t.Helper()
	pic, err := imaging.Decode(visiontest.Read(t, name), imaging.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return pic
}

// Photographs seen in the mirror, and tilted: yaw and roll change their sign, roll changes by the angle.
func TestPoseOfPhotographs(t *testing.T) {
	e := openEye(t)
	var mirror, tilt [3]float64
	for _, name := range photographs() {
		pic := read(t, name)
		taken := e.pose(t, pic)
		mirrored := e.pose(t, pic.Mirrored())
		by := e.pose(t, tilted(pic, 15))
		for k, d := range [3]float64{mirrored.Yaw + taken.Yaw, mirrored.Pitch - taken.Pitch, mirrored.Roll + taken.Roll} {
			mirror[k] += math.Abs(d) / float64(len(photographs()))
		}
		for k, d := range [3]float64{by.Yaw - taken.Yaw, by.Pitch - taken.Pitch, by.Roll - taken.Roll - 15} {
			tilt[k] += math.Abs(d) / float64(len(photographs()))
		}
	}
	t.Logf("mean difference of yaw, pitch and roll: mirrored %.2f°, tilted %.2f°", mirror, tilt)
	for k, most := range [3]float64{2, 3, 1.5} {
		if !(mirror[k] <= most && tilt[k] <= 1.5*most) {
			t.Errorf("mirrored %.2f°, tilted %.2f°", mirror, tilt)
		}
	}
}

// A network that gives 468 points in three dimensions has the same opinion. Its pitch is counted from the line between
// forehead and chin, so only differences between photographs can be compared.
func TestPoseAgreesWithFaceMesh(t *testing.T) {
	mesh, err := networks.Open(visiontest.Models(t, models.NetFaceMesh.Files()...), models.NetFaceMesh)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mesh.Close() })
	e := openEye(t)
	var differences [3][]float64
	for _, name := range photographs() {
		pic := read(t, name)
		shape := e.shape(t, pic)
		held, ok := pose.Estimate(shape)
		if !ok {
			t.Fatal("no pose")
		}
		other, ok := meshPose(t, mesh, pic, shape)
		if !ok {
			t.Fatalf("%s: the network sees no face", name)
		}
		for k, d := range [3]float64{held.Yaw - other.Yaw, held.Pitch - other.Pitch, held.Roll - other.Roll} {
			differences[k] = append(differences[k], d)
		}
	}
	for k, most := range [3]float64{4, 6, 2.5} {
		middle, sum := 0.0, 0.0
		if k == 1 {
			middle = median(append([]float64(nil), differences[k]...))
		}
		for _, d := range differences[k] {
			sum += math.Abs(d-middle) / float64(len(differences[k]))
		}
		t.Logf("%s: mean difference %.2f° from %.1f°", [3]string{"yaw", "pitch", "roll"}[k], sum, middle)
		if !(sum <= most) {
			t.Errorf("%s: mean difference %.2f°", [3]string{"yaw", "pitch", "roll"}[k], sum)
		}
	}
}

// meshPose takes the pose from the network's own axes: from ear to ear, and from the forehead to the chin.
func meshPose(t *testing.T, mesh *networks.Network, pic *imaging.Picture, shape []vision.Point) (vision.Pose, bool) {
	t.Helper()
	low, high := shape[0], shape[0]
	for _, p := range shape {
		low.X, low.Y = math.Min(low.X, p.X), math.Min(low.Y, p.Y)
		high.X, high.Y = math.Max(high.X, p.X), math.Max(high.Y, p.Y)
	}
	low.Y -= 0.25 * (high.Y - low.Y) // the forehead
	side := 1.5 * math.Max(high.X-low.X, high.Y-low.Y)
	crop := pic.CropReflected(vision.Box{X: int((low.X + high.X - side) / 2), Y: int((low.Y + high.Y - side) / 2), Width: int(side), Height: int(side)})
	input, err := crop.Resize(mesh.Layout().Width, mesh.Layout().Height)
	if err != nil {
		t.Fatal(err)
	}
	out, err := mesh.Run(networks.Planes(input, models.OrderRGB))
	if err != nil {
		t.Fatal(err)
	}
	between := func(from, to int) (v [3]float64) {
		length := 0.0
		for k := range v {
			v[k] = float64(out[0][3*to+k] - out[0][3*from+k])
			length += v[k] * v[k]
		}
		for k := range v {
			v[k] /= math.Sqrt(length)
		}
		return v
	}
	across, down := between(234, 454), between(10, 152)
	away := [3]float64{across[1]*down[2] - across[2]*down[1], across[2]*down[0] - across[0]*down[2], across[0]*down[1] - across[1]*down[0]}
	return vision.Pose{
		Yaw:   math.Asin(math.Max(-1, math.Min(1, across[2]))) * 180 / math.Pi,
		Pitch: -math.Atan2(down[2], away[2]) * 180 / math.Pi,
		Roll:  math.Atan2(across[1], across[0]) * 180 / math.Pi,
	}, out[1][0] > 0.5
}

package liveness

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"gocv.io/x/gocv"

	"kycd/models"
	"kycd/vision"
	"kycd/vision/imaging"
	"kycd/vision/liveness/fusion"
	"kycd/vision/networks"
)

// ModelFile is the name of MiniFASNetV2-SE's weights in the models folder.
const ModelFile = models.FileMiniFASNet

// Of MiniFASNetV2-SE's input, and the two squares that it is shown, in sides of the face: its own 1.5, and mirrored a
// larger one in which the border of a screen or sheet is more often seen.
const (
	seSide = 128
	seNear = 1.5
	seFar  = 2.2
)

// seNet is facenox' training of MiniFASNetV2-SE: RGB, 0..1, two logits of which the first is "real".
type seNet struct{ net gocv.Net }

// openSE gives nil without an error if the file is not there.
func openSE(dir string) (*seNet, error) {
	path := filepath.Join(dir, ModelFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("look for MiniFASNet weights: %w", err)
	}
	net := gocv.ReadNetFromONNX(path)
	if net.Empty() {
		return nil, fmt.Errorf("read MiniFASNet weights %s", path)
	}
	return &seNet{net: net}, nil
}

// measure adds the log-odds of a person in both squares.
func (n *seNet) measure(pic *imaging.Picture, face vision.Box, cues map[string]float64) error {
	near, err := square(pic, face, seNear, seSide)
	if err != nil {
		return err
	}
	if cues[fusion.SENear], err = n.logOdds(near); err != nil {
		return err
	}
	far, err := square(pic, face, seFar, seSide)
	if err != nil {
		return err
	}
	cues[fusion.SEFar], err = n.logOdds(far.Mirrored())
	return err
}

func (n *seNet) logOdds(crop *imaging.Picture) (float64, error) {
	mat, err := gocv.NewMatFromBytes(crop.Height, crop.Width, gocv.MatTypeCV8UC3, crop.Pix)
	if err != nil {
		return 0, fmt.Errorf("wrap pixels: %w", err)
	}
	defer mat.Close()
	blob := gocv.BlobFromImage(mat, 1.0/255, image.Pt(seSide, seSide), gocv.NewScalar(0, 0, 0, 0), true, false)
	defer blob.Close()
	n.net.SetInput(blob, "")
	out := n.net.Forward("")
	defer out.Close()
	logits, err := out.DataPtrFloat32()
	if err != nil || len(logits) != 2 {
		return 0, fmt.Errorf("MiniFASNet gave %d values instead of 2", len(logits))
	}
	return float64(logits[0]) - float64(logits[1]), nil
}

func (n *seNet) close() error { return n.net.Close() }

// elder is one of the two older networks: BGR, 0..255, three probabilities of which the second is "real".
type elder struct {
	net   *networks.Network
	cue   string
	scale float64 // of the face's box
}

// openElders opens both older networks. One without the other is of no use: there is no fit for it.
func openElders(dir string) ([]elder, error) {
	elders := []elder{{cue: fusion.ElderV2, scale: 2.7}, {cue: fusion.ElderV1SE, scale: 4}}
	for i, name := range []models.Net{models.NetMiniFASNetV2, models.NetMiniFASNetV1SE} {
		net, err := networks.Open(dir, name)
		if err != nil {
			err = errors.Join(err, closeElders(elders[:i]))
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			return nil, err
		}
		elders[i].net = net
	}
	return elders, nil
}

func closeElders(elders []elder) error {
	var errs []error
	for _, e := range elders {
		errs = append(errs, e.net.Close())
	}
	return errors.Join(errs...)
}

// measure adds the log-odds of a person.
func (e elder) measure(pic *imaging.Picture, face vision.Box, cues map[string]float64) error {
	layout := e.net.Layout()
	crop, err := stretched(pic, face, e.scale, layout.Width)
	if err != nil {
		return err
	}
	out, err := e.net.Run(networks.Planes(crop, layout.Order))
	if err != nil {
		return err
	}
	const tiny = 1e-7 // float32 probabilities end there
	p := out[0]
	cues[e.cue] = math.Log(float64(p[1])+tiny) - math.Log(float64(p[0])+float64(p[2])+tiny)
	return nil
}

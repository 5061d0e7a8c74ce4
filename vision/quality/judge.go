package quality

import (
	"fmt"
	"math"
	"slices"

	"kycd/vision"
	"kycd/vision/imaging"
	"kycd/vision/quality/internal/cover"
)

// faceSide is the side, px, at which a face's sharpness is measured, near that of the encoder's input.
const faceSide = 128

// Rating says how well a face can be compared, and what stands in the way.
type Rating struct {
	Score  float64 // 0..1: the worst of the parts
	Issues []vision.FaceIssue
	Parts  map[vision.FaceIssue]float64 // 0..1 for each issue that could be measured; below 0.5 is an issue
}

// Judge rates faces. It may be used from several goroutines.
type Judge struct {
	covered *cover.Networks
}

// NewJudge reads the built-in networks.
func NewJudge() (*Judge, error) {
	covered, err := cover.Trained()
	if err != nil {
		return nil, fmt.Errorf("load face quality: %w", err)
	}
	return &Judge{covered: covered}, nil
}

// Face rates a face in a box of pic, for comparison with others. The shape, 68 points of the 300-W mark-up or the five of
// vision.Face.Landmarks, in pixels of pic, and the pose may be nil: what they would tell is then not measured, and not
// held against the face. So are eyes and mouth of a face with less than 10 px between the eyes.
func (j *Judge) Face(pic *imaging.Picture, box vision.Box, shape []vision.Point, pose *vision.Pose) (Rating, error) {
	crop, ok := pic.Crop(box)
	if !ok {
		return rated(map[vision.FaceIssue]float64{vision.IssueCutOff: 0}), nil
	}
	scaled, err := crop.Resize(faceSide, faceSide)
	if err != nil {
		return Rating{}, err
	}
	sharpness, err := laplacianVariance(scaled)
	if err != nil {
		return Rating{}, err
	}
	luma := meanLuma(scaled)
	parts := map[vision.FaceIssue]float64{
		// Size as seen by the source: a reduced decode took nothing away that the encoder would have used.
		vision.IssueTooSmall:  ramp(float64(box.Width)*pic.Scale, 20, 100),
		vision.IssueBlurred:   ramp(math.Log(sharpness+1), math.Log(4), math.Log(31)),
		vision.IssueTooDark:   ramp(luma, 20, 70),
		vision.IssueTooBright: ramp(-luma, -250, -200),
		// Detectors draw the box a little wider than a tight crop of a face.
		vision.IssueCutOff: math.Min(ramp(float64(crop.Width*crop.Height)/float64(box.Area()), 0.6, 0.95), ramp(within(pic, shape), 0.75, 1)),
	}
	if pose != nil {
		parts[vision.IssueTurned] = math.Min(ramp(-math.Abs(pose.Yaw), -mostYaw, -freeYaw), ramp(-math.Abs(pose.Pitch), -mostPitch, -freePitch))
	}
	if five, ok := cover.Five(shape); ok {
		patch, ok, err := cover.Cut(pic, five)
		if err != nil {
			return Rating{}, err
		}
		if ok {
			left, right := patch.Sides()
			parts[vision.IssueUnevenLight] = ramp(-math.Abs(math.Log((left+16)/(right+16))), -mostUneven, -freeUneven)
			parts[vision.IssueEyesCovered] = ramp(-j.covered.Eyes(patch), -unsure, unsure)
			parts[vision.IssueMouthCovered] = ramp(-j.covered.Lips(patch), -unsure, unsure)
		}
	}
	return rated(parts), nil
}

// Up to the free bound a face loses nothing, at the most it is worth nothing, and half-way it has an issue.
const (
	freeYaw, mostYaw       = 20, 50 // degrees
	freePitch, mostPitch   = 20, 44
	freeUneven, mostUneven = 0.5, 1.5 // logarithm of how many times as light one cheek is as the other
	// unsure is the score of a network, on both sides of 0, within which it hardly knows.
	unsure = 2
)

// issues lists what a rating names, in the order in which it does.
func issues() []vision.FaceIssue {
	return []vision.FaceIssue{
		vision.IssueCutOff, vision.IssueTooSmall, vision.IssueBlurred, vision.IssueTooDark, vision.IssueTooBright,
		vision.IssueUnevenLight, vision.IssueTurned, vision.IssueEyesCovered, vision.IssueMouthCovered,
	}
}

// rated takes the worst of the parts, so the score is never better than any of them and never falls when one rises. What
// is blurred or cut off looks as if it were covered: it is then not named so.
func rated(parts map[vision.FaceIssue]float64) Rating {
	r := Rating{Score: 1, Parts: parts}
	for _, issue := range issues() {
		part, measured := parts[issue]
		if !measured {
			continue
		}
		r.Score = math.Min(r.Score, part)
		covered := issue == vision.IssueEyesCovered || issue == vision.IssueMouthCovered
		unclear := slices.Contains(r.Issues, vision.IssueBlurred) || slices.Contains(r.Issues, vision.IssueCutOff)
		if part < 0.5 && !(covered && unclear) {
			r.Issues = append(r.Issues, issue)
		}
	}
	return r
}

// within is the share of the landmarks that lie in the picture; 1 without any.
func within(pic *imaging.Picture, shape []vision.Point) float64 {
	out := 0
	for _, p := range shape {
		if !(p.X >= 0 && p.Y >= 0 && p.X < float64(pic.Width) && p.Y < float64(pic.Height)) {
			out++
		}
	}
	return 1 - float64(out)/float64(max(len(shape), 1))
}

func meanLuma(pic *imaging.Picture) float64 {
	sum := 0
	for _, v := range pic.Gray() {
		sum += int(v)
	}
	return float64(sum) / float64(len(pic.Gray()))
}

// ramp rises from 0 at low to 1 at high.
func ramp(v, low, high float64) float64 {
	return math.Min(math.Max((v-low)/(high-low), 0), 1)
}

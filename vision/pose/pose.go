// Package pose tells from the landmarks of a face how the head is held and how far eyes and mouth are open.
//
// It fits a generic face, in three dimensions, to the points in the picture. Angles are those between the face and the
// line from the camera to it, so a face at the edge of a wide picture that looks into the camera has a yaw of 0.
package pose

import (
	"math"

	"kycd/vision"
	"kycd/vision/pose/internal/head"
)

// shapePoints is the number of points of the 300-W mark-up (Sagonas et al., 2013).
const shapePoints = 68

const (
	// mostAway is the most of the median distance between the landmarks and the fitted face, in spreads: 266 photographs
	// leave 0.5 in the median and 1.2 at most, the same points in another order 13 and more.
	mostAway = 2.0
	// mostAngle bounds yaw and pitch, in degrees: beyond it what a detector gives as landmarks are guesses.
	mostAngle = 80
)

// Estimate tells the pose from the 68 points of the 300-W mark-up, in pixels of the upright picture. ok is false for
// points that are not those of a face: of another number, not finite, on one line, or in an order that no face shows.
func Estimate(shape []vision.Point) (pose vision.Pose, ok bool) {
	if len(shape) != shapePoints {
		return vision.Pose{}, false
	}
	return estimate(head.Landmarks(head.Generic()), shape)
}

// FromFive tells the pose from five points in the order of vision.Face.Landmarks. It is coarser: its pitch rests on how
// far the nose stands from the eyes and the mouth, by which people differ as much as by a nod. With YuNet's points yaw and
// roll lie 3° off in the mean and pitch 6°, and turns and tilts come out smaller than they are.
func FromFive(points []vision.Point) (pose vision.Pose, ok bool) {
	if len(points) != 5 {
		return vision.Pose{}, false
	}
	return estimate(fivePoints(), points)
}

func estimate(face []head.Landmark, points []vision.Point) (vision.Pose, bool) {
	camera, ok := head.Fit(face, points)
	if !ok || !(camera.Away(face, points) <= mostAway) {
		return vision.Pose{}, false
	}
	pose := camera.Turned.Pose()
	if math.Abs(pose.Yaw) > mostAngle || math.Abs(pose.Pitch) > mostAngle {
		return vision.Pose{}, false
	}
	return pose, true
}

// fivePoints condenses the generic face as detectors of five points do: middles of the eyes, tip of the nose, mouth corners.
func fivePoints() []head.Landmark {
	var eye, nose, mouth head.Vector // on the person's left
	for _, p := range head.Generic() {
		switch {
		case p.Left >= 42 && p.Left < 48:
			for k, v := range p.At {
				eye[k] += v / 6
			}
		case p.Left == 30:
			nose = p.At
		case p.Left == 54:
			mouth = p.At
		}
	}
	right := func(v head.Vector) head.Vector { return head.Vector{-v[0], v[1], v[2]} }
	return []head.Landmark{
		{Index: 0, At: right(eye), Spread: 3},
		{Index: 1, At: eye, Spread: 3},
		{Index: 2, At: nose, Spread: 3},
		{Index: 3, At: right(mouth), Spread: 4},
		{Index: 4, At: mouth, Spread: 4},
	}
}

// Package head fits a generic face in three dimensions to the landmarks of a face in a picture.
package head

import (
	"math"

	"kycd/vision"
)

// Vector is a position or direction: x to the viewer's right, y down, z away from the viewer.
type Vector [3]float64

// Matrix is a rotation, row by row.
type Matrix [3]Vector

// Times applies the matrix to a vector.
func (m Matrix) Times(v Vector) Vector {
	return Vector{
		m[0][0]*v[0] + m[0][1]*v[1] + m[0][2]*v[2],
		m[1][0]*v[0] + m[1][1]*v[1] + m[1][2]*v[2],
		m[2][0]*v[0] + m[2][1]*v[1] + m[2][2]*v[2],
	}
}

// After is the rotation by n, then by m.
func (m Matrix) After(n Matrix) Matrix {
	var out Matrix
	for r := range 3 {
		for c := range 3 {
			out[r][c] = m[r][0]*n[0][c] + m[r][1]*n[1][c] + m[r][2]*n[2][c]
		}
	}
	return out
}

// Rotation turns a face that looks at the viewer into a pose: it nods, then turns, then tilts. So yaw and pitch say
// where the face looks once the picture was turned upright, and turning the picture changes roll alone.
func Rotation(p vision.Pose) Matrix {
	sy, cy := math.Sincos(-p.Yaw * math.Pi / 180)
	sp, cp := math.Sincos(-p.Pitch * math.Pi / 180)
	sr, cr := math.Sincos(p.Roll * math.Pi / 180)
	nod := Matrix{{1, 0, 0}, {0, cp, -sp}, {0, sp, cp}}
	turn := Matrix{{cy, 0, sy}, {0, 1, 0}, {-sy, 0, cy}}
	tilt := Matrix{{cr, -sr, 0}, {sr, cr, 0}, {0, 0, 1}}
	return tilt.After(turn).After(nod)
}

// Pose undoes Rotation, for a yaw within ±90°.
func (m Matrix) Pose() vision.Pose {
	const degrees = 180 / math.Pi
	return vision.Pose{
		Yaw:   math.Asin(math.Max(-1, math.Min(1, m[2][0]))) * degrees,
		Pitch: -math.Atan2(m[2][1], m[2][2]) * degrees,
		Roll:  math.Atan2(m[1][0], m[0][0]) * degrees,
	}
}

// spin is the rotation by a vector: its direction is the axis, its length the angle in radians (Rodrigues).
func spin(w Vector) Matrix {
	angle := math.Sqrt(w[0]*w[0] + w[1]*w[1] + w[2]*w[2])
	a, b := 1.0, 0.5 // sin(angle)/angle and (1-cos(angle))/angle² near 0
	if angle > 1e-6 {
		a, b = math.Sin(angle)/angle, (1-math.Cos(angle))/(angle*angle)
	}
	skew := Matrix{{0, -w[2], w[1]}, {w[2], 0, -w[0]}, {-w[1], w[0], 0}}
	square := skew.After(skew)
	var out Matrix
	for r := range 3 {
		for c := range 3 {
			out[r][c] = a*skew[r][c] + b*square[r][c]
		}
		out[r][r]++
	}
	return out
}

func cross(a, b Vector) Vector {
	return Vector{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

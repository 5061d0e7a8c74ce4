package main

import (
	"math"
	"testing"

	"kycd/vision"
)

func somePairs() []facePair {
	anna1, anna2 := photo{file: "1", person: "anna", set: "x"}, photo{file: "2", person: "anna", set: "x"}
	berta, carla := photo{file: "3", person: "berta", set: "x"}, photo{file: "4", person: "carla", set: "y"}
	return []facePair{
		{a: anna1, b: anna2, same: true, distance: 0.3},
		{a: anna1, b: berta, distance: 0.4},
		{a: berta, b: anna2, distance: 0.7},
		{a: anna1, b: carla, distance: 0.8},
		{a: berta, b: carla, distance: 0.9},
	}
}

func TestStrangersMatched(t *testing.T) {
	for tolerance, want := range map[float64]rate{0.3: {0, 3}, 0.4: {1, 3}, 0.75: {1, 3}, 0.8: {2, 3}} {
		if got := strangersMatched(somePairs(), tolerance); got != want {
			t.Errorf("at %v: %+v, want %+v", tolerance, got, want)
		}
	}
}

func TestWithinACollection(t *testing.T) {
	c := faceCurve(somePairs(), within("x"))
	if len(c.genuine) != 1 || len(c.impostor) != 2 {
		t.Errorf("%d and %d pairs, want 1 and 2", len(c.genuine), len(c.impostor))
	}
}

func TestHalvesHaveNobodyInCommon(t *testing.T) {
	for _, p := range somePairs() {
		if inHalf(0)(p) && inHalf(1)(p) {
			t.Errorf("%s and %s are in both halves", p.a.person, p.b.person)
		}
		if (half(p.a.person) == half(p.b.person)) != (inHalf(0)(p) || inHalf(1)(p)) {
			t.Errorf("%s and %s", p.a.person, p.b.person)
		}
	}
}

func TestBoundsByPeople(t *testing.T) {
	// Ten people, of whom one is wrong in all pairs: people differ, and the bounds must say so.
	var pairs []facePair
	for person := range 10 {
		for range 100 {
			who := photo{person: string(rune('a' + person))}
			distance := 0.2
			if person == 0 {
				distance = 0.9
			}
			pairs = append(pairs, facePair{a: who, b: who, same: true, distance: distance})
		}
	}
	wrong := func(d float64) bool { return d > 0.5 }
	low, high := between(byPeople(pairs, true, wrong))
	_, exact := rate{100, 1000}.bounds()
	if low != 0 || high < 0.25 || high > 0.4 {
		t.Errorf("[%v, %v], want from 0 to about 0.3", low, high)
	}
	if high <= exact {
		t.Errorf("%v is no wider than the bound %v of independent trials", high, exact)
	}
	if _, again := between(byPeople(pairs, true, wrong)); again != high {
		t.Error("the same pairs gave other bounds")
	}
}

func TestAnAccountIsAsFarAsItsNearestPicture(t *testing.T) {
	pictures := []photo{{file: "1", person: "anna"}, {file: "2", person: "anna"}, {file: "3", person: "anna"}, {file: "4", person: "anna"}, {file: "5", person: "berta"}}
	distances := map[pair]float64{
		{"1", "2"}: 0.1, {"1", "3"}: 0.1, {"2", "3"}: 0.1,
		{"1", "4"}: 0.5, {"2", "4"}: 0.3, {"3", "4"}: 0.6,
		{"1", "5"}: 0.9, {"2", "5"}: 0.8, {"3", "5"}: 0.7, {"4", "5"}: 0.2,
	}
	var pairs []facePair
	for i, a := range pictures {
		for _, b := range pictures[i+1:] {
			pairs = append(pairs, facePair{a: a, b: b, same: a.person == b.person, distance: distances[pair{a.file, b.file}]})
		}
	}
	c := accountCurve(pairs)
	if len(c.genuine) != 1 || c.genuine[0] != 0.3 {
		t.Errorf("the person's fourth picture is at %v, want 0.3", c.genuine)
	}
	if len(c.impostor) != 1 || c.impostor[0] != 0.7 {
		t.Errorf("the stranger is at %v, want 0.7: the fourth picture is not enrolled, and berta has no account", c.impostor)
	}
}

func TestGroupsByAllPicturesOfAPerson(t *testing.T) {
	photos := []photo{{person: "anna"}, {person: "anna"}, {person: "berta"}, {person: "carl"}}
	seen := func(gender string, probability, age float64) vision.Analysis {
		return vision.Analysis{Faces: []vision.Face{{Attributes: &vision.Attributes{Gender: gender, GenderProbability: probability, Age: age}}}}
	}
	r := facesResult{photos: photos, groups: groupsOf(photos, []vision.Analysis{
		seen("male", 0.6, 22), seen("female", 0.9, 30), {Faces: []vision.Face{{}}}, seen("male", 0.99, 60),
	})}
	women, old := group{"apparent gender", "women"}, group{"apparent age", "60 and older"}
	if got := r.groups["anna"]; len(got) != 2 || got[0] != women || got[1] != (group{"apparent age", "25 to 39"}) {
		t.Errorf("anna: %v", got)
	}
	if got := r.groups["carl"]; len(got) != 2 || got[0] != (group{"apparent gender", "men"}) || got[1] != old {
		t.Errorf("carl: %v", got)
	}
	if got, ok := r.groups["berta"]; ok {
		t.Errorf("berta, of whom nothing was estimated: %v", got)
	}
	if in := r.inGroup(women); !in(facePair{a: photos[0], b: photos[1]}) || in(facePair{a: photos[0], b: photos[3]}) || in(facePair{a: photos[0], b: photos[2]}) {
		t.Error("a pair is in a group if both people are")
	}
}

func TestPicturesAreComparedAsTheServerDoes(t *testing.T) {
	face := func(x float32) vision.Analysis {
		values := make([]float32, vision.FaceEncodingSize)
		values[0] = x
		return vision.Analysis{Faces: []vision.Face{{Encoder: vision.FaceEncoder, Encoding: values}}}
	}
	if d := apart(face(0), face(0.5)); d != 0.5 {
		t.Errorf("distance %v, want 0.5", d)
	}
	for _, none := range []vision.Analysis{{}, {Faces: []vision.Face{{}}}} {
		if d := apart(face(0), none); !math.IsInf(d, 1) {
			t.Errorf("without an encoding the distance is %v", d)
		}
	}
}

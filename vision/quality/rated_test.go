package quality

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kycd/vision"
)

// The score is the worst part; it does not fall when a part rises; and every issue is a part below a half.
func TestRated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.MapOf(rapid.SampledFrom(issues()), rapid.Float64Range(0, 1)).Draw(t, "parts")
		got := rated(parts)
		for issue, part := range parts {
			if got.Score > part {
				t.Errorf("score %v with %s %v", got.Score, issue, part)
			}
			raised := map[vision.FaceIssue]float64{}
			for k, v := range parts {
				raised[k] = v
			}
			raised[issue] = part + (1-part)/2
			if better := rated(raised); better.Score < got.Score {
				t.Errorf("score falls from %v to %v when %s rises", got.Score, better.Score, issue)
			}
		}
		for _, issue := range got.Issues {
			if part, ok := parts[issue]; !ok || part >= 0.5 {
				t.Errorf("issue %s with %v", issue, parts)
			}
		}
		if (len(got.Issues) > 0) != (got.Score < 0.5) {
			t.Errorf("score %v with issues %v", got.Score, got.Issues)
		}
	})
}

// What is blurred is not called covered too, though it counts.
func TestRatedNamesTheCause(t *testing.T) {
	got := rated(map[vision.FaceIssue]float64{vision.IssueBlurred: 0.3, vision.IssueEyesCovered: 0.1})
	if !slices.Equal(got.Issues, []vision.FaceIssue{vision.IssueBlurred}) || got.Score != 0.1 {
		t.Errorf("got %+v", got)
	}
}

package current

import (
	"slices"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestFindingsConcernObjectsUntilTheyAreCleared(t *testing.T) {
	var told [][]string
	findings := ControllerFindings{OnChange: func(ras ...string) { told = append(told, ras) }}
	forbidden := model.Finding{Outcome: model.Retryable, Message: "forbidden"}

	findings.Set("nad/a", []string{"one", "two"}, forbidden)
	findings.Set("nad/a", []string{"one", "two"}, forbidden)
	if got := findings.Of("two"); !slices.Equal(got, []model.Finding{forbidden}) {
		t.Errorf("findings of two: %v", got)
	}
	findings.Set("nad/a", []string{"two", "three"}, forbidden)
	if got := findings.Of("one"); len(got) != 0 {
		t.Errorf("findings of one: %v, want none any more", got)
	}
	findings.Clear("nad/a")
	findings.Clear("nad/a")
	if got := findings.Of("three"); len(got) != 0 {
		t.Errorf("findings of three: %v, want none any more", got)
	}
	want := [][]string{{"one", "two"}, {"one", "three", "two"}, {"three", "two"}}
	if !slices.EqualFunc(told, want, slices.Equal) {
		t.Errorf("told %v, want %v", told, want)
	}
}

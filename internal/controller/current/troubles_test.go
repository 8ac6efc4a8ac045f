package current

import (
	"slices"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestTroublesConcernObjectsUntilTheyAreCleared(t *testing.T) {
	var told [][]string
	troubles := Troubles{OnChange: func(ras ...string) { told = append(told, ras) }}
	forbidden := model.Finding{Outcome: model.Retryable, Message: "forbidden"}

	troubles.Set("nad/a", []string{"one", "two"}, forbidden)
	troubles.Set("nad/a", []string{"one", "two"}, forbidden)
	if got := troubles.Of("two"); !slices.Equal(got, []model.Finding{forbidden}) {
		t.Errorf("troubles of two: %v", got)
	}
	troubles.Set("nad/a", []string{"two", "three"}, forbidden)
	if got := troubles.Of("one"); len(got) != 0 {
		t.Errorf("troubles of one: %v, want none any more", got)
	}
	troubles.Clear("nad/a")
	troubles.Clear("nad/a")
	if got := troubles.Of("three"); len(got) != 0 {
		t.Errorf("troubles of three: %v, want none any more", got)
	}
	want := [][]string{{"one", "two"}, {"one", "three", "two"}, {"three", "two"}}
	if !slices.EqualFunc(told, want, slices.Equal) {
		t.Errorf("told %v, want %v", told, want)
	}
}

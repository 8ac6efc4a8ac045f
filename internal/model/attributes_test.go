package model

import (
	"reflect"
	"testing"
)

func standard(a, b uint32) Community { return Community{Parts: [3]uint32{a, b}} }

func large(a, b, c uint32) Community { return Community{Large: true, Parts: [3]uint32{a, b, c}} }

func preference(v uint32) *uint32 { return &v }

func TestAttributesKeepTheirValues(t *testing.T) {
	for _, test := range []struct{ values, want AttributeValues }{
		{AttributeValues{}, AttributeValues{}},
		{AttributeValues{LocalPreference: preference(0)}, AttributeValues{LocalPreference: preference(0)}},
		{AttributeValues{LocalPreference: preference(1 << 31)}, AttributeValues{LocalPreference: preference(1 << 31)}},
		{AttributeValues{Communities: []Community{large(1, 2, 3), standard(64512, 100), standard(65535, 0), standard(64512, 100)}},
			AttributeValues{Communities: []Community{standard(64512, 100), standard(65535, 0), large(1, 2, 3)}}},
		{AttributeValues{MED: preference(0)}, AttributeValues{MED: preference(0)}},
		{AttributeValues{Prepend: 3}, AttributeValues{Prepend: 3}},
		// The same numbers mean another community.
		{AttributeValues{Communities: []Community{large(1, 2, 0), standard(1, 2)}},
			AttributeValues{Communities: []Community{standard(1, 2), large(1, 2, 0)}}},
	} {
		made := MakeAttributes(test.values)
		if got := made.Values(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%+v became %+v", test.values, got)
		}
		if again := MakeAttributes(test.want); again != made {
			t.Errorf("%+v: order or repetition makes other attributes", test.values)
		}
		if none := reflect.DeepEqual(test.want, AttributeValues{}); none != (made == Attributes{}) {
			t.Errorf("%+v: only no values are no attributes", test.values)
		}
	}
	if MakeAttributes(AttributeValues{LocalPreference: preference(0)}) == MakeAttributes(AttributeValues{LocalPreference: preference(1)}) {
		t.Error("local preferences are mixed up")
	}
}

func TestAttributesThatNeedRawText(t *testing.T) {
	typed := AttributeValues{Communities: []Community{standard(1, 1)}, LocalPreference: preference(0)}
	for _, test := range []struct {
		values AttributeValues
		needs  bool
	}{
		{AttributeValues{}, false}, {typed, false},
		{AttributeValues{Communities: typed.Communities, LocalPreference: typed.LocalPreference, MED: preference(0)}, true},
		{AttributeValues{Communities: typed.Communities, LocalPreference: typed.LocalPreference, Prepend: 1}, true},
	} {
		made := MakeAttributes(test.values)
		if made.NeedsRaw() != test.needs {
			t.Errorf("%+v: %v", test.values, made.NeedsRaw())
		}
		if test.needs && made.Typed() != MakeAttributes(typed) || !test.needs && made.Typed() != made {
			t.Errorf("%+v: typed are %+v", test.values, made.Typed().Values())
		}
	}
}

func TestAttributesWithLaterOnes(t *testing.T) {
	first := MakeAttributes(AttributeValues{Communities: []Community{standard(1, 1)}, LocalPreference: preference(200), MED: preference(0)})
	second := MakeAttributes(AttributeValues{Communities: []Community{large(2, 2, 2), standard(1, 1)}, LocalPreference: preference(50), MED: preference(9), Prepend: 2})
	onlyCommunity := MakeAttributes(AttributeValues{Communities: []Community{standard(9, 9)}})
	for name, test := range map[string]struct {
		got  Attributes
		want AttributeValues
	}{
		"both":              {first.With(second), AttributeValues{Communities: []Community{standard(1, 1), large(2, 2, 2)}, LocalPreference: preference(200), MED: preference(0), Prepend: 2}},
		"the other order":   {second.With(first), AttributeValues{Communities: []Community{standard(1, 1), large(2, 2, 2)}, LocalPreference: preference(50), MED: preference(9), Prepend: 2}},
		"none before":       {Attributes{}.With(second), second.Values()},
		"none after":        {first.With(Attributes{}), first.Values()},
		"only one has some": {onlyCommunity.With(second), AttributeValues{Communities: []Community{standard(1, 1), standard(9, 9), large(2, 2, 2)}, LocalPreference: preference(50), MED: preference(9), Prepend: 2}},
	} {
		if got := test.got.Values(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

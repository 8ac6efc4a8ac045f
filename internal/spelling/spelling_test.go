package spelling

import "testing"

func TestClosest(t *testing.T) {
	for _, test := range []struct {
		word  string
		words []string
		want  string
	}{
		{"advertise", []string{"x", "advertize", "advertised"}, "advertize"},
		{"recieve", []string{"receive", "deceive"}, "receive"},
		{"tor", []string{"spine", "top"}, "top"},
		{"tor", []string{"spine", "pop"}, ""},
		{"fabric", nil, ""},
		{"", []string{"a"}, "a"},
	} {
		if got := Closest(test.word, test.words, 2); got != test.want {
			t.Errorf("Closest(%q, %q) = %q, want %q", test.word, test.words, got, test.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"kitten", "sitting", 3}, {"advertise", "advertize", 1}, {"ab", "ba", 2}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

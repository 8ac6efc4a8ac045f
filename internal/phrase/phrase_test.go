package phrase_test

import (
	"testing"
	"unicode/utf8"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

func TestListsAreCountedBeyondTheirLength(t *testing.T) {
	names := []string{"a", "b", "c"}
	for _, c := range []struct{ got, want string }{
		{phrase.List(nil, 2), ""},
		{phrase.List(names[:1], 2), "a"},
		{phrase.List(names[:2], 2), "a, b"},
		{phrase.List(names, 2), "a, b and 1 more"},
		{phrase.ListOf(names, 3, 5), "a, b, c"},
		{phrase.ListOf(names, 5000, 2), "a, b and 4,998 more"},
		{phrase.ListOf(nil, 12, 2), "12"},
	} {
		if c.got != c.want {
			t.Errorf("%q, not %q", c.got, c.want)
		}
	}
}

func TestNumbersAreReadable(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -999: "-999", -1000: "-1,000"} {
		if got := phrase.Number(n); got != want {
			t.Errorf("%d is %q, not %q", n, got, want)
		}
	}
	if one, more := phrase.Count(1, "node"), phrase.Count(1200, "node"); one != "1 node" || more != "1,200 nodes" {
		t.Errorf("%q, %q", one, more)
	}
}

func TestTextIsCutBetweenCharacters(t *testing.T) {
	for _, text := range []string{"plain text", "größer als nötig", "日本語のテキスト", "🙂🙂🙂"} {
		for limit := range len(text) + 2 {
			got := phrase.Cut(text, limit)
			if len(got) > limit || !utf8.ValidString(got) {
				t.Errorf("%q cut to %d bytes is %q", text, limit, got)
			}
			if limit >= len(text) && got != text {
				t.Errorf("%q has %d bytes of %d, and became %q", text, len(text), limit, got)
			}
		}
	}
}
